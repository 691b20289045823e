"""Draws the figures of the site: the numbers behind the rules, computed with numpy or taken from the package's tables.

``python -m tools.figures FOLDER`` writes each in the colours of the light and the dark page.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dropout_lint.torch_api.activations import ACTIVATIONS, BIAS, BIAS_RATES

THEMES = {"light": "#333333", "dark": "#d5d7e2"}
"""Colour of lines and text on the page's own background."""
FIGURES: dict[str, Callable[[Axes], None]] = {}

_SEED = 0
_SAMPLES = 400_000
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html"""


def figure(draw: Callable[[Axes], None]) -> Callable[[Axes], None]:
    """Register a figure under the name of its function."""
    FIGURES[draw.__name__.replace("_", "-")] = draw
    return draw


def drawn(name: str, theme: str) -> str:
    """One figure as SVG, with nothing in it that differs from run to run."""
    ink = THEMES[theme]
    style: dict[Any, Any] = {
        "axes.edgecolor": ink,
        "axes.labelcolor": ink,
        "font.family": "sans-serif",
        "legend.labelcolor": ink,
        "svg.fonttype": "none",
        "svg.hashsalt": "dropout-lint",
        "text.color": ink,
        "xtick.color": ink,
        "ytick.color": ink,
    }
    with mpl.rc_context(style):
        page = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = page.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.2)
        FIGURES[name](axes)
        text = io.StringIO()
        page.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()


@figure
def activation_bias(axes: Axes) -> None:
    """How far E[f(dropout(x))] is from f(x), for each activation that does not commute (DRP301, DRP302)."""
    shown = sorted(BIAS, key=lambda name: BIAS[name][3])
    for rate, marker in ((0.1, "o"), (0.3, "s"), (0.5, "D")):
        values = [BIAS[name][BIAS_RATES.index(rate)] for name in shown]
        axes.plot(values, range(len(shown)), marker, markersize=4, label=f"p = {rate}")
    axes.set_yticks(range(len(shown)), [name.rpartition(".")[2] for name in shown], fontsize=7)
    axes.set_xlabel("mean |E[f(dropout(x))] - f(x)|, x from N(0, 1)")
    axes.legend(loc="lower right", frameon=False)


@figure
def batch_norm_shift(axes: Axes) -> None:
    """Standard deviation in eval of what a BatchNorm learnt behind a dropout should make 1 (DRP304, DRP305)."""
    x = np.random.default_rng(_SEED).standard_normal(_SAMPLES)
    rates = np.linspace(0, 0.9, 46)
    for label, value in (("behind a Linear", x), ("behind a ReLU", np.maximum(x, 0))):
        # Dropout keeps the mean and makes E[x^2] 1/(1-p) times as large.
        learnt = (value**2).mean() / (1 - rates) - value.mean() ** 2
        axes.plot(rates, np.sqrt(value.var() / learnt), label=label)
    axes.axhline(1, linewidth=0.8, linestyle=":")
    axes.set(xlabel="drop probability p", ylabel="standard deviation in eval", ylim=(0, 1.05))
    axes.legend(frameon=False)


@figure
def self_normalisation(axes: Axes) -> None:
    """Variance layer by layer of a SELU network, with plain and with alpha dropout at p = 0.2 (DRP310)."""
    depth, width, batch, rate = 12, 512, 512, 0.2
    for label, drop in (("Dropout", _dropout), ("AlphaDropout", _alpha_dropout), ("eval", lambda x, *_: x)):
        random = np.random.default_rng(_SEED)
        x = random.standard_normal((batch, width))
        variances = [x.var()]
        for _ in range(depth):
            x = drop(_selu(x @ random.standard_normal((width, width)) / np.sqrt(width)), rate, random)
            variances.append(x.var())
        axes.plot(variances, marker=".", label=label)
    axes.set(xlabel="layer (Linear, SELU, dropout)", ylabel="variance of the activations")
    axes.legend(frameon=False)


@figure
def alpha_dropout_shift(axes: Axes) -> None:
    """Mean and variance that an alpha dropout adds behind an activation other than SELU (DRP311)."""
    random = np.random.default_rng(_SEED)
    x = random.standard_normal(_SAMPLES)
    rates = np.linspace(0.02, 0.8, 27)
    for label, value in (("ReLU", np.maximum(x, 0)), ("SELU", _selu(x))):
        dropped = [_alpha_dropout(value, rate, random) for rate in rates]
        (line,) = axes.plot(rates, [d.mean() - value.mean() for d in dropped], label=f"mean behind {label}")
        shift = [d.var() - value.var() for d in dropped]
        axes.plot(rates, shift, "--", color=line.get_color(), label=f"variance behind {label}")
    axes.set(xlabel="drop probability p", ylabel="train minus eval")
    axes.legend(frameon=False)


@figure
def repeated_dropout(axes: Axes) -> None:
    """The rate of two dropouts in a row, and of a rate passed where the complement is meant (DRP312, DRP401)."""
    rates = np.linspace(0, 1, 101)
    axes.plot(rates, 1 - (1 - rates) ** 2, label="the same dropout twice")
    axes.plot(rates, 1 - rates, label="keep probability passed as p")
    axes.plot(rates, rates, linewidth=0.8, linestyle=":", label="as meant")
    axes.set(xlabel="rate that was meant", ylabel="rate that is applied")
    axes.legend(frameon=False)


@figure
def missing_scale(axes: Axes) -> None:
    """Mean in eval over mean in training, for a hand-written mask with its scale wrong (DRP502, DRP503, DRP504)."""
    rates = np.linspace(0, 0.9, 91)
    axes.plot(rates, 1 / (1 - rates), label="not scaled, or eval not scaled down")
    axes.plot(rates, rates / (1 - rates), label="divided by p")
    axes.plot(rates, 1 - rates, label="scaled in training and again in eval")
    axes.axhline(1, linewidth=0.8, linestyle=":")
    axes.set(xlabel="drop probability p", ylabel="mean in eval / mean in training", ylim=(0, 5))
    axes.legend(frameon=False)


def commutation_table() -> str:
    """Markdown: whether each activation of torch commutes with dropout, and the bias at p = 0.5 if not."""
    words = {"exact": "bit by bit", "ulp": "up to rounding", "no": "no"}
    rows = ["| Activation | Commutes with dropout | Mean bias at p = 0.5 |", "|---|---|---|"]
    for name, verdict in sorted(ACTIVATIONS.items(), key=lambda item: (item[1] == "no", item[0])):
        bias = f"{BIAS[name][BIAS_RATES.index(0.5)]:.4f}" if name in BIAS else ""
        rows.append(f"| `{name.removeprefix('torch.')}` | {words[verdict]} | {bias} |")
    return "\n".join(rows)


def _selu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, _SELU_SCALE * x, _SELU_SCALE * _SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def _dropout(x: np.ndarray, rate: float, random: np.random.Generator) -> np.ndarray:
    return x * (random.random(x.shape) >= rate) / (1 - rate)


def _alpha_dropout(x: np.ndarray, rate: float, random: np.random.Generator) -> np.ndarray:
    """As in section "New Dropout Technique" of https://arxiv.org/abs/1706.02515."""
    floor = -_SELU_SCALE * _SELU_ALPHA
    scale = 1 / np.sqrt((1 - rate) * (1 + rate * floor**2))
    dropped = np.where(random.random(x.shape) >= rate, x, floor)
    return np.asarray(scale * dropped - scale * rate * floor)


def main(folder: Path) -> None:
    """Write all figures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        for theme in THEMES:
            (folder / f"{name}-{theme}.svg").write_text(drawn(name, theme), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
