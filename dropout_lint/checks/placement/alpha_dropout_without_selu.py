"""DRP311: alpha dropout after an activation that is not SELU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.paths import ALPHA, Paths, dropouts
from dropout_lint.checks.support.removal import renamed
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import ELEMENTWISE, TWIN
from dropout_lint.torch_api.layer_groups import VIEWS

if TYPE_CHECKING:
    from dropout_lint.facts.observations import DropoutInModel

_PLAIN_OF = {
    "AlphaDropout": "Dropout",
    "alpha_dropout": "dropout",
    "FeatureAlphaDropout": "Dropout",
    "feature_alpha_dropout": "dropout",
}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report alpha dropouts whose input is the output of a named activation other than SELU."""
    paths = Paths(graph)
    found = [(d, name) for d in dropouts(graph, ALPHA) if not d.optional for name in [_activation(paths, d)] if name]
    for dropout, name in found if not context.facts.is_test else []:
        yield context.report(
            dropout.span,
            f"Alpha dropout sets dropped values to SELU's saturation value, about -1.76; behind `{name}` that shifts "
            "the mean and raises the variance.",
            fix=renamed(context, dropout, [d for d, _ in found], _PLAIN_OF),
            beside=paths.before(dropout, VIEWS)[:1],
        )


def _activation(paths: Paths, dropout: LayerNode) -> str:
    """The activation before a dropout; "" unless every path to the dropout has one, and none is SELU."""
    producers = paths.before(dropout, VIEWS)
    wrong = [p for p in producers if p.kind in ELEMENTWISE and TWIN.get(p.kind) != "torch.nn.SELU"]
    return wrong[0].kind.rpartition(".")[2] if wrong and len(wrong) == len(producers) else ""


def check_call(call: DropoutInModel, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an alpha dropout whose input in the running model cannot come from SELU."""
    if call.never_negative:
        text = f"{call.class_name} is given values that are never negative, so they are no output of SELU"
        yield context.report(call, text)
