"""DRP104: a dropout kept where nn.Module does not register it, so that eval() does not reach it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.edits import elements, is_construction, is_enclosed
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import DropoutSite

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
        fix=_fix(site, context),
    )


def _fix(site: DropoutSite, context: Context) -> Fix | None:
    namespace = site.callee_text.rpartition(".")[0]
    if site.container in {"list", "tuple", "dict"} and namespace and site.container_span is not None:
        kind = "ModuleDict" if site.container == "dict" else "ModuleList"
        before = context.slice(site.container_span)
        if not _holds_modules_only(before, site.container):
            return advice(f"Register it, in an `{namespace}.{kind}` of modules only")
        if not is_enclosed(before):
            before = f"({before})"
        return unsafe(
            f"Register it: `{namespace}.{kind}(...)`", Edit(site.container_span, f"{namespace}.{kind}({before})")
        )
    return advice("Build it in `__init__` and bind it to `self`")


def _holds_modules_only(display: str, container: str) -> bool:
    """Whether the container consists of constructed objects, in a dictionary under strings."""
    items = elements(display)
    if container == "dict":
        pairs = [re.fullmatch(r"""f?(?:"[^"]*"|'[^']*')\s*:\s*(.*)""", item, re.DOTALL) for item in items]
        return all(pair is not None and is_construction(pair.group(1)) for pair in pairs)
    return all(map(is_construction, items))
