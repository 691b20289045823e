"""Shapes of unseen training code: what the linker must see through, and what must keep it silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mode_helpers import NET, lint_modes

HEAD = NET + '\n\ntrain_data, test_data = torch.load("train.pt"), torch.load("test.pt")\n'
LOOP = """
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
{before}    for x, y in train_data:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
{after}
"""
FORGOTTEN = LOOP.format(before="", after="    with torch.no_grad():\n        print(model(test_data))")
LEFT_IN_EVAL = LOOP.format(
    before="", after="    model.eval()\n    with torch.no_grad():\n        print(model(test_data))"
)


def module(init: str, methods: str = "") -> str:
    lines = "".join(f"        {line}\n" for line in init.splitlines())
    return (
        f"class Other(nn.Module):\n    def __init__(self):\n        super().__init__()\n{lines}\n{methods}"
        "    def forward(self, x):\n        return self.layers(x)\n\n\nmodel = Other()\n"
    )


BUILT = """\
    def _make_layers(self, widths):
        layers = []
        for width in widths:
            layers += [nn.Linear(20, width), nn.BatchNorm1d(width)]
        return nn.Sequential(*layers)

    def build(self):
        self.layers = nn.Sequential(nn.Linear(20, 3), nn.Dropout(0.5))

"""
ORDERED = 'nn.Sequential(OrderedDict([("linear", nn.Linear(20, 3)), ("norm", nn.BatchNorm1d(3))]))'
ZOO = """
import argparse
from torchvision import models

parser = argparse.ArgumentParser()
parser.add_argument({default})
args = parser.parse_args()
"""
TRAINER = """
class Trainer:
    def __init__(self, net):
        self.net = net

    @property
    def network(self):
        return self.net


trainer = Trainer(Net())
model = trainer.network
"""
PHASES = """
model = Net()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for phase in ("train", "val"):
        {switch}
        for x, y in train_data[phase]:
            with torch.set_grad_enabled(phase == "train"):
                loss = F.cross_entropy(model(x), y)
            if phase == "train":
                loss.backward()
                optimizer.step()
"""
LOADED = """
def {name}(model, batches):
    return [model(x).argmax(1) for x in batches]


model = Net()
model.load_state_dict(torch.load("best.pt"))
print({name}(model, test_data))
"""
SIZED = """
import reporter


class Sized(Net):
    def __init__(self, size):
        super().__init__()
        self.size = size


size = len(train_data)
model = Sized(size)
"""
SELF_SWITCHING = """
class Self(Net):
    def forward(self, x, features=False):
        {switch}
        return super().forward(x)


model = Self()
model.load_state_dict(torch.load("best.pt"))
with torch.no_grad():
    print(model(test_data, features=True))
"""
ATTACKED = """
def attack(net, x):
    net.eval()
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        step = torch.autograd.grad(net(x).mean(), [x])[0]
    net.train()
    return x + step.sign()


def test(model):
    model.eval()
    with torch.no_grad():
        print(model(attack(model, test_data)))


model = Net()
model.load_state_dict(torch.load("best.pt"))
test(model)
"""
ATTACK = """
model = Net()
for x, y in train_data:
    F.cross_entropy(model(x), y).backward()
    {step}
    model.eval()
    with torch.no_grad():
        print(model(x).argmax(1))
"""
CRITIC = """
features, critic = Net(), nn.Linear(3, 1)
features.load_state_dict(torch.load("source.pt"))
for epoch in range(9):
    with torch.no_grad():
        found = features(train_data)
    for _ in range(5):
        critic(found).mean().backward()
    for _ in range(2):
        critic(features(train_data)).mean().backward()
"""
BANK = """
model = Net()
model.load_state_dict(torch.load("source.pt"))
with torch.no_grad():
    bank = model(train_data)
optimizer = torch.optim.Adam(model.parameters())
for x, y in train_data:
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        print(model(test_data))
    model.train()
"""
MINED = """
def mine(model):
    model.eval()
    with torch.no_grad():
        return model(train_data).argmax(1)


def train(model, optimizer):
    for step in range(9):
        y = mine(model)
        F.cross_entropy(model(train_data), y).backward()
        optimizer.step()


