"""DRP507: a rate of 1 is admitted and makes the divisor zero."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import InsertBefore


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report a division whose divisor is 0 for a rate that the function's own check admits."""
    if site.kind != "product" or site.division is None:
        return
    message = f"The check above admits a rate of 1, where {site.kept} is zero and the result NaN."
    zeros = f"if {site.rate_parameter} == 1:\n    return {site.torch}.zeros_like({site.data})"
    entry = site.entry if site.torch else None
    fix = unsafe("Return zeros for a rate of 1", InsertBefore(entry, zeros)) if entry is not None else None
    yield context.report(site.division, message, fix=fix)
