"""DRP405: a dropout written with a rate of zero."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import ReplaceExpression


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report modules and functional calls with a literal zero as their rate."""
    if site.form not in {"module", "functional"} or context.facts.is_test:
        return
    argument = site.argument(site.rate_argument)
    if argument is None or argument.text not in {"0", "0.0", "0.", ".0"}:
        return
    namespace = site.callee_text.rpartition(".")[0]
    fix = None
    rate_is_read = f"{site.attribute}.p" in context.facts.setting_reads
    if site.form == "module" and namespace and not rate_is_read:
        fix = unsafe(f"Use `{namespace}.Identity()`", ReplaceExpression(site.span, f"{namespace}.Identity()"))
    yield context.report(
        site.span, "A rate of 0 drops nothing; this is an identity with the name of a dropout.", fix=fix
    )