model = Net()
train(model, torch.optim.Adam(model.parameters()))
"""
OWN_EVAL = """
class Own(Net):
    def eval(self, x, y):
        return F.cross_entropy(self(x), y)


model = Own()
model.load_state_dict(torch.load("best.pt"))
with torch.no_grad():
    for x, y in test_data:
        print(model.eval(x, y))
"""
REPORTED = {
    "a number that the model keeps, in hands unknown": (
        "DRP205",
        SIZED + LEFT_IN_EVAL.replace("    for x", "    reporter.tell(size)\n    for x", 1),
    ),
    "layers that a method builds": ("DRP206", module("self.layers = self._make_layers([3])", BUILT) + FORGOTTEN),
    "a method that builds all layers": ("DRP206", module("self.build()", BUILT) + FORGOTTEN),
    "layers of an ordered dictionary": (
        "DRP206",
        "from collections import OrderedDict\n\n\n" + module(f"self.layers = {ORDERED}") + FORGOTTEN,
    ),
    "a summary before the training": (
        "DRP206",
        f"from torchsummary import summary\n\nmodel = Net()\nsummary(model, (20,)){FORGOTTEN}",
    ),
    "one of several tuples": (
        "DRP206",
        'kinds = {"a": (dict, Net), "b": (list, Net)}\nconfig, kind = kinds[input()]\nmodel = kind()' + FORGOTTEN,
    ),
    "a model of the zoo by the default of an option": (
        "DRP206",
        ZOO.format(default='"--arch", default="resnet18"') + "model = models.__dict__[args.arch]()" + FORGOTTEN,
    ),
    "a model of the zoo by getattr": (
        "DRP206",
        ZOO.format(default='"-a", "--arch", default="vgg16"') + "model = getattr(models, args.arch)()" + FORGOTTEN,
    ),
    "a model of the zoo by get_model": (
        "DRP205",
        'import torchvision\n\nmodel = torchvision.models.get_model("resnet50")' + LEFT_IN_EVAL,
    ),
    "a loss in eval mode beside the model": (
        "DRP206",
        "model, loss = Net(), nn.CrossEntropyLoss()"
        + FORGOTTEN.replace("    with torch", "    loss.eval()\n    with torch"),
    ),
    "a model of the zoo with batch norm by name": (
        "DRP206",
        "import torchvision\n\nmodel = torchvision.models.resnet18(norm_layer=nn.BatchNorm2d)" + FORGOTTEN,
    ),
    "layers that are attributes and parts of a Sequential": (
        "DRP206",
        "class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = nn.Linear(20, 3)\n        self.drop = nn.Dropout(0.2)\n"
        "        self.net = nn.Sequential(self.first, self.drop)\n\n"
        "    def forward(self, x):\n        return self.net(x)\n\n\nmodel = Block()" + FORGOTTEN,
    ),
    "from_pretrained, in eval mode from the first step on": (
        "DRP205",
        'from transformers import BertModel\n\nmodel = BertModel.from_pretrained("bert-base-uncased")' + LEFT_IN_EVAL,
    ),
    "gradients gathered over several batches": (
        "DRP206",
        "from accelerate import Accelerator\n\naccelerator = Accelerator()\nmodel = accelerator.prepare(Net())"
        + FORGOTTEN.replace("    for x", "    with accelerator.accumulate(model):\n        pass\n    for x", 1),
    ),
    "an average of the weights": (
        "DRP206",
        "model = Net()\naverage = torch.optim.swa_utils.AveragedModel(model)"
        + FORGOTTEN.replace(
            "        optimizer.step()", "        optimizer.step()\n        average.update_parameters(model)"
        ),
    ),
    "phases of which none is evaluated in eval mode": ("DRP206", PHASES.format(switch="pass")),
    "a function that tests a loaded model with gradients": ("DRP206", LOADED.format(name="test")),
    "a function of any name in a program that loads and never trains": ("DRP206", LOADED.format(name="embed")),
    "a property that is only read": (
        "DRP206",
        TRAINER + FORGOTTEN,
    ),
}


@pytest.mark.parametrize(("code", "text"), list(REPORTED.values()), ids=list(REPORTED))
def test_reported(code: str, text: str, tmp_path: Path) -> None:
    assert [d.code for d in lint_modes(tmp_path, {"program.py": HEAD + text})] == [code]


MANAGER = """
class Manager:
    def __init__(self):
        self.net = Net()

