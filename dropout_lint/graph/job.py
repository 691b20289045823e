"""What runs in the child process: trace one model, and check what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropout_lint.config.settings import Settings
from dropout_lint.graph import construction_sites as births
from dropout_lint.graph import fake
from dropout_lint.graph.builder import without_ranks
from dropout_lint.graph.checking import Finding, findings
from dropout_lint.graph.tracers import Seen, see
from dropout_lint.models.codec import encode
from dropout_lint.models.load import LoadedModel

_ANY_RANK = ("inferred from Linear", "inferred from LayerNorm")
"""Layers that take inputs of any rank, so that an input inferred from them proves none."""


@contextmanager
def construction(options: Mapping[str, Any]) -> Iterator[None]:
    """The context in which a model is built: constructors are remembered; with ``fake``, weights have no values."""
    with ExitStack() as stack:
        stack.enter_context(births.recording())
        if options.get("fake"):
            stack.enter_context(fake.building())
        yield


def trace(loaded: LoadedModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """Diagnostics about a model, how it was seen, what was not seen, and with the option ``graph`` the graph itself.

    Raises TraceError if no tracer gets through.
    """
    seen = see(loaded.model, loaded.args, loaded.kwargs)
    if any(name in loaded.inputs_from for name in _ANY_RANK):
        seen = replace(seen, training=without_ranks(seen.training))
    settings = Settings(Path.cwd())
    if "mc_dropout_names" in options:
        settings = replace(settings, mc_dropout_names=tuple(options["mc_dropout_names"]))
    found = findings(seen, loaded.model, settings, options.get("codes"))
    result: dict[str, Any] = {
        "diagnostics": [encode(f.diagnostic) for f in found],
        "how": seen.how,
        "not_seen": list(seen.not_seen),
    }
    if options.get("graph"):
        result["graph"] = graph_data(seen, found)
    return result


def graph_data(seen: Seen, found: list[Finding]) -> dict[str, Any]:
    """The training graph as plain data, each node with the codes that were reported about it."""
    codes: dict[int, list[str]] = {}
    for finding in found:
        for index in finding.nodes:
            codes.setdefault(index, []).append(finding.diagnostic.code)
    return {
        "nodes": [
            {
                "kind": node.kind,
                "inputs": node.inputs,
                "module": node.module,
                "rate": node.rate.number,
                "shape": node.shape,
                "line": f"{node.path}:{node.span.line}",
                "codes": codes.get(node.index, []),
            }
            for node in seen.training.graph.nodes
        ],
        "outputs": seen.training.graph.outputs,
        "classes": seen.training.classes,
        "how": seen.how,
    }
