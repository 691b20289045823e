"""DRP104: a dropout kept where nn.Module does not register it, so that eval() does not reach it."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import DropoutSite
from dropout_lint.rewrites import WrapExpression

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
    """Report dropouts in containers, class bodies, globals and defaults that a Module computes with."""
    if site.form != "module" or not site.container or site.rate.is_zero or context.intended(site):
        return
    if site.container != "global" and not (site.scope.class_name and context.in_module(site.scope)):
        return
    if site.container_span is None:
        return
    yield context.report(
        site.span,
        f"This dropout is kept in {_WHERE[site.container]}, where `nn.Module` does not register it: "
        "it stays in train mode after `model.eval()`.",
        fix=_fix(site),
    )


def _fix(site: DropoutSite) -> Fix | None:
    namespace = site.callee_text.rpartition(".")[0]
    if site.container in {"list", "tuple", "dict"} and namespace and site.container_span is not None:
        kind = "ModuleDict" if site.container == "dict" else "ModuleList"
        if not site.holds_modules_only:
            return advice(f"Register it, in an `{namespace}.{kind}` of modules only")
        wrap = WrapExpression(site.container_span, f"{namespace}.{kind}({{}})")
        return unsafe(f"Register it: `{namespace}.{kind}(...)`", wrap)
    return advice("Build it in `__init__` and bind it to `self`")
