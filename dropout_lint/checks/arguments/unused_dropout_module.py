"""DRP407: a dropout module that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.facts import DropoutSite

if TYPE_CHECKING:
    from dropout_lint.facts.observations import UnreachedDropout


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts bound to an attribute that neither the class, its bases, its subclasses nor its users read."""
    name = site.attribute
    if site.form != "module" or not name or site.container or site.rate.is_zero or context.facts.is_test:
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
    yield context.report(
        site.span,
        f"`self.{name}` is built but never applied: this model trains without that dropout.",
        fix=advice(f"Apply `self.{name}` where it belongs, or remove it"),
    )


def check_reach(dropout: UnreachedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a dropout that no forward pass calls; for stochastic depth it is information."""
    text = f"{dropout.class_name} is configured with {dropout.rate:g}, and no forward pass in train mode reaches it"
    if dropout.attention_line is not None:
        text += f"; attention runs with `dropout_p` 0 in line {dropout.attention_line}"
    yield context.report(dropout, text, severity=Severity.INFO if dropout.drops_paths else None)
