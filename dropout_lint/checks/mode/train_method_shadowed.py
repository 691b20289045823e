"""DRP202: a Module whose ``train`` or ``eval`` no longer sets the mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.mode_switch import not_a_switch
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOverride

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ModeNotSet

_ADVICE = "Rename it, for instance to `fit`: `eval()` calls `self.train(False)`, and parents call it on their children"

_AS_SWITCH = "Write `def train(self, mode=True)`, pass the mode on to `super().train(mode)`, and return the module"


def check(override: ModeOverride, context: Context) -> Iterator[Diagnostic]:
    """Report methods that cannot take a mode, or that train, and attributes of that name."""
    reason = not_a_switch(override, context)
    if reason is None:
        return
    evals = any(o.owner == override.owner and o.name == "eval" for o in context.facts.overrides)
    effect = "`train(mode)` and `eval()` of a module that holds it do not work" if evals else "`eval()` does not work"
    yield context.report(
        override.span,
        f"`{override.name}` of this Module is not the switch between the modes: {reason}, so {effect}.",
        fix=advice(_AS_SWITCH if override.forwards and not override.trains else _ADVICE),
    )


def check_switch(switch: ModeNotSet, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a ``train`` or ``eval`` that raised, or that left the model in the other mode."""
    if switch.error:
        text = f"`{switch.method}()` raised {switch.error}, so the model cannot be put in that mode"
    else:
        text = f"After `{switch.method}()` the model is in the other mode: its own `train` sets none"
    yield context.report(switch, text)
