"""DRP103: a dropout module that is constructed where it is applied, and so is always in train mode."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, safe
from dropout_lint.checks.support.edits import add_argument, code_only
from dropout_lint.checks.support.observed import ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Edit, Fix, Span
from dropout_lint.facts import AppliedCall, DropoutSite
from dropout_lint.torch_api.signatures import FUNCTIONAL_OF_MODULE

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvalDraw


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report constructors in methods of a Module whose result is called there."""
    if site.form != "module" or not site.applied or site.guarded or context.intended(site):
        return
    if site.scope.constructs or site.rate.is_zero or site.rate.gated or site.rate.from_caller:
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
        fix=_fix(site, context),
    )


def _fix(site: DropoutSite, context: Context) -> Fix | None:
    owner = site.scope.self_name
    if not owner or site.unpacked or not all(call.plain for call in site.applied):
        return None
    binding = None if len(site.applied) == 1 and _starts_alike(site.applied[0].span, site.span) else site.binding
    at_once = binding is None
    if at_once and not _starts_alike(site.applied[0].span, site.span):
        return None
    if "#" in context.slice(binding or site.span) or (binding is not None and not _may_move(site, binding, context)):
        return advice("Build it once, in `__init__`")
    alias = site.functional_alias or "F"
    function = f"{alias}.{FUNCTIONAL_OF_MODULE[site.api]}"
    edits = [] if binding is None else [Edit(binding, "")]
    for call in site.applied:
        callee = site.span if at_once else _name(call, context)
        edits += [Edit(callee, function), add_argument(context, call.span, _passed(site, owner))]
    imports = () if site.functional_alias else ("import torch.nn.functional as F",)
    return safe(f"Use `{function}(..., training={owner}.training)`", *edits, imports=imports)


def _starts_alike(first: Span, second: Span) -> bool:
    return (first.line, first.column) == (second.line, second.column)


def _name(call: AppliedCall, context: Context) -> Span:
    """The name that a call begins with."""
    start = call.span
    found = re.match(r"\w+", context.slice(start))
    return Span(start.line, start.column, start.line, start.column + (found.end() if found else 0))


def _passed(site: DropoutSite, owner: str) -> str:
    """The constructor's arguments, and the mode; alpha modules, unlike their functions, ignore ``inplace``."""
    rate = [f"{a.name}={a.text}" if a.keyword else a.text for a in site.arguments if a.name == "p"]
    inplace = [f"inplace={a.text}" for a in site.arguments if a.name == "inplace" and "Alpha" not in site.api]
    return ", ".join([*rate, f"training={owner}.training", *inplace])


def _may_move(site: DropoutSite, binding: Span, context: Context) -> bool:
    """Whether the arguments mean the same where the module is called as where it was built."""
    arguments = code_only(" ".join(argument.text for argument in site.arguments))
    line = context.line(site.span.line)
    indent = len(line) - len(line.lstrip())
    block = itertools.takewhile(
        lambda below: not below.strip() or len(below) - len(below.lstrip()) >= indent,
        context.text[context.offset(binding.end_line, binding.end_column) :].splitlines(keepends=True),
    )
    below = code_only("".join(block))
    changed = set(re.findall(r"(\w+)\s*(?:[-+*/%@&|^:]|//|\*\*|<<|>>)?=(?!=)", below))
    changed |= {
        name for target in re.findall(r"\b(?:for|as|del)\b([^:\r\n]*)", below) for name in re.findall(r"\w+", target)
    }
    changed |= {
        name
        for target in re.findall(r"(?m)^\s*([\w.,\s*]+,[\w.,\s*]*)=(?!=)", below)
        for name in re.findall(r"\w+", target)
    }
    names = set(re.findall(r"[^\W\d]\w*", f"{arguments} {line[indent : site.span.column - 1]}"))
    return "(" not in arguments and not names & changed


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that drew in eval mode and that another forward pass does not meet again."""
    if draw.home == "temporary":
        text = f"{draw.class_name} is built anew in each forward pass, always in train mode"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))
