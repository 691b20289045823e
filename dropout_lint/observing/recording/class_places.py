"""Find where the class of a live module defines a method or assigns an attribute, to give an observation a place."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from dropout_lint.diagnostic import NO_PLACE, CodePlace, Span
from dropout_lint.models.user_code import column, definition_place, is_user_file


def method_place(cls: type, name: str = "forward") -> CodePlace:
    """The ``def`` line of a method, NO_PLACE if it is not written in user code."""
    function = inspect.unwrap(getattr(cls, name, None) or (lambda: None))
    code = getattr(function, "__code__", None)
    if code is None or not is_user_file(code.co_filename):
        return NO_PLACE
    return definition_place(code)


def assignment_place(cls: type, attribute: str, method: str = "") -> CodePlace:
    """Where a class or one of its bases assigns ``self.<attribute>``, else NO_PLACE; ``method`` limits the search."""
    found = (_place_in_class(base, attribute, method) for base in cls.__mro__)
    return next((place for place in found if place != NO_PLACE), NO_PLACE)


def module_place(model: nn.Module, path: str) -> CodePlace:
    """Where the owner of the module at ``path`` assigns it, or an outer owner is assigned; else the model's forward.

    For "blocks.0.drop" the owners are tried from the inside out: "blocks.0", "blocks", then the model.
    """
    parts = path.split(".") if path else []
    for depth in range(len(parts), 0, -1):
        place = assignment_place(type(model.get_submodule(".".join(parts[: depth - 1]))), parts[depth - 1])
        if place != NO_PLACE:
            return place
    return method_place(type(model))


@lru_cache(maxsize=1024)
def _place_in_class(cls: type, attribute: str, method: str) -> CodePlace:
    source = _source(cls)
    for node in _assignment_nodes(source.tree, method) if source is not None else ():
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = (part for target in targets for part in ast.walk(target))
        if source is not None and any(isinstance(part, ast.Attribute) and part.attr == attribute for part in parts):
            return source.place(node)
    return NO_PLACE


@dataclass(frozen=True)
class _ClassSource:
    path: str
    tree: ast.AST
    first_line: int
    """The line of the file where the class starts: line 1 of ``tree``."""
    indent: int

    def place(self, node: ast.stmt) -> CodePlace:
        """The place of a statement of the tree in the file."""
        line, end = self.first_line + node.lineno - 1, self.first_line + (node.end_lineno or node.lineno) - 1
        start = column(self.path, line, node.col_offset + self.indent)
        return CodePlace(
            self.path, Span(line, start, end, column(self.path, end, (node.end_col_offset or 0) + self.indent))
        )


@lru_cache(maxsize=256)
def _source(cls: type) -> _ClassSource | None:
    """The parsed source of a class; None for one that is not user code."""
    try:
        path = inspect.getsourcefile(cls)
        if path is None or not is_user_file(path):
            return None
        lines, first = inspect.getsourcelines(cls)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    return _ClassSource(path, tree, first, len(lines[0]) - len(lines[0].lstrip()))


def _assignment_nodes(tree: ast.AST, method: str) -> list[ast.Assign | ast.AnnAssign | ast.AugAssign]:
    roots = [
        node for node in ast.walk(tree) if not method or (isinstance(node, ast.FunctionDef) and node.name == method)
    ]
    kinds = (ast.Assign, ast.AnnAssign, ast.AugAssign)
    walked = itertools.chain.from_iterable(map(ast.walk, roots)) if method else iter(roots)
    return [node for node in walked if isinstance(node, kinds)]
