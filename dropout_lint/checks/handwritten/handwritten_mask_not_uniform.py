"""DRP505: normal numbers compared with a rate."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.masks import edit, is_dropout
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import MaskSite


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report dropout masks from a normal draw."""
    if site.sampler != "normal" or site.kind == "zoneout" or not site.kept or not is_dropout(site):
        return
    message = f"Normal random numbers do not keep a share of `{site.kept}`; uniform ones do."
    fix = unsafe("Draw uniform numbers", edit(site.uniform)) if site.uniform is not None else None
    yield context.report(site.span, message, fix=fix)
