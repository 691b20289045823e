"""Whether an override of ``train`` or ``eval`` in a Module can still set the mode."""

from __future__ import annotations

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import ModeOverride
from dropout_lint.vocabulary import MODE_PARAMETERS


def not_a_switch(override: ModeOverride, context: Context) -> str | None:
    """Why an override of ``train`` or ``eval`` cannot set the mode, as part of a sentence; None if it can."""
    if override.owner and not context.is_module(override.owner):
        return None
    if override.kind == "attribute" and context.facts.is_test:
        return None  # a mock
    same = [
        o
        for o in context.facts.overrides
        if (o.owner, o.name, o.kind) == (override.owner, override.name, override.kind)
    ]
    if override is not same[-1]:
        return None  # an overload: the last definition is the one that there is
    if override.kind == "attribute":
        return "an attribute of the instance hides the method"
    if override.kind == "property":
        return "a property hides the method"
    if override.name != "train":
        return None
    takes_no_mode = override.required > 1 or (not override.first and not override.keywords)
    if not takes_no_mode and override.trains and not (override.forwards and not override.backward):
        return "it trains"
    if takes_no_mode or (override.required == 1 and override.first not in MODE_PARAMETERS and not override.forwards):
        return "it does not take a mode as its only argument"
    return None
