"""The fix that swaps a dropout with the layer after it."""

from __future__ import annotations

from dropout_lint.checks.support.context import advice
from dropout_lint.diagnostic import Applicability, Fix, Rewrite
from dropout_lint.facts import LayerElement, LayerNode
from dropout_lint.rewrites import SwapCalls, SwapElements

NUMBERED = frozenset({"positional", "list", "append"})
"""Forms of LayerElement whose position is part of the keys in a state dict."""


def swapped(dropout: LayerNode, follower: LayerNode, applicability: Applicability) -> Fix | None:
    """A fix that swaps a dropout with the layer after it; None if the code of the two cannot be exchanged."""
    if dropout.index not in follower.inputs:
        return None
    name = follower.kind.rpartition(".")[2]
    if dropout.within != follower.within:
        return advice(f"Drop behind the `{name}`, in `{(*dropout.wrappers, *follower.wrappers)[-1]}` or after it")
    swap = _elements(dropout.element, follower.element) or _calls(dropout, follower)
    return Fix(f"Write it behind `{name}`", applicability, rewrites=(swap,)) if swap is not None else None


def _elements(one: LayerElement | None, other: LayerElement | None) -> Rewrite | None:
    if one is None or other is None or one.form != other.form:
        return None
    if one.form == "append":
        if other.whole.line - one.whole.end_line != 1 or one.whole.column != other.whole.column:
            return None
    elif one.container != other.container:
        return None
    return SwapElements(one.whole, other.whole, without=one.inplace)


def _calls(dropout: LayerNode, follower: LayerNode) -> Rewrite | None:
    inner, outer = dropout.call, follower.call
    if inner is None or outer is None or dropout.inplace or (dropout.element and follower.element):
        return None
    swap = SwapCalls(inner.span, outer.span, inner.operand, outer.operand)
    if outer.operand == inner.span:
        return swap if inner.span.line == inner.span.end_line else None
    one, other = inner.statement, outer.statement
    if one is None or other is None or other.line != one.end_line + 1 or one.column != other.column:
        return None
    if not inner.target == outer.target == outer.name or inner.operand.line != inner.operand.end_line:
        return None
    return swap
