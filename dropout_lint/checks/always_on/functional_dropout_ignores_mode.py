"""DRP101: a functional dropout in a Module that ignores the train/eval mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.observed import SWITCHED_OFF, ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AddArgument, ReplaceExpression
from dropout_lint.torch_api.signatures import NEVER_ACTIVE_BY_DEFAULT

if TYPE_CHECKING:
    from dropout_lint.facts.observations import CallLeftOn, EvalDraw, SwitchedOffCall


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report calls without ``training``, and ``torch.dropout(x, p, True)``, that no test of the mode guards."""
    if site.form != "functional" or site.api in NEVER_ACTIVE_BY_DEFAULT or site.use == "discarded":
        return
    is_aten = not site.api.startswith("torch.nn.functional.")
    if site.mode != ("true" if is_aten else "absent") or site.guarded or site.unpacked:
        return
    if site.rate.is_zero or site.rate.gated or (is_aten and site.ones_mask) or context.intended(site):
        return
    helper = not site.scope.class_name
    if helper and not context.called_by_modules(site.scope):
        return
    if not helper and not (site.scope.computes and context.in_module(site.scope)):
        return
    if site.rate.from_caller and not helper:
        return
    if context.gated_by_callers(site.scope):
        return
    argument = "train=True" if is_aten else "the default training=True"
    yield context.report(
        site.span,
        f"`{site.callee_text}` runs with {argument} here, so it keeps dropping after `model.eval()`.",
        fix=_fix(site, is_aten, context),
    )


def _fix(site: DropoutSite, is_aten: bool, context: Context) -> Fix | None:
    owner = site.scope.self_name
    if not owner or not site.arguments:
        return None
    message = f"Follow the mode: `training={owner}.training`"
    # A copy of the model keeps the lambda of the original.
    sure = not site.scope.constructs and context.is_sure_of_mode(site.scope) and not _may_be_another(site, context)
    make = safe if sure else unsafe
    if is_aten:
        train = site.argument("train")
        # Bound by a partial in the constructor, the argument would read the mode only once.
        if train is None or not train.span.within(site.span):
            return None
        return make(message, ReplaceExpression(train.span, f"{owner}.training"))
    return make(message, AddArgument(site.span, "training", f"{owner}.training"))


def _may_be_another(site: DropoutSite, context: Context) -> bool:
    """Whether the function is a parameter, or an attribute that code may replace: it may take no mode."""
    name, _, rest = site.callee_text.partition(".")
    if name == site.scope.self_name and rest:
        return context.may_be_touched(rest, site.scope)
    return name in site.scope.parameters


def check_run(call: CallLeftOn, context: Context) -> Iterator[Diagnostic]:
    """Report a call that dropped in eval mode, by the check above, with the values that the run showed."""
    return check(call.site, context)


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a function that drew in eval mode and gets no ``training`` argument."""
    if draw.origin == "function" and draw.mode == "":
        text = f"`{draw.name}` is not told the mode, so it drops in eval mode too"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def refute_call(_call: SwitchedOffCall) -> str:
    """Refute the rule: the call ran in eval mode and dropped nothing."""
    return SWITCHED_OFF
