"""A network whose dropout is live in train mode, and the rules about train and eval mode at work on some files."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.diagnostic import Diagnostic
from tests import linting

MODE = linting.group("DRP2")
NET = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.drop = nn.Dropout(p)
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return self.out(self.drop(x))
"""
STEPS = """\
import torch
import torch.nn.functional as F


def train(model, optimizer, batches):
    {train}
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def evaluate(model, batches):
    {evaluate}
    with torch.no_grad():
        for x, y in batches:
            F.cross_entropy(model(x), y)
"""
MAIN = """\
import torch
from {net} import Net
from {steps} import evaluate, train


def main(batches):
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    for epoch in range(10):
        train(model, optimizer, batches)
        evaluate(model, batches)


if __name__ == "__main__":
    main(open("batches"))
"""


def lint_modes(folder: Path, files: dict[str, str], *, managed: tuple[str, ...] = ()) -> tuple[Diagnostic, ...]:
    """Write files, and lint them together with every DRP2 rule."""
    return linting.lint_files(linting.write_files(folder, files), MODE, managed)
