"""Hand-written dropout: what the rules 501-509 say of small sources, and what they must keep quiet about."""

from __future__ import annotations

import pytest

from dropout_lint.diagnostic import Applicability, Diagnostic
from tests.linting import codes, fix, group, lint_text

CODES = group("DRP50")
TRAIN = "if not self.training:\n    return x\n"
HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


def findings(text: str) -> tuple[Diagnostic, ...]:
    return lint_text(text, CODES)


def module(body: str, *, name: str = "Dropout", head: str = HEAD, init: str = "self.p = p") -> str:
    """A module whose forward has the given body."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    made = "\n".join(f"        {line}" for line in init.splitlines())
    return (
        f"{head}class {name}(nn.Module):\n    def __init__(self, p=0.1):\n        super().__init__()\n{made}\n\n"
        f"    def forward(self, x):\n{lines}\n"
    )


KEPT = "self.p = p\nself.keep_prob = 1 - p"

REPORTED = [
    pytest.param("return x * (torch.rand_like(x) > self.p) / (1 - self.p)", "self.p = p", ["DRP501"], id="no-test"),
    pytest.param("return x * x.new_empty(x.shape).bernoulli_(self.keep_prob)", KEPT, ["DRP501"], id="no-test-by-name"),
    pytest.param(
        "mask = torch.bernoulli(torch.ones_like(x) * (1 - self.p))\nx = x * mask\nreturn x / (1 - self.p)",
        "self.p = p",
        ["DRP501"],
        id="no-test-ones-times-keep",
    ),
    pytest.param(
        "return x.masked_fill(torch.rand_like(x) < self.p, 0).div(1 - self.p)", "self.p = p", ["DRP501"], id="filled"
    ),
    pytest.param(
        "m = torch.distributions.Bernoulli(1 - self.p).sample(x.shape).to(x)\nreturn x * m / (1 - self.p)",
        "self.p = p",
        ["DRP501"],
        id="distribution",
    ),
    pytest.param(
        "if self.training:\n    x = x * (torch.rand_like(x) >= self.p)\nreturn x",
        "self.p = p",
        ["DRP502"],
        id="unscaled",
    ),
    pytest.param(
        TRAIN + "x *= torch.empty_like(x).bernoulli_(1 - self.p)\nreturn x",
        "self.p = p",
        ["DRP502"],
        id="unscaled-in-place",
    ),
    pytest.param(
        TRAIN + "return x * torch.rand_like(x).lt(self.p) / self.keep_prob",
        KEPT,
        ["DRP503"],
        id="attribute-of-constructor",
    ),
    pytest.param(
        TRAIN + "keep = 1.0 - self.p\nreturn torch.where(torch.rand_like(x) < keep, 0.0, x) / keep",
        "self.p = p",
        ["DRP503"],
        id="where-the-wrong-way-round",
    ),
    pytest.param(
        TRAIN + "return x.masked_fill(torch.rand_like(x) > 0.2, 0) / 0.8",
        "self.p = p",
        ["DRP503"],
        id="numbers",
    ),
    pytest.param(
        TRAIN + "m = torch.floor(torch.rand_like(x) + self.p)\nreturn x.div(1 - self.p) * m",
        "self.p = p",
        ["DRP503"],
        id="floor",
    ),
    pytest.param(
        TRAIN + "m = x.new_empty(x.shape).bernoulli_(self.p).div_(1 - self.p)\nreturn self.body(x, m)",
        "self.p = p",
        ["DRP503"],
        id="mask-with-its-own-scale",
    ),
    pytest.param(
        "if self.training:\n    return x * (torch.rand_like(x) < self.keep_prob) / self.keep_prob\n"
        "else:\n    return self.keep_prob * x",
        KEPT,
        ["DRP504"],
        id="scaled-twice",
    ),
    pytest.param(
        TRAIN + "m = (torch.randn_like(x) > self.p).to(x.dtype)\nreturn x * m / (1 - self.p)",
        "self.p = p",
        ["DRP505"],
        id="normal",
    ),
    pytest.param(
        TRAIN + "m = torch.normal(0, 1, size=x.shape) > self.p\nreturn x * m / (1 - self.p)",
        "self.p = p",
        ["DRP505"],
        id="normal-with-moments",
    ),
    pytest.param(
        TRAIN + "if torch.randn(1) < self.p:\n    return x\nreturn self.body(x)",
        "self.p = p",
        ["DRP505"],
        id="normal-skip",
    ),
    pytest.param(
        TRAIN + "m = torch.bernoulli(torch.full(x.size(), 1 - self.p))\nreturn x * m / (1 - self.p)",
        "self.p = p",
        ["DRP506"],
        id="device-of-full",
    ),
    pytest.param(
        TRAIN + "m = torch.FloatTensor((len(x), 1, 1, 1)).uniform_().to(x) > self.p\nreturn x * m / (1 - self.p)",
        "self.p = p",
        ["DRP508"],
        id="sizes-as-values",
    ),
]


@pytest.mark.parametrize(("body", "init", "expected"), REPORTED)
def test_reported(body: str, init: str, expected: list[str]) -> None:
    assert codes(findings(module(body, init=init))) == expected


SILENT = [
    pytest.param(TRAIN + "return x * (torch.rand_like(x) > self.p) / (1 - self.p)", id="inverted"),
    pytest.param("return x * torch.bernoulli(torch.sigmoid(self.gate(x)))", id="learned-probabilities"),
    pytest.param("keep = torch.rand(x.size(0), device=x.device) > self.p\nreturn x[keep]", id="sampled-rows"),
    pytest.param("return x + self.p * torch.randn_like(x)", id="additive-noise"),
    pytest.param("return torch.where(torch.rand_like(x) < self.p, self.token, x)", id="replaced-by-a-token"),
    pytest.param("m = torch.rand_like(x) > self.p\nreturn m", id="mask-for-the-caller"),
    pytest.param(
        "m = 1 - torch.empty_like(x).bernoulli_(1 - self.p)\nif not self.training:\n    return x\n"
        "return x.masked_fill(m.bool(), 0) * 1.0 / (1 - self.p)",
        id="two-negations",
    ),
    pytest.param(
        "p = self.p if self.training else 0.0\nreturn x * (torch.rand_like(x) >= p) / (1 - p)", id="rate-by-mode"
    ),
    pytest.param(
        "if not self.training:\n    return x * (1 - self.p)\nreturn x * (torch.rand_like(x) > self.p)",
        id="original-form",
    ),
    pytest.param(
        TRAIN + "m = torch.empty_like(x).bernoulli_(1 - self.p)\nif self.scale:\n    m.div_(1 - self.p)\nreturn x * m",
        id="scaled-on-demand",
    ),
    pytest.param(
        TRAIN + "m = (torch.rand_like(x) > self.p) * self.weight\nreturn x * m",
        id="scale-unknown",
    ),
    pytest.param(
        "gamma = self.p / 49\nm = (torch.rand_like(x) < gamma).to(x)\nm = 1 - F.max_pool2d(m, 7, 1, 3)\n"
        "return x * m * m.numel() / m.sum()",
        id="dropblock",
    ),
    pytest.param(
        TRAIN + "m = torch.rand(x.shape).to(x.device) > self.p\nreturn x * m / (1 - self.p)",
        id="moved",
    ),
]


@pytest.mark.parametrize("body", SILENT)
def test_silent(body: str) -> None:
    name = "Block" if "F.max_pool2d" in body or "sigmoid" in body else "Dropout"
    assert findings(module(body, name=name)) == ()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("import jax as torch\nfrom flax import nn\n\n\n# torch\n", id="jax"),
        pytest.param("import paddle as torch\nfrom paddle import nn\n\n\n", id="paddle"),
        pytest.param("import numpy.random as torch\nfrom keras import layers as nn\n\n\n", id="numpy"),
    ],
)
def test_lookalikes_are_silent(head: str) -> None:
    assert findings(module("return x * (torch.rand_like(x) > self.p) / (1 - self.p)", head=head)) == ()


ZONEOUT = """class Zoneout(nn.Module):
    def __init__(self, cell, prob):
        super().__init__()
        self.cell, self.prob = cell, prob

    def forward(self, x, h):
        next_h = self.cell(x, h)
        if self.training:
            mask = torch.empty_like(h).bernoulli_({rate})
            return {mix}
        return next_h
