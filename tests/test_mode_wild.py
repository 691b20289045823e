"""Shapes of public training code that the mode rules got wrong once, each with the mechanism that was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.diagnostic import Diagnostic
from tests.mode_helpers import NET as MODEL
from tests.mode_helpers import lint_modes

NET = f"""{MODEL}

train_data, test_data = torch.load("train.pt"), torch.load("test.pt")
"""


def lint(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    return lint_modes(folder, {"program.py": text})


PERCEPTRON = """
class Perceptron(nn.Module):
    def __init__(self, dropout=False):
        super().__init__()
        self.hidden = nn.Linear(20, 3)
        self.drop = nn.Dropout(0.1)
        self.dropout = dropout

    def forward(self, x):
        x = self.hidden(x)
{use}
        return x


model = Perceptron({given})
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for x, y in train_data:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        print(model(test_data))
"""
# Sensitivity: a layer that the constructor builds was taken for one that forward runs.
USES = {
    "behind a flag": "        if self.dropout:\n            x = self.drop(x)",
    "negated": "        if not self.dropout:\n            x + 1\n        else:\n            x = self.drop(x)",
    "in an expression": "        x = self.drop(x) if self.dropout else x",
    "after a return": "        if not self.dropout:\n            return x\n        x = self.drop(x)",
}


@pytest.mark.parametrize("use", list(USES.values()), ids=list(USES))
def test_a_layer_counts_where_the_flags_of_the_instance_lead_to_it(use: str, tmp_path: Path) -> None:
    assert lint(NET + PERCEPTRON.format(use=use, given=""), tmp_path) == ()
    assert [d.code for d in lint(NET + PERCEPTRON.format(use=use, given="dropout=True"), tmp_path)] == ["DRP206"]
    assert [d.code for d in lint(NET + PERCEPTRON.format(use=use, given="bool(input())"), tmp_path)] == ["DRP206"]


def test_a_layer_that_forward_never_names_does_not_count(tmp_path: Path) -> None:
    assert lint(NET + PERCEPTRON.format(use="", given=""), tmp_path) == ()


def test_a_layer_that_a_walk_over_the_parts_may_run_counts(tmp_path: Path) -> None:
    walk = "        for part in self.children():\n            x = part(x)"
    assert [d.code for d in lint(NET + PERCEPTRON.format(use=walk, given=""), tmp_path)] == ["DRP206"]


SILENT = {
    # Readiness: a forward outside of the training loop was taken for a training pass, because a backward follows later.
    "a trial pass under no_grad before the training": """
model = Net()
optimizer = torch.optim.Adam(model.parameters())
model(next(iter(train_data)))
with torch.no_grad():
    model(next(iter(train_data)))
for x, y in train_data:
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
""",
    # Library facts: every `from_pretrained` counted as a model with dropout, the one of `nn.Embedding` too.
    "pretrained embeddings": """
class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding.from_pretrained(torch.load("vectors.pt"))
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return self.out(self.table(x).mean(1))


model = Words()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for x, y in train_data:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        model(test_data)
""",
    # Library facts: a detector in train mode gives the losses that a validation may be after.
    "validation losses of a detector": """
import torchvision

model = torchvision.models.detection.fasterrcnn_resnet50_fpn(weights="DEFAULT")
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    model.train()
    for images, targets in train_data:
        sum(model(images, targets).values()).backward()
        optimizer.step()
    with torch.no_grad():
        for images, targets in test_data:
            print(model(images, targets))
""",
    # Graphs: what `torch.fx.symbolic_trace` gives has a mode like any module.
    "a graph module set to eval": """
model = Net().eval()
graph = torch.fx.symbolic_trace(model)
graph.train()
graph.eval()
""",
}


@pytest.mark.parametrize("text", list(SILENT.values()), ids=list(SILENT))
def test_silent(text: str, tmp_path: Path) -> None:
    assert [(d.code, d.span.line, d.message) for d in lint(NET + text, tmp_path)] == []


REPORTED = {
    # Explicit modes: a `train()` for the training was taken for one that the evaluation in the same function wants.
    "trained and tested in one function": (
        "DRP206",
        "model(x), len(x)",
        """
