"""Calls that configure or apply dropout, with what a run proved about them put in for what the source leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from dropout_lint.facts import DropoutSite, FileFacts, Value
from dropout_lint.graph.builder import Traced
from dropout_lint.graph.construction_sites import built_at
from dropout_lint.graph.places import Place
from dropout_lint.project.project import Project
from dropout_lint.torch_api.signatures import ATTENTION, FUNCTIONALS

_RNNS = (nn.RNN, nn.LSTM, nn.GRU)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one instance did at a call. The sites are the calls that led to it; the first that a rule reports counts."""

    module: str
    sites: tuple[tuple[FileFacts, DropoutSite], ...]


def left_on(traced: Traced | None, project: Project) -> Iterator[Ran]:
    """The functional dropouts and attentions that dropped something in eval mode."""
    for node in traced.graph.nodes if traced is not None else ():
        if node.kind not in FUNCTIONALS and node.kind not in ATTENTION:
            continue
        if traced is None or not node.rate.number:
            continue
        owner = traced.classes.get(node.module, "")
        # Outermost first: a helper that hands a rate on answers for it only where no caller in sight does.
        found = [f for place in reversed(traced.callers.get(node.index, ())) for f in _site(project, place)]
        sites = [(facts, _as_run(site, node.rate.number, owner)) for facts, site in found]
        yield Ran(node.module, (*sites, *((facts, _without_callers(site)) for facts, site in sites[-1:])))


def configured(model: Any, project: Project) -> Iterator[Ran]:
    """The layers whose rate, as configured, drops everything or nothing."""
    for path, module in model.named_modules():
        at = built_at(module)
        if at is None:
            continue
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p == 1:
            yield Ran(path, tuple((facts, _as_configured(site, 1.0)) for facts, site in _site(project, at)))
        elif isinstance(module, _RNNS) and module.num_layers == 1 and module.dropout:
            one = Value(kind="number", number=1.0)
            found = [(f, replace(_as_configured(s, module.dropout), layers=one)) for f, s in _site(project, at)]
            yield Ran(path, tuple(found))


def _site(project: Project, place: Place) -> list[tuple[FileFacts, DropoutSite]]:
    """What the source engine says about the call at a place."""
    facts = project.files.facts(Path(place.path)) if place.path else None
    if facts is None:
        return []
    return [(facts, site) for site in facts.sites if site.span == place.span and site.form != "application"][:1]


def _as_run(site: DropoutSite, rate: float, owner: str) -> DropoutSite:
    """The site in a Module of class ``owner``, at the rate at which it dropped."""
    helper = not site.scope.class_name
    ran = replace(
        site.rate, kind="number", number=rate, default=False, from_caller=site.rate.from_caller and not helper
    )
    scope = replace(site.scope, class_name=owner, self_name="") if helper else site.scope
    return replace(site, rate=ran, scope=scope)


def _without_callers(site: DropoutSite) -> DropoutSite:
    arguments = tuple(replace(a, value=replace(a.value, from_caller=False)) for a in site.arguments)
    return replace(site, arguments=arguments)


def _as_configured(site: DropoutSite, rate: float) -> DropoutSite:
    value = Value(kind="number", number=rate, literal=True)
    arguments = tuple(replace(a, value=value) if a.name == site.rate_argument else a for a in site.arguments)
    return replace(site, rate=value, arguments=arguments)
