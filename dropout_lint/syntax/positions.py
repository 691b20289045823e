"""Lines, columns and offsets of a text.

Lines and columns count from 1, columns in characters. ``ast`` and code objects count columns from 0, in bytes of
UTF-8: ``column_of_byte`` converts them. ``server/convert.py`` converts to the positions of an editor.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right

from dropout_lint.diagnostic import Span

LINE_BREAK = re.compile(r"\r\n|\r|\n")
"""Where Python's tokenizer ends a line: not at form feeds or Unicode separators, unlike str.splitlines."""


def split_lines(text: str) -> list[str]:
    """The lines of a text with their breaks; the last one is empty if the text ends in a break."""
    ends = [found.end() for found in LINE_BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def column_of_byte(line: str, byte: int) -> int:
    """The column of the character at a 0-based offset in bytes of UTF-8."""
    if line.isascii():
        return byte + 1
    return len(line.encode()[:byte].decode(errors="replace")) + 1


class Lines:
    """Converts between positions, offsets and spans of a text, and returns its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
        self._ascii = text.isascii()

    @property
    def count(self) -> int:
        """How many lines there are; a text that ends in a line break has an empty last line."""
        return len(self.starts)

    def line(self, number: int) -> str:
        """A line with its line break; "" outside of the text."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]

    def line_text(self, number: int) -> str:
        """A line without its line break; "" outside of the text."""
        return self.line(number).rstrip("\r\n")

    def newline(self, number: int) -> str:
        """The line break of a line. The last line has none: then that of the line before, or a line feed."""
        for line in (self.line(number), self.line(number - 1)):
            found = LINE_BREAK.search(line)
            if found:
                return found.group()
        return "\n"

    def offset(self, line: int, column: int) -> int:
        """Offset of a position, which may be the end of a line or of the text. Raises ValueError outside of it."""
        if not 1 <= line <= len(self.starts) or column < 1:
            raise ValueError(f"no position {line}:{column} in a text of {len(self.starts)} lines")
        offset = self.starts[line - 1] + column - 1
        if offset > (self.starts[line] if line < len(self.starts) else len(self.text)):
            raise ValueError(f"line {line} has no column {column}")
        return offset

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset. Raises ValueError outside of the text."""
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"no offset {offset} in a text of {len(self.text)} characters")
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> Span:
        """The range of a node."""
        end_line = node.end_lineno or node.lineno
        return Span(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end_line,
            self._column(end_line, node.end_col_offset or 0),
        )

    def _column(self, line: int, byte: int) -> int:
        return byte + 1 if self._ascii else column_of_byte(self.line(line), byte)

    def slice(self, span: Span) -> str:
        """The text of a span. Raises ValueError outside of the text."""
        return self.text[self.offset(span.line, span.column) : self.offset(span.end_line, span.end_column)]

    def code(self, node: ast.expr | ast.keyword) -> str:
        """The source of a node, as written."""
        return self.slice(self.span(node))

    def block(self, first: int, last: int) -> str:
        """The text of lines ``first`` to ``last``, both included."""
        start, end = self.block_offsets(first, last)
        return self.text[start:end]

    def block_offsets(self, first: int, last: int) -> tuple[int, int]:
        """Where lines ``first`` to ``last`` begin and end in the text."""
        return self.starts[first - 1], self.starts[last] if last < len(self.starts) else len(self.text)
