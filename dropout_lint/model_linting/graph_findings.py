"""Run the checks on the facts of the graph engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dropout_lint.checks import checks, checks_of
from dropout_lint.checks.support.context import Context
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic, Span, surer
from dropout_lint.facts import FileFacts, LayerGraph, Scope
from dropout_lint.facts.observations import RunSite
from dropout_lint.graph.builder import Traced
from dropout_lint.graph.engine import GraphFacts
from dropout_lint.model_linting.graph_context import GraphContext
from dropout_lint.project.project import Project


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """A diagnostic, and the nodes of the training graph that it is about."""

    diagnostic: Diagnostic
    nodes: tuple[int, ...] = ()


def check_graph(
    facts: GraphFacts, project: Project, settings: Settings, codes: Collection[str] | None = None
) -> list[NodeFinding]:
    """Check a traced model, and merge the findings of one rule at one place. ``codes`` are the rules to run, or all."""
    merged: dict[tuple[str, str, Span], NodeFinding] = {}
    on_calls = (found for calls in facts.sites for found in _first_reported(calls, project, settings, codes))
    for found in (*_on_graph(facts.training, project, settings, codes), *on_calls):
        diagnostic = found.diagnostic
        key = (diagnostic.code, diagnostic.path, diagnostic.span)
        before = merged.get(key)
        if before is not None:
            modules = dict.fromkeys((*before.diagnostic.modules, *diagnostic.modules))
            surest = surer(before.diagnostic, diagnostic)
            found = NodeFinding(replace(surest, modules=tuple(modules)), (*before.nodes, *found.nodes))
        merged[key] = found
    return sorted(merged.values(), key=lambda f: f.diagnostic.sort_key)


def _on_graph(
    traced: Traced, project: Project, settings: Settings, codes: Collection[str] | None
) -> Iterator[NodeFinding]:
    facts = FileFacts("", "", graphs=(traced.graph,))
    for code, (kind, check) in checks(codes).items():
        if kind is not LayerGraph:
            continue
        context = GraphContext(code, facts, project, settings)
        for diagnostic, index in zip(check(traced.graph, context), context.nodes, strict=False):
            if not _intended(traced, index, context):
                module = traced.graph.nodes[index].module
                yield NodeFinding(replace(diagnostic, modules=(module,) if module else ()), (index,))


def _intended(traced: Traced, index: int, context: Context) -> bool:
    """Whether a class around the node has a name for dropout on purpose, such as those of MC dropout."""
    parts = traced.graph.nodes[index].module.split(".")
    around = (traced.classes.get(".".join(parts[:n]), "") for n in range(len(parts) + 1))
    return any(context.named_intent(Scope(class_name=name)) for name in around if name)


def _first_reported(
    calls: tuple[RunSite, ...], project: Project, settings: Settings, codes: Collection[str] | None
) -> Iterator[NodeFinding]:
    """The findings about the first call that any rule reports; the calls after it are not checked."""
    for call in calls:
        path = call.place.path
        facts = project.files.facts(Path(path))
        if facts is None:
            continue
        found = [
            NodeFinding(replace(diagnostic, modules=call.modules))
            for code, check in checks_of(type(call), codes).items()
            for diagnostic in check(call, GraphContext(code, facts, project, settings))
        ]
        if found:
            yield from found
            return
