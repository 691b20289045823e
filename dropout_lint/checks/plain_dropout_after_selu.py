"""DRP310: plain dropout behind SELU, which destroys the self-normalization."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._paths import DROPOUTS, Paths, dropouts
from dropout_lint.checks.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import BATCH_NORMS, VIEWS

_SELU = {"torch.nn.SELU", "torch.nn.functional.selu", "torch.selu", "torch.selu_"}
_ALPHA_OF = {"Dropout": "AlphaDropout", **{f"Dropout{n}d": "FeatureAlphaDropout" for n in (1, 2, 3)}}
_FUNCTION_OF = {"dropout": "alpha_dropout", **{f"dropout{n}d": "feature_alpha_dropout" for n in (1, 2, 3)}}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts whose input is a SELU's output, in networks without batch normalization."""
    if any(n.kind in BATCH_NORMS for n in graph.nodes) or context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph, {k for k in DROPOUTS if "alpha" not in k.lower()}):
        producers = paths.before(dropout, VIEWS)
        if producers and all(p.kind in _SELU for p in producers) and not dropout.optional:
            yield context.report(
                dropout.span,
                "SELU keeps mean 0 and variance 1 from layer to layer, and plain dropout breaks that: at p=0.5 the "
                "variance doubles. Alpha dropout keeps both.",
                fix=_fix(context, dropout),
            )


def _fix(context: Context, dropout: LayerNode) -> Fix | None:
    at = dropout.constructor or (dropout.call.span if dropout.call is not None else None)
    if at is None:
        return None
    names = _ALPHA_OF if dropout.constructor is not None else _FUNCTION_OF
    callee, bracket, rest = context.slice(at).partition("(")
    prefix, dot, name = callee.rpartition(".")
    if name not in names:
        return None
    return unsafe(f"Use `{prefix}{dot}{names[name]}`", Edit(at, f"{prefix}{dot}{names[name]}{bracket}{rest}"))
