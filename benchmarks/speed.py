"""How fast dropout-lint is, as ratios of runs that alternate on one machine: ``python benchmarks/speed.py [TREE ...]``.

Trees are folders with Python files; without any, packages that use PyTorch are looked for in site-packages. The printed
Markdown table has the best of some rounds for each command, and no seconds: they say more about the machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("timm", "transformers", "torch_geometric", "monai", "vit_pytorch", "torchvision", "torch")
SCRIPTS = Path(sysconfig.get_path("scripts"))
LINT = (str(SCRIPTS / "dropout-lint"), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet")
RUFF = (str(SCRIPTS / "ruff"), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet")
IMPORTS = (sys.executable, "-c", "import click, libcst, rich.console")

SMALL = """
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self, width, classes, p=0.1):
        super().__init__()
        self.p = p
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, classes)

    def forward(self, x):
        return self.out(F.dropout(self.norm(x), self.p))
"""
WORDLESS = """
import json


def read(path):
    with open(path) as file:
        return json.load(file)
"""


@dataclass(frozen=True)
class Row:
    """One comparison: a command, and the one that it is measured against."""

    what: str
    against: str
    command: tuple[str, ...]
    reference: tuple[str, ...]
    target: str


def best_times(row: Row, rounds: int) -> tuple[float, float]:
    """The shortest time of each of the two, which take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for command, taken in zip((row.command, row.reference), times, strict=True):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return min(times[0]), min(times[1])


def rows(trees: Sequence[Path], folder: Path) -> list[Row]:
    """The comparisons, with the small files in ``folder``."""
    small, wordless = folder / "small.py", folder / "wordless.py"
    small.write_text(SMALL, "utf-8")
    wordless.write_text(WORDLESS, "utf-8")
    found = [
        Row("one small file with a finding", "importing click, libcst and rich", (*LINT, str(small)), IMPORTS, "1.6"),
        Row(
            "one file without a word of dropout",
            "importing click, libcst and rich",
            (*LINT, str(wordless)),
            IMPORTS,
            "",
        ),
    ]
    if trees:
        paths = tuple(map(str, trees))
        what = f"{' + '.join(map(named, trees))}, cold"
        found.insert(0, Row(what, "`ruff check` with its default rules", (*LINT, *paths), (*RUFF, *paths), "15"))
    return found


def named(tree: Path) -> str:
    """A tree and its size; a package of site-packages with its version."""
    files = list(tree.rglob("*.py"))
    lines = sum(file.read_bytes().count(b"\n") for file in files if file.is_file())
    return f"{tree.resolve().name} {version_of(tree)}({len(files)} files, {round(lines, -3) // 1000} k lines)"


def version_of(tree: Path) -> str:
    """What the package says its version is, with a blank behind it; "" where it does not."""
    for info in tree.resolve().parent.glob(f"{tree.resolve().name}-*.dist-info"):
        return info.name.removesuffix(".dist-info").rpartition("-")[2] + " "
    for name in ("version.py", "__init__.py"):
        file = tree / name
        found = re.search(r"""^__version__ = ["']([^"']+)""", file.read_text("utf-8"), re.M) if file.is_file() else None
        if found:
            return found[1] + " "
    return ""


def installed_trees() -> list[Path]:
    """The packages of this environment that are worth linting; torch only when there is nothing else."""
    library = Path(sysconfig.get_path("purelib"))
    found = [library / name for name in PACKAGES if (library / name).is_dir()]
    return found[:-1] if len(found) > 1 and found[-1].name == "torch" else found


def main(args: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, help="folders to lint in one run")
    parser.add_argument("-n", "--rounds", type=int, default=5, help="runs of each command; the best one counts")
    given = parser.parse_args(args)
    print("| Run | Against | Ratio | Goal |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(given.trees or installed_trees(), Path(folder)):
            ours, theirs = best_times(row, given.rounds)
            print(
                f"| {row.what} | {row.against} | {ours / theirs:.2f} | {row.target and '≤ ' + row.target} |", flush=True
            )
    tools = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("dropout-lint", "ruff", "libcst"))
    print(f"\nBest of {given.rounds}; {tools}, Python {platform.python_version()}, {os.cpu_count()} processors.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
