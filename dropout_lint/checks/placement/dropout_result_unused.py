"""DRP313: the result of a dropout is thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AssignResult


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report statements that only call a dropout, and results that nothing reads before they are rebound or lost."""
    if site.form not in {"functional", "application"} or site.use not in {"discarded", "overwritten", "unread"}:
        return
    in_place = site.inplace.number != 0.0 or site.api.endswith("_")
    if in_place or site.statement is None:
        return
    if site.use != "discarded":
        why = "is bound again before anything reads it" if site.use == "overwritten" else "is never read"
        yield context.report(site.span, f"`{site.statement_target}` {why}, so this dropout has no effect.")
        return
    target = site.statement_target
    fix = unsafe(f"Keep the result: `{target} = ...`", AssignResult(site.statement, target)) if target else None
    yield context.report(
        site.span,
        f"`{site.callee_text}` returns the dropped tensor and this line throws it away: nothing is dropped.",
        fix=fix,
    )
