"""Every example of every rule page, as the page format promises: marks match exactly, fixes give the fixed text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.fixing.fixer import fix_text
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import Example, Rule, rules

MARK = re.compile(r"  # (DRP\d{3}(?: DRP\d{3})*)$", re.MULTILINE)


def settings_for(rule: Rule) -> Settings:
    on = {r.code for r in rules().values() if r.set != "opinion"} | {rule.code}
    return Settings(root=Path.cwd(), enabled=frozenset(on), fixable=frozenset(on), unsafe_fixes=True)


def findings(text: str, rule: Rule, folder: Path) -> tuple[Diagnostic, ...]:
    settings = settings_for(rule)
    result = Linter(lambda _: settings, jobs=1).run_text(folder / "example.py", text)
    assert not result.failures
    return result.diagnostics


def examples(*kinds: str) -> list[object]:
    return [
        pytest.param(rule, index, id=f"{rule.code}-{example.kind}-line{example.line}")
        for rule in rules().values()
        for index, example in enumerate(rule.examples)
        if example.kind in kinds
    ]


def marks(example: Example) -> list[tuple[int, str]]:
    return sorted(
        (number, code)
        for number, line in enumerate(example.code.splitlines(), 1)
        for mark in [MARK.search(line)]
        if mark
        for code in mark.group(1).split()
    )


@pytest.mark.parametrize(("rule", "index"), examples("bad"))
def test_bad_example_is_reported_at_its_marks(rule: Rule, index: int, tmp_path: Path) -> None:
    example = rule.examples[index]
    text = MARK.sub("", example.code)
    assert [(d.span.line, d.code) for d in findings(text, rule, tmp_path)] == marks(example)


@pytest.mark.parametrize(("rule", "index"), examples("good", "fixed"))
def test_good_and_fixed_examples_are_silent(rule: Rule, index: int, tmp_path: Path) -> None:
    text = rule.examples[index].code
    assert [(d.span.line, d.code, d.message) for d in findings(text, rule, tmp_path)] == []


@pytest.mark.parametrize(("rule", "index"), examples("fixed"))
def test_fixing_the_bad_example_gives_the_fixed_one(rule: Rule, index: int, tmp_path: Path) -> None:
    bad = MARK.sub("", rule.examples[index - 1].code)
    outcome = fix_text(
        bad,
        lambda text: findings(text, rule, tmp_path),
        lambda d: d.fix is not None and d.fix.applicability is not Applicability.DISPLAY,
    )
    assert outcome.text == rule.examples[index].code
