"""Fixes that remove or rename a dropout.

A module that is applied several times is changed only where all of its applications are reported.
"""

from __future__ import annotations

from collections.abc import Collection

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Fix, Span
from dropout_lint.facts import LayerNode
from dropout_lint.rewrites import KeepPart, RemoveStatement, Rename, ReplaceExpression


def applications(context: Context, constructor: Span) -> set[Span]:
    """The calls of the module that is built at ``constructor``, as far as the file shows."""
    found = {n.span for graph in context.facts.graphs for n in graph.nodes if n.constructor == constructor}
    return found | {s.span for s in context.facts.sites if s.form == "application" and s.constructor == constructor}


def constructor_of_all(context: Context, dropout: LayerNode, reported: Collection[LayerNode]) -> Span | None:
    """The constructor of a dropout, if every call of its module is reported; else None."""
    at = dropout.constructor
    if at is None:
        return None
    return at if applications(context, at) <= {n.span for n in reported if n.constructor == at} else None


def renamed(context: Context, dropout: LayerNode, reported: Collection[LayerNode], names: dict[str, str]) -> Fix | None:
    """A fix that renames the class or function by ``names``, such as Dropout to AlphaDropout; None if it cannot be."""
    at = dropout.call.span if dropout.constructor is None and dropout.call is not None else None
    at = at or constructor_of_all(context, dropout, reported)
    if at is None:
        return None
    prefix, dot, name = _callee(dropout).rpartition(".")
    if name not in names or not dot:
        return None
    return unsafe(f"Use `{prefix}.{names[name]}`", Rename(at, names[name]))


def removal(context: Context, dropout: LayerNode, message: str) -> Fix | None:
    """A fix that removes a dropout.

    An element of a Sequential, or a module with one call, becomes ``nn.Identity()``, which keeps the keys of the state
    dict. Elsewhere the call goes, and its operand stays.
    """
    if dropout.element is not None:
        return _identity(dropout, dropout.element.layer, message)
    if dropout.constructor is not None and len(applications(context, dropout.constructor)) == 1:
        return _identity(dropout, dropout.constructor, message)
    call = dropout.call
    if call is None or call.span.line != call.span.end_line:
        return None
    if call.target and call.target == call.name and call.statement is not None:
        return unsafe(message, RemoveStatement(call.statement))
    return unsafe(message, KeepPart(call.span, call.operand))


def _identity(dropout: LayerNode, at: Span, message: str) -> Fix | None:
    namespace = _callee(dropout).rpartition(".")[0]
    if dropout.constructor is None or not namespace:
        return None
    return unsafe(message, ReplaceExpression(at, f"{namespace}.Identity()"))


def _callee(dropout: LayerNode) -> str:
    """The dropout as the source names it, else by its canonical name: ``nn.Dropout``."""
    return dropout.callee or dropout.kind.removeprefix("torch.")
