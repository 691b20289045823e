"""Activations of torch: which commute with dropout, and the bias of the others. Measured; tests recompute it."""

from __future__ import annotations

ACTIVATIONS: dict[str, str] = {
    "torch.nn.CELU": "no",
    "torch.nn.ELU": "no",
    "torch.nn.GELU": "no",
    "torch.nn.GLU": "no",
    "torch.nn.Hardshrink": "no",
    "torch.nn.Hardsigmoid": "no",
    "torch.nn.Hardswish": "no",
    "torch.nn.Hardtanh": "no",
    "torch.nn.LeakyReLU": "ulp",
    "torch.nn.LogSigmoid": "no",
    "torch.nn.LogSoftmax": "no",
    "torch.nn.Mish": "no",
    "torch.nn.PReLU": "ulp",
    "torch.nn.RReLU": "ulp",
    "torch.nn.ReLU": "exact",
    "torch.nn.ReLU6": "no",
    "torch.nn.SELU": "no",
    "torch.nn.SiLU": "no",
    "torch.nn.Sigmoid": "no",
    "torch.nn.Softmax": "no",
    "torch.nn.Softmax2d": "no",
    "torch.nn.Softmin": "no",
    "torch.nn.Softplus": "no",
    "torch.nn.Softshrink": "no",
    "torch.nn.Softsign": "no",
    "torch.nn.Tanh": "no",
    "torch.nn.Tanhshrink": "no",
    "torch.nn.Threshold": "no",
}
"""Whether an activation commutes with dropout: bit by bit, up to rounding (two units in the last place), or not.

RReLU does in eval (in training only in distribution). Threshold does with the arguments (0, 0) only.
"""

FUNCTIONAL_ACTIVATIONS: dict[str, str] = {
    "torch.celu": "torch.nn.CELU",
    "torch.celu_": "torch.nn.CELU",
    "torch.hardshrink": "torch.nn.Hardshrink",
    "torch.log_softmax": "torch.nn.LogSoftmax",
    "torch.nn.functional.celu": "torch.nn.CELU",
    "torch.nn.functional.celu_": "torch.nn.CELU",
    "torch.nn.functional.elu": "torch.nn.ELU",
    "torch.nn.functional.elu_": "torch.nn.ELU",
    "torch.nn.functional.gelu": "torch.nn.GELU",
    "torch.nn.functional.glu": "torch.nn.GLU",
    "torch.nn.functional.hardshrink": "torch.nn.Hardshrink",
    "torch.nn.functional.hardsigmoid": "torch.nn.Hardsigmoid",
    "torch.nn.functional.hardswish": "torch.nn.Hardswish",
    "torch.nn.functional.hardtanh": "torch.nn.Hardtanh",
    "torch.nn.functional.hardtanh_": "torch.nn.Hardtanh",
    "torch.nn.functional.leaky_relu": "torch.nn.LeakyReLU",
    "torch.nn.functional.leaky_relu_": "torch.nn.LeakyReLU",
    "torch.nn.functional.log_softmax": "torch.nn.LogSoftmax",
    "torch.nn.functional.logsigmoid": "torch.nn.LogSigmoid",
    "torch.nn.functional.mish": "torch.nn.Mish",
    "torch.nn.functional.prelu": "torch.nn.PReLU",
    "torch.nn.functional.relu": "torch.nn.ReLU",
    "torch.nn.functional.relu6": "torch.nn.ReLU6",
    "torch.nn.functional.relu_": "torch.nn.ReLU",
    "torch.nn.functional.rrelu": "torch.nn.RReLU",
    "torch.nn.functional.rrelu_": "torch.nn.RReLU",
    "torch.nn.functional.selu": "torch.nn.SELU",
    "torch.nn.functional.selu_": "torch.nn.SELU",
    "torch.nn.functional.sigmoid": "torch.nn.Sigmoid",
    "torch.nn.functional.silu": "torch.nn.SiLU",
    "torch.nn.functional.softmax": "torch.nn.Softmax",
    "torch.nn.functional.softmin": "torch.nn.Softmin",
    "torch.nn.functional.softplus": "torch.nn.Softplus",
    "torch.nn.functional.softshrink": "torch.nn.Softshrink",
    "torch.nn.functional.softsign": "torch.nn.Softsign",
    "torch.nn.functional.tanh": "torch.nn.Tanh",
    "torch.nn.functional.tanhshrink": "torch.nn.Tanhshrink",
    "torch.nn.functional.threshold": "torch.nn.Threshold",
    "torch.nn.functional.threshold_": "torch.nn.Threshold",
    "torch.prelu": "torch.nn.PReLU",
    "torch.relu": "torch.nn.ReLU",
    "torch.relu_": "torch.nn.ReLU",
    "torch.rrelu": "torch.nn.RReLU",
    "torch.rrelu_": "torch.nn.RReLU",
    "torch.selu": "torch.nn.SELU",
    "torch.selu_": "torch.nn.SELU",
    "torch.sigmoid": "torch.nn.Sigmoid",
    "torch.sigmoid_": "torch.nn.Sigmoid",
    "torch.softmax": "torch.nn.Softmax",
    "torch.special.expit": "torch.nn.Sigmoid",
    "torch.special.log_softmax": "torch.nn.LogSoftmax",
    "torch.special.softmax": "torch.nn.Softmax",
    "torch.tanh": "torch.nn.Tanh",
    "torch.tanh_": "torch.nn.Tanh",
    "torch.threshold": "torch.nn.Threshold",
    "torch.threshold_": "torch.nn.Threshold",
}
"""The module that computes the same as a function."""

