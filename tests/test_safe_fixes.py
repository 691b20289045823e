"""Safe fixes of programs that a name, a reader or a caller makes treacherous: there, a fix is not called safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.fixing.fixer import fix_text
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
    "p = 0.5\ndrop = nn.Dropout(p)\n(p, q) = 0.9, 1\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\n(\n    p\n) = 0.9\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\nwith torch.no_grad() as p:\n    pass\nreturn drop(x)",
    "p = 0.5\ndrop = nn.Dropout(p)\n[p := 0.9 for _ in (0,)]\nreturn drop(x)",
    "c = {'p': 0.5}\ndrop = nn.Dropout(c['p'])\nc['p'] = 0.9\nreturn drop(x)",
    "p = 0.5\nreturn nn.Dropout(p)(x * (p := 0.9))",
]
OPEN = [
    "p = [0.5]\nq = p\ndrop = nn.Dropout(p[0])\nq[0] = 0.9\nreturn drop(x)",
    "p = [0.5]\ndrop = nn.Dropout(p[0])\np.append(1)\nreturn drop(x)",
    "drop = nn.Dropout(self.cfg['p'])\nself.cfg.update(p=0.9)\nreturn drop(x)",
    "c = {'p': 0.5}\ndrop = nn.Dropout(c['p'])\nc.update(p=0.9)\nreturn drop(x)",
    "c = {'p': 0.5}\nq = c\ndrop = nn.Dropout(c['p'])\nq['p'] = 0.9\nreturn drop(x)",
    "p = [0.5]\ndrop = nn.Dropout(p[0])\np.insert(0, 0.9)\nreturn drop(x)",
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
        ("for i, layer in enumerate(self.net):\n    x = x * i\nreturn self.net(x)", "unsafe"),
        ("del self.net[2]\nreturn self.net(x)", "unsafe"),
        ("self.net[1] = nn.Identity()\nreturn self.net(x)", "unsafe"),
        ("other = self.net\nreturn other[1](x)", "unsafe"),
        ("return getattr(self, 'net')[1](x) + self.net(x)", "unsafe"),
        ("for child in self.children():\n    x = child[:2](x)\nreturn x", "unsafe"),
        ("return self.net(x) * list(self.modules()).index(self.fc)", "unsafe"),
        ("return dict(self.named_modules())['net.1'](self.net(x))", "unsafe"),
        ("for m in self.modules():\n    if isinstance(m, nn.Linear):\n        m.bias\nreturn self.net(x)", "safe"),
        ("self.net.to('cpu')\nreturn self.net(x)", "safe"),
        ("return 1 / self.net(x)", "unsafe"),
        ("return x + self.net(x)", "safe"),
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
        ("h = self.fc(x)\nreturn F.relu(self.drop(h), inplace=True) + h", "unsafe"),
        ("setattr(self, 'drop', nn.Softmax(-1))\nreturn F.relu(self.drop(self.fc(x)))", "unsafe"),
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
        ("return self.drop(torch.tanh(x, out=self.buffer)) + self.buffer", "unsafe"),
        ("x = self.drop(torch.tanh(x))\nreturn x * self.drop.inplace", "unsafe"),
        ("x = self.drop(torch.tanh(x))\nreturn x * len([m for m in self.modules() if m.inplace])", "unsafe"),
        ("x = self.drop(torch.tanh(x))\nreturn x + (lambda f, y: f(y) + y)(self.drop, x)", "unsafe"),
    ],
)
def test_a_tensor_that_others_read_is_kept_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP316", tmp_path, forward, "self.drop = nn.Dropout(0.5, inplace=True)")) == {level}


@pytest.mark.parametrize("code", ["DRP316", "DRP404"])
def test_a_layer_that_other_code_calls_is_changed_unsafely(code: str, tmp_path: Path) -> None:
    inplace = "True" if code == "DRP316" else "self.training"
    tail = "\n\ndef outside(net, y):\n    net.drop(y)\n    return y\n"
    forward = "return self.drop(torch.tanh(x))"
    assert levels(lint(code, tmp_path, forward, f"self.drop = nn.Dropout(0.5, {inplace})")) == {"safe"}
    assert levels(lint(code, tmp_path, forward, f"self.drop = nn.Dropout(0.5, {inplace})", tail)) == {"unsafe"}


def test_a_mode_in_the_place_of_the_rate_is_named_unsafely(tmp_path: Path) -> None:
    assert levels(lint("DRP404", tmp_path, "return F.dropout(x, self.training)")) == {"unsafe"}


@pytest.mark.parametrize(("forward", "level"), [("return self.drop(x * 1)", "safe"), ("return self.drop(x)", "unsafe")])
def test_inplace_in_the_place_of_the_mode(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP404", tmp_path, forward, "self.drop = nn.Dropout(0.5, self.training)")) == {level}


@pytest.mark.parametrize(
    ("forward", "level"),
    [
        ("return self.rnn(x)[0]", "safe"),
        ("self.rnn.flatten_parameters()\nreturn self.rnn(x)[0] * self.p", "safe"),
        ("return self.rnn(x)[0] * (2 if self.rnn.dropout else 1)", "unsafe"),
        ("rnn = self.rnn\nreturn rnn(x)[0] * (2 if rnn.dropout else 1)", "unsafe"),
        ("return self.rnn(x)[0] * getattr(self.rnn, 'dropout')", "unsafe"),
        ("return self.rnn(x)[0] * vars(self.rnn)['dropout']", "unsafe"),
        ("for m in self.children():\n    x = x * getattr(m, 'dropout', 1)\nreturn self.rnn(x)[0]", "unsafe"),
    ],
)
def test_a_rate_that_is_read_is_removed_unsafely(forward: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP406", tmp_path, forward, "self.rnn = nn.LSTM(4, 4, dropout=0.5)")) == {level}


@pytest.mark.parametrize(
    ("rate", "level"),
    [("self.p", "safe"), ("float(self.p)", "safe"), ("self.cfg.pop('p')", "unsafe"), ("(r := 0.5)", "unsafe")],
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


COUNTED = "\n    @property\n    def rate(self):\n        self.n += 1\n        return 0.1 * self.n\n"


@pytest.mark.parametrize(
    ("code", "forward"),
    [
        ("DRP102", "return F.scaled_dot_product_attention(x, x, x, dropout_p=self.rate)"),
        ("DRP103", "drop = nn.Dropout(self.rate)\nreturn drop(drop(x))"),
    ],
)
def test_a_rate_that_a_property_computes_is_asked_unsafely(code: str, forward: str, tmp_path: Path) -> None:
    assert levels(lint(code, tmp_path, forward.replace("self.rate", "self.p"))) == {"safe"}
    assert levels(lint(code, tmp_path, forward, tail=COUNTED)) == {"unsafe"}


@pytest.mark.parametrize(
    ("helper", "level"),
    [
        ("return F.scaled_dot_product_attention(q, q, q, dropout_p=drop)", "safe"),
        ("return F.scaled_dot_product_attention(q, q, q, dropout_p=drop) * (1 - drop)", "unsafe"),
    ],
)
def test_a_rate_that_a_helper_uses_for_more_is_changed_unsafely(helper: str, level: str, tmp_path: Path) -> None:
    tail = f"\n\ndef attend(q, drop):\n    {helper}\n"
    assert levels(lint("DRP102", tmp_path, "return attend(x, drop=self.p)", tail=tail)) == {level}


NOISE = "\n    def noise(self, x):\n        return F.dropout(x, 0.5)\n"


@pytest.mark.parametrize(
    ("tail", "level"),
    [
        (NOISE, "safe"),
        (f"{NOISE}\n    noise = staticmethod(noise)\n", "unsafe"),
        (f"{NOISE}\n    steps = [noise]\n", "unsafe"),
        (f"{NOISE}\n\nM.noise(None, torch.ones(4))\n", "unsafe"),
        (f"{NOISE}\n\ngetattr(M, 'noise')(None, torch.ones(4))\n", "unsafe"),
        (f"{NOISE}\n\nprint(list(map(M.noise, [1], [2])))\n", "unsafe"),
        (f"{NOISE}\n    def twice(self, x):\n        return M.noise(self, x)\n", "safe"),
        (f"{NOISE}\n    def twice(self, x):\n        return type(self).noise(None, x)\n", "unsafe"),
        (
            NOISE.replace("    def", "    @alone\n    def") + "\n\ndef alone(f):\n    return lambda s, x: f(None, x)\n",
            "unsafe",
        ),
        (NOISE.replace("    def", "    @same\n    def") + "\n\ndef same(f):\n    return f\n", "safe"),
        (NOISE.replace("    def", "    @static\n    def") + "\n\nstatic = staticmethod\n", "unsafe"),
        (f"{NOISE}\n    training = 'yes'\n", "unsafe"),
        (f"{NOISE}\n    @property\n    def training(self):\n        return False\n", "unsafe"),
        (f"{NOISE}\n    def set(self):\n        self.training = False\n", "unsafe"),
        (f"{NOISE}\n    def train(self, mode=True):\n        return super().train(False)\n", "unsafe"),
        (f"{NOISE}\n    def train(self, mode=True):\n        self.k = 1\n        return super().train(mode)\n", "safe"),
        (f"{NOISE}\n\nclass N(M):\n    training = False\n", "unsafe"),
        (f"{NOISE}\n\nexec('F = None')\n", "unsafe"),
        (f"{NOISE}\n\nglobals()['F'] = None\n", "unsafe"),
    ],
)
def test_the_mode_is_asked_safely_of_a_proven_instance_alone(tail: str, level: str, tmp_path: Path) -> None:
    assert levels(lint("DRP101", tmp_path, "return self.noise(x)", tail=tail)) == {level}


@pytest.mark.parametrize(
    ("init", "tail", "level"),
    [
        ("self.f = F.dropout", "", "safe"),
        ("self.f = F.dropout\nsetattr(self, 'f', abs)", "", "unsafe"),
        ("self.f = F.dropout", "\n\ndef change(net):\n    net.f = abs\n", "unsafe"),
        (
            "self.f = F.dropout",
            "\n\nclass N(M):\n    def __init__(self):\n        super().__init__()\n        self.f = abs\n",
            "unsafe",
        ),
    ],
)
def test_a_function_that_may_be_replaced_gets_the_mode_unsafely(
    init: str, tail: str, level: str, tmp_path: Path
) -> None:
    assert levels(lint("DRP101", tmp_path, "return self.f(x, 0.5)", init, tail)) == {level}


@pytest.mark.parametrize(
    ("forward", "init", "level"),
    [
        ("if self.train and x is not None:\n    x = x * 2\nreturn x", "", "safe"),
        ("switch = None or self.train\nswitch(True)\nreturn x", "", "unsafe"),
        ("if self.train:\n    x = x * 2\nreturn x", "setattr(self, 'train', False)", "unsafe"),
        ("if self.train:\n    x = x * 2\nreturn x", "self.__dict__['train'] = False", "unsafe"),
    ],
)
def test_a_method_that_is_called_or_replaced_is_renamed_unsafely(
    forward: str, init: str, level: str, tmp_path: Path
) -> None:
    assert levels(lint("DRP107", tmp_path, forward, init)) == {level}


@pytest.mark.parametrize(
    ("body", "tail", "level"),
    [
        ("self.k = 1", "", "safe"),
        ("del self", "", "none"),
        ("for self in (1,):\n            pass", "", "none"),
        ("self.k = 1", "\n\nprint(M().train() is None)\n", "unsafe"),
    ],
)
def test_an_instance_that_is_bound_again_is_not_returned(body: str, tail: str, level: str, tmp_path: Path) -> None:
    train = f"\n    def train(self, mode=True):\n        super().train(mode)\n        {body}\n"
    assert levels(lint("DRP203", tmp_path, "return x", tail=train + tail)) == {level}


@pytest.mark.parametrize(
    ("code", "forward", "init", "user"),
    [
        ("DRP302", "return self.net(x)", SEQUENCE, "def use(net, x):\n    return net.net[:2](x)\n"),
        ("DRP302", "return self.net(x)", SEQUENCE, "def use(net, x):\n    for layer in net.net:\n        layer(x)\n"),
        (
            "DRP406",
            "return self.rnn(x)[0]",
            "self.rnn = nn.LSTM(4, 4, dropout=0.5)",
            "def use(net):\n    return net.rnn.dropout\n",
        ),
        (
            "DRP316",
            "return self.drop(torch.tanh(x))",
            "self.drop = nn.Dropout(0.5, inplace=True)",
            "def use(net, x):\n    net.drop(x)\n",
        ),
        ("DRP107", "if self.train:\n    x = x * 2\nreturn x", "", "def use(net):\n    net.train = False\n"),
        (
            "DRP107",
            "if self.train:\n    x = x * 2\nreturn x",
            "",
            "from net import M\n\n\nclass N(M):\n    train = False\n",
        ),
    ],
)
def test_what_another_file_reads_is_changed_unsafely(
    code: str, forward: str, init: str, user: str, tmp_path: Path
) -> None:
    other = tmp_path / "user.py"
    other.write_text("def use(net, x):\n    return net(x)\n")
    assert levels(lint(code, tmp_path, forward, init)) == {"safe"}
    other.write_text(user)
    assert levels(lint(code, tmp_path, forward, init)) == {"unsafe"}


@pytest.mark.parametrize(
    "bound",
    [
        "for F in (1,):\n    pass",
        "with open(__file__) as F:\n    pass",
        "match P:\n    case F:\n        pass",
        "if P:\n    F = 2",
    ],
)
def test_an_alias_that_is_bound_again_is_not_used(bound: str, tmp_path: Path) -> None:
    assert levels(lint("DRP103", tmp_path, "return nn.Dropout(0.5)(x)")) == {"safe"}
    text = HEAD.replace("P = 0.5\n", f"P = 0.5\n{bound.replace('{', '{{')}\n").format(
        forward="        return nn.Dropout(0.5)(x)", init=""
    )
    settings = Settings(root=tmp_path, enabled=frozenset({"DRP103"}), fixable=frozenset({"DRP103"}))
    linter = Linter(lambda _: settings, jobs=1)
    outcome = fix_text(text, lambda new: linter.run_text(tmp_path / "net.py", new).diagnostics, lambda _: True)
    assert outcome.text == text
