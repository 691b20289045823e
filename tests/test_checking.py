"""Checks in two processes find what they find in one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropout_lint import checks
from dropout_lint.cache.folder import CacheFolder
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.linting import checking, linter
from dropout_lint.linting.linter import Linter
from dropout_lint.linting.stages import Checked, Collected, LintResult
from dropout_lint.project.project import Project
from dropout_lint.rulebook import rules
from tests.mode_helpers import write_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, all checks are in one process")

BASE = """\
from torch import nn


class NormAct(nn.Module):
    def __init__(self, width, norm={norm}):
        super().__init__()
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.act = nn.GELU()

    def forward(self, x):
        return self.act(self.norm(x))
"""
NET = """\
import torch
import torch.nn.functional as F
from base import NormAct
from torch import nn

net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3), NormAct(4), nn.Linear(4, 4))


def validate(batches):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3))
    net.train()
    with torch.no_grad():
        for x, y in batches:
            F.cross_entropy(net(x), y)
    net.eval
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files to check; the base of their networks is not among them."""
    monkeypatch.setattr(linter, "APART_FROM", 2)
    nets = {f"net{n}.py": NET for n in range(3)}
    return write_files(tmp_path, {"base.py": BASE.format(norm=True), **nets})[1:]


def lint(files: list[Path], jobs: int, cache: Path | None = None) -> LintResult:
    on = frozenset(rules())
    settings = Settings(root=files[0].parent, enabled=on, fixable=on)
    folder = CacheFolder(cache) if cache is not None else None
    return Linter(lambda _: settings, jobs=jobs, cache=folder).run(files)


def codes(result: LintResult) -> set[str]:
    return {one.code for one in result.diagnostics}


def test_the_findings_are_those_of_one_process(files: list[Path]) -> None:
    alone = lint(files, jobs=1)
    assert {"DRP201", "DRP207", "DRP304"} <= codes(alone)
    assert lint(files, jobs=2) == alone


def test_the_others_are_found_elsewhere(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    here: list[str] = []
    found = checking.check_files

    def recorded(collected: Collected, project: Project) -> Checked:
        here.append("files")
        return found(collected, project)

    monkeypatch.setattr(checking, "check_files", recorded)
    lint(files, jobs=2)
    assert here == []
    lint(files, jobs=1)
    assert here == ["files"]


def test_a_rule_that_crashes_elsewhere_is_told(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(fact: object, context: object) -> Iterator[Diagnostic]:
        raise ZeroDivisionError("never")
        yield

    table = dict(checks.checks())
    table["DRP304"] = (table["DRP304"][0], crash)
    monkeypatch.setattr(checks, "checks", lambda enabled: {c: table[c] for c in table if c in enabled})
    apart = lint(files, jobs=2)
    assert apart == lint(files, jobs=1)
    assert len(apart.failures) == len(files)
    assert "rule DRP304 crashed: ZeroDivisionError: never" in apart.failures[0].reason


def test_a_process_that_dies_loses_nothing(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = lint(files, jobs=1)
    parent, found = os.getpid(), checking.check_files

    def dying(collected: Collected, project: Project) -> Checked:
        if os.getpid() != parent:
            os._exit(1)
        return found(collected, project)

    monkeypatch.setattr(checking, "check_files", dying)
    assert lint(files, jobs=2) == alone


def test_what_only_the_other_process_read_is_asked_again(files: list[Path], tmp_path: Path) -> None:
    assert "DRP304" in codes(lint(files, 2, tmp_path / "cache"))
    files[0].with_name("base.py").write_text(BASE.format(norm=False))
    changed = lint(files, 2, tmp_path / "cache")
    assert changed == lint(files, 1)
    assert "DRP304" not in codes(changed)
