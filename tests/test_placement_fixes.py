"""Fixes of placement rules, run with torch: eval stays as it was, keys stay, and safe ones train bit for bit alike."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropout_lint.diagnostic import Applicability
from tests.linting import fix, lint_text

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

HEADER = """\
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

"""
ACTIVATIONS = ("ReLU()", "ReLU(inplace=True)", "LeakyReLU(0.2)", "GELU()", "SiLU()", "Tanh()", "Softplus()", "PReLU()")
FUNCTIONS = ("F.relu({})", "torch.relu({})", "F.gelu({})", "torch.tanh({})", "{}.relu()", "{}.tanh()", "F.elu({})")
CODES = frozenset({"DRP301", "DRP302", "DRP304"})


def sequential(draw: random.Random) -> str:
    form = draw.choice(["positional", "named", "append"])
    layers = ["Linear(6, 6)"]
    for _ in range(draw.randint(1, 3)):
        rate = draw.choice(["0.2", "p=0.5", "0.5, inplace=True"])
        block = [f"Dropout({rate})", draw.choice(ACTIVATIONS)]
        if draw.random() < 0.3:
            block.insert(draw.randint(1, 2), "BatchNorm1d(6)")
        layers += [*block, "Linear(6, 6)"]
    if form == "positional":
        return "net = nn.Sequential(\n" + "".join(f"    nn.{layer},\n" for layer in layers) + ")\n"
    if form == "named":
        pairs = "".join(f'            ("l{i}", nn.{layer}),\n' for i, layer in enumerate(layers))
        return f"net = nn.Sequential(\n    OrderedDict(\n        [\n{pairs}        ]\n    )\n)\n"
    lines = "".join(f"layers.append(nn.{layer})\n" for layer in layers)
    return f"layers = []\n{lines}net = nn.Sequential(*layers)\n"


def forward(draw: random.Random) -> str:
    lines = []
    for i in range(draw.randint(1, 3)):
        drop = draw.choice(["self.drop({})", "F.dropout({}, 0.3, training=self.training)"])
        act = draw.choice([*FUNCTIONS, "self.act({})", "self.norm({})"])
        if draw.random() < 0.5:
            lines.append("x = " + act.format(drop.format(f"self.fc{i}(x)")))
        else:
            lines += [f"x = self.fc{i}(x)", "x = " + drop.format("x"), "x = " + act.format("x")]
    body = "\n".join(f"        {line}" for line in lines)
    return f"""\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc0 = nn.Linear(6, 6)
        self.fc1 = nn.Linear(6, 6)
        self.fc2 = nn.Linear(6, 6)
        self.drop = nn.Dropout(0.4)
        self.act = nn.{draw.choice(ACTIVATIONS)}
        self.norm = nn.BatchNorm1d(6)
        self.out = nn.Linear(6, 6)

    def forward(self, x):
{body}
        return self.out(x)


net = Net()
"""


def fixed(text: str, folder: Path, *levels: Applicability) -> str:
    return fix(text, lambda new: lint_text(new, CODES, folder / "net.py"), *levels).text


def build(text: str) -> torch.nn.Module:
    names: dict[str, object] = {}
    torch.manual_seed(0)
    exec(compile(text, "net.py", "exec"), names)
    net = names["net"]
    assert isinstance(net, torch.nn.Module)
    return net


def trained(net: torch.nn.Module) -> list[torch.Tensor]:
    """The output and all gradients of a step in training."""
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(1)).requires_grad_()
    torch.manual_seed(2)
    y = net.train()(x)
    y.square().sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in net.parameters() if p.grad is not None)]


PROGRAMS = [
    pytest.param(make(random.Random(seed)), id=f"{make.__name__}-{seed}")
    for make, seed in itertools.product((sequential, forward), range(60))
]


@pytest.mark.parametrize("body", PROGRAMS)
def test_safe_fixes_train_alike(body: str, tmp_path: Path) -> None:
    before = HEADER + body
    after = fixed(before, tmp_path, Applicability.SAFE)
    old, new = build(before), build(after)
    if after != before and "inplace=True" not in before:
        assert all(torch.equal(a, b) for a, b in zip(trained(old), trained(new), strict=True))
    elif after != before:
        trained(new)  # in-place layers may raise before the fix; they must not behind it


@pytest.mark.parametrize("body", PROGRAMS)
def test_all_fixes_keep_eval_and_keys(body: str, tmp_path: Path) -> None:
    before = HEADER + body
    after = fixed(before, tmp_path, Applicability.SAFE, Applicability.UNSAFE)
    old, new = build(before), build(after)
    assert list(old.state_dict()) == list(new.state_dict()) or "OrderedDict(\n" in before
    assert set(old.state_dict()) == set(new.state_dict())
    new.load_state_dict(old.state_dict())
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(1))
    assert torch.equal(old.eval()(x.clone()), new.eval()(x.clone()))
    trained(new)


def test_the_programs_are_worth_fixing(tmp_path: Path) -> None:
    texts = [HEADER + str(program.values[0]) for program in PROGRAMS]
    changed = sum(fixed(t, tmp_path, Applicability.SAFE, Applicability.UNSAFE) != t for t in texts)
    assert changed > len(texts) * 0.8
