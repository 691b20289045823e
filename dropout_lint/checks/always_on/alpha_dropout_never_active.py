"""DRP108: an alpha dropout that never drops, because its ``training`` defaults to False."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AddArgument, ReplaceExpression
from dropout_lint.torch_api.signatures import NEVER_ACTIVE_BY_DEFAULT


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report alpha dropouts in methods of a Module without ``training``, or with a literal False."""
    if site.form != "functional" or site.api not in NEVER_ACTIVE_BY_DEFAULT or site.use == "discarded":
        return
    if site.mode not in {"absent", "false"} or site.guarded or site.unpacked or site.rate.is_zero:
        return
    if not site.scope.class_name or not context.in_module(site.scope):
        return
    owner = site.scope.self_name
    training = site.argument("training")
    told = "is told `training=False`" if training else "has `training=False` by default, unlike `F.dropout`"
    yield context.report(
        site.span,
        f"`{site.callee_text}` {told}, so it never drops anything.",
        fix=_fix(site, owner) if owner and site.arguments else None,
    )


def _fix(site: DropoutSite, owner: str) -> Fix | None:
    training = site.argument("training")
    mode = f"{owner}.training"
    if training is not None and not training.span.within(site.span):
        return None
    change = AddArgument(site.span, "training", mode) if training is None else ReplaceExpression(training.span, mode)
    return unsafe(f"Follow the mode: `training={mode}`", change)
