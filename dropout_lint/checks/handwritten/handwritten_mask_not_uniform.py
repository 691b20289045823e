"""DRP505: a mask that compares normal instead of uniform random numbers with a rate."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.masks import is_dropout
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import Rename


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report dropout masks from a normal draw."""
    if site.sampler != "normal" or site.kind == "zoneout" or not site.kept or not is_dropout(site):
        return
    message = f"Normal random numbers do not keep a share of `{site.kept}`; uniform ones do."
    fix = unsafe("Draw uniform numbers", Rename(site.span, site.uniform)) if site.uniform else None
    yield context.report(site.span, message, fix=fix)
