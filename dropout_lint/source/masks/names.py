"""Names around a random mask, which say whether it is dropout."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import walk
from dropout_lint.vocabulary import words


def words_around(block: Block, names: tuple[str, ...]) -> frozenset[str]:
    """The words of some names, and of the functions and classes around a block."""
    found = {word for name in names for word in words(name)}
    current: Block | None = block
    while current is not None and current.kind != "module":
        found |= words(current.name)
        found.add(current.name.lower())
        current = current.parent
    return frozenset(found)


def identifiers(node: ast.expr | None) -> Iterator[str]:
    """The names and attributes in an expression."""
    for part in walk(node) if node is not None else ():
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def class_of(module: SourceModule, call: ast.Call) -> str:
    """The class whose method makes a call, "" for none."""
    owner = module.scopes.block_of(call).enclosing_class
    return owner.qualname if owner is not None else ""
