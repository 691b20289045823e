"""Suppression comments: what they hide, when they are unused, how they are removed and written."""

from __future__ import annotations

import pickle
import tokenize
from io import StringIO

import pytest

from dropout_lint import rulebook
from dropout_lint.diagnostic import Diagnostic, Severity, Span
from dropout_lint.fixing.fixer import apply_fixes
from dropout_lint.suppressions.adding import add_suppressions
from dropout_lint.suppressions.matching import Suppressions, apply_suppressions, parse_suppressions

RULES = {
    "DRP001": "syntax-error",
    "DRP002": "unused-suppression",
    "DRP003": "unknown-code",
    "DRP101": "functional-dropout-ignores-mode",
    "DRP102": "attention-dropout-ignores-mode",
    "DRP302": "dropout-before-relu",
    "DRP405": "zero-dropout",
}
ALL = frozenset(RULES)


@pytest.fixture(autouse=True)
def few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {
        code: rulebook.Rule(
            code, name, "", Severity.ERROR, "none", "opinion" if code == "DRP405" else "default", "1", "", "", ()
        )
        for code, name in RULES.items()
    }
    monkeypatch.setattr(rulebook, "rules", lambda: rules)
    monkeypatch.setattr(rulebook, "codes_by_name", lambda: {name: code for code, name in RULES.items()})


def at(line: int, code: str = "DRP101", end: int | None = None) -> Diagnostic:
    return Diagnostic(code, "x.py", Span(line, 1, end or line, 5), "broken", Severity.ERROR)


def left(
    text: str,
    *diagnostics: Diagnostic,
    enabled: frozenset[str] = ALL,
    definitions: tuple[tuple[int, int, int], ...] = (),
) -> list[tuple[int, str]]:
    found = apply_suppressions(parse_suppressions(text), diagnostics, "x.py", enabled, definitions)
    return [(d.span.line, d.code) for d in found]


def cleaned(text: str, *diagnostics: Diagnostic) -> str:
    found = apply_suppressions(parse_suppressions(text), diagnostics, "x.py", ALL)
    return apply_fixes(text, [d for d in found if d.code == "DRP002"])[0]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NoQA : whatever",
        "# noqa: DRP101",
        "# noqa:drp101",
        "# noqa: E501,DRP101",
        "# noqa: E501 DRP1",
        "# why not  # noqa: DRP101 since",
        "# dropout-lint: ignore",
        "# dropout-lint:ignore[DRP101]",
        "# dropout-lint: ignore[DRP1]",
        "# dropout-lint: ignore [ functional-dropout-ignores-mode ]",
        "# type: ignore[x]  # dropout-lint: ignore[DRP101] because",
        "# dropout-lint: mc-dropout",
    ],
)
def test_a_comment_on_the_line_hides_the_finding(comment: str) -> None:
    assert left(f"x = 1  {comment}\n", at(1)) == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: DRP102",
        "# dropout-lint: ignore[DRP302]",
        "# flake8: noqa",
        "# type: ignore",
        '"# noqa"',
    ],
)
def test_a_comment_about_something_else_hides_nothing(comment: str) -> None:
    assert (1, "DRP101") in left(f"x = 1 {comment}\n".replace('1 "', '"'), at(1))


@pytest.mark.parametrize("row", [1, 2, 3, 4])
def test_a_comment_anywhere_in_the_statement_counts(row: int) -> None:
    lines = ["x = f(", "    a,", "    b,", ")", "y = 1"]
    lines[row - 1] += "  # noqa: DRP101"
    text = "\n".join(lines)
    assert left(text, at(1), enabled=frozenset()) == []
    assert left(text, at(3), enabled=frozenset()) == []
    assert left(text, at(5), enabled=frozenset()) == [(5, "DRP101")]


def test_a_comment_behind_a_string_or_a_backslash_counts_for_its_first_line() -> None:
    assert left('x = """\n# noqa: E501\n"""  # noqa: DRP101\n', at(1)) == []
    assert left("x = 1 + \\\n    2  # noqa: DRP101\n", at(1)) == []


