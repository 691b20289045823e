"""DRP301: dropout before an activation that does not commute with it."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._activations import activation_kind, before_activations
from dropout_lint.checks._order import exchange
from dropout_lint.checks.context import Context
from dropout_lint.checks.dropout_on_logits import is_logit
from dropout_lint.diagnostic import Applicability, Diagnostic, Severity
from dropout_lint.facts import LayerGraph
from dropout_lint.torch_facts import ACTIVATIONS, BIAS_AT_HALF, CLIPS

_NOT_ZERO_AT_ZERO = {"sigmoid", "hardsigmoid", "logsigmoid", "softplus"}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts right before GELU, SiLU, tanh and their like; activations that only clip are information."""
    for dropout, activation in before_activations(graph, context):
        kind = activation_kind(activation, context)
        if ACTIVATIONS[kind] != "no" or is_logit(graph, activation):
            continue
        by_default = kind != activation.kind
        name = kind.rpartition(".")[2]
        bias = next((b for n, b in BIAS_AT_HALF.items() if n.lower() == name.lower()), None)
        why = f"the outputs of training and eval differ (by {bias:.2f} on average at p=0.5)" if bias else ""
        if name.lower() in _NOT_ZERO_AT_ZERO:
            why = f"`{name}(0)` is not 0, so a dropped value comes out as if it were there"
        yield context.report(
            dropout.span,
            f"Dropout before `{name}`{', a default of its configuration,' if by_default else ''} does not commute with it: {why or 'the outputs of training and eval differ'}.",
            severity=Severity.INFO if by_default or kind in CLIPS else None,
            fix=exchange(context, dropout, activation, Applicability.UNSAFE),
        )
