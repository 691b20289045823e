"""DRP102: an attention function gets a rate that eval() does not set to zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.observed import SWITCHED_OFF, ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import Argument, DropoutSite
from dropout_lint.rewrites import WrapExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import CallLeftOn, EvalDraw, SwitchedOffCall


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report rates passed to an attention function, or to a function of the project that passes them on to one."""
    if site.form not in {"attention", "forwarded"} or site.guarded or context.intended(site):
        return
    if not site.scope.computes or not _runs_in_a_module(site, context):
        return
    if context.gated_by_callers(site.scope):
        return
    for name, argument in _rates(site, context):
        value = argument.value
        if value.is_zero or value.gated or value.from_caller or value.kind in {"bool", "str", "none"}:
            continue
        where = "" if site.form == "attention" else ", which hands it on to a function that always applies it"
        yield context.report(
            site.span,
            f"`{site.callee_text}` applies `{name}` in eval mode too{where}; "
            f"`{argument.text}` does not depend on the mode.",
            fix=_fix(site, argument, context),
        )


def _runs_in_a_module(site: DropoutSite, context: Context) -> bool:
    if site.scope.class_name:
        return context.in_module(site.scope)
    return site.form == "attention" and context.called_by_modules(site.scope)


def _rates(site: DropoutSite, context: Context) -> Iterator[tuple[str, Argument]]:
    """The rates among the arguments, each with the name of its parameter."""
    if site.form == "attention":
        rate = site.argument(site.rate_argument)
        if rate is not None:
            yield rate.name, rate
        return
    found = context.project.functions.find(context.facts, site.api)
    if found is None:
        return
    home, summary = found
    sinks = context.project.functions.sinks(home, summary)
    for index, argument in enumerate(site.arguments):
        name = argument.name or (summary.parameters[index] if index < len(summary.parameters) else "")
        if name in sinks:
            yield name, argument


def _fix(site: DropoutSite, argument: Argument, context: Context) -> Fix | None:
    owner = site.scope.self_name
    if not owner or not argument.span.within(site.span):
        return None
    simple = argument.text.replace(".", "").replace("_", "").isalnum()
    template = f"{'{}' if simple else '({})'} if {owner}.training else 0.0"
    message = f"Pass the rate only while training: `{template.replace('{}', argument.text)}`"
    sure = not argument.runs_code and not site.scope.constructs and context.is_sure_of_mode(site.scope)
    make = safe if sure and _is_only_rate(site, argument, context) else unsafe
    return make(message, WrapExpression(argument.span, template))


def _is_only_rate(site: DropoutSite, argument: Argument, context: Context) -> bool:
    """Whether what is called uses the argument as its rate, and for nothing else."""
    if site.form == "attention":
        return True
    found = context.project.functions.find(context.facts, site.api)
    if found is None:
        return False
    summary = found[1]
    index = site.arguments.index(argument)
    name = argument.name or (summary.parameters[index] if index < len(summary.parameters) else "")
    return name in summary.only_sinks


def check_run(call: CallLeftOn, context: Context) -> Iterator[Diagnostic]:
    """Report a call that dropped in eval mode, by the check above, with the values that the run showed."""
    return check(call.site, context)


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report attention that drew in eval mode."""
    if draw.origin == "attention":
        text = "Attention drops weights in eval mode: `dropout_p` is applied whatever the mode is"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def refute_call(_call: SwitchedOffCall) -> str:
    """Refute the rule: the call ran in eval mode and dropped nothing."""
    return SWITCHED_OFF