def test_a_comment_in_the_body_of_a_reported_class_does_not_hide_the_class() -> None:
    text = "class A:\n    x = 1  # noqa: DRP101\n    y = 1\n"
    assert left(text, at(1, end=3)) == [(1, "DRP101"), (2, "DRP002")]
    assert left(text.replace("y = 1", "y = 1  # noqa"), at(1, end=3), enabled=frozenset()) == []


def test_a_native_comment_on_its_own_line_is_about_the_next_statement() -> None:
    text = "# dropout-lint: ignore[DRP101]\n\nx = f(\n  1)\ny = 1\n"
    assert left(text, at(4), at(5)) == [(5, "DRP101")]
    assert left(text.replace("dropout-lint: ignore[DRP101]", "noqa: DRP101"), at(3), enabled=frozenset())


def test_text_in_strings_is_no_comment() -> None:
    assert left('x = """\n# dropout-lint: skip-file\n# noqa: DRP999\n"""\n', at(1)) == [(1, "DRP101")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_numbers_hold_for_all_newlines_and_form_feeds(newline: str) -> None:
    text = newline.join(["x = '\u2028'", "\x0c", "y = 1  # noqa: DRP101", "z = 1"])
    assert left(text, at(3), at(4)) == [(4, "DRP101")]


def test_a_file_can_be_skipped_or_freed_of_a_group() -> None:
    assert left("x = 1\n# dropout-lint: skip-file\n", at(1), at(1, "DRP001")) == []
    assert left("# dropout-lint: ignore-file[DRP1]\nx = 1\n", at(2), at(2, "DRP302")) == [(2, "DRP302")]
    assert left("def f():\n    # dropout-lint: ignore-file[DRP1]\n    x = 1\n", at(3)) == [(2, "DRP003"), (3, "DRP101")]
    assert left("# dropout-lint: ignore-file[DRP1, DRP002]\nx = 1  # noqa: DRP302\n", at(2)) == []


SCOPES = """\
class A:
    @wraps(
        f)
    @other
    def mc(self,
           x):
        if x:
            a

        return b

    def plain(self):
        return c
"""


@pytest.mark.parametrize("row", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("definitions", [(), ((1, 1, 13), (2, 5, 10), (12, 12, 13))])
def test_mc_dropout_on_a_definition_is_about_all_of_it(row: int, definitions: tuple[tuple[int, int, int], ...]) -> None:
    lines = SCOPES.splitlines()
    lines[row - 1] += "  # dropout-lint: mc-dropout"
    text = "\n".join(lines)
    found = left(text, at(8), at(10, "DRP102"), at(10, "DRP302"), at(13), definitions=definitions)
    assert found == [(10, "DRP302"), (13, "DRP101")]


def test_mc_dropout_above_a_definition_or_on_a_statement() -> None:
    above = "# dropout-lint: mc-dropout\n# more\n" + SCOPES
    assert left(above, at(10), at(15)) == []
    assert parse_suppressions(above).mc_lines == (3,)
    inside = SCOPES.replace("if x:", "if x:  # dropout-lint: mc-dropout")
    assert left(inside, at(8), at(10)) == [(10, "DRP101")]
    assert left(SCOPES.replace("return b", "return b  # dropout-lint: mc-dropout"), at(10)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # noqa: DRP101\n", "x = 1\n"),
        ("x = 1\t # noqa: DRP101, DRP102", "x = 1"),
        ("x = 1  # noqa: DRP101,E501, W1\r\n", "x = 1  # noqa: E501, W1\r\n"),
        ("x = 1  # noqa: E501, DRP101,W1\n", "x = 1  # noqa: E501,W1\n"),
        ("x = 1  # noqa: E501 DRP102\n", "x = 1  # noqa: E501\n"),
        ("x = 'é𝄞'  # keep this  # noqa: DRP101\n", "x = 'é𝄞'  # keep this\n"),
        ("x = 1  # noqa: DRP101 - the reason\n", "x = 1  # the reason\n"),
        ("x = 1  # noqa: DRP101 # type: ignore\n", "x = 1  # type: ignore\n"),
        ("x = 1  # a # dropout-lint: ignore[DRP101]  # b\n", "x = 1  # a  # b\n"),
        ("    # dropout-lint: ignore[DRP101]\r\nx = 1\r\n", "x = 1\r\n"),
        ("x = f(\n    # dropout-lint: ignore[DRP1]\n    1)\n", "x = f(\n    1)\n"),
        ("x = 1\n# dropout-lint: mc-dropout", "x = 1\n"),
        ("# dropout-lint: ignore-file[DRP302, DRP1]\nx = 1\n", "x = 1\n"),
        ("x = 1  # dropout-lint: ignore\n", "x = 1\n"),
        ("x = 1  # noqa\n", "x = 1  # noqa\n"),
        ("x = 1  # noqa: E501\n", "x = 1  # noqa: E501\n"),
        ("# dropout-lint: skip-file\n", "# dropout-lint: skip-file\n"),
    ],
)
def test_an_unused_suppression_is_taken_out_and_nothing_else(before: str, after: str) -> None:
    assert cleaned(before) == after
    assert cleaned(after) == after


def test_of_a_list_only_the_unused_codes_go() -> None:
    text = "x = 1  # dropout-lint: ignore[DRP302, DRP101 , dropout-before-relu]\n"
    assert cleaned(text, at(1)) == "x = 1  # dropout-lint: ignore[DRP101]\n"
    assert cleaned(text, at(1, "DRP302")) == "x = 1  # dropout-lint: ignore[DRP302 , dropout-before-relu]\n"


def test_what_is_not_enabled_is_not_unused() -> None:
    some = frozenset({"DRP002", "DRP101"})
    for comment in ["noqa: DRP102", "dropout-lint: ignore[DRP1]", "dropout-lint: ignore", "dropout-lint: mc-dropout"]:
        assert left(f"x = 1  # {comment}\n", enabled=some) == []
    assert left("x = 1  # dropout-lint: ignore[DRP4]\n", enabled=ALL - {"DRP405"}) == []
    assert left("x = 1  # noqa: DRP101\n", enabled=some) == [(1, "DRP002")]
    assert left("x = 1  # noqa: DRP101\n", enabled=frozenset({"DRP101"})) == []


def test_a_file_that_was_not_analysed_has_no_unused_suppressions() -> None:
    assert left("x = 1  # noqa: DRP101\n)\n", at(2, "DRP001")) == [(2, "DRP001")]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# noqa: DRP999", "unknown rule 'DRP999'"),
        ("# dropout-lint: ignore[DRP1O1]", "did you mean 'DRP101'?"),
        ("# dropout-lint: ignore[dropout-before-rel]", "did you mean 'dropout-before-relu'?"),
        ("# dropout-lint: ignore[DRP7]", "unknown rule 'DRP7'"),
        ("# dropout-lint: ingore[DRP101]", "did you mean 'ignore'?"),
        ("# dropout-lint: ignore[]", "names no rule"),
        ("# dropout-lint: ignore[DRP101", "add ']'"),
        ("# noqa: DRP", "every linter"),
    ],
)
def test_an_unknown_code_is_reported_with_the_nearest(comment: str, message: str) -> None:
    (found,) = apply_suppressions(parse_suppressions(f"x = 1  {comment}\n"), [], "x.py", ALL)
    assert (found.code, found.severity, found.fix) == ("DRP003", Severity.WARNING, None)
    assert message in found.message


