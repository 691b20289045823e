"""DRP601: a literal rate outside of the usual range for its place in the network."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import Paths, literal_rates
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import COMMUTES
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import ATTENTION, MULTIHEAD

_LINEAR = "torch.nn.Linear"
_CONVOLUTIONS = frozenset(f"torch.nn.{lazy}Conv{n}d" for lazy in ("", "Lazy") for n in (1, 2, 3))
_WEIGHTS = _CONVOLUTIONS | {_LINEAR}
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
    paths, network = Paths(graph), _network(graph)
    for dropout, rate in literal_rates(graph):
        kind = network or _place(paths, dropout)
        if kind not in context.settings.rates:
            continue
        low, high = context.settings.rates[kind]
        if not low <= rate <= high:
            yield context.report(
                dropout.constructor or dropout.span,
                f"A rate of {rate:g} {_WHERE[kind]} is unusual ({low:g} to {high:g}); measure with and without it.",
            )


def _network(graph: LayerGraph) -> str:
    """The key of the settings that holds for all dropouts of a network, "" where it depends on their places."""
    return "transformer" if any(node.kind in _ATTENTION for node in graph.nodes) else ""


def _place(paths: Paths, dropout: LayerNode) -> str:
    """The key of the settings for the place of a dropout, "" where it has none."""
    weights = sum(node.kind in _WEIGHTS for node in paths.graph.nodes)
    if weights > 1 and dropout.inputs and all(node.kind == "input" for node in paths.before(dropout, VIEWS)):
        return "input"
    fed = paths.after(dropout, _PASSED)
    if fed and all(node.kind == _LINEAR for node in fed):
        return "linear"
    return "conv" if fed and all(node.kind in _CONVOLUTIONS for node in fed) else ""
