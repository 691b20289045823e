"""DRP501: a hand-written mask that is applied in evaluation too."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, insertion, unsafe
from dropout_lint.checks.support.masks import deliberate, edit, is_dropout, is_named
from dropout_lint.diagnostic import Diagnostic, Edit, Fix, Related, Span
from dropout_lint.facts import MaskSite


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report masks that a ``forward`` reaches without any test of the mode; in a helper, the call."""
    if site.guarded or not site.reached or not is_dropout(site) or deliberate(site, context):
        return
    if site.kind == "mask" or (site.kind == "index" and site.scale not in {"right", "complement"}):
        return
    if site.scale not in {"right", "complement"} and not is_named(site):
        return
    if site.scope.class_name:
        if context.in_module(site.scope):
            message = "This mask is drawn whatever the mode, so that evaluation is random too."
            yield context.report(site.span, message, fix=_fix(site, context))
        return
    for call, owner in zip(site.calls, site.callers, strict=True):
        if owner and context.is_module(owner):
            message = f"`{site.scope.function}` drops at random and this call does not ask for the mode."
            mask = Related(context.facts.path, site.span, "the mask is drawn here")
            yield context.report(call, message, fix=advice("Call it only `if self.training`"), related=(mask,))


def _fix(site: MaskSite, context: Context) -> Fix | None:
    if not site.scope.self_name or site.kind == "zoneout":
        return None
    if site.early is not None:
        return unsafe("Return the tensor unchanged unless training", edit(site.early))
    return unsafe("Apply the mask only in training", *_wrapped(site, context)) if site.wrap is not None else None


def _wrapped(site: MaskSite, context: Context) -> tuple[Edit, ...]:
    assert site.wrap is not None
    first, last = site.wrap.line, site.wrap.end_line
    indent = context.slice(Span(first, 1, first, site.wrap.column))
    unit = "\t" if indent.startswith("\t") else "    "
    head = insertion(first, 1, f"{indent}if {site.scope.self_name}.training:\n{unit}")
    return (head, *(insertion(line, 1, unit) for line in range(first + 1, last + 1)))