def test_reports_about_suppressions_can_be_suppressed_by_name() -> None:
    assert left("x = 1  # noqa: DRP101, DRP002\n") == []
    assert left("x = 1  # noqa: DRP999, DRP003\n") == []
    assert left("x = 1  # noqa: DRP002\n") == []
    assert left("x = 1  # noqa: DRP\n", at(1)) == [(1, "DRP003")]


def test_a_file_that_cannot_be_tokenized_is_read_line_by_line() -> None:
    text = "x = 1  # noqa: DRP101\ny = (\n  '''\n"
    assert left(text, at(1), at(2)) == [(2, "DRP101")]
    assert left("if x:\n        a\n    b  # dropout-lint: ignore[DRP102]\n", at(3)) == [(3, "DRP101")]


def test_files_without_suppressions_are_not_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenize, "generate_tokens", lambda *_: pytest.fail("tokenized"))
    assert parse_suppressions("x = 1  # comment\n") == Suppressions()
    assert parse_suppressions("x = 1  # noqa: E501, W1\n") == Suppressions()
    assert parse_suppressions("x = 1  # noqa\n", any_findings=False) == Suppressions()
    assert left("x = 1\n", at(1)) == [(1, "DRP101")]


def test_suppressions_cross_processes() -> None:
    found = parse_suppressions("x = 1  # noqa: DRP101\n")
    assert found.directives
    assert pickle.loads(pickle.dumps(found)) == found


