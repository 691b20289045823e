"""DRP503: the scale does not match the rate of the mask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.masks import is_dropout, is_intended, is_named
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.scaling import counted, scaling_of, when_probed
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import AutocastScale, ProbedDropout

_HALF_SCALE = 1e-2


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report a scale by the probability to drop, and an inverted zoneout or layer drop."""
    if site.kind == "zoneout":
        if site.exchanged:
            message = f"Zoneout keeps the old state with probability `{site.kept}`; here it takes the new one with it."
            yield context.report(
                site.use, message, fix=advice("Exchange the two states, in training and in evaluation")
            )
        return
    if site.kind == "skip":
        if site.exchanged and is_dropout(site) and is_named(site) and not is_intended(site, context):
            yield context.report(site.use, _inverted(site), fix=advice("Turn the comparison round"))
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


def _inverted(site: MaskSite) -> str:
    if site.rate_polarity == "keep":
        return f"This skips the layer with probability `{site.kept}`, which is the probability to keep it."
    return f"This skips the layer with probability 1 - `{site.kept}`, and `{site.kept}` is the probability to skip it."


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module whose scale does not fit its rate, and an alpha dropout that does not keep the moments."""
    name, p, scaling = probed.class_name, probed.rate, scaling_of(probed)
    if not probed.draws_in_eval and probed.moments is not None:
        mean, variance, units = probed.moments.mean, probed.moments.variance, probed.moments.units
        if max(abs(mean), abs(variance - 1) / 3) > 7 / math.sqrt(units):
            yield context.report(probed, f"{name} turns mean 0 and variance 1 into {mean:.3f} and {variance:.3f}")
        return
    if scaling == "keeps the dropped":
        text = f"{name} keeps where it should drop: it {counted(probed)}, and divides by 1 - p"
    elif scaling == "scaled for the configured rate":
        text = f"{name} {counted(probed)}, but what it keeps is divided by 1 - {p:g}"
    elif scaling == "scaled wrongly" and probed.mask is not None:
        wanted = f"{1 / (1 - p):.4f} at a rate of {p:g}"
        text = f"{name} scales what it keeps by {probed.mask.scale:.4f}, which is {wanted}"
    else:
        return
    yield context.report(probed, text + when_probed(probed))


def check_autocast(seen: AutocastScale, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a scale that half precision changes by more than rounding."""
    wanted = 1 / (1 - seen.rate)
    if abs(seen.scale / wanted - 1) > _HALF_SCALE:
        what = f"{seen.class_name} scales by {seen.scale:.4f} under autocast to {seen.dtype}"
        yield context.report(seen, f"{what}, not by {wanted:.4f}")
