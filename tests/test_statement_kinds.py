"""Each kind of statement in each domain: the constructor and the forward pass of a network, masks, and modes.

The same mistake is written with every kind of statement, and must be seen wherever that statement proves it.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from dropout_lint.config.settings import Settings
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import rules

HEADER = """
import contextlib
import torch
import torch.nn.functional as F
from torch import nn


"""
CONSTRUCTOR = """
class Net(nn.Module):
    def __init__(self, kind=None, parts=()):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
{body}

    def forward(self, x):
        return self.b(self.act(self.drop(self.a(x))))
"""
FORWARD = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.drop = nn.Dropout(0.2)
        self.act = nn.GELU()
        self.b = nn.Linear(4, 4)

    def forward(self, x, kind=None, parts=()):
{body}
"""
MASK = """
class Net(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p
        self.keep = 1 - p

    def forward(self, x, kind=None, parts=()):
{body}
"""
MODES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return self.out(self.drop(x))


def evaluate(model, batches, kind=None, parts=()):
{body}


def main(batches):
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    for epoch in range(10):
        for x, y in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        evaluate(model, batches)


if __name__ == "__main__":
    main(open("batches"))
"""
MEASURE = """
with torch.no_grad():
    for x, y in batches:
        F.cross_entropy(model(x), y)
