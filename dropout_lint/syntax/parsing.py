"""Parses Python, and walks syntax trees.

Trees come from ``ast``, which parses about twenty times as fast as libcst and has positions on every node. libcst
decides about syntax that is newer than the running interpreter (see ``newer``).
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Iterator

MAX_BYTES = 8_000_000
"""Larger files are generated; parsing one takes over 100 bytes of memory a byte and several seconds."""


class NotParsed(Exception):  # noqa: N818 - the state of a file, not an error of its own
    """The text may be valid, but cannot be parsed here. The message is the reason."""


class SourceSyntaxError(Exception):
    """The text is not Python. ``line`` and ``column`` are 1-based."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class OlderModule(ast.Module):
    """The tree of a text in older syntax, with Python's error."""

    def __init__(self, tree: ast.Module, error: SourceSyntaxError) -> None:
        super().__init__(tree.body, tree.type_ignores)
        self.error = error


def parse(text: str, *, older: bool = True) -> ast.Module:
    """Parse a file. Raises SourceSyntaxError; NotParsed for input that is too deep, too large or too slow.

    Syntax newer than the interpreter is accepted. Older syntax gives an OlderModule, or raises if not ``older``.
    """
    try:
        return _ast(text)
    except SyntaxError as found:
        error = SourceSyntaxError(found.msg or "invalid syntax", found.lineno or 1, found.offset or 1)
    except (RecursionError, MemoryError):
        raise NotParsed("nested too deeply to be parsed") from None
    except ValueError as found:
        raise NotParsed(f"cannot be parsed: {found}") from None
    from dropout_lint.syntax.bounded import TooSlowError, without_newer_syntax_in_time
    from dropout_lint.syntax.older import without_older_syntax

    try:
        newer = _ast_or_none(without_newer_syntax_in_time(text))
    except TooSlowError as found:
        raise NotParsed(str(found)) from None
    if newer is not None:
        return newer
    read = _ast_or_none(without_older_syntax(text)) if older else None
    if read is not None:
        return OlderModule(read, error)
    raise error


def _ast_or_none(text: str | None) -> ast.Module | None:
    try:
        return _ast(text) if text is not None else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _ast(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def number_of(number: float) -> float:
    """A number as a float; infinity for an integer that is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


_FIELDS: dict[type, tuple[str, ...]] = {ast.Name: (), ast.Constant: ()}
_NEVER_NODES = {"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "level", "type_comment", "is_async", "kind"}


def children(node: ast.AST) -> list[ast.AST]:
    """Direct children in source order, without contexts and operators; faster than ``ast.iter_child_nodes``."""
    fields = _FIELDS.get(node.__class__)
    if fields is None:
        fields = _FIELDS[node.__class__] = tuple(f for f in node._fields if f not in _NEVER_NODES)
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [item for item in value if item is not None and item.__class__ is not str]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and everything below it, in source order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        below = children(current)
        below.reverse()
        stack += below


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of names, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))
