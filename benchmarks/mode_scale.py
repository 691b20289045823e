"""How the cost of following modes grows with a project: ``python benchmarks/mode_scale.py``.

Writes projects of synthetic experiments (networks, steps, a shared library, scripts that import all of them, and import
cycles), checks each with the rules about modes alone, in one process, and prints a Markdown table. Times are processor
time for one file, with the smallest project as the unit.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from dropout_lint.config.settings import Settings
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import rules

SIZES = (250, 500, 1000, 2000)
GROUP = 5
NET = """\
import torch
from torch import nn

from shared.layers{near} import Block


class Net{n}(nn.Module):
    def __init__(self, width=64, p=0.1):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width, p) for _ in range(4)])
        self.norm = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))


def build(path=None):
    model = Net{n}()
    if path is not None:
        model.load_state_dict(torch.load(path))
    return model
"""
LAYERS = """\
from torch import nn

from shared import layers{next}


class Block(nn.Module):
    def __init__(self, width, p):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Dropout(p))
        self.other = layers{next}

    def forward(self, x):
        return x + self.inner(x)
"""
STEPS = """\
import torch
import torch.nn.functional as F


def train(model, optimizer, batches):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, batches):
    {evaluate}
    return sum(F.cross_entropy(model(x), y).item() for x, y in batches)
"""
TRAINER = """\
import torch

from experiment{n}.net import build
from experiment{n}.steps import evaluate, train


class Trainer:
    def __init__(self, path=None):
        self.model = build(path)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def fit(self, batches, epochs):
        for epoch in range(epochs):
            train(self.model, self.optimizer, batches)
            print(epoch, evaluate(self.model, batches))
"""
MAIN = """\
import torch

from experiment{n}.trainer import Trainer

if __name__ == "__main__":
    trainer = Trainer()
    trainer.fit(torch.load("batches"), epochs=10)
"""


def write_project(folder: Path, files: int) -> list[Path]:
    """A project of that many files, of which one experiment in ten forgets ``eval()``."""
    written: list[Path] = []

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)

    (folder / "pyproject.toml").write_text("")
    groups = files // GROUP
    for n in range(groups):
        following = (n + 1) % groups
        write(f"shared/layers{n}.py", LAYERS.format(next=following))
        write(f"experiment{n}/net.py", NET.format(n=n, near=n))
        write(f"experiment{n}/steps.py", STEPS.format(evaluate="pass" if n % 10 == 0 else "model.eval()"))
        write(f"experiment{n}/trainer.py", TRAINER.format(n=n))
        write(f"experiment{n}/main.py", MAIN.format(n=n))
    return written


def main() -> None:
    """Print the table."""
    on = frozenset(code for code in rules() if code.startswith("DRP2"))
    unit = 0.0
    print("| Files | Lines | Findings | Time per file |\n|---|---|---|---|")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            files = write_project(folder, size)
            settings = Settings(root=folder, enabled=on)
            started = time.process_time()
            result = Linter(lambda _, s=settings: s, jobs=1).run(files)  # type: ignore[misc]
            each = (time.process_time() - started) / size
            if result.failures:
                sys.exit(result.failures[0].reason)
            unit = unit or each
            lines = sum(file.read_text().count("\n") for file in files)
            print(f"| {size} | {lines} | {len(result.diagnostics)} | {each / unit:.2f} |", flush=True)


if __name__ == "__main__":
    main()
