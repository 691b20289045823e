"""Lines as pylint and flake8 write them, which many CI services and editors read."""

from __future__ import annotations

from dropout_lint.diagnostic import place
from dropout_lint.report.view import Result, View, one_line


def render(result: Result, view: View) -> str:
    """``path:line: [CODE] message`` lines."""
    return "".join(
        f"{one_line(place(d))}:{d.span.line}: [{d.code}] {one_line(d.message)}\n" for d in result.diagnostics
    )
