"""The checks: one module a rule, named as the rule's page, in the folder of its group.

A module defines one function ``check``. The annotation of its first parameter is the fact kind it reads, and its
registration; the second parameter is the Context, or the RunContext of a ModeRun. It yields diagnostics through
``context.report``. ``support/`` has what several checks share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import FACT_KINDS
from dropout_lint.rulebook import codes_by_name

Check = Callable[[Any, Any], Iterator[Diagnostic]]
GROUPS = {
    "1": "always_on",
    "2": "mode",
    "3": "placement",
    "4": "arguments",
    "5": "handwritten",
    "6": "practice",
}
"""The folder of each hundred of codes."""


class CheckError(TypeError):
    """A check module does not have the shape described above."""


@cache
def _modules() -> dict[str, str]:
    """The module of each rule below this package, by code. Raises CheckError for one without a page in its group."""
    found: dict[str, str] = {}
    for digit, group in GROUPS.items():
        for info in pkgutil.iter_modules([str(Path(folder, group)) for folder in __path__]):
            name = info.name.replace("_", "-")
            code = codes_by_name().get(name)
            if code is None or not code.startswith(f"DRP{digit}"):
                raise CheckError(f"{__name__}.{group}.{info.name}: no page rules/DRP{digit}nn-{name}.md")
            found[code] = f"{group}.{info.name}"
    return dict(sorted(found.items()))


@cache
def _check(code: str) -> tuple[type, Check]:
    """Fact kind and function of a rule. Raises CheckError that names the module at fault."""
    module = importlib.import_module(f"{__name__}.{_modules()[code]}")
    function = getattr(module, "check", None)
    hints = get_type_hints(function) if function is not None else {}
    kind = next((hint for name, hint in hints.items() if name != "return"), None)
    if function is None or kind not in FACT_KINDS:
        names = ", ".join(k.__name__ for k in FACT_KINDS)
        raise CheckError(f"{module.__name__}: check(fact, context) must annotate its first parameter: {names}")
    return kind, function


def codes() -> frozenset[str]:
    """The rules that have a check, without importing any of them."""
    return frozenset(_modules())


def checks(enabled: Collection[str] | None = None) -> dict[str, tuple[type, Check]]:
    """Fact kind and function of each rule that is on (of all rules without ``enabled``), by code.

    Only their modules are imported. Raises CheckError that names a module without a page or a registration.
    """
    return {code: _check(code) for code in _modules() if enabled is None or code in enabled}
