"""Every page in rules/ has the shape that a reader, the ``rule`` command and the example tests rely on."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from dropout_lint.rulebook import Rule, pages_folder, parse_page

PAGES = sorted(pages_folder().glob("DRP*.md"))
SECTIONS = ["Why it matters", "Examples", "Fix safety", "When to ignore it", "Sources"]
MARK = re.compile(r"  # DRP\d{3}$", re.MULTILINE)
WITHOUT_EXAMPLES = {"DRP001", "DRP002", "DRP003", "DRP004"}


def read(path: Path) -> Rule:
    return parse_page(path.read_text("utf-8"), path.name)


def retired() -> set[str]:
    return set(re.findall(r"\bDRP\d{3}\b", (pages_folder() / "retired.md").read_text("utf-8")))


def without_examples(rule: Rule) -> bool:
    """Rules about files, and those that only a run can report: no example of source code can prove them."""
    return not rule.examples and (rule.code in WITHOUT_EXAMPLES or rule.engines == ("runtime",))


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def rule(request: pytest.FixtureRequest) -> Rule:
    return read(request.param)


def test_there_are_pages() -> None:
    assert PAGES


def test_file_is_named_after_code_and_name(rule: Rule) -> None:
    assert rule.page == f"{rule.code}-{rule.name}.md"


def test_codes_and_names_are_used_once() -> None:
    found = [path.stem.partition("-") for path in PAGES]
    for position in (0, 2):
        assert [what for what, times in Counter(part[position] for part in found).items() if times > 1] == []


def test_code_is_not_retired(rule: Rule) -> None:
    assert rule.code not in retired()


def test_name_says_what_is_wrong_not_what_is_forbidden(rule: Rule) -> None:
    assert not rule.name.startswith(("no-", "disallow"))


def test_engines_are_known_and_what_only_a_run_reports_has_no_fix(rule: Rule) -> None:
    assert rule.engines in {(), ("runtime",)}
    if rule.engines:
        assert rule.fix == "none"
        assert not rule.examples


def test_summary_is_one_short_line(rule: Rule) -> None:
    lines = rule.text.splitlines()
    assert lines[1] == ""
    assert lines[2] == rule.summary, "the summary is one line, right after the heading"
    assert len(rule.summary) < 120
    assert rule.summary.endswith(".")
    assert lines[3:5] == ["", "```toml"]


def test_sections_come_in_order(rule: Rule) -> None:
    prose = re.sub(r"^```.*?^```$", "", rule.text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)[1:]
    expected = [name for name in SECTIONS if name != "Fix safety" or rule.fix != "none"]
    if without_examples(rule):
        expected.remove("Examples")
    assert headings == expected


def test_examples_are_there(rule: Rule) -> None:
    kinds = {example.kind for example in rule.examples}
    if without_examples(rule):
        return
    assert "bad" in kinds
    if rule.code not in WITHOUT_EXAMPLES:
        assert "good" in kinds


def test_a_fixed_block_exists_exactly_if_there_is_a_fix(rule: Rule) -> None:
    fixed = any(example.kind == "fixed" for example in rule.examples)
    if without_examples(rule):
        return
    assert fixed == (rule.fix != "none")


def test_fixed_follows_bad_and_differs_from_it(rule: Rule) -> None:
    before = None
    for example in rule.examples:
        if example.kind == "fixed":
            assert before is not None, f"line {example.line}: fixed without a bad block before it"
            assert before.kind == "bad", f"line {example.line}: fixed follows {before.kind}"
            assert example.code != MARK.sub("", before.code), f"line {example.line}: nothing was fixed"
        before = example


def test_marks_stand_in_bad_blocks_only_and_name_the_rule(rule: Rule) -> None:
    for example in rule.examples:
        marks = MARK.findall(example.code)
        if example.kind == "bad":
            assert any(mark.endswith(rule.code) for mark in marks), f"line {example.line}: no mark of {rule.code}"
        else:
            assert not marks, f"line {example.line}: a mark in a {example.kind} block"


def test_examples_parse(rule: Rule) -> None:
    for example in rule.examples:
        source = MARK.sub("", example.code)
        if rule.code == "DRP001" and example.kind == "bad":
            with pytest.raises(SyntaxError):
                ast.parse(source)
        else:
            ast.parse(source)


def test_fences_are_closed_and_known(rule: Rule) -> None:
    fences = re.findall(r"^(```.*)$", rule.text, flags=re.MULTILINE)
    assert len(fences) % 2 == 0
    assert all(closing == "```" for closing in fences[1::2])
    known = {"```toml", "```python", "```python bad", "```python fixed", "```python good", "```console", "```text"}
    assert set(fences[::2]) <= known
    assert fences[::2].count("```toml") == 1
