"""DRP301: dropout before an activation that does not commute with it."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.activations import activation_kind, before_activations, in_wrapper
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.logits import is_logit
from dropout_lint.checks.support.paths import Paths
from dropout_lint.checks.support.rates import passed_rates
from dropout_lint.checks.support.swaps import swapped
from dropout_lint.diagnostic import Applicability, Diagnostic, Severity
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import CLIPPING, COMMUTES, NOT_ZERO_AT_ZERO, TWIN, bias


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts right before GELU, SiLU, tanh and similar; before one that only clips, it is information."""
    paths = Paths(graph)
    for dropout, activation in before_activations(graph, context):
        kind = activation_kind(activation, context)
        if COMMUTES.get(kind) != "no" or TWIN[kind] == "torch.nn.Threshold" or is_logit(paths, activation):
            continue
        if _gates(paths, activation):
            continue
        passed = passed_rates(dropout, graph.scope, context)
        if passed == frozenset({0.0}):
            continue
        rate = max(passed) if passed and len(passed) == 1 else dropout.rate.number
        by_default = kind != activation.kind
        name = f"`{kind.rpartition('.')[2]}`{in_wrapper(activation)}"
        chosen = ", a default of its configuration," if by_default else ""
        yield context.report(
            dropout.span,
            f"Dropout before {name}{chosen} does not commute with it: {_why(kind, rate)}.",
            severity=Severity.INFO if by_default or kind in CLIPPING else None,
            fix=swapped(dropout, activation, Applicability.UNSAFE),
            beside=[activation],
        )


def _gates(paths: Paths, activation: LayerNode) -> bool:
    """Whether a sigmoid is a gate: another value is multiplied by it."""
    gate = "sigmoid" in activation.kind.lower()
    return gate and any(user.kind == "mul" for user in paths.users(activation))


def _why(kind: str, rate: float | None) -> str:
    name = kind.rpartition(".")[2]
    if TWIN[kind] in NOT_ZERO_AT_ZERO:
        return f"`{name}(0)` is not 0, so a dropped value comes out as if it were there"
    measured = bias(kind, rate)
    if measured is None or rate == 0:
        return "the outputs of training and eval differ"
    return f"the outputs of training and eval differ, by {measured[1]:.2g} on average at p={measured[0]:g}"
