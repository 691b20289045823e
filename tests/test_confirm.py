"""What is reported is found again by a second parser, or is a Failure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dropout_lint.diagnostic import Diagnostic, Severity, Span
from dropout_lint.rewriting.second_parser import is_confirmed, split_confirmed
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.parsing import walk

ROOT = Path(__file__).parent.parent


def finding(*span: int) -> Diagnostic:
    return Diagnostic("DRP101", "net.py", Span(*span), "broken", Severity.ERROR)


def test_a_place_between_nodes_is_a_failure() -> None:
    text = ConcreteText("x = f(a, b)\n")
    right, wrong, outside = finding(1, 5, 1, 12), finding(1, 6, 1, 9), finding(7, 1, 7, 2)
    found, failures = split_confirmed([right, wrong, outside], text)
    assert found == [right]
    assert [(f.path, f.code) for f in failures] == [("net.py", "DRP101")] * 2
    assert failures[0].reason == (
        "rule DRP101 reports 1:6, where a second parser finds no such code; this is a bug in dropout-lint"
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("print 'a', f(x)\n", (1, 12, 1, 16)),
        ("try:\n    pass\nexcept E, e:\n    print e\n", (4, 5, 4, 12)),
        ("x = 1\n\x0c  \n\x0cif f(x): y\n", (3, 5, 3, 9)),
    ],
)
def test_a_statement_that_libcst_does_not_read_is_believed(text: str, span: tuple[int, int, int, int]) -> None:
    assert is_confirmed(Span(*span), ConcreteText(text))


@pytest.mark.parametrize(
    "text", ["x: int = f(y)\r\n", "def m(a: int = f(1), *b: str, c=2): pass\n", "x = (f(i) for i in y)\n"]
)
def test_parameters_and_generators_are_confirmed_as_ast_places_them(text: str) -> None:
    concrete = ConcreteText(text)
    for node in walk(ast.parse(text)):
        if isinstance(node, (ast.expr, ast.stmt, ast.arg)):
            assert is_confirmed(concrete.lines.span(node), concrete), ast.dump(node)


@pytest.mark.parametrize("path", ["dropout_lint/diagnostic.py", "dropout_lint/source/names/scopes.py"])
def test_every_expression_and_statement_of_a_file_is_confirmed(path: str) -> None:
    text = (ROOT / path).read_text()
    concrete = ConcreteText(text)
    patterns = {n for p in walk(ast.parse(text)) if isinstance(p, ast.JoinedStr) for n in walk(p)}
    for node in walk(ast.parse(text)):
        if isinstance(node, (ast.expr, ast.stmt)) and node not in patterns:
            span = concrete.lines.span(node)
            inside = "f'" in concrete.lines.line(span.line) or 'f"' in concrete.lines.line(span.line)
            assert inside or is_confirmed(span, concrete), (span, concrete.lines.slice(span))
