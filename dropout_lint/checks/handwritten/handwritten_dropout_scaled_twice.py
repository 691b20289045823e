"""DRP504: inverted dropout that evaluation scales once more."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import KeepPart


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report the factor in the branch of evaluation."""
    if (
        site.kind != "product"
        or site.scale != "right"
        or site.scaled is None
        or site.scaled_data is None
        or site.sampler == "normal"
    ):
        return
    message = f"Training already divides by `{site.kept}`, so evaluation must not multiply by it."
    scaled = Related(context.facts.path, site.use, "scaled in training here")
    fix = unsafe("Leave the tensor as it is in evaluation", KeepPart(site.scaled, site.scaled_data))
    yield context.report(site.scaled, message, fix=fix, related=(scaled,))
