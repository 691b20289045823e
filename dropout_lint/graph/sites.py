"""Give the dropout calls of the source the values that a run showed, so that their rules can decide.

For example, the source of ``F.dropout(x, rate)`` leaves the rate open, and the run shows 0.1. Each result lists the
calls that led to one event, the outermost first: a helper that passes a rate on is reported only if no caller is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from dropout_lint.diagnostic import CodePlace
from dropout_lint.facts import DropoutSite, Value
from dropout_lint.facts.observations import BuiltLayer, CallLeftOn, RunSite
from dropout_lint.graph.builder import Traced
from dropout_lint.graph.construction_sites import built_at
from dropout_lint.project.project import Project
from dropout_lint.torch_api.signatures import ATTENTION, FUNCTIONALS

_RNNS = (nn.RNN, nn.LSTM, nn.GRU)


def calls_left_on(traced: Traced | None, project: Project) -> Iterator[tuple[RunSite, ...]]:
    """For each functional dropout or attention that dropped in eval mode, the calls that led to it."""
    for node in traced.graph.nodes if traced is not None else ():
        if traced is None or not node.rate.number or (node.kind not in FUNCTIONALS and node.kind not in ATTENTION):
            continue
        owner = traced.classes.get(node.module, "")
        modules = (node.module,) if node.module else ()
        ran = [
            CallLeftOn(place, modules, _at_rate(site, node.rate.number, owner))
            for place in reversed(traced.callers.get(node.index, ()))
            for site in _known_site(project, place)
        ]
        innermost = (replace(call, site=_without_callers(call.site)) for call in ran[-1:])
        yield (*ran, *innermost)


def built_layers(model: Any, project: Project) -> Iterator[tuple[RunSite, ...]]:
    """Layers whose rate drops everything, or has no effect (a recurrent network with one layer)."""
    for path, module in model.named_modules():
        place = built_at(module)
        if place is None:
            continue
        modules = (path,) if path else ()
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p == 1:
            found = [_configured(site, 1.0) for site in _known_site(project, place)]
        elif isinstance(module, _RNNS) and module.num_layers == 1 and module.dropout:
            one = Value(kind="number", number=1.0)
            sites = _known_site(project, place)
            found = [replace(_configured(site, module.dropout), layers=one) for site in sites]
        else:
            continue
        yield tuple(BuiltLayer(place, modules, site) for site in found)


def _known_site(project: Project, place: CodePlace) -> list[DropoutSite]:
    """The DropoutSite that the source engine finds at exactly this place, in a list; empty without one."""
    facts = project.files.facts(Path(place.path)) if place.path else None
    sites = facts.sites if facts is not None else ()
    return [site for site in sites if site.span == place.span and site.form != "application"][:1]


def _at_rate(site: DropoutSite, rate: float, owner: str) -> DropoutSite:
    """Put in the rate that the run showed. A site in a helper function is assigned to the Module of class ``owner``."""
    helper = not site.scope.class_name
    ran = replace(
        site.rate, kind="number", number=rate, default=False, from_caller=site.rate.from_caller and not helper
    )
    scope = replace(site.scope, class_name=owner, self_name="") if helper else site.scope
    return replace(site, rate=ran, scope=scope)


def _without_callers(site: DropoutSite) -> DropoutSite:
    arguments = tuple(replace(a, value=replace(a.value, from_caller=False)) for a in site.arguments)
    return replace(site, arguments=arguments)


def _configured(site: DropoutSite, rate: float) -> DropoutSite:
    value = Value(kind="number", number=rate, literal=True)
    arguments = tuple(replace(a, value=value) if a.name == site.rate_argument else a for a in site.arguments)
    return replace(site, rate=value, arguments=arguments)
