"""Programs under ``fixtures``: exactly the marked lines are reported; a fixed sibling is what fixing gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linting import fix, lint_text, marks, places, without_marks

ROOT = Path(__file__).parents[1] / "fixtures"
PROGRAMS = sorted(p for p in ROOT.rglob("*.py") if not p.name.endswith(".fixed.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_exactly_the_marked_lines_are_reported(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    found = lint_text(without_marks(text), path=tmp_path / "program.py")
    assert places(found) == marks(text), [d.message for d in found]


@pytest.mark.parametrize("path", [p for p in PROGRAMS if p.with_suffix(".fixed.py").exists()], ids=name)
def test_fixing_gives_the_fixed_program(path: Path, tmp_path: Path) -> None:
    outcome = fix(without_marks(path.read_text()), lambda text: lint_text(text, path=tmp_path / "program.py"))
    assert outcome.text == path.with_suffix(".fixed.py").read_text()
