"""The mode of a model is followed through functions, classes and files, and nothing is accused without proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.config.settings import Settings
from dropout_lint.linting.stages import FileSet
from tests.mode_helpers import NET, lint_modes

TRAIN = """\
def train(model, optimizer, batches):
    {first}
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
HEAD = "import torch\nimport torch.nn.functional as F\nfrom net import Net\n\n\n"


def found(folder: Path, files: dict[str, str]) -> list[tuple[str, str, int]]:
    return [(d.code, Path(d.path).name, d.span.line) for d in lint_modes(folder, files)]


EVALUATE = """\
def evaluate(model, batches):
    {first}
    with torch.no_grad():
        for x, y in batches:
            F.cross_entropy(model(x), y)
"""
LOOP = """\
from net import Net
from steps import train, evaluate
import torch


def main(train_batches, valid_batches):
    model = {made}
    optimizer = torch.optim.Adam(model.parameters())
    {before}
    for epoch in range(10):
        train(model, optimizer, train_batches)
        evaluate(model, valid_batches)


if __name__ == "__main__":
    main(open("a"), open("b"))
"""


def project(train: str, evaluate: str, made: str = "Net()", before: str = "pass") -> dict[str, str]:
    steps = HEAD + TRAIN.format(first=train) + "\n\n" + EVALUATE.format(first=evaluate)
    return {"net.py": NET, "steps.py": steps, "main.py": LOOP.format(made=made, before=before)}


SILENT = {
    "both calls": project("model.train()", "model.eval()"),
    "train with a flag": project("model.train(True)", "model.train(False)"),
    "rate zero": project("pass", "pass", made="Net(0.0)"),
    "rate zero by keyword": project("pass", "model.eval()", made="Net(p=0)"),
    "restored": project("pass", "was = model.training; model.train(False)").copy()
    | {
        "steps.py": HEAD
        + TRAIN.format(first="pass")
        + "\n\n"
        + EVALUATE.format(first="model.eval()")
        + "    model.train()\n"
    },
    "unknown helper": project("pass", "prepare(model)").copy()
    | {
        "steps.py": HEAD.replace("from net", "from helpers import prepare\nfrom net")
        + TRAIN.format(first="model.train()")
        + "\n\n"
        + EVALUATE.format(first="prepare(model)")
    },
    "ema copy": project("model.train()", "model = model.ema; model.eval()"),
    "unknown model": project("pass", "model.eval()", made="build()"),
}


@pytest.mark.parametrize("files", list(SILENT.values()), ids=list(SILENT))
def test_silent(files: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, files) == []


REPORTED = {
    "left in eval across files": (project("pass", "model.eval()"), [("DRP205", "main.py", 12)]),
    "train only before the loop": (
        project("pass", "model.eval()", before="model.train()"),
        [("DRP205", "main.py", 12)],
    ),
    "evaluated in train mode": (project("model.train()", "pass"), [("DRP206", "steps.py", 18)]),
    "wrapped": (
        project("model.train()", "pass", made="torch.nn.DataParallel(Net()).cuda()"),
        [("DRP206", "steps.py", 18)],
    ),
    "train set for evaluation": (project("model.train()", "model.train()"), [("DRP207", "steps.py", 15)]),
}


@pytest.mark.parametrize(("files", "expected"), list(REPORTED.values()), ids=list(REPORTED))
def test_reported(files: dict[str, str], expected: list[tuple[str, str, int]], tmp_path: Path) -> None:
    assert found(tmp_path, files) == expected


def test_the_path_is_told(tmp_path: Path) -> None:
    [diagnostic] = lint_modes(tmp_path, project("pass", "model.eval()"))
    told = [(Path(r.path).name, r.message.split(",")[0]) for r in diagnostic.related]
    assert ("main.py", "constructed here") in told
    assert ("steps.py", "enters evaluation here") in told


def test_recursion_and_cycles_of_imports_end(tmp_path: Path) -> None:
    one = "import torch\nfrom two import run as other\n\n\ndef run(model):\n    model.eval()\n    return other(model)\n"
    two = (
        "import torch\nfrom one import run as other\n\n\ndef run(model):\n    model.train()\n    return other(model)\n"
    )
    assert found(tmp_path, {"one.py": one, "two.py": two}) == []


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("model = models.resnet18(pretrained=True)\ntorch.jit.trace(model, torch.rand(1, 3, 8, 8))", ["DRP209"]),
        ("model = models.resnet18(pretrained=True).eval()\ntorch.jit.trace(model, torch.rand(1, 3, 8, 8))", []),
        ("model = models.resnet18()\nmodel.train()\ntorch.export.export(model, ())", []),
    ],
    ids=["constructor", "eval", "train on purpose"],
)
def test_export(body: str, codes: list[str], tmp_path: Path) -> None:
    text = f"import torch\nfrom torchvision import models\n\n{body}\n"
    assert [code for code, _, _ in found(tmp_path, {"export.py": text})] == codes


@pytest.mark.parametrize(
    ("method", "codes"),
    [
        ("def train(self, loader, epochs): ...", ["DRP202"]),
        ("def train(self, mode=True):\n        return super().train(mode)", []),
        ("def train(self, mode=True):\n        super().train(mode)", ["DRP203"]),
        ("def train(self, mode=True):\n        return self", []),
        ("def freeze(self):\n        def train(mode=True): ...\n        self.eval()\n        self.train = train", []),
    ],
    ids=["loop", "forwards", "no return", "frozen", "replaced on purpose"],
)
def test_overrides(method: str, codes: list[str], tmp_path: Path) -> None:
    text = NET + f"\n    {method}\n"
    assert [code for code, _, _ in found(tmp_path, {"net.py": text})] == codes