"""
GROUPS = {"constructor": "DRP301", "forward": "DRP301", "mask": "DRP501", "modes": "DRP20"}
TEMPLATES = {"constructor": CONSTRUCTOR, "forward": FORWARD, "mask": MASK, "modes": MODES}
LAYERS = "self.drop = nn.Dropout(0.2)\nself.act = nn.GELU()"
CALLS = "return self.b(self.act(self.drop(self.a(x))))"
DRAW = "mask = torch.rand_like(x) < self.keep"
SCALED = "return x * mask / self.keep"


def under(*lines: str) -> str:
    """Statements with each of the last ones inside of the one before it: the last is indented most."""
    *heads, body = lines
    for head in reversed(heads):
        body = f"{head}\n{indent(body.strip(), '    ')}"
    return body


REPORTED = {
    "assignment": (
        LAYERS,
        "x = self.drop(self.a(x))\nreturn self.b(self.act(x))",
        f"{DRAW}\n{SCALED}",
        f"net = model\n{MEASURE.replace('model', 'net')}",
    ),
    "annotation": (
        "self.drop: nn.Module = nn.Dropout(0.2)\nself.act: nn.Module = nn.GELU()",
        "x: torch.Tensor = self.drop(self.a(x))\nreturn self.b(self.act(x))",
        f"mask: torch.Tensor = torch.rand_like(x) < self.keep\n{SCALED}",
        f"net: nn.Module = model\n{MEASURE.replace('model', 'net')}",
    ),
    "tuple": (
        "self.drop, (self.act, self.other) = nn.Dropout(0.2), (nn.GELU(), nn.ReLU())",
        "y, x = x, self.drop(self.a(x))\nreturn self.b(self.act(x))",
        f"mask, scale = torch.rand_like(x) < self.keep, 1\n{SCALED}",
        f"net, turns = model, 3\n{MEASURE.replace('model', 'net')}",
    ),
    "starred": (
        "self.drop, *self.rest, self.act = nn.Dropout(0.2), nn.ReLU(), nn.ReLU(), nn.GELU()",
        "x, *rest = self.drop(self.a(x)), x, x\nreturn self.b(self.act(x))",
        f"mask, *rest = torch.rand_like(x) < self.keep, 1, 2\n{SCALED}",
        f"net, *rest = model, 1, 2\n{MEASURE.replace('model', 'net')}",
    ),
    "walrus": (
        "if (drop := nn.Dropout(0.2)) is not None:\n    self.drop = drop\nself.act = (act := nn.GELU())",
        "if (y := self.drop(self.a(x))) is not None:\n    return self.b(self.act(y))",
        f"if (mask := torch.rand_like(x) < self.keep) is not None:\n    {SCALED}",
        f"if (net := model) is not None:\n{indent(MEASURE.replace('model', 'net'), '    ')}",
    ),
    "augmented": (
        "layers = [nn.Dropout(0.2)]\nlayers += [nn.GELU()]\nself.drop = nn.Sequential(*layers)\n"
        "self.act = nn.Identity()",
        f"turns = 0\nturns += 1\n{CALLS}",
        f"{DRAW}\nx *= mask\nreturn x / self.keep",
        f"total = 0\n{MEASURE.replace('F.', 'total += F.')}",
    ),
    "if": (
        under("if kind:", LAYERS),
        under("if kind:", CALLS),
        under("if self.p:", f"{DRAW}\n{SCALED}") + "\nreturn x",
        under("if batches:", MEASURE),
    ),
    "match": (
        under("match kind:", "case 'a' | 'b':", LAYERS),
        under("match kind:", "case {'depth': depth}:", CALLS),
        under("match kind:", "case ['a', *rest]:", f"{DRAW}\n{SCALED}"),
        under("match kind:", "case _:", MEASURE),
    ),
    "match-capture": (
        "match nn.Dropout(0.2), nn.GELU():\n    case drop, act:\n        self.drop = drop\n        self.act = act",
        "match self.drop(self.a(x)):\n    case y:\n        return self.b(self.act(y))",
        f"match torch.rand_like(x) < self.keep:\n    case mask:\n        {SCALED}",
        under("match kind:", "case other:", MEASURE),
    ),
    "for": (
        under("for part in parts:", LAYERS),
        "for part in parts:\n    x = self.act(self.drop(self.a(x)))\nreturn self.b(x)",
        under("for part in parts:", f"{DRAW}\nx = x * mask / self.keep") + "\nreturn x",
        under("for part in parts:", MEASURE),
    ),
    "for-else": (
        under("for part in parts:", "pass") + "\n" + under("else:", LAYERS),
        under("for part in parts:", "pass") + "\n" + under("else:", CALLS),
        under("for part in parts:", "pass") + "\n" + under("else:", f"{DRAW}\n{SCALED}"),
        under("for part in parts:", "pass") + "\n" + under("else:", MEASURE),
    ),
    "while-break": (
        under("while True:", f"{LAYERS}\nbreak"),
        under("while True:", "x = self.drop(self.a(x))\nif kind:\n    break") + "\nreturn self.b(self.act(x))",
        under("while True:", f"{DRAW}\nif mask.any():\n    break") + f"\n{SCALED}",
        under("while True:", f"{MEASURE}\nif kind:\n    break"),
    ),
    "continue": (
        under("for part in parts:", f"{LAYERS}\nif part:\n    continue\nself.last = part"),
        under("for part in parts:", "y = self.drop(self.a(x))\nif part:\n    continue\nprint(part)")
        + "\nreturn self.b(self.act(y))",
        under("for part in parts:", f"{DRAW}\nif part:\n    continue\nprint(part)") + f"\n{SCALED}",
        under("for part in parts:", f"{MEASURE}\nif part:\n    continue\nprint(part)"),
    ),
    "try": (
        under("try:", LAYERS) + "\nfinally:\n    pass",
        under("try:", CALLS) + "\nfinally:\n    print(kind)",
        under("try:", f"{DRAW}\n{SCALED}") + "\nfinally:\n    pass",
        under("try:", MEASURE) + "\nfinally:\n    print(kind)",
    ),
    "except": (
        "try:\n    import fast\nexcept ImportError as error:\n" + indent(LAYERS, "    "),
        "try:\n    kind()\nexcept ValueError:\n" + indent(CALLS, "    "),
        f"try:\n    kind()\nexcept ValueError:\n    {DRAW}\n    {SCALED}",
        "try:\n    kind()\nexcept ValueError:\n" + indent(MEASURE, "    "),
    ),
    "try-else": (
        "try:\n    kind()\nexcept ValueError:\n    raise\nelse:\n" + indent(LAYERS, "    "),
        "try:\n    kind()\nexcept ValueError:\n    raise\nelse:\n" + indent(CALLS, "    "),
        f"try:\n    kind()\nexcept ValueError:\n    raise\nelse:\n    {DRAW}\n    {SCALED}",
        "try:\n    kind()\nexcept ValueError:\n    raise\nelse:\n" + indent(MEASURE, "    "),
    ),
    "finally": (
        "try:\n    kind()\nfinally:\n" + indent(LAYERS, "    "),
        "try:\n    kind()\nfinally:\n    x = self.drop(self.a(x))\nreturn self.b(self.act(x))",
        f"try:\n    kind()\nfinally:\n    {DRAW}\n{SCALED}",
        "try:\n    kind()\nfinally:\n" + indent(MEASURE, "    "),
    ),
    "with": (
        under("with contextlib.nullcontext() as manager:", LAYERS),
        under("with contextlib.nullcontext() as manager:", CALLS),
        under("with contextlib.nullcontext() as manager:", f"{DRAW}\n{SCALED}"),
        under("with contextlib.nullcontext() as manager:", MEASURE),
    ),
    "suppress": (
        under("with contextlib.suppress(ImportError):", LAYERS),
        under("with contextlib.suppress(ImportError):", CALLS),
        under("with contextlib.suppress(ImportError):", f"{DRAW}\n{SCALED}"),
        under("with contextlib.suppress(ImportError):", MEASURE),
    ),
    "return-on-another-path": (
        f"if kind:\n    return\n{LAYERS}",
        f"if kind:\n    return x\n{CALLS}",
        f"if kind:\n    return x\n{DRAW}\n{SCALED}",
        f"if kind:\n    return None\n{MEASURE}",
    ),
    "raise-on-another-path": (
        f"if kind:\n    raise ValueError\n{LAYERS}",
        f"if kind:\n    raise ValueError\n{CALLS}",
        f"if kind:\n    raise ValueError\n{DRAW}\n{SCALED}",
        f"if kind:\n    raise ValueError\n{MEASURE}",
    ),
    "comprehension": (
        "layers = nn.Sequential(*[l for l in (nn.Dropout(0.2), nn.GELU())])\n" + LAYERS,
        "x = torch.cat([self.act(self.drop(self.a(y))) for y in x])\nreturn self.b(x)",
        f"{DRAW}\nx = [x for x in parts]\nreturn x[0] * mask / self.keep",
        "with torch.no_grad():\n    return [F.cross_entropy(model(x), y) for x, y in batches]",
    ),
    "yield": (
        "def layers():\n    yield nn.Dropout(0.2)\n    yield nn.GELU()\nself.drop = nn.Sequential(*layers())\n"
        "self.act = nn.Identity()",
        "yield self.b(self.act(self.drop(self.a(x))))",
        f"{DRAW}\nyield x * mask / self.keep",
        None,
    ),
}
SILENT = {
    "assignment": (
        f"{LAYERS}\nself.act = nn.ReLU()",
        "y = self.drop(self.a(x))\ny = x\nreturn self.b(self.act(y))",
        f"{DRAW}\nmask = parts\n{SCALED}",
        f"model.eval()\n{MEASURE}\nmodel.train()",
    ),
    "del": (
        f"{LAYERS}\ndel self.act\nself.act = nn.ReLU()",
        "y = self.drop(self.a(x))\ndel y\ny = x\nreturn self.b(self.act(y))",
        f"{DRAW}\ndel mask\n{SCALED}",
        f"net = model\ndel net\nnet.eval()\n{MEASURE.replace('model', 'kind')}",
    ),
    "function": (
        f"{LAYERS}\nact = nn.GELU()\ndef act(x):\n    return x\nself.act = act",
        "y = self.drop(self.a(x))\ndef y():\n    pass\nreturn self.b(self.act(y))",
        f"{DRAW}\ndef mask():\n    pass\n{SCALED}",
        f"def measure():\n{indent(MEASURE, '    ')}",
    ),
    "match-capture": (
        "act = nn.GELU()\nmatch kind:\n    case [act]:\n        pass\n    case _:\n        raise ValueError\n"
        "self.drop = nn.Dropout(0.2)\nself.act = act",
        "y = self.drop(self.a(x))\nmatch kind:\n    case [y]:\n        pass\n    case _:\n        return x\n"
        "return self.b(self.act(y))",
        f"{DRAW}\nmatch kind:\n    case [mask]:\n        pass\n    case _:\n        return x\n{SCALED}",
        f"match kind:\n    case [model]:\n{indent(MEASURE, '        ')}",
    ),
    "handler": (
        "act = nn.GELU()\ntry:\n    kind()\nexcept ValueError as act:\n    self.drop = nn.Dropout(0.2)\n"
        "    self.act = act\nelse:\n    raise ValueError",
        "y = self.drop(self.a(x))\ntry:\n    kind()\nexcept ValueError as y:\n    return self.b(self.act(y))",
        f"{DRAW}\ntry:\n    kind()\nexcept ValueError as mask:\n    {SCALED}",
        None,
    ),
    "for-target": (
        "act = nn.GELU()\nself.drop = nn.Dropout(0.2)\nfor act in parts:\n    self.act = act",
        "y = self.drop(self.a(x))\nfor y in parts:\n    x = self.act(y)\nreturn self.b(x)",
        f"{DRAW}\nfor mask in parts:\n    {SCALED}",
        f"for model in parts:\n{indent(MEASURE, '    ')}",
    ),
    "finally": (
        f"{LAYERS}\ntry:\n    return\nfinally:\n    self.act = nn.ReLU()",
        "y = self.drop(self.a(x))\ntry:\n    kind()\nfinally:\n    y = x\nreturn self.b(self.act(y))",
        f"{DRAW}\ntry:\n    kind()\nfinally:\n    mask = parts\n{SCALED}",
        f"model.eval()\ntry:\n{indent(MEASURE, '    ')}\n    return 1\nfinally:\n    model.train()",
    ),
    "behind-an-exit": (
        "self.drop = nn.Dropout(0.2)\nself.act = nn.ReLU()\nif kind:\n    raise ValueError\n    self.act = nn.GELU()",
        "if kind:\n    raise ValueError\n    x = self.act(self.drop(self.a(x)))\nreturn self.b(x)",
        f"while True:\n    pass\n{DRAW}\n{SCALED}",
        f"return kind\n{MEASURE}",
    ),
}
CELLS = [
    pytest.param(domain, body, expected, id=f"{kind}-{domain}-{'reported' if expected else 'silent'}")
    for table, findings in ((REPORTED, True), (SILENT, False))
    for kind, row in table.items()
    for domain, body in zip(TEMPLATES, row, strict=True)
    for expected in [{"mask": ["DRP501"], "modes": ["DRP206"]}.get(domain, ["DRP301"]) if findings else []]
    if body is not None
]


def codes(domain: str, body: str) -> list[str]:
    text = HEADER + TEMPLATES[domain].format(body=indent(dedent(body), "    " * (1 if domain == "modes" else 2)))
    enabled = frozenset(code for code in rules() if code.startswith(GROUPS[domain]))
    settings = Settings(root=Path.cwd(), enabled=enabled)
    result = Linter(lambda _: settings, jobs=1).run_text(Path("example.py"), text)
    assert not result.failures
    return [d.code for d in result.diagnostics]


@pytest.mark.parametrize(("domain", "body", "expected"), CELLS)
def test_statement(domain: str, body: str, expected: list[str]) -> None:
    assert codes(domain, body) == expected


def test_one_network_four_ways() -> None:
    """Plain, built in ``try``, called in ``match``, and bound by a tuple: four networks, four findings."""
    layers = "nn.Dropout(0.2), nn.GELU()"
    networks = [
        CONSTRUCTOR.format(body=indent(LAYERS, " " * 8)),
        CONSTRUCTOR.format(body=indent(under("try:", LAYERS) + "\nfinally:\n    pass", " " * 8)),
        FORWARD.format(body=indent(under("match kind:", "case 'a':", CALLS), " " * 8)),
        CONSTRUCTOR.format(body=indent(f"self.drop, self.act = {layers}", " " * 8)),
    ]
    text = HEADER + "\n".join(n.replace("Net", f"Net{i}") for i, n in enumerate(networks))
    settings = Settings(root=Path.cwd(), enabled=frozenset({"DRP301"}))
    result = Linter(lambda _: settings, jobs=1).run_text(Path("example.py"), text)
    assert [d.code for d in result.diagnostics] == ["DRP301"] * 4
