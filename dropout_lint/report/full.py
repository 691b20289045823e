"""Each finding with its code, underlined, and what to do about it, in the manner of ruff."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.diagnostic import Applicability, Diagnostic, Fix, Severity
from dropout_lint.report import Result, Sources, Summary, one_line, paint, render_summary, seen_by, severity_style
from dropout_lint.report.concise import headline
from dropout_lint.report.frame import FrameLine, frame_lines


def render(result: Result, sources: Sources, color: bool, summary: Summary) -> str:
    """Blocks with a blank line after each, and the summary."""
    blocks = []
    for diagnostic in result.diagnostics:
        lines = _block(diagnostic, sources(diagnostic.path), color, summary.unsafe_fixes)
        blocks.append("".join(f"{line}\n" for line in lines) + "\n")
    return "".join(blocks) + render_summary(result, color, summary)


def _block(diagnostic: Diagnostic, source: str | None, color: bool, unsafe_fixes: bool) -> Iterator[str]:
    span = diagnostic.span
    frame = frame_lines(source, span) if source is not None else []
    width = max((len(line.number) for line in frame), default=len(str(span.line)))
    gutter = " " * width
    bar = paint("|", "blue", color)
    place = f"{one_line(diagnostic.path)}:{span.line}:{span.column}"
    yield headline(diagnostic, color, unsafe_fixes)
    yield f"{gutter}{paint('-->', 'blue', color)} {place}" + ("" if frame else f" ({diagnostic.severity})")
    if frame:
        yield f"{gutter} {bar}"
        for line in frame:
            number = paint(line.number.rjust(width), "blue", color)
            yield f"{number} {bar}{_code(line, diagnostic.severity, color)}".rstrip()
        yield f"{gutter} {bar}"
    for related in diagnostic.related:
        start = related.span
        where = f"{one_line(related.path)}:{start.line}"
        yield f"{gutter} {paint('= note:', 'blue', color)} {where}: {one_line(related.message)}"
    if seen := seen_by(diagnostic):
        yield f"{gutter} {paint('= note:', 'blue', color)} {one_line(seen)}"
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
