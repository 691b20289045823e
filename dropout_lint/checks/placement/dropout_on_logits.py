"""DRP303: dropout on logits, before a softmax or before a loss."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.activations import before_activations, in_wrapper, short_name
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.logits import ends_network, is_logit, reaches
from dropout_lint.checks.support.paths import ALPHA, Paths, dropouts
from dropout_lint.checks.support.removal import removal
from dropout_lint.checks.support.swaps import swapped
from dropout_lint.diagnostic import Applicability, Diagnostic, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import VIEWS

_REMOVE = "Take the dropout off the logits"
_STAY_LOGITS = VIEWS | {"scale", ".masked_fill", ".masked_fill_", "torch.masked_fill"}
"""Operations whose result is still logits, such as the division by a temperature."""


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts before a softmax, or a sigmoid that ends the network, and on logits passed to a loss."""
    paths = Paths(graph)
    for dropout, activation in before_activations(graph, context, _STAY_LOGITS):
        if is_logit(paths, activation) and not dropout.forced:
            yield context.report(
                dropout.span,
                f"Dropout on the argument of `{short_name(activation)}`{in_wrapper(activation)}: a dropped logit "
                "becomes 0, which is a score like any other and gets probability; it is not left out.",
                fix=_fix(context, paths, dropout, activation),
                beside=[activation],
            )
    for dropout in dropouts(graph):
        if dropout.kind not in ALPHA and reaches(paths, dropout, graph.losses) and not context.facts.is_test:
            yield context.report(
                dropout.span,
                "Dropout on the logits that the loss compares with its target: the loss is computed from zeroed and "
                "rescaled outputs.",
                fix=removal(context, dropout, _REMOVE),
            )


def _fix(context: Context, paths: Paths, dropout: LayerNode, activation: LayerNode) -> Fix | None:
    if ends_network(paths, activation):
        return removal(context, dropout, _REMOVE)
    if paths.after(dropout, VIEWS) != [activation]:
        return None
    return swapped(dropout, activation, Applicability.UNSAFE)
