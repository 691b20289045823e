"""Where names are bound again, by any statement that can do so."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_DYNAMIC = {"exec", "eval", "locals", "vars", "globals", "dir"}
"""Functions that read or bind names without naming them."""


def stores(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Each place in a scope that binds or deletes one of its names, with the name; parameters are left out.

    A function inside that declares a name ``nonlocal`` or ``global`` counts as such a place.
    """
    pending = list(ast.iter_child_nodes(scope)) if not isinstance(scope, ast.Lambda) else [scope.body]
    while pending:
        node = pending.pop()
        yield from _bound(node)
        if isinstance(node, _SCOPES):
            yield from _declared(node)
            pending += _evaluated_outside(node)
        elif isinstance(node, ast.comprehension):
            pending += [node.iter, *node.ifs]  # its target is a name of its own
        else:
            pending += list(ast.iter_child_nodes(node))


def stored_at(scope: ast.AST, name: str) -> list[ast.AST]:
    """The places in a scope that bind or delete a name."""
    return [node for found, node in stores(scope) if found == name]


def is_dynamic(scope: ast.AST) -> bool:
    """Whether a scope, or one inside of it, may read or bind names without naming them."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _DYNAMIC
        for node in ast.walk(scope)
    )


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name, node
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, node
        case ast.MatchMapping(rest=str(name)):
            yield name, node
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield alias.asname or alias.name.partition(".")[0], node
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            for name in names:
                yield name, node


def _declared(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(scope):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                yield name, node


def _evaluated_outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a definition that are evaluated where it stands."""
    found: list[ast.AST] = [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())]
    arguments = getattr(node, "args", None)
    if isinstance(arguments, ast.arguments):
        found += [d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None]
    return found
