"""Every example of every rule page, as the page format promises: marks match exactly, fixes give the fixed text."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.rulebook import Rule, rules
from tests.linting import NOT_OPINION, fix, lint_text, marks, places, without_marks


def findings(text: str, rule: Rule, folder: Path) -> tuple[Diagnostic, ...]:
    return lint_text(text, NOT_OPINION | {rule.code}, folder / "example.py")


def examples(*kinds: str) -> list[tuple[Rule, int]]:
    """The examples of these kinds: a rule, and the position of the example on its page."""
    return [
        (rule, index)
        for rule in rules().values()
        for index, example in enumerate(rule.examples)
        if example.kind in kinds
    ]


def each_of(found: list[tuple[Rule, int]]) -> pytest.MarkDecorator:
    """Run a test with each of these examples, named by code, kind and line."""
    ids = [f"{rule.code}-{rule.examples[at].kind}-line{rule.examples[at].line}" for rule, at in found]
    return pytest.mark.parametrize(("rule", "index"), found, ids=ids)


@each_of(examples("bad"))
def test_bad_example_is_reported_at_its_marks(rule: Rule, index: int, tmp_path: Path) -> None:
    text = rule.examples[index].code
    assert places(findings(without_marks(text), rule, tmp_path)) == marks(text)


@each_of(examples("good", "fixed"))
def test_good_and_fixed_examples_are_silent(rule: Rule, index: int, tmp_path: Path) -> None:
    text = rule.examples[index].code
    assert [(d.span.line, d.code, d.message) for d in findings(text, rule, tmp_path)] == []


@each_of(examples("fixed"))
def test_fixing_the_bad_example_gives_the_fixed_one(rule: Rule, index: int, tmp_path: Path) -> None:
    bad = without_marks(rule.examples[index - 1].code)
    outcome = fix(bad, lambda text: findings(text, rule, tmp_path))
    assert outcome.text == rule.examples[index].code