@pytest.mark.parametrize(
    ("method", "advice"),
    [
        ("def train(self, loader, epochs): ...", "Rename it"),
        ("def train(self):\n        super().train()\n        self.out.eval()", "Write `def train(self, mode=True)`"),
    ],
    ids=["loop", "switch"],
)
def test_a_switch_is_not_advised_to_take_another_name(method: str, advice: str, tmp_path: Path) -> None:
    (found,) = lint_modes(tmp_path, {"net.py": NET + f"\n    {method}\n"})
    assert found.code == "DRP202"
    assert found.fix is not None
    assert found.fix.message.startswith(advice)


def test_lazy_layers_may_be_initialized_in_train_mode(tmp_path: Path) -> None:
    body = HEAD + "model = Net()\nx = torch.load('x')\nwith torch.no_grad():\n    model(x)\n"
    body += "optimizer = torch.optim.SGD(model.parameters())\nfor _ in range(3):\n    model(x).sum().backward()\n"
    assert found(tmp_path, {"net.py": NET, "main.py": body}) == []


@pytest.mark.parametrize(("statement", "codes"), [("_ = model(x)", []), ("model(x)", []), ("y = model(x)", ["DRP206"])])
def test_a_pass_whose_result_nothing_uses_is_no_evaluation(statement: str, codes: list[str], tmp_path: Path) -> None:
    body = HEAD + "model = Net()\nmodel.load_state_dict(torch.load('net'))\nx = torch.load('x')\n"
    body += f"with torch.no_grad():\n    {statement}\n"
    assert [code for code, _, _ in found(tmp_path, {"net.py": NET, "main.py": body})] == codes


@pytest.mark.parametrize(("rule", "followed"), [("DRP205", True), ("DRP290", True), ("DRP101", False)])
def test_only_a_rule_that_reads_source_makes_modes_be_followed(rule: str, followed: bool, tmp_path: Path) -> None:
    settings, path = Settings(tmp_path, enabled=frozenset({rule})), tmp_path / "train.py"
    assert FileSet({path: settings}).follows_modes(path) is followed


@pytest.mark.parametrize(("default", "codes"), [("0.0", []), ("0.5", ["DRP206"]), ("None", ["DRP206"])])
def test_a_rate_of_the_command_line_that_is_zero_unless_given_proves_no_dropout(
    default: str, codes: list[str], tmp_path: Path
) -> None:
    body = "import argparse\n" + HEAD + "parser = argparse.ArgumentParser()\n"
    body += f"parser.add_argument('-d', '--drop-rate', type=float, default={default})\n"
    body += "args = parser.parse_args()\nmodel = Net(p=args.drop_rate)\nmodel.load_state_dict(torch.load('net'))\n"
    body += "with torch.no_grad():\n    print(model(torch.load('x')))\n"
    assert [code for code, _, _ in found(tmp_path, {"net.py": NET, "main.py": body})] == codes


NETS = """\
from net import Net
from torch import nn

MODELS = {{"net": Net, "plain": {other}}}


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return self.out(x)


class Trainer:
    def __init__(self, model):
        self.model = model

    @classmethod
    def load(cls, path):
        model = Net()
        model.load_state_dict(torch.load(path))
        return cls(model)


class Lazy:
    def __init__(self):
        self._model = None

    @property
    def model(self):
        if self._model is None:
            self._model = Net()
        return self._model


def named(name):
    return globals()[name]()
"""
USE = """\
import argparse
import torch
import nets

parser = argparse.ArgumentParser()
parser.add_argument("--arch", {default})
args = parser.parse_args()
model = {made}
model.load_state_dict(torch.load("weights.pt"))
with torch.no_grad():
    print(model(torch.load("input.pt")))
"""


@pytest.mark.parametrize(
    ("made", "default", "other", "codes"),
    [
        ("nets.MODELS[args.arch]()", "required=True", "Net", ["DRP206"]),
        ("nets.MODELS[args.arch]()", "required=True", "Plain", []),
        ("nets.MODELS[args.arch]()", 'default="net"', "Plain", ["DRP206"]),
        ("nets.MODELS[args.arch]()", 'default="plain"', "Plain", []),
        ("getattr(nets, args.arch)()", 'default="Net"', "Plain", ["DRP206"]),
        ("getattr(nets, args.arch)()", 'default="Plain"', "Plain", []),
        ("nets.named(args.arch)", 'default="Net"', "Plain", ["DRP206"]),
        ("nets.named(args.arch)", "required=True", "Plain", []),
        ('nets.Trainer.load("weights.pt").model', "required=True", "Net", ["DRP206"]),
        ("nets.Lazy().model", "required=True", "Net", ["DRP206"]),
    ],
)
def test_models_that_a_registry_a_class_or_a_property_makes(
    made: str, default: str, other: str, codes: list[str], tmp_path: Path
) -> None:
    files = {"net.py": NET, "nets.py": NETS.format(other=other), "main.py": USE.format(made=made, default=default)}
    assert [code for code, _, _ in found(tmp_path, files)] == codes


@pytest.mark.parametrize(("mode", "codes"), [("pass", ["DRP206"]), ("average.eval()", [])])
def test_a_copy_of_a_trained_model_is_trained(mode: str, codes: list[str], tmp_path: Path) -> None:
    steps = HEAD + TRAIN.format(first="model.train()") + "\n\n" + EVALUATE.format(first="pass")
    text = f"{steps}\n\nimport copy\n\nnet = Net()\naverage = copy.deepcopy(net)\n{mode}\n"
    text += "opt = torch.optim.Adam(net.parameters())\n"
    text += "for epoch in range(3):\n    train(net, opt, [])\n    evaluate(average, [])\n"
    assert [code for code, _, _ in found(tmp_path, {"net.py": NET, "main.py": text})] == codes
