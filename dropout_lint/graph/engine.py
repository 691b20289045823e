"""Turns a loaded model into facts: its layer graph in train mode, and calls in its source with the values of its run.

The job of the command ``trace`` calls it, through ``model_linting/tracing.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from dropout_lint.facts.observations import RunSite
from dropout_lint.graph import construction_sites, fake
from dropout_lint.graph.builder import Traced, without_ranks
from dropout_lint.graph.sites import built_layers, calls_left_on
from dropout_lint.graph.tracers import TracedModel, trace_model
from dropout_lint.models.load import LoadedModel
from dropout_lint.project.project import Project

_ANY_RANK = ("inferred from Linear", "inferred from LayerNorm")
"""Ways to guess inputs, as ``inputs_from`` names them, whose rank means nothing: these layers accept any rank."""


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """The facts about one model.

    Each element of ``sites`` lists the calls in the source that led to one event of the run, the outermost first.
    """

    training: Traced
    sites: tuple[tuple[RunSite, ...], ...]
    how: str
    """The tracer that was used, as in TracedModel."""
    not_seen: tuple[str, ...]
    """The parts that the tracer could not look into, as in TracedModel."""


@contextmanager
def construction(options: Mapping[str, Any]) -> Iterator[None]:
    """The context to build a model in. It records constructor calls; with ``fake``, weights have no values."""
    with ExitStack() as stack:
        stack.enter_context(construction_sites.recording())
        if options.get("fake"):
            stack.enter_context(fake.building())
        yield


def graph_facts(loaded: LoadedModel, project: Project) -> GraphFacts:
    """Trace a model that was built inside ``construction``. Raises TraceError if no tracer succeeds."""
    traced = trace_model(loaded.model, loaded.args, loaded.kwargs)
    if any(name in loaded.inputs_from for name in _ANY_RANK):
        traced = replace(traced, training=without_ranks(traced.training))
    return facts_of(traced, loaded.model, project)


def facts_of(traced: TracedModel, model: Any, project: Project) -> GraphFacts:
    """The facts about a traced model."""
    sites = (*calls_left_on(traced.evaluation, project), *built_layers(model, project))
    return GraphFacts(traced.training, sites, traced.how, traced.not_seen)
