"""The checks, one module per rule, named as the rule's page.

A module defines one function ``check``. The annotation of its first parameter is the fact kind it reads, and its
registration; the second parameter is the Context. It yields diagnostics through ``context.report``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_type_hints

from dropout_lint.checks.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite, FlagUse, LayerGraph, MaskSite, ModeFlow, ModelClass, ModeOverride
from dropout_lint.rulebook import codes_by_name

Check = Callable[[Any, Context], Iterator[Diagnostic]]
FACT_KINDS = (DropoutSite, FlagUse, LayerGraph, MaskSite, ModeFlow, ModelClass, ModeOverride)
_NOT_CHECKS = {"context"}


class CheckError(TypeError):
    """A check module does not have the shape described above."""


@cache
def checks() -> dict[str, tuple[type, Check]]:
    """Fact kind and function of each rule, by code. Raises CheckError that names the module at fault."""
    found: dict[str, tuple[type, Check]] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name in _NOT_CHECKS or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        code = codes_by_name().get(info.name.replace("_", "-"))
        if code is None:
            raise CheckError(f"{module.__name__}: no page rules/DRPnnn-{info.name.replace('_', '-')}.md")
        function = getattr(module, "check", None)
        hints = get_type_hints(function) if function is not None else {}
        kind = next((hint for name, hint in hints.items() if name != "return"), None)
        if function is None or kind not in FACT_KINDS:
            names = ", ".join(k.__name__ for k in FACT_KINDS)
            raise CheckError(f"{module.__name__}: check(fact, context) must annotate its first parameter: {names}")
        found[code] = (kind, function)
    return dict(sorted(found.items()))
