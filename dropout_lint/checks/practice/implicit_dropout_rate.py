"""DRP606: a dropout whose rate is left to torch's default."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, safe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AddArgument

DEFAULT_RATE = "0.5"
"""The default of every dropout module and functional: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html"""


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report modules and functional calls that pass no rate, and whose default is 0.5."""
    if site.form not in {"module", "functional"} or site.unpacked or site.argument(site.rate_argument) is not None:
        return
    if site.rate.number != float(DEFAULT_RATE):
        return
    yield context.report(
        site.callee,
        f"`{site.callee_text}` without a rate drops {DEFAULT_RATE}; write the rate that is meant.",
        fix=safe(f"Write `p={DEFAULT_RATE}`", AddArgument(site.span, "p", DEFAULT_RATE)),
    )
