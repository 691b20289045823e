"""Dropout beside the layers of wrapper classes and factories, in the same file and behind one or two others."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dropout_lint.diagnostic import Applicability, Diagnostic
from tests.linting import codes, lint_files, write_files

PLACEMENT = frozenset({f"DRP3{n:02}" for n in (1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 15)})
HEADER = """
import torch
import torch.nn.functional as F
from torch import nn
"""
CONV = """
class ConvAct(nn.Module):
    def __init__(self, a, b, k=3, norm=False, act_layer=nn.ReLU, drop=0.0):
        super().__init__()
        self.conv = nn.Conv2d(a, b, k, padding=1)
        self.norm = nn.BatchNorm2d(b) if norm else None
        self.act = act_layer()
        self.drop = nn.Dropout(drop)

    def forward(self, x):
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return self.drop(self.act(x))
"""
NORM = """
class NormAct(nn.Module):
    def __init__(self, width, norm=False, act_layer=nn.GELU):
        super().__init__()
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.act = act_layer()

    def forward(self, x):
        return self.act(self.norm(x))
"""
BEHIND = "net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3), {}, nn.Linear(4, 4))\n"
IMPORT = "from layers import *\n".replace("*", "NormAct, ConvAct")


def findings(folder: Path, net: str, **files: str) -> tuple[Diagnostic, ...]:
    names = {name: f"{name.replace('__', '/').replace('/init', '/__init__')}.py" for name in ("net", *files)}
    texts = {"net": net, **files}
    paths = write_files(folder, {file: HEADER + dedent(texts[name]) for name, file in names.items()})
    return lint_files(paths[:1], PLACEMENT)


IN_THE_SAME_FILE = {
    "default-activation": (NORM + BEHIND.format("NormAct(4)"), ["DRP301"]),
    "given-activation": (NORM + BEHIND.format("NormAct(4, act_layer=nn.ReLU)"), ["DRP302"]),
    "given-by-position": (NORM + BEHIND.format("NormAct(4, False, nn.Tanh)"), ["DRP301"]),
    "norm-switched-on": (NORM + BEHIND.format("NormAct(4, norm=True)"), ["DRP304"]),
    "unknown-activation": (NORM + "def make(act):\n    return " + BEHIND[6:].format("NormAct(4, act_layer=act)"), []),
    "unknown-arguments": (NORM + "def make(**kw):\n    return " + BEHIND[6:].format("NormAct(4, **kw)"), []),
    "convolutions-on-both-sides": (
        CONV + "net = nn.Sequential(ConvAct(3, 8), nn.Dropout(0.3), ConvAct(8, 8))",
        ["DRP307"],
    ),
    "dropout-on-twice": (CONV + "net = nn.Sequential(ConvAct(3, 8, drop=0.2), nn.Dropout(0.3))", ["DRP312"]),
    "dropout-off-by-default": (CONV + "net = nn.Sequential(ConvAct(3, 8), nn.Dropout(0.3))", []),
    "forward": (
        NORM
        + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.drop = nn.Dropout(0.2)
        self.act = NormAct(4)

    def forward(self, x):
        return self.act(self.drop(self.fc(x)))
""",
        ["DRP301"],
    ),
    "layers-or-none-between-two-dropouts": (
        """
class Same(nn.Module):
    def forward(self, x):
        return x


class Net(nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        if layers == 0:
            self.project = Same()
        if layers > 0:
            self.project = nn.Linear(width, width)
        self.fc = nn.Linear(width, 4)

    def forward(self, x):
        x = F.dropout(x, p=0.1, training=self.training)
        x = F.dropout(self.project(x), p=0.2, training=self.training)
        return self.fc(x)
""",
        [],
    ),
    "tuple-returned": (
        """
class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.drop = nn.Dropout(0.2)

    def forward(self, x, weights=False):
        w = self.drop(torch.softmax(x, -1))
        return (self.fc(x), w) if weights else (self.fc(x),)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = Attend()
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        return x + self.drop(self.attend(x)[0])
""",
        [],
    ),
    "residual-in-the-wrapper": (
        """
class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return x + self.conv(x)


net = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Dropout(0.5), Residual())
""",
        [],
    ),
    "residual-elsewhere": (
        """
class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return x + self.fc(x)


net = nn.Sequential(
    nn.Conv2d(8, 8, 3), nn.Dropout(0.5), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Dropout2d(0.1), Residual()
)
""",
        ["DRP307"],
    ),
    "block-of-two-convolutions": (
        """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(8, 8, 3)
        self.two = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        return self.two(F.relu(self.one(x)))


net = nn.Sequential(Block(), nn.Dropout(0.5), Block())
""",
        [],
    ),
    "second-operand": (
        """
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.GELU()

    def forward(self, x, skip):
        return self.act(x) + skip


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = Gate()
        self.fc = nn.Linear(4, 4)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        y = self.drop(self.fc(x))
        return self.gate(y, skip=y)
""",
        [],
    ),
    "recursion": (
        """
class Deep(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.inner = Deep(n - 1) if n else nn.GELU()

    def forward(self, x):
        return self.inner(x)


net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2), Deep(9))
""",
        [],
    ),
    "wholly-inside-once": (
        """
class Bad(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        return F.gelu(self.drop(self.fc(x)))


net = nn.Sequential(nn.Dropout(0.1), Bad(), Bad())
""",
        ["DRP301"],
    ),
}


