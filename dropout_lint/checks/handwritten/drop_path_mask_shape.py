"""DRP508: a drop-path mask that has not one value for each sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.masks import is_dropout
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.scaling import when_probed
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import MaskSite, Scope
from dropout_lint.rewrites import ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import DropoutRaised, ProbedDropout


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report masks of the tensor's own shape in drop-path, and sizes that became values in any dropout."""
    if site.kind != "product" or not is_dropout(site):
        return
    if site.shape == "vector":
        yield context.report(
            site.span, "`FloatTensor((n, 1, 1, 1))` is a vector of four numbers, not a mask of that shape."
        )
    elif site.shape == "same" and _is_drop_path(site.scope):
        shape = f"({site.data}.shape[0],) + (1,) * ({site.data}.ndim - 1)"
        change = ReplaceExpression(site.sizes, shape) if site.sizes is not None else None
        fix = unsafe("One entry for each sample", change) if change is not None else None
        yield context.report(
            site.span, "Drop-path decides once for each sample; this mask does so for each value.", fix=fix
        )


def _is_drop_path(scope: Scope) -> bool:
    name = (scope.class_name.rpartition(".")[2] + " " + scope.function.rpartition(".")[2]).lower().replace("_", "")
    return "droppath" in name or "stochasticdepth" in name


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a dropout of paths that decides within a sample."""
    if probed.splits_samples and not probed.draws_in_eval and probed.moments is None:
        text = f"{probed.class_name} drops single values or features, not whole samples of the batch"
        yield context.report(probed, text + when_probed(probed))


def check_error(seen: DropoutRaised, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a mask whose shape does not fit its input."""
    if seen.misfit == "shape":
        yield context.report(seen, f"The mask of {seen.class_name} does not fit its input: {seen.error}")
