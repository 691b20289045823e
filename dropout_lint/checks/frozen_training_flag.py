"""DRP106: a copy of ``self.training`` taken while the object is built, or a flag that nothing ever changes."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import FlagUse, ModelClass


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report captured modes, and flags named like the mode that the project never assigns again."""
    if not context.is_module(model.name):
        return
    for flag in model.flags:
        if flag.kind == "method" or context.named_intent(flag.scope):
            continue
        if flag.kind == "constant" and context.project.assigns_elsewhere(context.facts, flag.name):
            continue
        yield context.report(flag.span, _reason(flag), fix=_fix(flag))


def _reason(flag: FlagUse) -> str:
    if flag.name == "training":
        return "`self.training` is read once, while the object is built, when it is always True: `eval()` changes nothing."
    if flag.kind == "captured":
        return f"`self.{flag.name}` is a copy of `self.training` from the constructor, always True: `eval()` never updates it."
    return f"`self.{flag.name}` is set to True in the constructor and never changed, so `eval()` does not turn this off."


def _fix(flag: FlagUse) -> Fix | None:
    if flag.name == "training":
        return None
    owner = flag.scope.self_name or "self"
    return unsafe(f"Use `{owner}.training`, which `train()` and `eval()` set", Edit(flag.span, f"{owner}.training"))