model = Net()
optimizer = torch.optim.Adam(model.parameters())
model.train()
for epoch in range(9):
    for x, y in train_data:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        for x in test_data:
            print(model(x), len(x))
""",
    ),
    # Roots: methods of a Module were never run, also where the Module is its own trainer.
    "a module that fits itself, and evaluates by two steps": (
        "DRP205",
        "self.evaluate(val)",
        """
class Model(Net):
    def fit(self, data, val=None):
        model = self.train()
        optimizer = torch.optim.Adam(self.parameters())
        for epoch in range(9):
            for x, y in data:
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            if val is not None:
                self.evaluate(val)

    def evaluate(self, data):
        return [self.predict(x) for x in data]

    def predict(self, x):
        model = self.eval()
        with torch.no_grad():
            return model(x)
""",
    ),
    # Callbacks: a function handed to `optimizer.step` was not run.
    "a closure of an optimizer": (
        "DRP205",
        "model.eval()",
        """
model = Net()
optimizer = torch.optim.LBFGS(model.parameters())
for x, y in train_data:
    def closure():
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    model.eval()
    with torch.no_grad():
        model(test_data)
""",
    ),
}


@pytest.mark.parametrize(("code", "line", "text"), list(REPORTED.values()), ids=list(REPORTED))
def test_reported(code: str, line: str, text: str, tmp_path: Path) -> None:
    lines = (NET + text).splitlines()
    found = [(d.code, lines[d.span.line - 1]) for d in lint(NET + text, tmp_path)]
    assert [c for c, _ in found] == [code]
    assert line in found[0][1]


def test_a_shadowed_train_beside_an_eval_of_its_own_is_not_said_to_break_that_eval(tmp_path: Path) -> None:
    engine = """
class Engine(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def train(self):
        for part in self.parts:
            part.train()
{eval}"""
    own = "\n    def eval(self):\n        for part in self.parts:\n            part.eval()\n"
    [alone] = lint(NET + engine.format(eval=""), tmp_path)
    [beside] = lint(NET + engine.format(eval=own), tmp_path)
    assert "`eval()` does not work" in alone.message
    assert "`eval()` does not work" not in beside.message
    assert "a module that holds it" in beside.message


def test_overloads_of_one_method_are_one_finding(tmp_path: Path) -> None:
    explainer = """
from typing import overload


class Explainer(nn.Module):
    @overload
    def train(self, epoch: int, x: int) -> float: ...

    @overload
    def train(self, epoch: int, x: str) -> float: ...

    def train(self, epoch, x):
        return 0.0
"""
    [diagnostic] = lint(NET + explainer, tmp_path)
    assert (diagnostic.code, diagnostic.span.line) == ("DRP202", len((NET + explainer).splitlines()) - 1)


BASE = """
class Base:
    def set_mode(self, train):
        if train:
            self.model.train()
        else:
            self.model.eval()
"""
WRAPPED = """

class Wrapper(Base):
    def __init__(self):
        self.model = Net()
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def fit(self, x, y):
        F.cross_entropy(self.model(x), y).backward()
        self.optimizer.step()

    def evaluate(self, x):
        return self.model(x)


net = Wrapper()
for epoch in range(9):
    net.set_mode(True)
    for x, y in train_data:
        net.fit(x, y)
    net.set_mode({mode})
    net.evaluate(test_data)
"""


def test_methods_of_bases_behind_star_imports_and_out_of_sight(tmp_path: Path) -> None:
    # Bases: a class that a star import brings was no base, and its methods were taken to do nothing.
    (tmp_path / "base.py").write_text(BASE)
    star = NET.replace("import torch\n", "from base import *\nimport torch\n", 1)
    unseen = NET.replace("import torch\n", "from elsewhere import Base\nimport torch\n", 1)
    assert lint(star + WRAPPED.format(mode=False), tmp_path) == ()
    assert [d.code for d in lint(star + WRAPPED.format(mode=True), tmp_path)] == ["DRP206"]
    assert lint(unseen + WRAPPED.format(mode=True), tmp_path) == ()
