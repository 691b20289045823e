"""The job of the command ``trace``, run by ``models/worker.py``: trace one model, and check its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropout_lint.cache.codec import encode
from dropout_lint.config.settings import Settings
from dropout_lint.disk import Disk
from dropout_lint.graph.engine import GraphFacts, construction, graph_facts
from dropout_lint.graph.pictures.outline import Drawing, DrawnNode
from dropout_lint.model_linting.graph_findings import NodeFinding, check_graph
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.models.load import LoadedModel
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project

__all__ = ["construction", "model_findings", "trace"]


def trace(loaded: LoadedModel, options: Mapping[str, Any]) -> str:
    """Trace a model, and return its ModelFindings as JSON; with the option "graph" also its drawing.

    Other options: "codes" (the rules to run) and "mc_dropout_names". Raises TraceError if no tracer succeeds.
    """
    return encode(model_findings(loaded, options))


def model_findings(loaded: LoadedModel, options: Mapping[str, Any]) -> ModelFindings:
    """The same as ``trace``, before it becomes JSON."""
    settings = Settings(Path.cwd())
    if "mc_dropout_names" in options:
        settings = replace(settings, mc_dropout_names=tuple(options["mc_dropout_names"]))
    project = Project(Files(Disk()))
    facts = graph_facts(loaded, project)
    found = check_graph(facts, project, settings, options.get("codes"))
    return ModelFindings(
        tuple(one.diagnostic for one in found),
        not_seen=facts.not_seen,
        how=facts.how,
        drawing=_drawing(facts, found) if options.get("graph") else None,
    )


def _drawing(facts: GraphFacts, found: list[NodeFinding]) -> Drawing:
    """The training graph as plain data, each node with the codes of the rules that reported it."""
    codes: dict[int, list[str]] = {}
    for finding in found:
        for index in finding.nodes:
            codes.setdefault(index, []).append(finding.diagnostic.code)
    nodes = tuple(
        DrawnNode(
            node.kind,
            node.inputs,
            node.module,
            node.rate.number,
            node.shape,
            f"{node.path}:{node.span.line}",
            tuple(codes.get(node.index, ())),
        )
        for node in facts.training.graph.nodes
    )
    return Drawing(nodes, facts.training.classes, facts.how)
