"""What loops over the layers of a model read from each of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dropout_lint.syntax.parsing import dotted, walk

_WALKS = {"modules", "named_modules", "children", "named_children"}
_SETTINGS = {"p", "dropout", "inplace"}
_IN_ANY_ORDER = {"any", "all", "set", "frozenset"}
_DICTS = {"_modules", "__dict__"}


def walked_settings(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """Settings that a loop over the layers of a model reads; "" where it may read their positions."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    if node.func.attr == "get_submodule":
        yield ""
    if node.func.attr not in _WALKS or node.args:
        return
    around = parents[node]
    if isinstance(around, ast.For) and around.iter is node:
        yield from _read_in(around.target, around.body)
        return
    if isinstance(around, ast.comprehension) and around.iter is node:
        outer = parents[around]
        yield from _read_in(around.target, [outer])
        call = parents[outer]
        if isinstance(call, ast.Call) and dotted(call.func) in _IN_ANY_ORDER:
            return
    yield ""


def _read_in(target: ast.expr, body: Sequence[ast.AST]) -> Iterator[str]:
    names = {n.id for n in walk(target) if isinstance(n, ast.Name)}
    for node in (n for part in body for n in walk(part)):
        read = node.iter if isinstance(node, ast.For) else getattr(node, "value", None)
        if isinstance(node, ast.Call):
            yield from _passed(node, names)
        elif not (isinstance(read, ast.Name) and read.id in names):
            continue
        elif isinstance(node, (ast.Subscript, ast.For)):
            yield ""
        elif isinstance(node, ast.Attribute) and node.attr in _SETTINGS:
            yield node.attr
        elif isinstance(node, ast.Attribute) and (node.attr.startswith("register_") or node.attr in _WALKS | _DICTS):
            yield ""


def _passed(call: ast.Call, names: set[str]) -> Iterator[str]:
    """What a call reads of the layers that it gets."""
    if not any(isinstance(a, ast.Name) and a.id in names for a in call.args):
        return
    name = dotted(call.func)
    if name in {"getattr", "hasattr"} and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
        yield str(call.args[1].value)
    elif name in {"list", "tuple", "enumerate", "len", "vars", "str", "repr", "getattr"}:
        yield ""