{access}
    def validate(self):
        self.net.eval()
        with torch.no_grad():
            print(self.net(test_data))


manager = Manager()
optimizer = torch.optim.Adam(manager.net.parameters())
for epoch in range(9):
    {switch}
    for x, y in train_data:
        F.cross_entropy(manager.net(x), y).backward()
        optimizer.step()
    manager.validate()
"""
SETTER = """\
    @property
    def network(self):
        return self.net

    @network.setter
    def network(self, net):
        self.net = net
"""
LONG = """\
    @property
    def network(self):
        if isinstance(self.net, nn.DataParallel):
            return self.net.module
        return self.net
"""
ANY = '    def __getattr__(self, name):\n        return self.__dict__["net"]\n'
AGENT = """
class Agent:
    def __init__(self):
        self.net = Net()
        self.net.load_state_dict(torch.load("weights.pt"))

    def predict(self, x):
        with torch.no_grad():
            return self.net(x)
{sibling}"""
SAMPLES = """
class {owner}:
    def __init__(self):
        self.net = Net()

    def {method}(self, batches):
        self.net.train()
        with torch.no_grad():
            return torch.stack([self.net(x) for x in batches])
"""
HUGGING_FACE = """
from transformers import BertForMaskedLM

model = BertForMaskedLM.from_pretrained("bert-base-uncased")
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    model.train()
    for x, y in train_data:
        model(x).loss.backward()
        optimizer.step()
    with torch.no_grad():
        print(model.{method}(test_data))
"""
LOSSES = """
@torch.no_grad()
def validate(model, batches):
    model.train()
    return [sum(model(images, {given}).values()) for images, {given} in batches]
