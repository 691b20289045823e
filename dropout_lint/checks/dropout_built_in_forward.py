"""DRP103: a dropout module that is constructed where it is applied, and so is always in train mode."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context, safe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import AppliedCall, DropoutSite
from dropout_lint.torch_facts import FUNCTIONAL_OF_MODULE


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report constructors in methods of a Module whose result is called there."""
    if site.form != "module" or not site.applied or site.guarded or context.intended(site):
        return
    if site.scope.constructs or site.rate.is_zero or site.rate.gated:
        return
    if not site.scope.class_name:
        callers = context.facts.calls.get(site.scope.function, ())
        if not callers or not all(caller and context.is_module(caller) for caller in callers):
            return
    elif not context.in_module(site.scope):
        return
    kind = site.api.rpartition(".")[2]
    yield context.report(
        site.span,
        f"This `{kind}` is new at every call, so it is always in train mode: `model.eval()` never reaches it.",
        fix=_fix(site, context, kind),
    )


def _fix(site: DropoutSite, context: Context, kind: str) -> Fix | None:
    owner = site.scope.self_name
    if not owner or site.unpacked or not all(call.plain for call in site.applied):
        return None
    at_once = len(site.applied) == 1 and site.applied[0].span.line == site.span.line and _same_start(site)
    if not at_once and site.binding is None:
        return None
    alias = site.functional_alias or "F"
    imports = () if site.functional_alias else ("import torch.nn.functional as F",)
    edits = [Edit(call.span, _call(site, call, alias, owner)) for call in site.applied]
    if not at_once and site.binding is not None:
        if "#" in context.slice(site.binding):
            return None
        edits.insert(0, Edit(site.binding, ""))
    function = FUNCTIONAL_OF_MODULE[site.api]
    return safe(f"Use `{alias}.{function}(..., training={owner}.training)`", *edits, imports=imports)


def _same_start(site: DropoutSite) -> bool:
    return site.applied[0].span.column == site.span.column


def _call(site: DropoutSite, call: AppliedCall, alias: str, owner: str) -> str:
    """The functional form; a preserved ``inplace`` is dropped, since it only saves memory and can break backward."""
    passed = [f"{a.name}={a.text}" if a.keyword else a.text for a in site.arguments if a.name != "inplace" and a.name]
    arguments = ", ".join([call.input_text, *passed, f"training={owner}.training"])
    return f"{alias}.{FUNCTIONAL_OF_MODULE[site.api]}({arguments})"
