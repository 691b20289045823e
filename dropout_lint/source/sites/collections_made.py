"""Expressions that make a collection: their kind, and whether it holds modules only."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal

from dropout_lint.source.names.scopes import Binding
from dropout_lint.syntax.parsing import dotted

DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)
Kind = Literal["list", "tuple", "set", "dict", "class", "global", "default", ""]
_MAKERS: dict[str, Kind] = {
    "list": "list",
    "deque": "list",
    "tuple": "tuple",
    "set": "set",
    "dict": "dict",
    "OrderedDict": "dict",
    "defaultdict": "dict",
}
"""Calls that make a collection, and its kind."""


def once(bindings: Sequence[Binding]) -> list[Binding]:
    """Bindings other than ``+=``, which adds to what is there."""
    return [b for b in bindings if not isinstance(b.node, ast.AugAssign)]


def collection_of(bindings: Sequence[Binding]) -> ast.expr | None:
    """The collection that a name is bound to, if only once."""
    values = [b.value for b in once(bindings)]
    value = values[0] if len(values) == 1 else None
    return value if value is not None and kind_of(value) else None


def maker(node: ast.AST) -> Kind:
    """The kind of collection that a call makes, "" for anything else."""
    name = dotted(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return _MAKERS.get(name, "")


def holds_modules_only(holder: ast.expr) -> bool:
    match holder:
        case ast.Dict(keys=keys, values=values):
            return all(map(_is_text, keys)) and all(map(is_construction, values))
        case ast.DictComp(key=key, value=value):
            return _is_text(key) and is_construction(value)
        case ast.ListComp(elt=element) | ast.SetComp(elt=element):
            return is_construction(element)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return all(map(is_construction, elements))
    return False


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_construction(node: ast.expr) -> bool:
    """Whether an expression calls a class, by the usual spelling of its name, as in ``nn.Dropout(p)``."""
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2][:1].isupper()


def kind_of(holder: ast.expr) -> Kind:
    """The kind of collection that an expression makes, "" for anything else."""
    match holder:
        case ast.List() | ast.ListComp() | ast.BinOp(op=ast.Mult(), left=ast.List()):
            return "list"
        case ast.Tuple():
            return "tuple"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
    return maker(holder)
