"""DRP203: an override of ``train`` or ``eval`` that leaves out a part of what ``nn.Module`` does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, safe, unsafe
from dropout_lint.checks.support.mode_switch import not_a_switch
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Fix, Severity
from dropout_lint.facts import ModeOverride
from dropout_lint.rewrites import InsertAfter, InsertBefore

if TYPE_CHECKING:
    from dropout_lint.facts.observations import LeftInTrainMode


def check(override: ModeOverride, context: Context) -> Iterator[Diagnostic]:
    """Report a missing ``return self``, children that are not reached, and ``eval`` overridden alone."""
    if override.kind != "method" or override.static or not context.is_module(override.owner):
        return
    if not_a_switch(override, context) is not None:
        return
    if override.name == "eval":
        others = {o.name for o in context.facts.overrides if o.owner == override.owner}
        if "train" not in others and override.forwards and override.extra and not override.speaks_of_dropout:
            yield context.report(
                override.span,
                "Only `eval()` on this very module runs this: `parent.eval()` calls `train(False)` of its children.",
                fix=advice("Override `train(self, mode=True)` instead"),
            )
    elif not override.forwards and not override.recurses and override.sets:
        yield context.report(
            override.span,
            "This `train` does not pass the mode on: the modules inside stay in the mode they are in.",
            severity=Severity.ERROR,
            fix=_with_super(override),
        )
    elif _does_not_switch(override):
        yield context.report(
            override.span,
            "This `train` sets no mode: the module and those inside stay in the mode they are in.",
            severity=Severity.ERROR,
            fix=_with_super(override),
        )
    elif override.woken and not override.speaks_of_dropout:
        yield context.report(
            override.span,
            f"`eval()` calls this with False, and `{override.woken}.train()` sets train mode all the same.",
            fix=advice(f"Pass the mode on: `{override.woken}.train({override.first or 'mode'})`"),
        )
    elif (override.forwards or (override.recurses and override.sets)) and not override.returns:
        yield context.report(
            override.span,
            "This `train` does not return the module, so `eval()` and `train()` give None.",
            fix=_with_return(override, context),
        )


def _does_not_switch(override: ModeOverride) -> bool:
    """Whether a method does something else in place of a switch. One that does nothing keeps a module frozen."""
    reaches = override.forwards or override.recurses or override.sets or override.delegates
    return override.acts and override.first != "" and not reaches and not override.trains


def _with_super(override: ModeOverride) -> Fix:
    otherwise = "Call `super().train(mode)` first"
    if override.one_line or not override.first:
        return advice(otherwise)
    call = InsertBefore(override.body, f"super().train({override.first})")
    return unsafe("Call the method of the base class", call, otherwise=otherwise)


def _with_return(override: ModeOverride, context: Context) -> Fix:
    otherwise = "End in `return self`"
    if override.one_line or not override.instance or override.rebinds:
        return advice(otherwise)
    make = unsafe if context.facts.doubts.tests_result else safe
    return make("Return the module", InsertAfter(override.end, f"return {override.instance}"), otherwise=otherwise)


def check_modules(left: LeftInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report modules that an override of ``train`` or ``eval`` does not reach."""
    if left.overridden:
        text = f"`eval()` leaves modules in train mode that drop or normalise by batch, below {left.owner}"
        yield context.report(left, text)
