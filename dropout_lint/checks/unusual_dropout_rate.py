"""DRP601: a literal rate outside of what is usual where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.activations import COMMUTES
from dropout_lint.checks._paths import Paths, dropouts
from dropout_lint.checks.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.layer_facts import VIEWS
from dropout_lint.torch_facts import ATTENTION, MULTIHEAD

_LINEAR = "torch.nn.Linear"
_CONVOLUTIONS = frozenset(f"torch.nn.{lazy}Conv{n}d" for lazy in ("", "Lazy") for n in (1, 2, 3))
_ATTENTION = frozenset((*ATTENTION, *MULTIHEAD))
_WHERE = {
    "transformer": "in a network with attention",
    "input": "on the input",
    "linear": "before a linear layer",
    "conv": "before a convolution",
}
_PASSED = VIEWS | COMMUTES.keys()


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report literal rates outside of the range that the settings give for the layer that is fed."""
    if context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph):
        rate = dropout.rate.number
        kind = _kind(paths, dropout)
        if rate is None or not dropout.rate.literal or kind not in context.settings.rates:
            continue
        low, high = context.settings.rates[kind]
        if not low <= rate <= high:
            yield context.report(
                dropout.constructor or dropout.span,
                f"A rate of {rate:g} {_WHERE[kind]} is unusual ({low:g} to {high:g}); measure with and without it.",
            )


def _kind(paths: Paths, dropout: LayerNode) -> str:
    """The key of the settings for the place of a dropout, "" where it has none."""
    weights = [node for node in paths.graph.nodes if node.kind in _CONVOLUTIONS or node.kind == _LINEAR]
    if any(node.kind in _ATTENTION for node in paths.graph.nodes):
        return "transformer"
    if len(weights) > 1 and all(node.kind == "input" for node in paths.before(dropout, VIEWS)) and dropout.inputs:
        return "input"
    fed = paths.after(dropout, _PASSED)
    if fed and all(node.kind == _LINEAR for node in fed):
        return "linear"
    return "conv" if fed and all(node.kind in _CONVOLUTIONS for node in fed) else ""
