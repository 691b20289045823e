"""DRP106: a copy of ``self.training`` made in a constructor, or a flag for the mode that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.observed import SWITCHED_OFF, ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import FlagUse
from dropout_lint.rewrites import AddArgument, RemoveArgument, ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvalDraw, SwitchedOffCall

_REASONS = {
    "copy": "`self.{0}` is a copy of `self.training` from the constructor, always True: `eval()` never updates it.",
    "constant": "`self.{0}` is set to True in the constructor and never changed, so `eval()` does not turn this off.",
    "partial": "`self.{0}` is read while the object is built, when it is always True: `eval()` changes nothing here.",
    "closure": "`{0}` is read while the object is built, when it is always True: `eval()` changes nothing here.",
    "default": "`{0}` is True by default and no call passes it, so `eval()` does not turn this off.",
    "rate": "`self.{0}` is read while the object is built, when it is always True: the choice is made once for all.",
}


def check(flag: FlagUse, context: Context) -> Iterator[Diagnostic]:
    """Report captured modes, and flags named like the mode that the project never assigns again."""
    usages = context.project.usages
    if flag.kind == "method" or context.named_intent(flag.scope) or not context.in_module(flag.scope):
        return
    if flag.kind in {"copy", "constant"} and usages.assigns_elsewhere(context.facts, flag.name):
        return
    if flag.kind == "default":
        built = flag.receiver or usages.constructs(flag.scope.class_name)
        if not built or usages.may_pass(flag.name):
            return
    if flag.kind == "factory":
        yield from _frozen_by_factory(flag, context)
        return
    yield context.report(flag.span, _REASONS[flag.kind].format(flag.name), fix=_fix(flag))


def _frozen_by_factory(flag: FlagUse, context: Context) -> Iterator[Diagnostic]:
    """Report a mode that a function or class of the project keeps."""
    found = context.project.functions.maker(context.facts, flag.receiver)
    if found is None:
        return
    home, factory = found
    name = "".join(factory.parameters[int(flag.text) :][:1]) if flag.text.isdigit() else flag.text
    attribute = dict(factory.captures).get(name)
    if attribute is None or (attribute and context.project.usages.assigns_elsewhere(home, attribute)):
        return
    made = flag.receiver.rpartition(".")[2]
    yield context.report(
        flag.span,
        f"`{made}` keeps `{flag.name}` as it is while the object is built, always True: `eval()` changes nothing here.",
        fix=advice(f"Pass the mode when what `{made}` gives is called"),
    )


def _fix(flag: FlagUse) -> Fix | None:
    mode = f"{flag.scope.self_name or 'self'}.training"
    if flag.kind == "rate":
        if not flag.text:
            return advice("Pass the rate when the function is called: `p if self.training else 0.0`")
        return unsafe(f"Pass the rate: `{flag.text}`", ReplaceExpression(flag.read, flag.text))
    if flag.kind == "partial":
        passed = [AddArgument(call, "training", mode) for call in flag.calls]
        message = f"Pass `training={mode}` at the call"
        return unsafe(message, RemoveArgument(flag.read), *passed) if passed else None
    return unsafe(f"Use `{mode}`, which `train()` and `eval()` set", ReplaceExpression(flag.read, mode))


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a function that drew in eval mode because the mode passed to it is true."""
    if draw.origin == "function" and draw.mode and draw.mode != "True":
        text = f"`{draw.name}` drops in eval mode: `{draw.mode}` is true although the model is not in training"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def refute_call(_call: SwitchedOffCall) -> str:
    """Refute the rule: the call ran in eval mode and dropped nothing."""
    return SWITCHED_OFF
