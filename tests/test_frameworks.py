"""What docs/frameworks.md says is understood is, and what it says is silent is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.mode.libraries.frameworks import MANAGED_BASES
from tests.mode_helpers import NET, lint_modes
from tools import frameworks

METHODS = """

class Task({base}):
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def run(self, batches):
        for epoch in range(9):
            for x, y in batches:
                F.cross_entropy(self.net(x), y).backward()
                self.optimizer.step()
            self.net.eval()
            with torch.no_grad():
                print(self.net(x))
"""


def found(text: str, folder: Path, managed: tuple[str, ...] = ()) -> set[str]:
    return {d.code for d in lint_modes(folder, {"task.py": text}, managed=managed)}


def test_the_page_is_up_to_date() -> None:
    assert frameworks.main(["--check"]) == 0, "run 'python -m tools.frameworks'"


def test_the_methods_of_a_class_without_a_framework_are_judged(tmp_path: Path) -> None:
    assert found(NET + METHODS.format(base="object"), tmp_path) == {"DRP205"}


@pytest.mark.parametrize("base", sorted(MANAGED_BASES))
def test_the_methods_of_managed_classes_are_not(base: str, tmp_path: Path) -> None:
    package = base.rpartition(".")[0]
    assert found(f"import {package}\n" + NET + METHODS.format(base=base), tmp_path) == set()


def test_bases_of_the_configuration_are_managed_although_they_are_in_sight(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text("class Runner:\n    def start(self, x):\n        self.run(x)\n")
    text = "from base import Runner\n" + NET + METHODS.format(base="Runner")
    assert found(text, tmp_path) == {"DRP205"}
    assert found(text, tmp_path, managed=("base.Runner",)) == set()


LOOP = """
batches = torch.load("batches.pt")
model = {made}
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{prepared}
for epoch in range(9):
    model.train()
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        {backward}
        optimizer.step()
    with torch.no_grad():
        print(model(x))
"""


def loop(imports: str, made: str = "Net()", prepared: str = "", backward: str = "loss.backward()") -> str:
    return imports + NET + LOOP.format(made=made, prepared=prepared, backward=backward)


ACCELERATED = "model, optimizer = accelerator.prepare(model, optimizer)"
FABRIC = "import lightning\nfabric = lightning.Fabric()\n"
HF = "from transformers import AutoModel, BertModel, LlamaModel\n"
LOADED = """
model = Lit.load_from_checkpoint("best.ckpt")
with torch.no_grad():
    print(model(torch.load("batch.pt")))
"""
LIT = (
    NET.replace("nn.Module", "lightning.LightningModule")
    .replace("Net", "Lit")
    .replace("super().__init__()", "super().__init__()\n        self.save_hyperparameters()")
)
UNDERSTOOD = {
    "a class of the project": loop(""),
    "accelerate": loop("from accelerate import Accelerator\naccelerator = Accelerator()\n", prepared=ACCELERATED),
    "accelerator.backward": loop(
        "from accelerate import Accelerator\naccelerator = Accelerator()\n",
        prepared=ACCELERATED,
        backward="accelerator.backward(loss)",
    ),
    "fabric": loop(FABRIC, prepared="model = fabric.setup(model)", backward="fabric.backward(loss)"),
    "deepspeed": loop("import deepspeed\n", prepared="model, optimizer = deepspeed.initialize(model, optimizer)"),
    "peft": loop("import peft\n", prepared="model = peft.get_peft_model(model, {})"),
    "lightning, loaded by hand": "import lightning\n" + LIT + LOADED,
    "transformers by class": loop(HF, 'BertModel.from_pretrained("mine")'),
    "transformers by checkpoint": loop(HF, 'AutoModel.from_pretrained("bert-base-uncased")'),
    "transformers by rate": loop(HF, 'LlamaModel.from_pretrained("mine", attention_dropout=0.1)'),
    "timm by family": loop("import timm\n", 'timm.create_model("resnet50", pretrained=True)'),
    "timm by rate": loop("import timm\n", 'timm.create_model("vit_tiny_patch16_224", drop_rate=0.1)'),
    "torchvision": loop("from torchvision import models\n", "models.resnet18()"),
    "torch_geometric": loop("from torch_geometric.nn import GAT\n", "GAT(8, 8, 2, dropout=0.5)"),
}
SILENT = {
    "lightning, frozen by a method of its own": "import lightning\n"
    + LIT
    + LOADED.replace("with", "model.freeze()\nwith"),
    "transformers of an unknown family": loop(HF, "AutoModel.from_pretrained(input())"),
    "transformers without dropout": loop(HF, 'LlamaModel.from_pretrained("mine")'),
    "transformers with the rate set to zero": loop(HF, 'BertModel.from_pretrained("mine", hidden_dropout_prob=0)'),
    "timm without a rate": loop("import timm\n", 'timm.create_model("vit_tiny_patch16_224")'),
    "torchvision without dropout": loop("from torchvision import models\n", "models.vit_b_16()"),
    "detection": loop("from torchvision import models\n", "models.detection.fasterrcnn_resnet50_fpn()"),
    "torch_geometric without a rate": loop("from torch_geometric.nn import GAT\n", "GAT(8, 8, 2)"),
    "a table of embeddings": loop("", 'nn.Embedding.from_pretrained(torch.load("table.pt"))'),
    "given to an engine": loop(
        "from ignite.engine import create_supervised_evaluator\n",
        prepared="",
    ).replace("    with torch.no_grad", "    create_supervised_evaluator(model).run(batches)\n    with torch.no_grad"),
}


@pytest.mark.parametrize("text", list(UNDERSTOOD.values()), ids=list(UNDERSTOOD))
def test_understood(text: str, tmp_path: Path) -> None:
    assert found(text, tmp_path) == {"DRP206"}


@pytest.mark.parametrize("text", list(SILENT.values()), ids=list(SILENT))
def test_silent(text: str, tmp_path: Path) -> None:
    assert found(text, tmp_path) == set()
