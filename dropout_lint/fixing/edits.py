"""The edits of a fix as offsets in a text, and the whole of a fix, imports included, as edits."""

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
        """Whether only a new look at the text can tell what both should be, as with two insertions at one place."""
        if self.start == self.end and other.start == other.end:
            return self.start == other.start
        return self.start < other.end and other.start < self.end


def changes_of(index: Lines, edits: Sequence[Edit]) -> tuple[Change, ...] | None:
    """The edits as offsets, or nothing if they overlap one another or lie outside of the text.

    Line feeds that an edit brings become line breaks of the kind that the line has.
    """
    changes: list[Change] = []
    try:
        for edit in edits:
            span = edit.span
            start, end = index.offset(span.line, span.column), index.offset(span.end_line, span.end_column)
            replacement = edit.replacement
            if "\n" in replacement and (newline := index.newline(span.line)) != "\n":
                replacement = _LINE_FEED.sub(newline, replacement)
            changes.append(Change(start, end, replacement))
    except ValueError:
        return None
    ordered = sorted(changes, key=lambda c: (c.start, c.end))
    fine = all(c.start <= c.end for c in ordered) and all(a.end <= b.start for a, b in itertools.pairwise(ordered))
    return tuple(ordered) if fine else None


def edits_with_imports(text: str, fix: Fix) -> tuple[Edit, ...]:
    """A fix for programs that know nothing but edits: its imports are insertions, its line breaks those of the text.

    For a fix that can be applied to the text; raises as ``import_insertion`` does.
    """
    index = Lines(text)
    changes = changes_of(index, fix.edits) or ()
    offset, lines = import_insertion(text, fix.imports)
    inserted = (Change(offset, offset, lines),) if lines else ()
    return tuple(
        Edit(Span(*index.position(change.start), *index.position(change.end)), change.replacement)
        for change in (*inserted, *changes)
    )