METHOD_ACTIVATIONS: dict[str, str] = {
    "hardshrink": "torch.nn.Hardshrink",
    "log_softmax": "torch.nn.LogSoftmax",
    "prelu": "torch.nn.PReLU",
    "relu": "torch.nn.ReLU",
    "relu_": "torch.nn.ReLU",
    "sigmoid": "torch.nn.Sigmoid",
    "sigmoid_": "torch.nn.Sigmoid",
    "softmax": "torch.nn.Softmax",
    "tanh": "torch.nn.Tanh",
    "tanh_": "torch.nn.Tanh",
}
"""The module that computes the same as a tensor method."""

BIAS: dict[str, tuple[float, float, float, float, float]] = {
    "torch.nn.CELU": (0.0108, 0.023, 0.0371, 0.0725, 0.1217),
    "torch.nn.ELU": (0.0108, 0.023, 0.0371, 0.0725, 0.1217),
    "torch.nn.GELU": (0.0144, 0.0294, 0.0447, 0.0747, 0.1),
    "torch.nn.GLU": (0.0035, 0.0079, 0.0135, 0.0297, 0.0576),
    "torch.nn.Hardshrink": (0.0169, 0.0324, 0.0463, 0.0692, 0.0848),
    "torch.nn.Hardsigmoid": (0.0002, 0.0008, 0.002, 0.0096, 0.0333),
    "torch.nn.Hardswish": (0.0177, 0.0387, 0.0634, 0.1226, 0.1848),
    "torch.nn.Hardtanh": (0.0342, 0.0738, 0.1191, 0.229, 0.3669),
    "torch.nn.LogSigmoid": (0.0101, 0.0221, 0.0363, 0.0744, 0.1322),
    "torch.nn.LogSoftmax": (0.0447, 0.1003, 0.1713, 0.3903, 0.8218),
    "torch.nn.Mish": (0.0148, 0.031, 0.0484, 0.0865, 0.1256),
    "torch.nn.ReLU6": (0.0, 0.0, 0.0, 0.0004, 0.0143),
    "torch.nn.SELU": (0.0189, 0.0405, 0.0652, 0.1274, 0.214),
    "torch.nn.SiLU": (0.0153, 0.0324, 0.0516, 0.0962, 0.1462),
    "torch.nn.Sigmoid": (0.0042, 0.0095, 0.0161, 0.0359, 0.07),
    "torch.nn.Softmax": (0.0024, 0.0049, 0.0076, 0.0138, 0.0234),
    "torch.nn.Softmax2d": (0.0024, 0.0049, 0.0076, 0.0138, 0.0234),
    "torch.nn.Softmin": (0.0023, 0.0048, 0.0076, 0.0138, 0.0239),
    "torch.nn.Softplus": (0.0101, 0.0221, 0.0363, 0.0744, 0.1322),
    "torch.nn.Softshrink": (0.0317, 0.0653, 0.1007, 0.1771, 0.2613),
    "torch.nn.Softsign": (0.0192, 0.0405, 0.0642, 0.1211, 0.1964),
    "torch.nn.Tanh": (0.0273, 0.0587, 0.0948, 0.1848, 0.3044),
    "torch.nn.Tanhshrink": (0.0273, 0.0587, 0.0948, 0.1848, 0.3044),
}
"""Mean distance of E[f(dropout(x))] from f(x) for x from N(0, 1), at the rates of BIAS_RATES.

Without the activations that commute, and without Threshold, whose value depends on its arguments. GLU and the softmax
family over eight values.
"""

