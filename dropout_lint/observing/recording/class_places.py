"""Where a class defines a method or assigns an attribute."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from dropout_lint.diagnostic import NO_PLACE, CodePlace, Span
from dropout_lint.models.user_code import column, definition, is_user_file


def of_method(cls: type, name: str = "forward") -> CodePlace:
    """The ``def`` line of a method, or NO_PLACE for one without Python source in user code."""
    function = inspect.unwrap(getattr(cls, name, None) or (lambda: None))
    code = getattr(function, "__code__", None)
    if code is None or not is_user_file(code.co_filename):
        return NO_PLACE
    return definition(code)


def of_assignment(cls: type, attribute: str, method: str = "") -> CodePlace:
    """Where a class or a base of it assigns ``self.<attribute>``, in ``method`` only if given; else NO_PLACE."""
    found = (_assignment(base, attribute, method) for base in cls.__mro__)
    return next((place for place in found if place != NO_PLACE), NO_PLACE)


@lru_cache(maxsize=1024)
def _assignment(cls: type, attribute: str, method: str) -> CodePlace:
    written = _source(cls)
    for node in _assignments(written.tree, method) if written is not None else ():
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = (part for target in targets for part in ast.walk(target))
        if written is not None and any(isinstance(part, ast.Attribute) and part.attr == attribute for part in parts):
            return written.place(node)
    return NO_PLACE


@dataclass(frozen=True)
class _ClassSource:
    path: str
    tree: ast.AST
    first: int
    """The line in the file of the first line of the tree."""
    indent: int

    def place(self, node: ast.stmt) -> CodePlace:
        """The place of a statement of the tree in the file."""
        line, end = self.first + node.lineno - 1, self.first + (node.end_lineno or node.lineno) - 1
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


def _assignments(tree: ast.AST, method: str) -> list[ast.Assign | ast.AnnAssign | ast.AugAssign]:
    roots = [
        node for node in ast.walk(tree) if not method or (isinstance(node, ast.FunctionDef) and node.name == method)
    ]
    kinds = (ast.Assign, ast.AnnAssign, ast.AugAssign)
    walked = itertools.chain.from_iterable(map(ast.walk, roots)) if method else iter(roots)
    return [node for node in walked if isinstance(node, kinds)]


def of_module(model: nn.Module, path: str) -> CodePlace:
    """Where the owner of a module assigns it, or an owner of that one; else the forward of the model."""
    parts = path.split(".") if path else []
    for depth in range(len(parts), 0, -1):
        place = of_assignment(type(model.get_submodule(".".join(parts[: depth - 1]))), parts[depth - 1])
        if place != NO_PLACE:
            return place
    return of_method(type(model))
