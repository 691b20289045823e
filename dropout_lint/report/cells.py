"""Positions in notebooks: from a line of the joined code to a cell and a line in it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace

from dropout_lint.diagnostic import Diagnostic, Edit, Fix, Related, Span

SUFFIX = ".ipynb"
Starts = Sequence[tuple[int, int]]


def by_cells(found: Sequence[Diagnostic], text_of: Callable[[str], str | None]) -> tuple[Diagnostic, ...]:
    """Make all spans relative to their cells. If a file is gone, its spans stay as they are."""
    notebooks = {item.path for item in found if item.path.endswith(SUFFIX)}
    if not notebooks:
        return tuple(found)
    from dropout_lint.syntax.notebook import cell_starts

    starts = {path: cell_starts(text_of(path) or "") for path in sorted(notebooks)}
    return tuple(_in_cell(item, starts[item.path]) if starts.get(item.path) else item for item in found)


def split_place(place: str) -> tuple[str, int | None]:
    """Split ``path:cell 2`` into path and cell."""
    path, _, cell = place.rpartition(":cell ")
    return (path, int(cell)) if path.endswith(SUFFIX) and cell.isdecimal() else (place, None)


def _in_cell(item: Diagnostic, starts: Starts) -> Diagnostic:
    cell, span = _placed(item.span, starts)
    fix = item.fix
    if fix is not None:
        edits = tuple(Edit(_placed(edit.span, starts)[1], edit.replacement) for edit in fix.edits)
        fix = Fix(fix.message, fix.applicability, edits, fix.imports)
    related = tuple(_related(one, starts) if one.path == item.path else one for one in item.related)
    return replace(item, cell=cell, span=span, fix=fix, related=related)


def _related(related: Related, starts: Starts) -> Related:
    cell, span = _placed(related.span, starts)
    return replace(related, cell=cell, span=span)


def _placed(span: Span, starts: Starts) -> tuple[int, Span]:
    index = max(bisect_left(starts, span.line, key=lambda start: start[1]) - 1, 0)
    cell, above = starts[index]
    return cell, Span(span.line - above, span.column, span.end_line - above, span.end_column)
