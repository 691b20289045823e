"""DRP602: literal rates that fall from the input of a network to its output."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import DROPOUTS, Paths, literal_rates
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import LayerGraph, LayerNode


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report the first dropout of a network with a lower rate than the dropout before it."""
    if context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout, rate in literal_rates(graph):
        lower = next((d for d in _following(paths, dropout) if _is_lower(d, rate)), None)
        if lower is not None:
            yield context.report(
                lower.constructor or lower.span,
                f"The rate falls from {rate:g} (line {dropout.span.line}) to {lower.rate.number:g}; layers near the "
                "input carry what all others need, and usually get the lower rate.",
                related=(Related(context.facts.path, dropout.constructor or dropout.span, "the higher rate"),),
            )
            return


def _is_lower(dropout: LayerNode, rate: float) -> bool:
    """Whether a dropout has a lower literal rate that is not 0. Dropouts inside wrappers do not count."""
    return dropout.within is None and dropout.rate.literal and 0 < (dropout.rate.number or 0) < rate


def _following(paths: Paths, dropout: LayerNode) -> Iterator[LayerNode]:
    """The next dropout on each path from a dropout; never one before it, as a loop would lead to."""
    pending, seen = paths.users(dropout), set()
    while pending:
        current = pending.pop(0)
        if current.index in seen or current.index <= dropout.index:
            continue
        seen.add(current.index)
        if current.kind in DROPOUTS:
            yield current
        else:
            pending += paths.users(current)
