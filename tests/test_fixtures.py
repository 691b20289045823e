"""Programs under ``fixtures``: exactly the marked lines are reported; a fixed sibling is what fixing gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.fixing.fixer import fix_text
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import rules

ROOT = Path(__file__).parents[1] / "fixtures"
MARK = re.compile(r"  # (DRP\d{3}(?: DRP\d{3})*)$", re.MULTILINE)
PROGRAMS = sorted(p for p in ROOT.rglob("*.py") if not p.name.endswith(".fixed.py"))


def lint(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    on = frozenset(rule.code for rule in rules().values() if rule.set != "opinion")
    settings = Settings(root=folder, enabled=on, fixable=on, unsafe_fixes=True)
    result = Linter(lambda _: settings, jobs=1).run_text(folder / "program.py", text)
    assert not result.failures
    return result.diagnostics


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_exactly_the_marked_lines_are_reported(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    expected = sorted(
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        for mark in MARK.finditer(line)
        for code in mark.group(1).split()
    )
    found = lint(MARK.sub("", text), tmp_path)
    assert [(d.span.line, d.code) for d in found] == expected, [d.message for d in found]


@pytest.mark.parametrize("path", [p for p in PROGRAMS if p.with_suffix(".fixed.py").exists()], ids=name)
def test_fixing_gives_the_fixed_program(path: Path, tmp_path: Path) -> None:
    outcome = fix_text(
        MARK.sub("", path.read_text()),
        lambda text: lint(text, tmp_path),
        lambda d: d.fix is not None and d.fix.applicability is not Applicability.DISPLAY,
    )
    assert outcome.text == path.with_suffix(".fixed.py").read_text()
