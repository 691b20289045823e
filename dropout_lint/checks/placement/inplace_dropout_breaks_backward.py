"""DRP316: an in-place dropout on a tensor that the activation before it needs for its gradient."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, safe, unsafe
from dropout_lint.checks.support.layers_seen import layer_is_seen
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import RemoveArgument
from dropout_lint.torch_api.signatures import INPLACE_ACTIVATIONS, SAVES_ITS_OUTPUT


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report ``inplace=True`` right after an activation whose backward pass reads its own output."""
    if site.form not in {"module", "functional", "application"} or site.inplace.number != 1.0:
        return
    saves = site.input_api in SAVES_ITS_OUTPUT or (site.input_inplace and site.input_api in INPLACE_ACTIVATIONS)
    if not saves or site.rate.is_zero or "Alpha" in site.api or context.facts.is_test:
        return
    activation = site.input_api.rpartition(".")[2]
    when = "" if site.rate.number else "with any rate above 0, "
    yield context.report(
        site.constructor or site.span,
        f"`{activation}` needs its output for the gradient and this dropout overwrites it: {when}`backward()` raises.",
        fix=_fix(site, context),
    )


def _fix(site: DropoutSite, context: Context) -> Fix | None:
    same = [
        s for s in context.facts.sites if s is site or (s.constructor is not None and s.constructor == site.constructor)
    ]
    if any(s.use == "discarded" for s in same):
        return advice("Assign the result, then remove `inplace=True`")
    if site.inplace_argument is None:
        return None
    sure = all(s.input_owned for s in same) and not layer_is_seen(site, context)
    make = safe if sure else unsafe
    return make("Remove `inplace=True`", RemoveArgument(site.inplace_argument))