def code_tokens(text: str) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    return [(t.type, t.string) for t in tokens if t.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE)]


@pytest.mark.parametrize(
    ("before", "rows", "after"),
    [
        ("x = 1\n", [1], "x = 1  # dropout-lint: ignore[DRP101]\n"),
        ("x = 1   ", [1], "x = 1  # dropout-lint: ignore[DRP101]"),
        ("\tx = 'é'\r\ny = 1\r\n", [1], "\tx = 'é'  # dropout-lint: ignore[DRP101]\r\ny = 1\r\n"),
        ("x = f(\n  1,\n)\n", [2], "x = f(\n  1,  # dropout-lint: ignore[DRP101]\n)\n"),
        ("x = f('''\n''', [\n])\n", [1], "x = f('''\n''', [\n])  # dropout-lint: ignore[DRP101]\n"),
        ("x = f'''\n{y}\n'''\n", [1], "x = f'''\n{y}\n'''  # dropout-lint: ignore[DRP101]\n"),
        ("x = 1 + \\\n  2\n", [1], "x = 1 + \\\n  2  # dropout-lint: ignore[DRP101]\n"),
        ("x = 1  # why \\\n", [1], "x = 1  # why \\  # dropout-lint: ignore[DRP101]\n"),
        ("x = 1  # noqa\n", [1], "x = 1  # noqa  # dropout-lint: ignore[DRP101]\n"),
        (
            "x = 1  # dropout-lint: ignore[DRP302 ] since\n",
            [1],
            "x = 1  # dropout-lint: ignore[DRP302, DRP101 ] since\n",
        ),
        ("x = 1  # dropout-lint: ignore[DRP1]\n", [1], "x = 1  # dropout-lint: ignore[DRP1]\n"),
        ("x = 1\ny = 2\n", [1, 2, 2], "x = 1  # dropout-lint: ignore[DRP101]\ny = 2  # dropout-lint: ignore[DRP101]\n"),
        ("x = (\n", [1], "x = (\n"),
    ],
)
def test_native_comments_are_written_where_they_can_stand(before: str, rows: list[int], after: str) -> None:
    found = [at(row) for row in rows]
    new = add_suppressions(before, found, "native")
    assert new == after
    assert add_suppressions(new, found, "native") == new
    if before != "x = (\n":
        assert code_tokens(new) == code_tokens(before)
        assert left(new, *found, enabled=frozenset()) == []


def test_noqa_comments_are_merged() -> None:
    found = [at(1), at(1, "DRP302"), at(2), at(3), at(4, "DRP002")]
    text = "x = 1\ny = 1  # noqa: E501 long\nz = 1  # noqa\nw = 1\n"
    new = add_suppressions(text, found, "noqa")
    assert new == "x = 1  # noqa: DRP101, DRP302\ny = 1  # noqa: E501, DRP101 long\nz = 1  # noqa\nw = 1\n"
    assert add_suppressions(new, found, "noqa") == new
