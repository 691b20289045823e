"""DRP508: a drop-path mask that does not decide once for each sample."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.masks import is_dropout
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import MaskSite, Scope
from dropout_lint.rewrites import ReplaceExpression


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
