"""Converts our positions (from 1, in characters) to those of the protocol (from 0, in the client's code units)."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from lsprotocol import types
from pygls.workspace import PositionCodec

from dropout_lint.diagnostic import Diagnostic, Severity, Span, hedged
from dropout_lint.rulebook import rules
from dropout_lint.syntax.positions import split_lines

SOURCE = "dropout-lint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


class ClientPositions:
    """Positions of one text as the client counts them."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self._lines = split_lines(text)
        self._codec = codec

    def range(self, span: Span) -> types.Range:
        """The range of a span, clipped to the text."""
        return types.Range(self._position(span.line, span.column), self._position(span.end_line, span.end_column))

    def _position(self, line: int, column: int) -> types.Position:
        if line > len(self._lines):
            line, column = len(self._lines), len(self._lines[-1]) + 1
        before = self._lines[line - 1][: column - 1]
        return types.Position(line - 1, self._codec.client_num_units(before))

    def edits(self, new: str) -> list[types.TextEdit]:
        """Edits of the lines that differ in ``new``, so that cursors and folds elsewhere stay."""
        old, wanted = ([line for line in lines if line] for lines in (self._lines, split_lines(new)))
        edits = []
        for kind, start, end, other, other_end in difflib.SequenceMatcher(
            None, old, wanted, autojunk=False
        ).get_opcodes():
            if kind != "equal":
                span = Span(start + 1, 1, end + 1, 1)
                edits.append(types.TextEdit(self.range(span), "".join(wanted[other:other_end])))
        return edits


def as_diagnostic(
    found: Diagnostic, lines: ClientPositions, locate: Callable[[str, Span], types.Location | None]
) -> types.Diagnostic:
    """Convert a diagnostic; ``locate`` finds its related places, which keep their order."""
    places = [(locate(other.path, other.span), other.message) for other in found.related]
    related = [types.DiagnosticRelatedInformation(place, message) for place, message in places if place is not None]
    advice = f"\n{found.fix.message}" if found.fix is not None else ""
    return types.Diagnostic(
        range=lines.range(found.span),
        message=hedged(found) + advice,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        code_description=types.CodeDescription(rules()[found.code].url),
        source=SOURCE,
        related_information=related or None,
    )


def as_problem(reason: str) -> types.Diagnostic:
    """A failure as a diagnostic on the first line, so that the document does not look clean."""
    start = types.Position(0, 0)
    return types.Diagnostic(
        types.Range(start, types.Position(1, 0)),
        f"Not checked: {reason}",
        severity=types.DiagnosticSeverity.Error,
        code="DRP004",
        source=SOURCE,
    )
