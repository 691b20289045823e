"""DRP312: two dropouts of one kind on one value."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.activations import on_line
from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.paths import DROPOUTS, Paths, dropouts
from dropout_lint.checks.support.removal import removal
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite, LayerGraph, LayerNode
from dropout_lint.torch_api.activations import PASSING
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.vocabulary import ATTENTION_WORDS, words

_PASSES = VIEWS | PASSING


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report the second of two dropouts that run together, with only views and ReLU between them."""
    if context.facts.is_test:
        return
    paths = Paths(graph)
    handed = {site.span: site for site in context.facts.sites if site.handed_to[0]}
    for dropout in dropouts(graph, DROPOUTS):
        site = handed.get(dropout.span)
        if site is not None and _applied_inside(site, context):
            function = site.handed_to[0].rpartition(".")[2]
            yield context.report(
                site.span,
                f"`{function}` is given `{site.callee_text}` and applies it to the attention "
                "weights; here it drops the result again.",
                fix=advice("Keep one of them"),
            )
        if dropout.guarded:
            continue
        before = paths.before(dropout, _PASSES)
        if any(node.kind not in DROPOUTS for node in before):
            continue  # what stands between them may be chosen to compute something
        for first in before:
            if _family(first) != _family(dropout) or first.guarded or first.rate.is_zero:
                continue
            if not _run_together(first, dropout):
                continue
            if first.constructor == dropout.constructor and first.span == dropout.span:
                continue  # the same call in the next turn of a loop
            if first.within is not None and not first.rate.number:
                continue  # a wrapper's dropout is often switched off by its rate
            rates = (first.rate.number, dropout.rate.number)
            kept = ""
            if rates[0] and rates[1]:
                kept = f" Together they drop {1 - (1 - rates[0]) * (1 - rates[1]):.2g} of the values."
            yield context.report(
                dropout.span,
                f"This value was dropped {on_line(first)} already, with nothing computed in between.{kept}",
                fix=removal(context, first, "Keep the second") if first.within is None else advice("Keep one of them"),
                beside=[first],
            )


def _applied_inside(site: DropoutSite, context: Context) -> bool:
    """Whether a dropout of attention weights is applied to the result of a function that applied it already.

    A dropout with another name may well be meant for both.
    """
    if not words(site.callee_text.rpartition(".")[2]) & ATTENTION_WORDS:
        return False
    return context.project.functions.applies(context.facts, *site.handed_to)


def _run_together(first: LayerNode, second: LayerNode) -> bool:
    """Whether two dropouts always run, or in the same branches. A test of the second alone may ask for more noise."""
    if not first.optional or not second.optional:
        return not first.optional and not second.optional
    if first.within is not None or second.within is not None:
        return False  # the tests inside of a wrapper are not recorded
    return set(first.conditions) <= set(second.conditions)


def _family(node: LayerNode) -> str:
    return node.kind.rpartition(".")[2].lower().replace("_", "") if node.kind in DROPOUTS else node.kind
