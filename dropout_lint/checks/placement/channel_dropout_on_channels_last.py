"""DRP309: channel dropout on a sequence with its features last."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.paths import Paths, dropouts
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph
from dropout_lint.torch_api.signatures import RNNS
from dropout_lint.vocabulary import words

_CHANNEL = {f"torch.nn.Dropout{n}d" for n in (1, 2)} | {f"torch.nn.functional.dropout{n}d" for n in (1, 2)}
_MEANT = {"token", "word", "time", "step", "frame", "position"}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report channel dropouts right after an embedding or an RNN, unless their name says that they drop steps."""
    paths = Paths(graph)
    for dropout in dropouts(graph, _CHANNEL):
        producers = paths.before(dropout, {"torch.nn.Identity"})
        if not producers or not all(p.kind == "torch.nn.Embedding" or p.kind in RNNS for p in producers):
            continue
        if words(dropout.attribute) & _MEANT:
            continue
        yield context.report(
            dropout.span,
            f"Behind `{producers[0].kind.rpartition('.')[2]}` the features come last, so this drops whole steps, not "
            "features.",
            beside=producers[:1],
            fix=advice("Permute to (N, C, L) around it, or say in its name that steps are dropped"),
        )
