"""DRP503: the scale belongs to another rate than the one that the mask has."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import ReplaceExpression


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report a scale by the probability to drop, and a zoneout that holds the new state back."""
    if site.kind == "zoneout":
        if site.exchanged:
            message = f"Zoneout keeps the old state with probability `{site.kept}`; here it takes the new one with it."
            yield context.report(
                site.use, message, fix=advice("Exchange the two states, in training and in evaluation")
            )
        return
    if site.scale != "complement" or site.sampler == "normal":
        return
    if not site.kept:
        yield context.report(site.use, "The values that are kept are scaled by the share of those that are dropped.")
        return
    message = f"Values are kept with probability `{site.kept}`, but scaled as if they were dropped with it."
    change = ReplaceExpression(site.rate, site.complement) if site.rate is not None else None
    fix = unsafe("Sample with the probability that the scale is for", change) if change is not None else None
    scaled = Related(context.facts.path, site.use, "the scale belongs to this product")
    yield context.report(site.span, message, fix=fix, related=(scaled,))
