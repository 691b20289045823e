"""A network whose dropout is live in train mode, and the rules about train and eval mode at work on some files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.linter import Linter
from dropout_lint.rulebook import rules
from dropout_lint.settings import Settings

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


def lint_files(
    folder: Path, files: dict[str, str], *, without: Collection[str] = (), managed: tuple[str, ...] = ()
) -> list[Diagnostic]:
    """Write files, and lint them together with every DRP2 rule but those ``without``."""
    paths = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    on = frozenset(code for code in rules() if code.startswith("DRP2") and code not in without)
    settings = Settings(root=folder, enabled=on, fixable=on, mode_managed_bases=managed)
    result = Linter(lambda _: settings, jobs=1).run(paths)
    assert not result.failures
    return list(result.diagnostics)
