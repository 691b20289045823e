"""DRP104: a dropout kept where nn.Module does not register it, so that eval() does not reach it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.observed import ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import WrapExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ContainedDropout, EvalDraw

_WHERE = {
    "list": "a Python list",
    "tuple": "a tuple",
    "dict": "a dict",
    "set": "a set",
    "class": "a class attribute",
    "global": "a module-level variable",
    "default": "a parameter's default",
}


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts in containers, class bodies, globals and defaults that a Module computes with.

    The same for modules of the project that have a dropout inside.
    """
    if site.form not in {"module", "member"} or not site.container or site.container_span is None:
        return
    if site.rate.is_zero or context.intended(site):
        return
    owner = site.container_reader or site.scope.class_name
    if not owner or not context.is_module(owner):
        return
    if site.form == "member" and not _drops(site, context):
        return
    what = "This dropout" if site.form == "module" else f"`{site.callee_text}` makes a module with a dropout, which"
    yield context.report(
        site.span,
        f"{what} is kept in {_WHERE[site.container]}, where `nn.Module` does not register it: "
        "it stays in train mode after `model.eval()`.",
        fix=_fix(site),
    )


def _drops(site: DropoutSite, context: Context) -> bool:
    """Whether a class or function of the project makes a module with a dropout, for these arguments."""
    holds = context.project.contents.holds_dropout(context.facts, site.api)
    return holds == "yes" or (holds == "if passed" and any("drop" in a.text.lower() for a in site.arguments))


def _fix(site: DropoutSite) -> Fix | None:
    namespace = site.callee_text.rpartition(".")[0] if site.form == "module" else ""
    if site.container in {"list", "tuple", "dict"} and namespace and site.container_span is not None:
        kind = "ModuleDict" if site.container == "dict" else "ModuleList"
        if not site.holds_modules_only:
            return advice(f"Register it, in an `{namespace}.{kind}` of modules only")
        wrap = WrapExpression(site.container_span, f"{namespace}.{kind}({{}})")
        return unsafe(f"Register it: `{namespace}.{kind}(...)`", wrap)
    if site.container in {"list", "tuple", "dict"}:
        return advice(f"Register it, in an `nn.{'ModuleDict' if site.container == 'dict' else 'ModuleList'}`")
    return advice("Build it in `__init__` and bind it to `self`")


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that drew in eval mode and that only a global or a closure keeps."""
    if draw.home == "unregistered":
        text = f"{draw.class_name} is not registered in the model, so `eval()` does not reach it"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))


def check_container(dropout: ContainedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a dropout in a list, a dict or a class body that the forward pass calls."""
    text = f"{dropout.class_name} is held in a plain container, so `eval()` does not reach it"
    yield context.report(dropout, text)
