"""DRP310: plain dropout after SELU, which breaks its self-normalization."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import ALPHA, DROPOUTS, Paths, dropouts
from dropout_lint.checks.support.removal import renamed
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, VIEWS

_SELU = {"torch.nn.SELU", "torch.nn.functional.selu", "torch.selu", "torch.selu_"}
_ALPHA_OF = {
    "Dropout": "AlphaDropout",
    "dropout": "alpha_dropout",
    **{f"Dropout{n}d": "FeatureAlphaDropout" for n in (1, 2, 3)},
    **{f"dropout{n}d": "feature_alpha_dropout" for n in (1, 2, 3)},
}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts whose input is a SELU's output, in networks without batch normalization."""
    if any(n.kind in BATCH_NORMS for n in graph.nodes) or context.facts.is_test:
        return
    paths = Paths(graph)
    found = [d for d in dropouts(graph, DROPOUTS - ALPHA) if not d.optional and _behind_selu(paths, d)]
    for dropout in found:
        yield context.report(
            dropout.span,
            "SELU keeps mean 0 and variance 1 from layer to layer, and plain dropout breaks that: at p=0.5 the "
            "variance doubles. Alpha dropout keeps both.",
            fix=renamed(context, dropout, found, _ALPHA_OF),
            beside=paths.before(dropout, VIEWS)[:1],
        )


def _behind_selu(paths: Paths, dropout: LayerNode) -> bool:
    producers = paths.before(dropout, VIEWS)
    return bool(producers) and all(p.kind in _SELU for p in producers)
