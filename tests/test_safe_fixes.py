"""Safe fixes of programs that a name, a reader or a caller makes treacherous: there, a fix is not called safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.linting.linter import Linter

HEAD = """\
import torch
import torch.nn.functional as F
from torch import nn

P = 0.5


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.p = 0.5
        self.cfg = {{"p": 0.5}}
{init}

    def forward(self, x):
{forward}
"""


def lint(code: str, folder: Path, forward: str, init: str = "", tail: str = "") -> list[Diagnostic]:
    def indented(text: str) -> str:
        return "\n".join(" " * 8 + line for line in text.splitlines())

    settings = Settings(root=folder, enabled=frozenset({code}), fixable=frozenset({code}))
    text = HEAD.format(forward=indented(forward), init=indented(init)) + tail
    compile(text, "net.py", "exec")
    result = Linter(lambda _: settings, jobs=1).run_text(folder / "net.py", text)
    assert not result.failures
    return list(result.diagnostics)


def levels(found: list[Diagnostic]) -> set[str]:
    return {str(d.fix.applicability) if d.fix is not None and d.fix.edits else "none" for d in found}


SETTLED = [
    "drop = nn.Dropout(0.5)\nx = self.fc(x)\nreturn drop(x)",
    "p = 0.3\ndrop = nn.Dropout(p)\nx = self.fc(x)\nreturn drop(x)",
    "drop = nn.Dropout(self.p)\nx = torch.relu(self.fc(x))\nreturn drop(x)",
    "drop = nn.Dropout(P)\nreturn drop(self.fc(x))",
    "for p in (0.1, 0.2):\n    drop = nn.Dropout(p)\n    x = drop(x)\nreturn x",
    "drop = nn.Dropout(0.5)\nreturn (lambda y: drop(y))(x)",
    "return nn.Dropout(self.p)(self.fc(x))",
    "p = 0.5\ndrop = nn.Dropout(p)\ny = [p for p in (1, 2)]\nreturn drop(x) * len(y)",
]
CHANGED = [
    "p = 0.5\ndrop = nn.Dropout(p)\nmatch x:\n    case {'p': p}:\n        pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nmatch x:\n    case [*p]:\n        pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nmatch x:\n    case {**p}:\n        pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\ndef p(): ...\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nclass p: ...\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nfrom math import pi as p\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\np += 0.1\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\n[p, *_] = [0.9, 1]\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nif (p := 0.9):\n    pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nfor p in (0.1,):\n    pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\ntry:\n    pass\nexcept ValueError as p:\n    pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\ndef g():\n    nonlocal p\n    p = 0.9\ng()\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\ndel p\nreturn drop(x)",
    "p = [0.5]\ndrop = nn.Dropout(p[0])\np[0] = 0.1\nreturn drop(x)",
    "drop = nn.Dropout(0.5)\nx = drop(x)\ndel drop\nreturn x",
    "drop = nn.Dropout(float(self.p))\nreturn drop(x)",
    "drop = nn.Dropout(self.p)\nreturn (lambda self: drop(x))(self.fc)",
    "p = 0.5\ndrop = nn.Dropout(p)\nreturn (lambda p: drop(x))(0.9)",
    "F = 3\nreturn nn.Dropout(0.5)(x) * F",
    "p = 0.5\nreturn nn.Dropout(p)(x * (p := 0.9))",
]
OPEN = [
    "p = [0.5]\nq = p\ndrop = nn.Dropout(p[0])\nq[0] = 0.9\nreturn drop(x)",
    "p = [0.5]\ndrop = nn.Dropout(p[0])\np.append(1)\nreturn drop(x)",
    "drop = nn.Dropout(self.cfg['p'])\nself.cfg.update(p=0.9)\nreturn drop(x)",
    "drop = nn.Dropout(0.5)\nx = drop(x)\nreturn x * len(locals())",
    "p = 0.5\nif x is not None:\n    drop = nn.Dropout(p)\n    y = 1\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nreturn (lambda y: drop(y))(x)",
]


@pytest.mark.parametrize("forward", SETTLED)
def test_a_rate_that_is_the_same_at_the_call_moves_safely(forward: str, tmp_path: Path) -> None:
    assert levels(lint("DRP103", tmp_path, forward)) == {"safe"}


@pytest.mark.parametrize("forward", CHANGED)
def test_a_rate_that_changes_on_the_way_stays(forward: str, tmp_path: Path) -> None:
    assert levels(lint("DRP103", tmp_path, forward)) == {"none"}


@pytest.mark.parametrize("forward", OPEN)
def test_a_rate_that_may_change_on_the_way_moves_unsafely(forward: str, tmp_path: Path) -> None:
    assert levels(lint("DRP103", tmp_path, forward)) == {"unsafe"}


@pytest.mark.parametrize(
    ("forward", "level"),
    [
        ("drop = nn.Dropout(self.p)\nsetattr(self, 'p', 0.9)\nreturn drop(x)", "unsafe"),
        ("drop = nn.Dropout(self.p)\nvars(self).update(p=0.9)\nreturn drop(x)", "unsafe"),
        ("drop = nn.Dropout(self.p)\nself.__dict__['p'] = 0.9\nreturn drop(x)", "none"),
    ],
)
def test_an_attribute_that_is_set_by_name_does_not_move_safely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP103", tmp_path, forward)) == {level}


def test_a_global_that_a_function_sets_moves_unsafely(tmp_path: Path) -> None:
    tail = "\n\ndef set_p():\n    global P\n    P = 0.9\n"
    found = lint("DRP103", tmp_path, "drop = nn.Dropout(P)\nset_p()\nreturn drop(x)", tail=tail)
    assert levels(found) == {"unsafe"}


@pytest.mark.parametrize(
    "forward",
    [
        "self = {}\nreturn F.dropout(x)",
        "match x:\n    case self:\n        return F.dropout(x)",
        "try:\n    pass\nexcept ValueError as self:\n    return F.dropout(x)",
    ],
)
def test_the_mode_is_not_asked_of_what_is_no_instance(forward: str, tmp_path: Path) -> None:
    assert levels(lint("DRP101", tmp_path, forward)) == {"none"}


def test_an_implicit_class_method_has_no_instance(tmp_path: Path) -> None:
    tail = "\n    def __init_subclass__(cls):\n        cls.z = F.dropout(torch.ones(4))\n"
    assert levels(lint("DRP101", tmp_path, "return x", tail=tail)) == {"none"}


SEQUENCE = "self.net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU())"


@pytest.mark.parametrize(
    ("forward", "level"),
    [
        ("return self.net(x)", "safe"),
        ("return self.net(x) + self.net[:2](x)", "unsafe"),
        ("return self.net(x) * len(list(self.net.children()))", "unsafe"),
        ("return self.net(x) + getattr(self.net, '1')(x)", "unsafe"),
        ("for layer in self.net:\n    x = layer(x)\nreturn x", "unsafe"),
        ("return self.net(x) * isinstance(self.net[-1], nn.ReLU)", "unsafe"),
    ],
)
def test_layers_that_are_asked_for_by_place_change_places_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP302", tmp_path, forward, SEQUENCE)) == {level}


@pytest.mark.parametrize(
    ("forward", "level"),
    [
        ("return F.relu(self.drop(self.fc(x)))", "safe"),
        ("return F.relu(self.drop(self.fc(x) * float('-inf')))", "unsafe"),
        ("return F.relu(self.drop(x))", "unsafe"),
    ],
)
def test_values_that_may_be_infinite_are_exchanged_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP302", tmp_path, forward, "self.drop = nn.Dropout(0.5)")) == {level}


@pytest.mark.parametrize(
    ("forward", "level"),
    [
        ("return self.drop(torch.tanh(x))", "safe"),
        ("x = torch.tanh(x)\nx = self.drop(x)\nreturn x", "safe"),
        ("y = torch.tanh(x)\nz = self.drop(y)\nreturn y * 2 + z", "unsafe"),
        ("y = torch.tanh(x)\nreturn self.drop(y) + y", "unsafe"),
        ("return self.drop(F.relu(x, inplace=True)) + x", "unsafe"),
    ],
)
def test_a_tensor_that_others_read_is_kept_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP316", tmp_path, forward, "self.drop = nn.Dropout(0.5, inplace=True)")) == {level}


@pytest.mark.parametrize(("forward", "level"), [("return self.drop(x * 1)", "safe"), ("return self.drop(x)", "unsafe")])
def test_inplace_in_the_place_of_the_mode(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP404", tmp_path, forward, "self.drop = nn.Dropout(0.5, self.training)")) == {level}


@pytest.mark.parametrize(
    ("forward", "level"),
    [("return self.rnn(x)[0]", "safe"), ("return self.rnn(x)[0] * (2 if self.rnn.dropout else 1)", "unsafe")],
)
def test_a_rate_that_is_read_is_removed_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP406", tmp_path, forward, "self.rnn = nn.LSTM(4, 4, dropout=0.5)")) == {level}


@pytest.mark.parametrize(
    ("rate", "level"), [("self.p", "safe"), ("float(self.p)", "safe"), ("self.cfg.pop('p')", "unsafe")]
)
def test_a_rate_that_runs_code_is_asked_less_often_unsafely(rate: str, level: str, tmp_path: Path) -> None:
    found = lint("DRP102", tmp_path, f"return F.scaled_dot_product_attention(x, x, x, dropout_p={rate})")
    assert levels(found) == {level}


def test_classes_that_the_file_replaces_are_not_those_of_torch(tmp_path: Path) -> None:
    replaced = "\n\nclass D(nn.Dropout):\n    pass\n\n\nnn.Dropout = D\n"
    drop = "self.drop = nn.Dropout()"
    assert levels(lint("DRP606", tmp_path, "return self.drop(x)", drop)) == {"safe"}
    assert lint("DRP606", tmp_path, "return self.drop(x)", drop, replaced) == []


@pytest.mark.parametrize("tail", ["\n\nM.train = False\n", "\n\nsetattr(M, 'x', 1)\nM.train = property(bool)\n"])
def test_a_flag_that_is_set_from_outside_is_no_method(tail: str, tmp_path: Path) -> None:
    forward = "if self.train:\n    x = x * 2\nreturn x"
    assert levels(lint("DRP107", tmp_path, forward)) == {"safe"}
    assert lint("DRP107", tmp_path, forward, tail=tail) == []


def test_a_mask_takes_the_device_of_its_own_tensor_only(tmp_path: Path) -> None:
    forward = "if self.training:\n    x = x * (torch.rand({}.shape) > 0.5) / 0.5\nreturn x"
    assert levels(lint("DRP506", tmp_path, forward.format("x"))) == {"safe"}
    assert levels(lint("DRP506", tmp_path, forward.format("self.like"))) == {"unsafe"}
