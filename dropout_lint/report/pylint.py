"""Lines in the format of pylint, which many CI services and editors parse."""

from __future__ import annotations

from dropout_lint.diagnostic import hedged, place
from dropout_lint.report.view import Result, View, one_line


def render(result: Result, _view: View) -> str:
    """Lines ``path:line: [CODE] message``."""
    return "".join(
        f"{one_line(place(d))}:{d.span.line}: [{d.code}] {one_line(hedged(d))}\n" for d in result.diagnostics
    )
