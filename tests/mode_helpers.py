"""A network whose dropout is live in train mode, and the rules about train and eval mode at work on some files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import rules

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


def write_files(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write files by their paths in a folder."""
    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths


def lint_paths(folder: Path, paths: Sequence[Path], managed: tuple[str, ...] = ()) -> list[Diagnostic]:
    """Lint files together with every DRP2 rule."""
    on = frozenset(code for code in rules() if code.startswith("DRP2"))
    settings = Settings(root=folder, enabled=on, fixable=on, mode_managed_bases=managed)
    result = Linter(lambda _: settings, jobs=1).run(paths)
    assert not result.failures
    return list(result.diagnostics)


def lint_files(folder: Path, files: dict[str, str], *, managed: tuple[str, ...] = ()) -> list[Diagnostic]:
    """Write files, and lint them together with every DRP2 rule."""
    return lint_paths(folder, write_files(folder, files), managed)
