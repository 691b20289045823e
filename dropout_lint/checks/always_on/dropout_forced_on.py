"""DRP105: ``training=True`` written out in a Module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.observed import SWITCHED_OFF, ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import CallLeftOn, EvalDraw, SwitchedOffCall


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report a literal True; a warning if another dropout of the class follows the mode."""
    if site.form != "functional" or site.mode != "true" or not site.api.startswith("torch.nn.functional."):
        return
    if site.guarded or site.rate.is_zero or site.rate.gated or site.rate.from_caller or site.ones_mask:
        return
    if context.intended(site):
        return
    if not site.scope.class_name or not site.scope.computes or not context.in_module(site.scope):
        return
    training = site.argument("training")
    if training is None:
        return
    siblings = any(
        other.mode == "mode" and other.form == "functional" and other.scope.class_name == site.scope.class_name
        for other in context.facts.sites
    )
    owner = site.scope.self_name
    why = " Other dropouts of this class follow the mode." if siblings else ""
    yield context.report(
        site.span,
        f"`{site.callee_text}` is told `training=True`, so it drops in eval mode too.{why}",
        severity=Severity.WARNING if siblings else Severity.INFO,
        fix=unsafe(
            f"Follow the mode: `training={owner}.training`", ReplaceExpression(training.span, f"{owner}.training")
        )
        if owner and training.span.within(site.span)
        else None,
    )


def check_run(call: CallLeftOn, context: Context) -> Iterator[Diagnostic]:
    """Report a call that dropped in eval mode, if ``check`` reports it with the values that the run showed."""
    return check(call.site, context)


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a function that drew in eval mode and is passed a literal True."""
    if draw.origin == "function" and draw.mode == "True":
        text = f"`{draw.name}` is told `training=True`, so it drops in eval mode too"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def refute_call(_call: SwitchedOffCall) -> str:
    """Refute the rule: the call ran in eval mode and dropped nothing."""
    return SWITCHED_OFF
