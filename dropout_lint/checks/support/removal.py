"""Fixes that take a dropout out of its place, and the question whether a module may be changed for all its places."""

from __future__ import annotations

from collections.abc import Collection

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Edit, Fix, Span
from dropout_lint.facts import LayerNode


def places(context: Context, constructor: Span) -> set[Span]:
    """Where the module that is built at ``constructor`` is applied, as far as the file shows."""
    found = {n.span for graph in context.facts.graphs for n in graph.nodes if n.constructor == constructor}
    return found | {s.span for s in context.facts.sites if s.form == "application" and s.constructor == constructor}


def constructor_of_all(context: Context, dropout: LayerNode, reported: Collection[LayerNode]) -> Span | None:
    """The constructor to edit, if every place of its module is among those reported."""
    at = dropout.constructor
    if at is None:
        return None
    return at if places(context, at) <= {n.span for n in reported if n.constructor == at} else None


def renamed(context: Context, dropout: LayerNode, reported: Collection[LayerNode], names: dict[str, str]) -> Fix | None:
    """Give the dropout another class, or another function, by the last part of its name."""
    at = dropout.call.span if dropout.constructor is None and dropout.call is not None else None
    at = at or constructor_of_all(context, dropout, reported)
    if at is None:
        return None
    callee, bracket, rest = context.slice(at).partition("(")
    prefix, dot, name = callee.rpartition(".")
    if name not in names or not bracket or not dot:
        return None
    return unsafe(f"Use `{prefix}.{names[name]}`", Edit(at, f"{prefix}.{names[name]}({rest}"))


def removal(context: Context, dropout: LayerNode, message: str) -> Fix | None:
    """Take a dropout out: nn.Identity where keys hang on it or where it is used once, else without the call."""
    if dropout.element is not None:
        return _identity(context, dropout, dropout.element.layer, message)
    if dropout.constructor is not None and len(places(context, dropout.constructor)) == 1:
        return _identity(context, dropout, dropout.constructor, message)
    call = dropout.call
    if call is None or "\n" in context.slice(call.span):
        return None
    if call.target == call.first and call.statement is not None:
        line = _own_line(context, call.statement)
        return unsafe(message, Edit(line, "")) if line is not None else None
    return unsafe(message, Edit(call.span, call.first if call.atom else f"({call.first})"))


def _identity(context: Context, dropout: LayerNode, at: Span, message: str) -> Fix | None:
    if dropout.constructor is None:
        return None
    namespace = context.slice(dropout.constructor).partition("(")[0].rpartition(".")[0]
    return unsafe(message, Edit(at, f"{namespace}.Identity()")) if namespace else None


def _own_line(context: Context, statement: Span) -> Span | None:
    """The line of a statement that stands alone on it and is neither the first of its block nor the last line."""
    text = context.slice(statement)
    above = context.line(statement.line - 1) if statement.line > 1 else ""
    if statement.line != statement.end_line or context.line(statement.line).strip() != text:
        return None
    indented = above.strip() and len(above) - len(above.lstrip()) == statement.column - 1
    return Span(statement.line, 1, statement.line + 1, 1) if indented else None
