"""DRP502: values are dropped, and the rest is not scaled up to keep the mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.masks import is_dropout, is_intended, is_named
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.scaling import scaling_of, when_probed
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import WrapExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ProbedDropout

# fmt: off
_WHOLE = {
    "word", "words", "token", "tokens", "edge", "edges", "node", "nodes", "layer", "layers", "row", "rows",
    "column", "columns", "feature", "features", "modality", "view", "views", "input", "inputs", "mask",
    "masking", "masked", "patch", "frame", "block", "path", "channel", "unk", "span", "time", "step",
    "stochastic", "bag", "sample", "samples",
}
# fmt: on
"""Words for units that are usually dropped without scaling."""


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report unscaled masks that are applied in training only."""
    if site.kind != "product" or site.scale != "none" or site.compensated or not site.guarded:
        return
    if site.sampler == "normal" or not is_dropout(site) or is_intended(site, context):
        return
    if not site.unreached and (site.shape not in {"same", "sample"} or site.words & _WHOLE):
        return
    by_modules = bool(site.callers) and all(owner and context.is_module(owner) for owner in site.callers)
    if not (context.in_module(site.scope) or is_named(site) or by_modules):
        return
    share = f"`{site.kept}`" if site.kept else "a part"
    why = "the branch that scales is never reached" if site.unreached else "nothing scales"
    message = f"Training keeps {share} of the mean and evaluation all of it: {why}."
    yield context.report(site.span, message, fix=_fix(site))


def _fix(site: MaskSite) -> Fix | None:
    if site.unreached:
        return advice("Call it in both modes")
    divisor = site.kept if site.kept.replace(".", "").replace("_", "").isalnum() else f"({site.kept})"
    change = WrapExpression(site.use, f"{{}} / {divisor}")
    return unsafe(f"Divide by `{site.kept}`", change) if site.scalable else None


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that scales in neither mode, unless it drops whole paths or tokens."""
    if scaling_of(probed) == "unscaled" and probed.unscaled and not probed.drops_whole_parts:
        what = f"{probed.class_name} does not scale what it keeps, in training or in eval mode"
        yield context.report(probed, f"{what}, so the mean changes by {probed.rate:g}{when_probed(probed)}")