@pytest.mark.parametrize("name", sorted(IN_THE_SAME_FILE))
def test_wrappers_of_the_same_file(name: str, tmp_path: Path) -> None:
    text, expected = IN_THE_SAME_FILE[name]
    assert codes(findings(tmp_path, text)) == expected


FACTORY = f"""{NORM}

def make_act(kind, width):
    if kind == 'gelu':
        return NormAct(width)
    return nn.Sequential(nn.ReLU())
"""


def test_behind_one_file(tmp_path: Path) -> None:
    found = findings(tmp_path, IMPORT + BEHIND.format("NormAct(4)"), layers=NORM)
    assert [d.code for d in found] == ["DRP301"]
    assert found[0].fix is not None
    assert (found[0].fix.applicability, found[0].fix.edits) == (Applicability.DISPLAY, ())


def test_behind_two_files(tmp_path: Path) -> None:
    outer = "from norms import NormAct\n\n\nclass Outer(nn.Module):\n    def __init__(self, act):\n"
    outer += "        super().__init__()\n"
    outer += (
        "        self.inner = NormAct(4, act_layer=act)\n\n    def forward(self, x):\n        return self.inner(x)\n"
    )
    net = "from outer import Outer\n" + BEHIND.format("Outer(nn.SiLU)")
    found = findings(tmp_path, net, outer=outer, norms=NORM)
    assert [d.code for d in found] == ["DRP301"]
    assert found[0].path == str(tmp_path / "net.py")
    assert [Path(r.path).name for r in found[0].related] == ["norms.py"]
    assert found[0].fix is not None
    assert not found[0].fix.edits


@pytest.mark.parametrize(("kind", "expected"), [("'gelu'", ["DRP301"]), ("'relu'", ["DRP302"]), ("kind", [])])
def test_factory_in_another_file(kind: str, expected: list[str], tmp_path: Path) -> None:
    net = f"from layers import make_act\n\n\ndef build(kind):\n    return {BEHIND[6:].format(f'make_act({kind}, 4)')}"
    assert codes(findings(tmp_path, net, layers=FACTORY)) == expected


def test_re_export_through_a_package(tmp_path: Path) -> None:
    net = "from blocks import NormAct\n" + BEHIND.format("NormAct(4)")
    assert codes(findings(tmp_path, net, blocks__init="from .norms import NormAct\n", blocks__norms=NORM)) == ["DRP301"]


