"""DRP107: the bound method ``self.train`` tested as if it were a flag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.observed import SWITCHED_OFF
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import FlagUse
from dropout_lint.rewrites import Rename

if TYPE_CHECKING:
    from dropout_lint.facts.observations import SwitchedOffCall


def check(flag: FlagUse, context: Context) -> Iterator[Diagnostic]:
    """Report tests of ``train`` on the instance of a Module, or on an object that a Module's constructor made."""
    if flag.kind != "method":
        return
    if flag.receiver:
        proven = context.project.classes.is_module(context.facts, flag.receiver) is True
    else:
        proven = context.in_module(flag.scope)
    if proven:
        message = f"Test `{flag.text}.training`"
        yield context.report(
            flag.span,
            f"`{flag.text}.train` is a method, and a method is always true; the mode is `{flag.text}.training`.",
            fix=(safe if _is_sure(flag, context) else unsafe)(message, Rename(flag.span, "training")),
        )


def _is_sure(flag: FlagUse, context: Context) -> bool:
    """Whether nothing but a test gets the method, nothing replaces it, and ``training`` is the mode."""
    owner = flag.receiver or flag.scope.class_name
    if not flag.tested or "train" in context.facts.doubts.loose or context.project.usages.sets_flag(owner):
        return False
    return bool(flag.receiver) or context.is_sure_of_mode(flag.scope)


def refute_call(_call: SwitchedOffCall) -> str:
    """Refute the rule: the call ran in eval mode and dropped nothing."""
    return SWITCHED_OFF
