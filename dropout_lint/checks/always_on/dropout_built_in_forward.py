"""DRP103: a dropout module that is constructed at each call, and so is always in train mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, safe, unsafe
from dropout_lint.checks.support.observed import ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix, Rewrite
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import AddArgument, RemoveStatement, ReplaceExpression
from dropout_lint.torch_api.signatures import FUNCTIONAL_OF_MODULE

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvalDraw

_OTHERWISE = "Build it once, in `__init__`"


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report constructors in methods of a Module whose result is called there."""
    if site.form != "module" or not site.applied or site.guarded or context.intended(site):
        return
    if site.scope.constructs or site.rate.is_zero or site.rate.gated or site.rate.from_caller:
        return
    if not site.scope.class_name:
        if not context.called_by_modules(site.scope):
            return
    elif not context.in_module(site.scope):
        return
    kind = site.api.rpartition(".")[2]
    yield context.report(
        site.span,
        f"This `{kind}` is new at every call, so it is always in train mode: `model.eval()` never reaches it.",
        fix=_fix(site, context),
    )


def _fix(site: DropoutSite, context: Context) -> Fix | None:
    owner = site.scope.self_name
    if not owner or site.unpacked or not all(call.plain for call in site.applied):
        return None
    at_once = site.applied[0].callee == site.span
    if not at_once and site.binding is None:
        return None
    if site.settled == "no":
        return advice(_OTHERWISE)
    alias = site.functional_alias or "F"
    function = f"{alias}.{FUNCTIONAL_OF_MODULE[site.api]}"
    rewrites: list[Rewrite] = [] if site.binding is None else [RemoveStatement(site.binding)]
    for call in site.applied:
        rewrites.append(ReplaceExpression(call.callee, function))
        rewrites += [AddArgument(call.span, name, value) for name, value in _passed(site, owner)]
    imports = () if site.functional_alias else ("import torch.nn.functional as F",)
    make = safe if site.settled == "proven" and context.is_sure_of_mode(site.scope) else unsafe
    return make(f"Use `{function}(..., training={owner}.training)`", *rewrites, imports=imports, otherwise=_OTHERWISE)


def _passed(site: DropoutSite, owner: str) -> Iterator[tuple[str, str]]:
    """The arguments of the functional call: those of the constructor, and the mode.

    Alpha modules ignore ``inplace``, but their functions do not, so it is left out.
    """
    for argument in site.arguments:
        if argument.name == "p":
            yield "p" if argument.keyword else "", argument.text
    yield "training", f"{owner}.training"
    for argument in site.arguments:
        if argument.name == "inplace" and "Alpha" not in site.api:
            yield "inplace", argument.text


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that drew in eval mode and that each forward pass builds anew."""
    if draw.home == "temporary":
        text = f"{draw.class_name} is built anew in each forward pass, always in train mode"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))
