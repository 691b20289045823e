"""Confirms findings: is there code at the span of each, as libcst, a second parser, reads the file?"""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.diagnostic import Diagnostic, Failure, Span
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import NotConcrete


def split_confirmed(diagnostics: Iterable[Diagnostic], text: ConcreteText) -> tuple[list[Diagnostic], list[Failure]]:
    """Split the findings of a file: those with a node of the concrete tree at their span, and a Failure for each other.

    A finding in a statement that libcst cannot read counts as confirmed. This is Python 2, syntax of a newer Python
    than libcst knows, a form feed that libcst drops, or nesting too deep for it.
    """
    found: list[Diagnostic] = []
    failures: list[Failure] = []
    for diagnostic in diagnostics:
        if is_confirmed(diagnostic.span, text):
            found.append(diagnostic)
        else:
            failures.append(_failure(diagnostic))
    return found, failures


def is_confirmed(span: Span, text: ConcreteText) -> bool:
    """Whether an expression, argument, parameter, name or statement begins and ends at a span, as libcst reads it."""
    try:
        place = text.place(span)
        return text.has(place)
    except (NotConcrete, RecursionError):
        return True
    except (IndexError, ValueError):  # outside of the text
        return False


def _failure(diagnostic: Diagnostic) -> Failure:
    line, column = diagnostic.span.line, diagnostic.span.column
    reason = f"rule {diagnostic.code} reports {line}:{column}, where a second parser finds no such code"
    return Failure(diagnostic.path, f"{reason}; this is a bug in dropout-lint", diagnostic.code)