BIAS_RATES = (0.1, 0.2, 0.3, 0.5, 0.7)

NOT_ZERO_AT_ZERO = {
    "torch.nn.Hardsigmoid",
    "torch.nn.LogSigmoid",
    "torch.nn.LogSoftmax",
    "torch.nn.Sigmoid",
    "torch.nn.Softmax",
    "torch.nn.Softmax2d",
    "torch.nn.Softmin",
    "torch.nn.Softplus",
}
"""Activations that map zero to another value, which undoes a dropout before them."""

COMMUTES: dict[str, str] = {
    **ACTIVATIONS,
    **{function: ACTIVATIONS[module] for function, module in FUNCTIONAL_ACTIVATIONS.items()},
    **{f".{method}": ACTIVATIONS[module] for method, module in METHOD_ACTIVATIONS.items()},
}
"""The same for modules, functions and, with a dot in front, tensor methods."""

THRESHOLD_AT_ZERO = "torch.nn.Threshold(0, 0)"
"""The one Threshold that is a ReLU."""
COMMUTES[THRESHOLD_AT_ZERO] = "exact"

TWIN: dict[str, str] = {
    **{module: module for module in ACTIVATIONS},
    **FUNCTIONAL_ACTIVATIONS,
    **{f".{method}": module for method, module in METHOD_ACTIVATIONS.items()},
}
"""The module of each name of an activation."""

ELEMENTWISE = frozenset(name for name in COMMUTES if not name.lower().endswith("glu"))
"""Activations of single values or along a dimension. Not GLU, which multiplies two halves of its input."""
PASSING = frozenset(name for name, verdict in COMMUTES.items() if verdict != "no")
"""Activations that keep a dropped value at zero and the scale of the others."""
NORMALIZING = frozenset(
    name
    for name, module in TWIN.items()
    if module.rpartition(".")[2] in {"Softmax", "LogSoftmax", "Softmin", "Softmax2d"}
)
"""Softmax and related functions, which turn a dropped logit into a probability."""
CLIPPING = frozenset(name for name, module in TWIN.items() if module == "torch.nn.ReLU6")
"""Differs from ReLU only far from zero: the bias is below 0.001 at the usual rates."""


def bias(name: str, rate: float | None) -> tuple[float, float] | None:
    """The measured rate nearest to ``rate`` (0.5 if unknown), and the bias at that rate."""
    values = BIAS.get(TWIN.get(name, name))
    if values is None:
        return None
    wanted = 0.5 if rate is None else rate
    nearest = min(range(len(BIAS_RATES)), key=lambda i: abs(BIAS_RATES[i] - wanted))
    return BIAS_RATES[nearest], values[nearest]
