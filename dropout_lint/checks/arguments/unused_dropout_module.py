"""DRP407: a dropout module that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.facts import DropoutSite, ModelClass
from dropout_lint.torch_api.layer_groups import DROP_PATHS

if TYPE_CHECKING:
    from dropout_lint.facts.observations import UnreachedDropout


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts bound to an attribute that neither the class, its bases, its subclasses nor its users read.

    It is information where nothing is lost by it, or where the author switched it off.
    """
    name = site.attribute
    if not name or site.container or site.rate.is_zero or context.facts.is_test or not _is_dropout(site, context):
        return
    owner = context.model_class(site.scope.class_name, site.span.line)
    if owner is None or name in owner.read or owner.opaque or owner.abstract or not context.in_module(site.scope):
        return
    if "forward" not in owner.methods and not any(m.startswith("forward") for m in owner.methods):
        return
    if site.unused_on_purpose:
        return
    if name in context.facts.foreign_reads or context.project.usages.reads_attribute(context.facts, owner.name, name):
        return
    why = _excuse(site, owner, context)
    yield context.report(
        site.span,
        f"`self.{name}` is built but never applied{why or ': this model trains without that dropout'}.",
        severity=Severity.INFO if why else None,
        fix=advice(f"Apply `self.{name}` where it belongs, or remove it"),
    )


def _is_dropout(site: DropoutSite, context: Context) -> bool:
    """Whether a site builds a dropout: one of torch, or an nn.Module that is one by its name."""
    if site.form != "forwarded":
        return site.form == "module"
    return site.api in DROP_PATHS or context.project.classes.is_module(context.facts, site.api) is True


def _excuse(site: DropoutSite, owner: ModelClass, context: Context) -> str:
    """Why nothing is lost; "" if nothing says so."""
    if site.applied_in_comment:
        return ": its call is commented out"
    if site.rate.number == 0.0:
        return "; its rate is 0 by default, so this matters where a caller sets another"
    rates = {a.text for a in site.arguments if a.name in {"", "p"}}
    for other in context.facts.sites:
        beside = other.form == "forwarded" and other.attribute and other.scope == site.scope and other is not site
        if beside and other.attribute in owner.read and rates & {a.text for a in other.arguments}:
            return f"; `self.{other.attribute}` is, with the same rate"
    return ""


def check_reach(dropout: UnreachedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a dropout that no forward pass calls; for stochastic depth it is information."""
    text = f"{dropout.class_name} is configured with {dropout.rate:g}, and no forward pass in train mode reaches it"
    if dropout.attention_line is not None:
        text += f"; attention runs with `dropout_p` 0 in line {dropout.attention_line}"
    yield context.report(dropout, text, severity=Severity.INFO if dropout.drops_paths else None)
