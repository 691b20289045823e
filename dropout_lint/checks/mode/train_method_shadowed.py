"""DRP202: a Module whose ``train`` is something else than the switch between the modes."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOverride

_ADVICE = "Rename it, for instance to `fit`: `eval()` calls `self.train(False)`, and parents call it on their children"

_AS_SWITCH = "Write `def train(self, mode=True)`, pass the mode on to `super().train(mode)`, and return the module"


def check(override: ModeOverride, context: Context) -> Iterator[Diagnostic]:
    """Report methods that cannot take a mode, or that train, and attributes of that name."""
    if override.owner and not context.is_module(override.owner):
        return
    if override.kind == "attribute" and context.facts.is_test:
        return  # a mock
    same = [
        o
        for o in context.facts.overrides
        if (o.owner, o.name, o.kind) == (override.owner, override.name, override.kind)
    ]
    if override is not same[-1]:
        return  # an overload: the last definition is the one that there is
    if override.kind == "attribute":
        reason = "an attribute of the instance hides the method"
    elif override.kind == "property":
        reason = "a property hides the method"
    elif override.name == "train" and (override.required > 1 or (not override.first and not override.keywords)):
        reason = "it does not take a mode as its only argument"
    elif override.name == "train" and override.trains and not (override.forwards and not override.backward):
        reason = "it trains"
    elif override.name == "train" and override.required == 1 and override.first not in _MODES and not override.forwards:
        reason = "it does not take a mode as its only argument"
    else:
        return
    evals = any(o.owner == override.owner and o.name == "eval" for o in context.facts.overrides)
    effect = "`train(mode)` and `eval()` of a module that holds it do not work" if evals else "`eval()` does not work"
    yield context.report(
        override.span,
        f"`{override.name}` of this Module is not the switch between the modes: {reason}, so {effect}.",
        fix=advice(_AS_SWITCH if override.forwards and not override.trains else _ADVICE),
    )


_MODES = {"mode", "training", "is_training", "train", "flag", "on", "is_train", "train_mode", "value", "enable"}
