"""One piece of a file as a concrete tree of libcst, with the positions of its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from dropout_lint.syntax.positions import Lines

Node = TypeVar("Node", bound=cst.CSTNode)
Range = tuple[int, int]
"""Offsets in the text of the file: of the first character, and just after the last."""


_CASE = re.compile(r"^[ \t]*case\b", re.MULTILINE)
_DEEPEST_PATTERN = 12
"""Open brackets up to which libcst reads a pattern in a moment; each further one doubles the time."""


class NotConcrete(Exception):  # noqa: N818 - the state of a text, not an error of its own
    """libcst cannot parse a statement, or prints it differently from the source."""


class Unit:
    """The tree of a piece of the file. ``before`` and ``behind`` are added to make it a module: ``(`` and ``)``."""

    def __init__(self, text: str, start: int, end: int, before: str = "", behind: str = "") -> None:
        self.start, self.end = start, end
        self.before, self.behind = before, behind
        self.module = self.parse(text[start:end])
        self._shift = start - len(before)
        self._index: dict[Range, list[cst.CSTNode]] = {}
        self._ranges: dict[cst.CSTNode, Range] = {}
        self._read_positions()

    def parse(self, piece: str) -> cst.Module:
        """Parse another text in the place of the piece. Raises NotConcrete."""
        code = f"{self.before}{piece}{self.behind}"
        if _CASE.search(code) and _depth(code) > _DEEPEST_PATTERN:
            raise NotConcrete("its patterns are nested too deeply")
        try:
            module = cst.parse_module(code)
        except Exception as error:
            # libcst raises ParserSyntaxError, and other errors for what its tokenizer cannot read or hold.
            raise NotConcrete(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
        if module.code != code:
            raise NotConcrete("libcst prints it otherwise")
        return module

    def _read_positions(self) -> None:
        code = self.module.code
        starts = [*Lines(code).starts, len(code)]  # libcst counts a line break after the last line
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        for node, place in wrapper.resolve(PositionProvider).items():
            start = starts[place.start.line - 1] + place.start.column + self._shift
            end = starts[place.end.line - 1] + place.end.column + self._shift
            self._ranges[node] = start, end
            self._index.setdefault((start, end), []).append(node)
        for node in list(self._ranges):
            for outer in self._parenthesized(node):
                self._index.setdefault(outer, []).append(node)
            for other, found in self._as_in_ast(node):
                self._index.setdefault(other, []).append(found)

    def _parenthesized(self, node: cst.CSTNode) -> Iterator[Range]:
        """The ranges of an expression with one, two and more of its parentheses."""
        expression = isinstance(node, (cst.BaseExpression, cst.BaseAssignTargetExpression))
        opening, closing = (node.lpar, node.rpar) if expression else ((), ())  # type: ignore[attr-defined]
        for left, right in zip(reversed(opening), closing, strict=True):
            yield self._ranges[left][0], self._ranges[right][1]

    def _as_in_ast(self, node: cst.CSTNode) -> Iterator[tuple[Range, cst.CSTNode]]:
        """Ranges in ``ast`` of nodes that libcst does not have, or has with another range."""
        match node:
            case cst.Param(name=name, annotation=cst.Annotation(annotation=kind)):  # without its default
                yield (self._ranges[name][0], self.outer(kind)[1]), node
            case cst.Call(args=[cst.Arg(value=cst.GeneratorExp(lpar=[]) as generator)]):  # with the call's parentheses
                yield (self.opening(node), self._ranges[node][1]), generator
            case cst.Subscript(slice=[first, *_, last]):  # the tuple of several indices
                yield (self._ranges[first.slice][0], self._ranges[last.slice][1]), node

    def range(self, node: cst.CSTNode) -> Range:
        """Where a node begins and ends, without parentheses around it."""
        return self._ranges[node]

    def outer(self, node: cst.CSTNode) -> Range:
        """Where a node begins and ends, with its parentheses."""
        return max([self._ranges[node], *self._parenthesized(node)], key=lambda found: found[1] - found[0])

    def opening(self, call: cst.Call) -> int:
        """Where the parenthesis of a call opens."""
        return self.outer(call.func)[1] + len(self.module.code_for_node(call.whitespace_after_func))

    def at(self, place: Range, *kinds: type[Node]) -> Node | None:
        """The outermost node of one of some kinds at a place."""
        return next((node for node in self._index.get(place, ()) if isinstance(node, kinds)), None)

    def expression_at(self, place: Range) -> cst.BaseExpression | None:
        """The outermost expression at a place."""
        return next((node for node in self._index.get(place, ()) if isinstance(node, cst.BaseExpression)), None)

    def nodes(self, *kinds: type[Node]) -> Iterator[Node]:
        """All nodes of some kinds."""
        return (node for node in self._ranges if isinstance(node, kinds))

    def has(self, place: Range) -> bool:
        """Whether some node begins and ends there."""
        return place in self._index

    def begins(self, offset: int) -> bool:
        """Whether a compound statement begins there."""
        nodes = (node for node in self._ranges if isinstance(node, cst.BaseCompoundStatement))
        return any(self._ranges[node][0] == offset for node in nodes)


def _depth(code: str) -> int:
    """The most brackets that are open at once; those in strings count too."""
    depth = deepest = 0
    for char in code:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest
