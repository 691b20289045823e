"""DRP101: a functional dropout in a Module that nothing ties to the train/eval mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, safe
from dropout_lint.checks.support.observed import SWITCHED_OFF, ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AddArgument, ReplaceExpression
from dropout_lint.torch_api.signatures import NEVER_ACTIVE_BY_DEFAULT

if TYPE_CHECKING:
    from dropout_lint.facts.observations import CallLeftOn, EvalDraw, SwitchedOffCall


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report calls without a training argument, and torch.dropout(..., True), outside of any mode test."""
    if site.form != "functional" or site.api in NEVER_ACTIVE_BY_DEFAULT or site.use == "discarded":
        return
    aten = not site.api.startswith("torch.nn.functional.")
    if site.mode != ("true" if aten else "absent") or site.guarded or site.unpacked:
        return
    if site.rate.is_zero or site.rate.gated or (aten and site.ones_mask) or context.intended(site):
        return
    helper = not site.scope.class_name
    if helper and not _called_by_modules_only(site, context):
        return
    if not helper and (site.scope.constructs or not context.in_module(site.scope)):
        return
    if site.rate.from_caller and not helper:
        return
    argument = "train=True" if aten else "the default training=True"
    yield context.report(
        site.span,
        f"`{site.callee_text}` runs with {argument} here, so it keeps dropping after `model.eval()`.",
        fix=_fix(site, aten),
    )


def _called_by_modules_only(site: DropoutSite, context: Context) -> bool:
    """A helper without a mode parameter that methods of Modules of this file call is theirs to answer for."""
    callers = context.facts.calls.get(site.scope.function, ())
    return bool(callers) and all(caller and context.is_module(caller) for caller in callers)


def _fix(site: DropoutSite, aten: bool) -> Fix | None:
    owner = site.scope.self_name
    if not owner or not site.arguments:
        return None
    message = f"Follow the mode: `training={owner}.training`"
    if aten:
        train = site.argument("train")
        # In a partial that the constructor makes, the mode would be read once for all.
        known = train is not None and train.span.within(site.span)
        return (
            safe(message, ReplaceExpression(train.span, f"{owner}.training")) if train is not None and known else None
        )
    return safe(message, AddArgument(site.span, "training", f"{owner}.training"))


def check_run(call: CallLeftOn, context: Context) -> Iterator[Diagnostic]:
    """Report a call that dropped in eval mode, as the source alone would at the rate of the run."""
    return check(call.site, context)


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a function that drew in eval mode and is passed no mode."""
    if draw.origin == "function" and draw.mode == "":
        text = f"`{draw.name}` is not told the mode, so it drops in eval mode too"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def refute_call(_call: SwitchedOffCall) -> str:
    """The call runs in eval mode and drops nothing."""
    return SWITCHED_OFF
