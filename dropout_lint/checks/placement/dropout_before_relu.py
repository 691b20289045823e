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

_BLIND_TO_SIGN = re.compile(
    r"(?:torch\.nn\.(?:\w*Conv\w*d|\w*Norm\w*|Linear|LazyLinear|\w*Pool\w*d|\w*Dropout\w*|Flatten|Sequential)"
    r"|torch\.nn\.functional\.\w*(?:pool\dd|dropout\w*)|add|\.mean|\.sum|torch\.mean|torch\.sum)$"
)
"""Operations that do not tell -0.0 from 0.0, as a division does."""


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
            fix=_fix(paths, dropout, activation, context),
            beside=[activation],
        )


def _fix(paths: Paths, dropout: LayerNode, activation: LayerNode, context: Context) -> Fix | None:
    element = activation.element
    if TWIN.get(activation.kind) == "torch.nn.PReLU" and element is not None and element.form in NUMBERED:
        return None  # the swap would change the key of its slope
    sure = _computes_the_same(paths, dropout, activation) and not _is_seen(paths, dropout, activation, context)
    return swapped(dropout, activation, Applicability.SAFE if sure else Applicability.UNSAFE)


def _computes_the_same(paths: Paths, dropout: LayerNode, activation: LayerNode) -> bool:
    """Whether both orders compute the same values, up to the sign of zeros, and overwrite the same tensors."""
    if COMMUTES[activation.kind] != "exact" or activation.chosen_by:
        return False  # a caller may choose another activation
    # The output of a layer is finite. In a Sequential nothing else reads it, so an activation may overwrite it.
    inside = dropout.element is not None and activation.element is not None
    if activation.inplace and not inside:
        return False
    producers = paths.before(dropout, () if activation.inplace else VIEWS)
    return bool(producers) and all(_OWNS_ITS_OUTPUT.match(p.kind) for p in producers)


def _is_seen(paths: Paths, dropout: LayerNode, activation: LayerNode, context: Context) -> bool:
    """Whether code may find the layers at their positions, replace one, or ask for the sign of a zero."""
    scope = paths.graph.scope
    element = dropout.element
    if element is not None and activation.element is not None:
        if not element.only_called or "" in context.facts.doubts.walked:
            return True
        if element.holder and context.may_be_touched(element.holder, scope):
            return True
    elif any(n.attribute and context.may_be_touched(n.attribute, scope) for n in (dropout, activation)):
        return True
    return not all(_BLIND_TO_SIGN.match(n.kind) for n in paths.after(activation, VIEWS))
