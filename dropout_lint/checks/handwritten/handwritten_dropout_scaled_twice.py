"""DRP504: inverted dropout that evaluation scales once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.scaling import scaling_of, when_probed
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import KeepPart

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ProbedDropout


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report the factor in the branch for evaluation."""
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


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that scales up in training and down in eval mode."""
    if scaling_of(probed) == "scaled twice":
        text = f"{probed.class_name} scales by 1 / (1 - p) in training and by 1 - p in eval mode"
        yield context.report(probed, text + when_probed(probed))
