"""How sure findings about modes are, by what the project shows of the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linting import check, write

LOADED = """\
import torch
from transformers import AutoModelForSeq2SeqLM


@torch.inference_mode()
def main(ids, labels):
    model = AutoModelForSeq2SeqLM.from_pretrained("t5-small")
    model.eval()
    model.load_adapter("adapter")
    return model(ids, labels=labels).loss


if __name__ == "__main__":
    batch = torch.load("batch.pt")
    main(batch["ids"], batch["labels"])
"""
OLD_LIGHTNING = """\
import pytorch_lightning
from torch import nn
from transformers import BertModel


class Tagger(pytorch_lightning.LightningModule):
    def __init__(self, tags):
        super().__init__()
        self.backbone = BertModel.from_pretrained("bert-base-uncased")
        self.head = nn.Linear(768, tags)

    def training_step(self, batch, index):
        return self.head(self.backbone(batch).last_hidden_state).mean()
"""
TRAINED = """\
import torch
from transformers import {model}

model = {model}.from_pretrained("name")
optimizer = torch.optim.AdamW(model.parameters())
for batch in torch.load("batches.pt"):
    optimizer.zero_grad()
    model(**batch).loss.backward()
    optimizer.step()
"""
FROZEN = """\
from torch import nn


class Distillation(nn.Module):
    def __init__(self):
        super().__init__()
        self.teacher = nn.Sequential(nn.Linear(20, 64), nn.Dropout(0.1), nn.Linear(64, 3))
        self.student = nn.Linear(20, 3)
        self.teacher.requires_grad_(False)

    def forward(self, x):
        return (self.student(x) - self.teacher(x)).square().mean()
"""
SAMPLED = """\
import torch


def mc_dropout_predict(model, x):
    model.eval()
    with torch.no_grad():
        samples = torch.stack([model(x) for _ in range(20)])
    return samples.mean(0), samples.std(0)
"""
IGNORED = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, width, dropout=0.1):
        super().__init__()
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        return self.out(x)
"""
UNDONE = FROZEN.replace("requires_grad_(False)", "eval()")


@pytest.mark.parametrize(
    ("code", "text", "confidence"),
    [
        ("DRP218", LOADED, "possible"),
        ("DRP216", OLD_LIGHTNING, "possible"),
        ("DRP216", TRAINED.format(model="AutoModelForSequenceClassification"), "likely"),
        ("DRP216", TRAINED.format(model="BertForSequenceClassification"), "proven"),
        ("DRP215", FROZEN, "likely"),
        ("DRP211", UNDONE, "likely"),
        ("DRP211", f"{UNDONE}\n\nDistillation().train()\n", "proven"),
        ("DRP217", SAMPLED, "likely"),
        ("DRP408", IGNORED, "possible"),
        ("DRP408", f"{IGNORED}\n\nprint(Net(8, 0.3))\n", "proven"),
    ],
)
def test_findings_are_as_sure_as_what_is_known(code: str, text: str, confidence: str, tmp_path: Path) -> None:
    path = write(tmp_path / "program.py", text)
    levels = ["possible", "likely", "proven"]
    found = {level: code in check(path, "--select", code, "--confidence", level).stdout for level in levels}
    assert found == {level: levels.index(level) <= levels.index(confidence) for level in levels}