def test_base_class_in_another_file(tmp_path: Path) -> None:
    derived = "from norms import NormAct\n\n\nclass Soft(NormAct):\n    def __init__(self, width):\n"
    derived += "        super().__init__(width, act_layer=nn.Softplus)\n"
    net = "from derived import Soft\n" + BEHIND.format("Soft(4)")
    found = findings(tmp_path, net, derived=derived, norms=NORM)
    assert [d.code for d in found] == ["DRP301"]
    assert "Softplus" in found[0].message


def test_subclass_of_sequential_in_another_file(tmp_path: Path) -> None:
    layers = "class Acts(nn.Sequential):\n    def __init__(self, act=nn.GELU):\n"
    layers += "        super().__init__(act(), nn.Identity())\n"
    assert codes(findings(tmp_path, "from layers import Acts\n" + BEHIND.format("Acts()"), layers=layers)) == ["DRP301"]


def test_files_that_import_each_other(tmp_path: Path) -> None:
    one = "import two\n\n\nclass One(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    one += "        self.inner = two.Two()\n\n    def forward(self, x):\n        return self.inner(x)\n"
    two = one.replace("two", "one").replace("One", "T").replace("Two", "One").replace("class T", "class Two")
    assert codes(findings(tmp_path, "from one import One\n" + BEHIND.format("One()"), one=one, two=two)) == []


def test_too_deep_is_silent(tmp_path: Path) -> None:
    files = {"w0": NORM.replace("NormAct", "W0")}
    for n in range(1, 5):
        files[f"w{n}"] = (
            f"from w{n - 1} import W{n - 1}\n\n\nclass W{n}(nn.Module):\n    def __init__(self, width):\n"
            f"        super().__init__()\n        self.inner = W{n - 1}(width)\n\n"
            "    def forward(self, x):\n        return self.inner(x)\n"
        )
    assert codes(findings(tmp_path, "from w2 import W2\n" + BEHIND.format("W2(4)"), **files)) == ["DRP301"]
    assert codes(findings(tmp_path, "from w4 import W4\n" + BEHIND.format("W4(4)"), **files)) == []


def test_findings_do_not_depend_on_the_files_passed(tmp_path: Path) -> None:
    alone = findings(tmp_path, IMPORT + BEHIND.format("NormAct(4)"), layers=NORM + CONV)
    together = lint_files([tmp_path / "layers.py", tmp_path / "net.py"], PLACEMENT)
    assert alone == tuple(d for d in together if d.path.endswith("net.py"))


def test_a_name_that_leads_nowhere_is_silent(tmp_path: Path) -> None:
    assert codes(findings(tmp_path, "from nowhere import NormAct\n" + BEHIND.format("NormAct(4)"))) == []
    assert codes(findings(tmp_path, IMPORT + BEHIND.format("NormAct(4)"), layers="class NormAct(:\n")) == []


def test_a_lower_rate_in_a_wrapper_is_not_reported_at_a_line_of_another_file(tmp_path: Path) -> None:
    block = """
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.fc = nn.Linear(width, width)
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            return self.drop(torch.relu(self.fc(x)))
    """
    layers = "nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.4), {}nn.Linear(8, 2)"
    net = f"from layers import Block\nnet = nn.Sequential({layers})\n"
    (tmp_path / "layers.py").write_text(HEADER + dedent(block))
    for own, reported in (("Block(8), ", 0), ("nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.1), ", 1)):
        (tmp_path / "net.py").write_text(HEADER + net.format(own))
        assert len(lint_files([tmp_path / "net.py"], {"DRP602"})) == reported


def test_a_wrapper_that_returns_a_tuple_is_not_inlined(tmp_path: Path) -> None:
    """The elements of ``tuple(...)`` are several values, also where a generator makes them."""
    net = """
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.GELU()

        def forward(self, x):
            return tuple(v for v in (self.act(x), None) if v is not None)

    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3), Pair(), nn.Linear(4, 4))
    """
    assert codes(findings(tmp_path, net)) == []