"""
SILENT = {
    "features for the steps of another model": CRITIC,
    "train() through a property with a setter": MANAGER.format(access=SETTER, switch="manager.network.train()"),
    "train() through a longer property": MANAGER.format(access=LONG, switch="manager.network.train()"),
    "train() through __getattr__": MANAGER.format(access=ANY, switch="manager.anything.train()"),
    "train() on all that an object holds": MANAGER.format(
        access="", switch="for one in manager.__dict__.values():\n        one.train()"
    ),
    "a sibling method sets the mode": AGENT.format(sibling="\n    def set_eval(self):\n        self.net.eval()\n"),
    "samples of Monte Carlo dropout, by the name of the method": SAMPLES.format(
        owner="Model", method="predict_dropout"
    ),
    "samples of Monte Carlo dropout, by the name of the class": SAMPLES.format(owner="McDropout", method="predict"),
    "a part of a model of a library": HUGGING_FACE.format(method="get_output_embeddings"),
    "a method of a library that may do anything": HUGGING_FACE.format(method="merge_and_unload"),
    "losses of a model that gets its targets": LOSSES.format(given="targets"),
    "a model of the zoo that nobody names": (
        ZOO.format(default='"--arch"') + "model = models.__dict__[args.arch]()" + FORGOTTEN
    ),
    "a model of the zoo without batch norm": (
        "import torchvision\n\nmodel = torchvision.models.resnet18(norm_layer=nn.InstanceNorm2d)" + FORGOTTEN
    ),
    "a model of timm without batch norm": (
        'import timm\n\nmodel = timm.create_model("resnet18", norm_layer=nn.GroupNorm)' + FORGOTTEN
    ),
    "a transformer of the zoo without dropout": (
        ZOO.format(default='"--arch", default="vit_b_16"') + "model = models.__dict__[args.arch]()" + FORGOTTEN
    ),
    "eval() in a constructor that looks at a shape": module(
        "self.layers = nn.Sequential(nn.Linear(20, 3), nn.BatchNorm1d(3))\nself.layers.eval()\n"
        "width = self.layers(torch.zeros(1, 20)).shape[1]\nself.head = nn.Linear(width, 3)",
        "    def run(self, x):\n        return self.head(self.layers(x))\n\n",
    ).replace("return self.layers(x)", "return self.head(self.layers(x))")
    + LOOP.format(before="    model.train()\n", after=""),
    "phases that set the mode": PHASES.format(switch='model.train(phase == "train")'),
    "phases with branches": PHASES.format(
        switch='if phase == "train":\n            model.train()\n        else:\n            model.eval()'
    ),
    "an agent that explores": AGENT.format(sibling="").replace("def predict", "def act"),
}


@pytest.mark.parametrize("text", list(SILENT.values()), ids=list(SILENT))
def test_silent(text: str, tmp_path: Path) -> None:
    assert [(d.code, d.span.line) for d in lint_modes(tmp_path, {"program.py": HEAD + text})] == []


@pytest.mark.parametrize(("method", "codes"), [("generate", ["DRP206"]), ("get_input_embeddings", [])])
def test_methods_of_library_models_that_compute(method: str, codes: list[str], tmp_path: Path) -> None:
    text = HEAD + HUGGING_FACE.format(method=method)
    assert [d.code for d in lint_modes(tmp_path, {"program.py": text})] == codes


@pytest.mark.parametrize(("head", "codes"), [("", ["DRP206"]), ("import pytest\n", [])])
def test_a_script_whose_name_begins_like_that_of_a_test(head: str, codes: list[str], tmp_path: Path) -> None:
    text = f"{head}{HEAD}\nmodel = Net(){FORGOTTEN}"
    assert [d.code for d in lint_modes(tmp_path, {"test_net.py": text})] == codes


@pytest.mark.parametrize(("step", "found"), [("optimizer.step()", True), ("x = x + x.grad.sign()", False)])
def test_a_loop_trains_if_an_optimizer_steps(step: str, found: bool, tmp_path: Path) -> None:
    text = HEAD + ATTACK.format(step=step)
    assert ("DRP205" in [d.code for d in lint_modes(tmp_path, {"program.py": text})]) == found


def test_torch_by_the_star_import_of_a_file(tmp_path: Path) -> None:
    shared = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
    body = HEAD.split("from torch import nn\n", 1)[1]
    files = {"shared.py": shared, "program.py": f"from shared import *\n{body}\nmodel = Net(){FORGOTTEN}"}
    assert [d.code for d in lint_modes(tmp_path, files)] == ["DRP206"]


def test_no_statement_is_inserted_into_a_loop_over_phases(tmp_path: Path) -> None:
    text = HEAD + PHASES.format(switch="if phase == 'train':\n            model.train()")
    (found,) = lint_modes(tmp_path, {"program.py": text})
    assert (found.code, found.fix is not None and bool(found.fix.edits)) == ("DRP206", False)


@pytest.mark.parametrize(
    ("switch", "codes"),
    [("self.eval() if features else self.train()", []), ("self.drop.eval()", []), ("self.out.eval()", ["DRP206"])],
)
def test_a_forward_pass_that_sets_modes_itself(switch: str, codes: list[str], tmp_path: Path) -> None:
    found = lint_modes(tmp_path, {"program.py": HEAD + SELF_SWITCHING.format(switch=switch)})
    assert [item.code for item in found] == codes


@pytest.mark.parametrize(("text", "code"), [(BANK, "DRP206"), (MINED, "DRP205"), (OWN_EVAL, "DRP206")])
def test_no_statement_is_inserted_where_it_would_leave_the_other_mode(text: str, code: str, tmp_path: Path) -> None:
    found = [item for item in lint_modes(tmp_path, {"program.py": HEAD + text}) if item.code != "DRP202"]
    assert [(item.code, bool(item.fix and item.fix.edits)) for item in found] == [(code, False)]


def test_an_eval_that_is_undone_is_told_and_not_repeated(tmp_path: Path) -> None:
    (found,) = lint_modes(tmp_path, {"program.py": HEAD + ATTACKED})
    assert "a `train()` undoes the `eval()`" in found.message
    assert found.fix is not None
    assert not found.fix.edits
    assert "puts it back into train mode here" in [one.message for one in found.related]
