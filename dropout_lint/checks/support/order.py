"""Fixes that exchange a dropout with what follows it."""

from __future__ import annotations

import re

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Applicability, Edit, Fix, Span
from dropout_lint.facts import LayerElement, LayerNode

_REFUSES = {"before", "order", "after", "noqa"}
"""Words of a comment that say the order is meant."""
NUMBERED = frozenset({"positional", "list", "append"})
"""Elements whose place is part of the keys in a state dict."""


def exchange(context: Context, dropout: LayerNode, follower: LayerNode, applicability: Applicability) -> Fix | None:
    """Put ``follower`` first; None where the source does not allow it without a second look."""
    if dropout.index not in follower.inputs:
        return None
    name = follower.kind.rpartition(".")[2]
    if dropout.within != follower.within:
        return advice(f"Drop behind the `{name}`, in `{(*dropout.wrappers, *follower.wrappers)[-1]}` or after it")
    edits = _elements(context, dropout.element, follower.element) or _calls(dropout, follower)
    return Fix(f"Write it behind `{name}`", applicability, edits) if edits else None


def _elements(context: Context, one: LayerElement | None, other: LayerElement | None) -> tuple[Edit, ...]:
    if one is None or other is None or one.form != other.form:
        return ()
    appended = one.form == "append"
    gap = other.whole.line - one.whole.end_line
    if gap < 0 or (appended and (gap != 1 or one.whole.column != other.whole.column)):
        return ()
    if not appended and one.container != other.container:
        return ()
    first, second = context.slice(one.whole), context.slice(other.whole)
    if "\n" in first or "\n" in second or not _only_blanks(context, one.whole.end_line + 1, other.whole.line):
        return ()
    comments = [_comment(context, one.whole, shared=gap == 0), _comment(context, other.whole, shared=gap == 0)]
    words = set(re.findall(r"\w+", " ".join(text for _, text in comments).lower()))
    if words & _REFUSES or (gap == 0 and "#" in comments[1][1]):
        return ()
    if one.inplace is not None:
        start = one.inplace.column - one.whole.column
        first = first[:start] + first[start + one.inplace.end_column - one.inplace.column :]
    edits = [Edit(one.whole, second), Edit(other.whole, first)]
    if gap and comments[0][1] != comments[1][1]:
        edits += [Edit(comments[0][0], comments[1][1]), Edit(comments[1][0], comments[0][1])]
    return tuple(edits)


def _only_blanks(context: Context, first: int, behind: int) -> bool:
    return all(not context.line(n).strip() for n in range(first, behind))


def _comment(context: Context, element: Span, *, shared: bool) -> tuple[Span, str]:
    """The comment behind an element and its comma, with the blanks in front of it; it may be empty."""
    line = context.line(element.end_line).rstrip("\r\n")
    start = element.end_column - 1
    found = re.match(r"\s*,?", line[start:])
    start += found.end() if found else 0
    text = line[start:] if shared or line[start:].strip().startswith("#") else ""
    return Span(element.end_line, start + 1, element.end_line, start + len(text) + 1), text


def _calls(dropout: LayerNode, follower: LayerNode) -> tuple[Edit, ...]:
    inner, outer = dropout.call, follower.call
    if inner is None or outer is None or dropout.inplace or (dropout.element and follower.element):
        return ()
    operand = inner.first if outer.prefix or inner.atom else f"({inner.first})"
    if outer.first == f"{inner.prefix}{inner.first}{inner.suffix}":
        swapped = f"{inner.prefix}{outer.prefix}{operand}{outer.suffix}{inner.suffix}"
        return () if "\n" in outer.first else (Edit(outer.span, swapped),)
    one, other = inner.statement, outer.statement
    if one is None or other is None or other.line != one.end_line + 1 or one.column != other.column:
        return ()
    if not inner.target == outer.target == outer.first or "\n" in inner.first:
        return ()
    return (
        Edit(inner.span, f"{outer.prefix}{operand}{outer.suffix}"),
        Edit(outer.span, f"{inner.prefix}{outer.first}{inner.suffix}"),
    )
