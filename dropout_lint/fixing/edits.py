"""Convert the edits of a fix to offsets in a text, and its imports to edits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dropout_lint.diagnostic import Edit, Fix, Span
from dropout_lint.fixing.imports import import_insertion
from dropout_lint.syntax.positions import Lines

_LINE_FEED = re.compile(r"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Change:
    """Replace ``text[start:end]``; an empty range inserts."""

    start: int
    end: int
    replacement: str

    def overlaps(self, other: Change) -> bool:
        """Whether both change the same text, or insert at the same place, so that only one can be applied."""
        if self.start == self.end and other.start == other.end:
            return self.start == other.start
        return self.start < other.end and other.start < self.end


def changes_of(lines: Lines, edits: Sequence[Edit]) -> tuple[Change, ...] | None:
    """The edits as offsets, in order; None if they overlap or lie outside of the text.

    Line feeds in a replacement become the line break of the line, such as ``\\r\\n``.
    """
    changes: list[Change] = []
    try:
        for edit in edits:
            span = edit.span
            start, end = lines.offset(span.line, span.column), lines.offset(span.end_line, span.end_column)
            replacement = edit.replacement
            if "\n" in replacement and (newline := lines.newline(span.line)) != "\n":
                replacement = _LINE_FEED.sub(newline, replacement)
            changes.append(Change(start, end, replacement))
    except ValueError:
        return None
    ordered = sorted(changes, key=lambda c: (c.start, c.end))
    valid = all(c.start <= c.end for c in ordered) and all(a.end <= b.start for a, b in itertools.pairwise(ordered))
    return tuple(ordered) if valid else None


def edits_with_imports(text: str, fix: Fix) -> tuple[Edit, ...]:
    """The edits of a fix, and insertions for its imports: for formats such as SARIF, which only know edits.

    The fix must be applicable to the text. Raises as ``import_insertion`` does.
    """
    lines = Lines(text)
    changes = changes_of(lines, fix.edits) or ()
    offset, imports = import_insertion(text, fix.imports)
    inserted = (Change(offset, offset, imports),) if imports else ()
    return tuple(
        Edit(Span(*lines.position(change.start), *lines.position(change.end)), change.replacement)
        for change in (*inserted, *changes)
    )
