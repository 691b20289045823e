"""Code frames: the lines around a finding in terminal cells, with an underline."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.syntax.positions import Lines

CONTEXT = 2
"""Lines shown before and after a span."""
WIDTH = 120
"""Cells shown of a line if the width of the terminal is unknown."""
_TAB = 4
_LONGEST = 6
"""Of a span that ends so many lines further down, only the first three and last two lines are shown."""


@dataclass(frozen=True, slots=True)
class FrameLine:
    """A line of code with its number, or an underline.

    ``edge`` is the character left of a span of several lines: ``/`` in its first line, ``|`` below, else a space.
    """

    number: str = ""
    text: str = ""
    underline: str = ""
    edge: str = ""
    last: bool = False


def frame_lines(source: str, span: Span, width: int = WIDTH) -> list[FrameLine]:
    """The frame of a span, ``width`` cells wide; empty if the span is not in the text because the file changed."""
    index = Lines(source)
    if not (1 <= span.line <= span.end_line <= index.count):
        return []
    end_line, end_column = span.end_line, span.end_column
    if end_column == 1 and end_line > span.line:
        end_line -= 1
        end_column = len(index.line_text(end_line)) + 1
    first = max(1, span.line - CONTEXT)
    last = min(index.count, end_line + CONTEXT)
    while first < span.line and not index.line_text(first).strip():
        first += 1
    while last > end_line and not index.line_text(last).strip():
        last -= 1
    if end_line == span.line:
        return list(_single(index, span.line, (span.column, end_column), (first, last), width))
    return list(_multiple(index, (span.line, end_line), (span.column, end_column), (first, last), width))


def _single(
    index: Lines, line: int, columns: tuple[int, int], shown: tuple[int, int], width: int
) -> Iterator[FrameLine]:
    cells = _cells(index.line_text(line))
    start, end = _cells_before(cells, columns[0]), _cells_before(cells, columns[1])
    left = _window(_cells_before(cells, len(cells) + 1), start, end, width)
    for number in range(shown[0], shown[1] + 1):
        yield FrameLine(str(number), _cut(_cells(index.line_text(number)), left, width))
        if number == line:
            drawn = max(1, min(end, left + width) - start)
            yield FrameLine(underline=" " * (start - left + bool(left)) + "^" * drawn, last=True)


def _multiple(
    index: Lines, lines: tuple[int, int], columns: tuple[int, int], shown: tuple[int, int], width: int
) -> Iterator[FrameLine]:
    (line, end_line), (column, end_column) = lines, columns
    skipped = range(line + 3, end_line - 1) if end_line - line >= _LONGEST else range(0)
    for number in range(shown[0], shown[1] + 1):
        if number in skipped:
            if number == skipped[0]:
                yield FrameLine("...", edge="|")
            continue
        cells = _cells(index.line_text(number))
        text = _cut(cells, 0, width)
        if number < line or number > end_line:
            yield FrameLine(str(number), text, edge=" ")
            continue
        is_whole = number == line and not index.line_text(number)[: column - 1].strip()
        yield FrameLine(str(number), text, edge="/" if is_whole else " " if number == line else "|")
        if number == line and not is_whole:
            yield FrameLine(underline="_" * (1 + min(_cells_before(cells, column), width)) + "^", edge=" ")
        elif number == end_line:
            end = min(max(_cells_before(cells, end_column) - 1, 0), width)
            yield FrameLine(underline="_" * (1 + end) + "^", edge="|", last=True)


def _cells(line: str) -> list[str]:
    """What a terminal shows for each character; a tab ends at the next multiple of four cells."""
    shown: list[str] = []
    at = 0
    for character in line:
        if character == "\t":
            cell = " " * (_TAB - at % _TAB)
        elif character.isprintable() or unicodedata.category(character) in ("Mn", "Me", "Cf"):
            cell = character
        else:
            cell = "\N{REPLACEMENT CHARACTER}"
        shown.append(cell)
        at += _width(cell)
    return shown


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    if unicodedata.combining(cell) or unicodedata.category(cell) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _cells_before(cells: list[str], column: int) -> int:
    """Number of terminal cells before a 1-based column."""
    return sum(_width(cell) for cell in cells[: column - 1])


def _window(length: int, start: int, end: int, width: int) -> int:
    """First cell to show, so that the span is visible with as much before it as fits."""
    if length <= width or end <= width:
        return 0
    after = min(length, end + width // 4)
    return max(0, min(after - width, start - width // 4))


def _cut(cells: list[str], left: int, width: int) -> str:
    """``width`` cells of a line from cell ``left`` on, with ``…`` where something is cut off."""
    text: list[str] = []
    at = 0
    for cell in cells:
        wide = _width(cell)
        if at >= left + width and wide:
            text.append("…")
            break
        if at >= left:
            text.append(cell)
        elif at + wide > left:
            text.append(" " * (at + wide - left))
        at += wide
    shown = "".join(text)
    return (f"…{shown}" if left and any(not cell.isspace() for cell in cells) else shown).rstrip()
