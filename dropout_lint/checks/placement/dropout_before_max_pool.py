"""DRP314: element-wise dropout before a max pooling."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import PLAIN, Paths, dropouts
from dropout_lint.checks.support.swaps import swapped
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.facts import LayerGraph
from dropout_lint.torch_api.layer_groups import VIEWS


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report plain dropouts whose value only goes into a max pooling."""
    paths = Paths(graph)
    for dropout in dropouts(graph, PLAIN):
        followers = paths.after(dropout, VIEWS)
        if followers and all("maxpool" in f.kind.lower().replace("_", "") for f in followers):
            yield context.report(
                dropout.span,
                "The maximum over values scaled by 1/(1-p) is larger in training than in eval: by 23 % at p=0.5.",
                fix=swapped(dropout, followers[0], Applicability.UNSAFE),
                beside=followers[:1],
            )
