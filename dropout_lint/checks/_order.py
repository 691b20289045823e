"""Fixes that exchange a dropout with what follows it."""

from __future__ import annotations

from dropout_lint.checks.context import Context
from dropout_lint.diagnostic import Applicability, Edit, Fix
from dropout_lint.facts import LayerNode

_REFUSES = ("before", "order", "after")
"""Words of a comment that say the order is meant."""


def exchange(context: Context, dropout: LayerNode, follower: LayerNode, applicability: Applicability) -> Fix | None:
    """Put ``follower`` first; None where the source does not allow it without a second look."""
    name = follower.kind.rpartition(".")[2]
    message = f"Write it behind `{name}`"
    edits = _elements(context, dropout, follower) or _calls(dropout, follower)
    return Fix(message, applicability, edits) if edits else None


def _elements(context: Context, dropout: LayerNode, follower: LayerNode) -> tuple[Edit, ...]:
    one, other = dropout.element, follower.element
    if one is None or other is None or one.form != other.form:
        return ()
    adjacent = one.form == "append" or one.container == other.container
    gap = other.whole.line - one.whole.end_line
    if not adjacent or gap < 0 or (one.form == "append" and (gap != 1 or one.whole.column != other.whole.column)):
        return ()
    first, second = context.slice(one.whole), context.slice(other.whole)
    comments = "".join(context.line(n).partition("#")[2] for n in range(one.whole.line, other.whole.end_line + 1))
    if "\n" in first or "\n" in second or any(word in comments.lower().split() for word in _REFUSES):
        return ()
    if "noqa" in comments or (one.form == "list" and gap == 0 and "#" in comments):
        return ()
    if one.inplace is not None:
        before = one.inplace.column - one.whole.column
        first = first[:before] + first[before + one.inplace.end_column - one.inplace.column :]
    return Edit(one.whole, second), Edit(other.whole, first)


def _calls(dropout: LayerNode, follower: LayerNode) -> tuple[Edit, ...]:
    inner, outer = dropout.call, follower.call
    if inner is None or outer is None or dropout.element is not None and follower.element is not None:
        return ()
    text = outer.first
    if text.startswith(f"{inner.callee}(") and text.endswith(f"{inner.rest})") and "\n" not in text:
        swapped = f"{inner.callee}({outer.callee}({inner.first}{outer.rest}){inner.rest})"
        return (Edit(outer.span, swapped),)
    if inner.statement is not None and outer.statement is not None and inner.first == outer.first:
        one, other = inner.statement, outer.statement
        if other.line == one.end_line + 1 and one.column == other.column:
            target = inner.first
            return (
                Edit(one, f"{target} = {outer.callee}({target}{outer.rest})"),
                Edit(other, f"{target} = {inner.callee}({target}{inner.rest})"),
            )
    return ()
