"""Every example of every rule page, as the page format promises: marks match exactly, fixes give the fixed text."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.rulebook import Rule, rules
from tests.linting import NOT_OPINION, fix, lint_text, marks, places, without_marks


def findings(text: str, rule: Rule, folder: Path) -> tuple[Diagnostic, ...]:
    return lint_text(text, NOT_OPINION | {rule.code}, folder / "example.py")


def examples(*kinds: str) -> list[object]:
    return [
        pytest.param(rule, index, id=f"{rule.code}-{example.kind}-line{example.line}")
        for rule in rules().values()
        for index, example in enumerate(rule.examples)
        if example.kind in kinds
    ]


@pytest.mark.parametrize(("rule", "index"), examples("bad"))
def test_bad_example_is_reported_at_its_marks(rule: Rule, index: int, tmp_path: Path) -> None:
    text = rule.examples[index].code
    assert places(findings(without_marks(text), rule, tmp_path)) == marks(text)


@pytest.mark.parametrize(("rule", "index"), examples("good", "fixed"))
def test_good_and_fixed_examples_are_silent(rule: Rule, index: int, tmp_path: Path) -> None:
    text = rule.examples[index].code
    assert [(d.span.line, d.code, d.message) for d in findings(text, rule, tmp_path)] == []


@pytest.mark.parametrize(("rule", "index"), examples("fixed"))
def test_fixing_the_bad_example_gives_the_fixed_one(rule: Rule, index: int, tmp_path: Path) -> None:
    bad = without_marks(rule.examples[index - 1].code)
    outcome = fix(bad, lambda text: findings(text, rule, tmp_path))
    assert outcome.text == rule.examples[index].code
