"""Concrete trees, which keep comments and layout, of the statements that have findings.

libcst parses more than twenty times slower than ``ast``, so only one statement is parsed at a time. Of a compound
one, such as ``if x:``, only the expression around the place is parsed, or the head. Places are offsets in the text
of the file.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.syntax.concrete_unit import NotConcrete, Range, Unit
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.positions import Lines

_BLOCK = "if 1:\n"
_BODY = "pass"


@dataclass(frozen=True, slots=True)
class Siblings:
    """Neighbouring statements of one block, from ``first`` to ``last``."""

    parents: tuple[ast.stmt, ...]
    """The statements around them, outermost first."""
    block: list[ast.stmt]
    first: int
    last: int


class ConcreteText:
    """The text of a file. The statements around a place are parsed with libcst on demand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = Lines(text)
        self._tree: ast.Module | None = None
        self._known_edges: dict[int, tuple[list[int], list[int]]] = {}
        self._units: dict[tuple[int, int, str], Unit | NotConcrete] = {}

    @property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises NotConcrete for a text without one."""
        if self._tree is None:
            try:
                self._tree = parse(self.text)
            except (SourceSyntaxError, NotParsed) as error:
                raise NotConcrete(str(error)) from None
        return self._tree

    def place(self, span: Span) -> Range:
        """A span as offsets."""
        return self.lines.offset(span.line, span.column), self.lines.offset(span.end_line, span.end_column)

    def range(self, node: ast.stmt | ast.expr) -> Range:
        """Where a node of the tree begins and ends, without decorators."""
        return self.place(self.lines.span(node))

    def span(self, place: Range) -> Span:
        """Offsets as a span."""
        return Span(*self._position(place[0]), *self._position(place[1]))

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.lines.starts, offset)
        return line, offset - self.lines.starts[line - 1] + 1

    def around(self, place: Range) -> Siblings | None:
        """The innermost statements that cover a place."""
        found: Siblings | None = None
        parents: list[ast.stmt] = []
        node: ast.AST = self.tree
        while True:
            inner = next(filter(None, (self._covering(tuple(parents), b, place) for b in _blocks(node))), None)
            if inner is None:
                return found
            found = inner
            if inner.first != inner.last:
                return found
            node = inner.block[inner.first]
            parents.append(node)

    def _covering(self, parents: tuple[ast.stmt, ...], block: list[ast.stmt], place: Range) -> Siblings | None:
        starts, ends = self._edges(block)
        last = bisect_left(ends, place[1])
        first = min(bisect_right(starts, place[0]) - 1, last)
        inside = first >= 0 and last < len(block) and place[0] < ends[first]
        return Siblings(parents, block, first, last) if inside else None

    def _edges(self, block: list[ast.stmt]) -> tuple[list[int], list[int]]:
        """Where the statements of a block begin, and where they end."""
        if id(block) not in self._known_edges:
            ranges = [self._with_decorators(statement) for statement in block]
            self._known_edges[id(block)] = [start for start, _ in ranges], [end for _, end in ranges]
        return self._known_edges[id(block)]

    def _with_decorators(self, statement: ast.stmt) -> Range:
        start, end = self.range(statement)
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        return (self.text.rindex("@", 0, self.range(decorators[0])[0]) if decorators else start), end

    def has(self, place: Range) -> bool:
        """Whether some node of the concrete tree begins and ends at a place. Raises NotConcrete."""
        found = self.around(place)
        if found is None:
            return False
        statement = found.block[found.first]
        if self.range(statement) == place and any(True for _ in _blocks(statement)):
            head = self._head(statement)
            return head.begins(head.start)
        return self.expression(place).has(place)

    def expression(self, place: Range) -> Unit:
        """The statement around an expression, or the part of a compound statement. Raises NotConcrete."""
        found = self.around(place)
        if found is None:
            raise NotConcrete("no statement is there")
        statement = found.block[found.first]
        if found.first != found.last:
            return self.block(found)
        if not any(True for _ in _blocks(statement)):
            return self._unit(*self.range(statement))
        part = next((p for p in _parts(statement) if _covers(self.range(p), place)), None)
        if part is not None:
            try:
                return self._unit(*self.range(part), "(", ")")
            except NotConcrete:
                pass  # a part that is no expression by itself, such as the starred base of a class
        return self._head(statement)

    def _head(self, statement: ast.stmt) -> Unit:
        """A compound statement without its body."""
        body: list[ast.stmt] = getattr(statement, "body", [])
        if not body:
            raise NotConcrete("its head has no tree of its own")
        start, end = self.range(statement)[0], self._with_decorators(body[0])[0]
        indent = self.text[self.lines.starts[statement.lineno - 1] : start]
        if self.text.startswith("elif", start):
            start += len("el")
        return self._unit(start, end, f"{_BLOCK}{indent}" if indent and not indent.strip() else "", _BODY)

    def top(self, found: Siblings) -> Unit:
        """A statement; a compound one without its body if possible. Raises NotConcrete."""
        statement = found.block[found.first]
        if any(True for _ in _blocks(statement)) and not getattr(statement, "decorator_list", None):
            try:
                return self._head(statement)
            except NotConcrete:
                pass  # such as ``try``
        return self.block(found)

    def block(self, found: Siblings) -> Unit:
        """Whole statements with their lines. Raises NotConcrete, also if they share a line with other statements."""
        first, last = found.block[found.first], found.block[found.last]
        start, end = self._with_decorators(first)[0], self.range(last)[1]
        line, stop = self.line_start(start), self.line_end(end)
        rest = self.text[end:stop].strip()
        if self.text[line:start].strip() or (rest and not rest.startswith("#")):
            raise NotConcrete("it shares its line")
        return self._unit(line, stop, _BLOCK if start > line else "")

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, without its break."""
        ends = [found for found in (self.text.find(c, offset) for c in "\r\n") if found >= 0]
        return min(ends, default=len(self.text))

    def _unit(self, start: int, end: int, before: str = "", behind: str = "") -> Unit:
        key = (start, end, before)
        if key not in self._units:
            try:
                self._units[key] = Unit(self.text, start, end, before, behind)
            except NotConcrete as error:
                self._units[key] = error
        known = self._units[key]
        if isinstance(known, NotConcrete):
            raise known
        return known


def _covers(outer: Range, inner: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a module or a compound statement, those of handlers and cases included."""
    if isinstance(node, ast.expr):
        return
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        found = getattr(node, name, None)
        if not isinstance(found, list) or not found:
            continue
        if isinstance(found[0], ast.stmt):
            yield found
        else:
            for part in found:
                yield from _blocks(part)


def _parts(node: ast.AST) -> Iterator[ast.expr]:
    """The outermost expressions in the head of a compound statement."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif not isinstance(child, ast.stmt):
            yield from _parts(child)
