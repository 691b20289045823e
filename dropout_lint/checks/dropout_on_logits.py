"""DRP303: dropout on the argument of a softmax, or on logits that a loss reads."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._activations import before_activations, shown
from dropout_lint.checks._order import exchange
from dropout_lint.checks._paths import ALPHA, Paths, dropouts
from dropout_lint.checks.context import Context
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import NORMALIZES, VIEWS


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts whose value is normalized by a softmax, and those on what is given to a loss."""
    for dropout, activation in before_activations(graph, context):
        if is_logit(graph, activation):
            yield context.report(
                dropout.span,
                f"Dropout on the argument of `{shown(activation)}`: a dropped logit becomes 0, which is a score like any "
                "other and gets probability; it is not left out.",
                fix=exchange(context, dropout, activation, Applicability.UNSAFE),
            )
    paths = Paths(graph)
    for dropout in dropouts(graph):
        if dropout.kind not in ALPHA and _feeds_loss(graph, paths, dropout):
            yield context.report(
                dropout.span,
                "Dropout on what the loss compares with its target: the loss is computed from zeroed and rescaled outputs.",
            )


def is_logit(graph: LayerGraph, activation: LayerNode) -> bool:
    """Whether an activation turns logits into probabilities: softmax always, a sigmoid where it ends the network."""
    if activation.kind in NORMALIZES:
        return True
    return activation.kind.lower().endswith("sigmoid") and activation.index in graph.outputs


def _feeds_loss(graph: LayerGraph, paths: Paths, dropout: LayerNode) -> bool:
    reached = {dropout.index}
    for user in paths.users(dropout):
        if user.kind in VIEWS:
            reached.add(user.index)
    return bool(reached & set(graph.losses))
