"""The layout of a file, from Python's tokenizer: positions of comments, and line ranges of statements."""

from __future__ import annotations

import io
import re
import tokenize
from bisect import bisect_right
from dataclasses import dataclass

from dropout_lint.syntax.positions import LINE_BREAK

_INVISIBLE = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.NEWLINE}


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its ``#`` to the end of the line; ``gap`` is the number of blanks before it."""

    line: int
    column: int
    text: str
    gap: int

    @property
    def own_line(self) -> bool:
        """True if there is nothing else on the line."""
        return self.gap == self.column - 1


@dataclass(frozen=True, slots=True)
class Statement:
    """A logical line: its first and last line, its indentation, and whether it is a decorator."""

    first: int
    last: int
    indent: int
    decorator: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Comments and statements of a file. Without ``complete``, tokenizing failed and comments are guesses."""

    comments: tuple[Comment, ...]
    statements: tuple[Statement, ...]
    closed: frozenset[int]
    """Lines that cannot end in a comment: they end inside a string or with a backslash."""
    lines: int
    complete: bool

    def statement(self, line: int) -> tuple[int, int] | None:
        """First and last line of the statement on a line; None on a blank or comment line."""
        index = bisect_right(self.statements, line, key=lambda s: s.first) - 1
        if index < 0 or line > self.statements[index].last:
            return None
        # Statements that share a line count as one.
        last = self.statements[index].last
        while index and self.statements[index - 1].last >= self.statements[index].first:
            index -= 1
        return self.statements[index].first, last

    def following(self, line: int) -> tuple[int, int]:
        """The next statement below a line; the line itself if there is none."""
        index = bisect_right(self.statements, line, key=lambda s: s.first)
        return (
            (self.statements[index].first, self.statements[index].last) if index < len(self.statements) else (line,) * 2
        )

    def block(self, first: int) -> tuple[int, int]:
        """The statement that starts on a line, with what it decorates and all lines indented below it."""
        index = bisect_right(self.statements, first, key=lambda s: s.first) - 1
        if index < 0:
            return first, first
        start = self.statements[index]
        while self.statements[index].decorator and index + 1 < len(self.statements):
            index += 1
        last = self.statements[index].last
        for statement in self.statements[index + 1 :]:
            if statement.indent <= start.indent:
                break
            last = max(last, statement.last)
        return start.first, last

    def comment_row(self, line: int) -> int:
        """The line for a comment about the code of a line."""
        statement = self.statement(line)
        return statement[1] if statement and line in self.closed else line


def read_layout(text: str) -> Layout:
    """Tokenize a file. If that fails, everything after a ``#`` counts as a comment. Never raises."""
    text = LINE_BREAK.sub("\n", text)
    lines = text.split("\n")
    try:
        return _tokenized(text, lines)
    except (tokenize.TokenError, SyntaxError, IndexError, RecursionError):
        found = ((n, re.search("#.*", line)) for n, line in enumerate(lines, 1))
        comments = tuple(_comment(lines, n, match.start(), match.group()) for n, match in found if match)
        return Layout(comments, (), frozenset(), len(lines), complete=False)


def _comment(lines: list[str], line: int, column: int, text: str) -> Comment:
    before = lines[line - 1][:column]
    return Comment(line, column + 1, text, len(before) - len(before.rstrip()))


def _tokenized(text: str, lines: list[str]) -> Layout:
    comments: list[Comment] = []
    statements: list[Statement] = []
    closed: set[int] = set()
    first: tokenize.TokenInfo | None = None
    strings: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text, newline="\n").readline):
        kind = tokenize.tok_name[token.type]
        if token.type == tokenize.COMMENT:
            comments.append(_comment(lines, *token.start, token.string))
        elif token.type == tokenize.NEWLINE and first is not None:
            start = first.start
            statements.append(Statement(start[0], token.start[0], start[1], first.string == "@"))
            first = None
        elif token.type not in _INVISIBLE and first is None:
            first = token
        if kind in ("FSTRING_START", "TSTRING_START"):
            strings.append(token.start[0])
        elif kind in ("FSTRING_END", "TSTRING_END"):
            closed.update(range(strings.pop(), token.end[0]))
        elif kind == "STRING":
            closed.update(range(token.start[0], token.end[0]))
    commented = {comment.line for comment in comments}
    closed.update(n for n, line in enumerate(lines, 1) if line.endswith("\\") and n not in commented)
    return Layout(tuple(comments), tuple(statements), frozenset(closed), len(lines), complete=True)
