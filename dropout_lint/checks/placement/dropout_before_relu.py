"""DRP302: dropout before an activation that commutes with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.activations import before_activations, in_wrapper, normalized, short_name
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import Paths
from dropout_lint.checks.support.swaps import NUMBERED, swapped
from dropout_lint.diagnostic import Applicability, Diagnostic, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import COMMUTES, PASSING, TWIN
from dropout_lint.torch_api.layer_groups import VIEWS

_OWNS_ITS_OUTPUT = re.compile(r"torch\.nn\.(?:\w*Conv\w*d|\w*Norm\w*|Linear|LazyLinear|Embedding|\w*Pool\w*d)$")


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts right before ReLU, Threshold(0, 0), LeakyReLU, PReLU and RReLU, as information."""
    paths = Paths(graph)
    for dropout, activation in before_activations(graph, context):
        if activation.kind not in PASSING or normalized(paths, dropout):
            continue
        exact = COMMUTES[activation.kind] == "exact"
        same = "gives the same result, bit for bit," if exact else "gives the same result up to rounding"
        yield context.report(
            dropout.span,
            f"Dropout before `{short_name(activation)}`{in_wrapper(activation)} {same} as after it; after it is where "
            "readers look for it.",
            fix=_fix(paths, dropout, activation),
            beside=[activation],
        )


def _fix(paths: Paths, dropout: LayerNode, activation: LayerNode) -> Fix | None:
    element = activation.element
    if TWIN.get(activation.kind) == "torch.nn.PReLU" and element is not None and element.form in NUMBERED:
        return None  # the swap would change the key of its slope
    return swapped(dropout, activation, _applicability(paths, dropout, activation))


def _applicability(paths: Paths, dropout: LayerNode, activation: LayerNode) -> Applicability:
    if COMMUTES[activation.kind] != "exact" or activation.chosen_by:
        return Applicability.UNSAFE  # a caller may choose another activation
    if dropout.element is not None and not dropout.element.only_called:
        return Applicability.UNSAFE  # code may index the layer by its position
    # The output of a layer is finite, and an in-place activation that moves forward overwrites only that output.
    producers = paths.before(dropout, () if activation.inplace else VIEWS)
    layers = bool(producers) and all(_OWNS_ITS_OUTPUT.match(p.kind) for p in producers)
    return Applicability.SAFE if layers else Applicability.UNSAFE
