"""Each finding with the underlined code, notes and help, in the style of ruff."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.diagnostic import Applicability, Diagnostic, Fix, Severity, place
from dropout_lint.report.concise import headline
from dropout_lint.report.frame import CONTEXT, WIDTH, FrameLine, frame_lines
from dropout_lint.report.view import (
    Result,
    View,
    one_line,
    paint,
    related_notes,
    render_summary,
    run_note,
    severity_style,
)

_BESIDE = 12
"""Cells for anything but number and code: the bar, an ellipsis, the severity after the underline."""
_NARROWEST = 40


def render(result: Result, view: View) -> str:
    """A block for each finding, separated by blank lines, and the summary."""
    blocks = []
    for diagnostic in result.diagnostics:
        lines = _block(diagnostic, view)
        blocks.append("".join(f"{line}\n" for line in lines) + "\n")
    return "".join(blocks) + render_summary(result, view.color, view.summary)


def _block(diagnostic: Diagnostic, view: View) -> Iterator[str]:
    span, color, unsafe_fixes = diagnostic.span, view.color, view.summary.unsafe_fixes
    source = view.sources(place(diagnostic))
    room = (
        WIDTH if view.columns is None else max(view.columns - len(str(span.end_line + CONTEXT)) - _BESIDE, _NARROWEST)
    )
    frame = frame_lines(source, span, room) if source is not None else []
    width = max((len(line.number) for line in frame), default=len(str(span.line)))
    gutter = " " * width
    bar = paint("|", "blue", color)
    where = f"{one_line(place(diagnostic))}:{span.line}:{span.column}"
    yield headline(diagnostic, color, unsafe_fixes)
    yield f"{gutter}{paint('-->', 'blue', color)} {where}" + ("" if frame else f" ({diagnostic.severity})")
    if frame:
        yield f"{gutter} {bar}"
        for line in frame:
            number = paint(line.number.rjust(width), "blue", color)
            yield f"{number} {bar}{_code(line, diagnostic.severity, color)}".rstrip()
        yield f"{gutter} {bar}"
    seen = run_note(diagnostic)
    for note in (*related_notes(diagnostic), *([one_line(seen)] if seen else ())):
        yield f"{gutter} {paint('= note:', 'blue', color)} {note}"
    if diagnostic.fix:
        yield f"{gutter} {paint('= help:', 'cyan', color)} {_help(diagnostic.fix, unsafe_fixes)}"


def _code(line: FrameLine, severity: Severity, color: bool) -> str:
    style = severity_style(severity)
    edge = f" {paint(line.edge, style, color) if line.edge.strip() else line.edge}" if line.edge else ""
    if not line.underline:
        return f"{edge} {line.text}"
    drawn = line.underline.lstrip()
    indent = " " * (len(line.underline) - len(drawn) + (not line.edge))
    return f"{edge}{indent}{paint(f'{drawn} {severity}' if line.last else drawn, style, color)}"


def _help(fix: Fix, unsafe_fixes: bool) -> str:
    message = one_line(fix.message)
    if fix.applicability is Applicability.UNSAFE and fix.edits and not unsafe_fixes:
        return f"{message} (unsafe, applied with --unsafe-fixes)"
    return message