"""


@pytest.mark.parametrize(
    ("rate", "mix", "expected"),
    [
        pytest.param("self.prob", "mask * h + (1 - mask) * next_h", [], id="right"),
        pytest.param("self.prob", "mask * next_h + (1 - mask) * h", ["DRP503"], id="exchanged"),
        pytest.param("1 - self.prob", "mask * next_h + (1 - mask) * h", [], id="right-by-keep"),
        pytest.param("1 - self.prob", "mask * h + (1 - mask) * next_h", ["DRP503"], id="exchanged-by-keep"),
        pytest.param("self.prob", "torch.where(mask.bool(), next_h, h)", ["DRP503"], id="exchanged-where"),
    ],
)
def test_zoneout(rate: str, mix: str, expected: list[str]) -> None:
    assert codes(findings(HEAD + ZONEOUT.format(rate=rate, mix=mix))) == expected


MASKS = """class Net(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    @staticmethod
    def mask(x, rate):
        {made}

    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(
    ("made", "body", "expected"),
    [
        pytest.param(
            "return x.new_empty(x.shape).bernoulli_(1 - rate) / (1 - rate)",
            "return x * self.mask(x, self.p)",
            ["DRP501"],
            id="in-both-modes",
        ),
        pytest.param(
            "return x.new_empty(x.shape).bernoulli_(1 - rate) / (1 - rate)",
            "return x * self.mask(x, self.p) if self.training else x",
            [],
            id="in-training",
        ),
        pytest.param(
            "return torch.rand_like(x) < rate",
            "return x * self.mask(x, self.p) / (1 - self.p) if self.training else x",
            ["DRP503"],
            id="scaled-by-the-caller",
        ),
        pytest.param(
            "return torch.rand_like(x).lt(rate) / (1 - rate)",
            "return x * self.mask(x, self.p) if self.training else x",
            ["DRP503"],
            id="scaled-by-the-helper",
        ),
        pytest.param(
            "return torch.rand_like(x) < rate",
            "return x * self.mask(x, 1 - self.p) / (1 - self.p) if self.training else x",
            [],
            id="given-the-complement",
        ),
    ],
)
def test_a_helper_may_make_the_mask(made: str, body: str, expected: list[str]) -> None:
    assert codes(findings(HEAD + MASKS.format(made=made, body=body))) == expected


HELPER = """def drop(x, p):
    return x * (torch.rand_like(x) >= p) / (1 - p)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(2, 2)

    def forward(self, x, rate=0.0):
        {call}
        return self.out(x)
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param("x = drop(x, 0.5)", [("DRP501", 16)], id="called-in-both-modes"),
        pytest.param("x = drop(x, 0.5) if self.training else x", [], id="called-in-training"),
        pytest.param("x = drop(x, 0.5 if self.training else 0.0)", [], id="rate-by-mode"),
        pytest.param("x = drop(x, rate)", [], id="rate-from-the-caller"),
    ],
)
def test_a_helper_is_judged_by_its_calls(call: str, expected: list[tuple[str, int]]) -> None:
    assert [(d.code, d.span.line) for d in findings(HEAD + HELPER.format(call=call))] == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param("self.w.data = F.dropout(self.w.data, 0.5)", ["DRP509"], id="attribute"),
        pytest.param("self.w.data.copy_(F.dropout(self.w, 0.5))", ["DRP509"], id="copy"),
        pytest.param(
            "for n, w in self.named_parameters(): getattr(self, n).data = F.dropout(w.data, 0.5).contiguous()",
            ["DRP509"],
            id="loop-by-name",
        ),
        pytest.param("for w in self.parameters(): w.data = F.dropout(w.data, 0.5)", ["DRP509"], id="loop"),
        pytest.param("self.w.data = F.dropout(self.raw.data, 0.5)", [], id="from-a-raw-copy"),
        pytest.param("w = F.dropout(self.w, 0.5)", [], id="temporary"),
    ],
)
def test_weights_written_back(statement: str, expected: list[str]) -> None:
    text = module(f"{statement}\nreturn x @ self.w", name="Linear", init="self.w = nn.Parameter(torch.ones(2, 2))")
    assert codes(findings(text)) == expected


def test_intent_silences_the_mode_and_not_the_scale() -> None:
    body = "return x * torch.bernoulli(torch.full_like(x, self.p)) / (1 - self.p)"
    assert codes(findings(module(body))) == ["DRP501", "DRP503"]
    assert codes(findings(module(body, name="DecoderPrenet"))) == ["DRP503"]


def test_the_safe_fix_of_the_device_draws_the_same_numbers() -> None:
    torch = pytest.importorskip("torch")
    body = TRAIN + "m = torch.rand(x.shape) > self.p\nreturn x * m / (1 - self.p)"
    before = module(body)
    outcome = fix(before, findings, Applicability.SAFE)
    assert "torch.rand(x.shape, device=x.device)" in outcome.text
    results = []
    for text in (before, outcome.text):
        names: dict[str, type] = {}
        exec(compile(text, "example.py", "exec"), names)
        layer = names["Dropout"](0.3)
        torch.manual_seed(0)
        x = torch.randn(64, 32)
        results.append((layer(x), layer(x.t()), layer.eval()(x), torch.get_rng_state()))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
