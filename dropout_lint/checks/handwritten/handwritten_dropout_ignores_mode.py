"""DRP501: a hand-written mask that is applied in evaluation too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.masks import is_dropout, is_intended, is_named
from dropout_lint.checks.support.observed import ObservedContext, at_probed_rate
from dropout_lint.checks.support.scaling import when_probed
from dropout_lint.diagnostic import Diagnostic, Fix, Related
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import InsertBefore, WrapStatements

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvalDraw, ProbedDropout


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report masks that a ``forward`` reaches without a test of the mode; for a mask in a helper, its calls."""
    if site.guarded or not site.reached or not is_dropout(site) or is_intended(site, context):
        return
    if site.kind == "mask" or (site.kind == "index" and site.scale not in {"right", "complement"}):
        return
    if site.scale not in {"right", "complement"} and not is_named(site):
        return
    if site.scope.class_name and not site.calls:
        if context.in_module(site.scope) and not context.gated_by_callers(site.scope):
            what = "Chance decides this branch" if site.kind == "skip" else "This mask is drawn"
            message = f"{what} whatever the mode, so that evaluation is random too."
            yield context.report(site.span, message, fix=_fix(site))
        return
    for call, owner in zip(site.calls, site.callers, strict=True):
        if owner and context.is_module(owner):
            message = f"`{site.scope.function}` drops at random and this call does not ask for the mode."
            mask = Related(context.facts.path, site.span, "the mask is drawn here")
            yield context.report(call, message, fix=advice("Call it only `if self.training`"), related=(mask,))


def _fix(site: MaskSite) -> Fix | None:
    mode = f"{site.scope.self_name}.training"
    if not site.scope.self_name or site.kind in {"mix", "zoneout"}:
        return None
    if site.kind == "skip":
        return advice(f"Ask for `{mode}` first")
    if site.entry is not None:
        early = InsertBefore(site.entry, f"if not {mode}:\n    return {site.data}")
        return unsafe("Return the tensor unchanged unless training", early)
    if site.lines is None:
        return None
    return unsafe("Apply the mask only in training", WrapStatements(site.lines, mode))


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a mask or a choice that was drawn in eval mode."""
    if draw.origin == "mask":
        text = "A random mask is multiplied in, in eval mode too: nothing asks for the mode"
    elif draw.origin == "choice":
        text = "What runs is decided by chance, in eval mode too: nothing asks for the mode"
    else:
        return
    yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that is random in eval mode and that the eval forward pass did not reach."""
    if probed.draws_in_eval:
        text = f"{probed.class_name} is random in eval mode too: nothing asks for the mode"
        yield context.report(probed, text + when_probed(probed))
