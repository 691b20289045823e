"""The checks: one module a rule, named as the rule's page, in the folder of its group.

The annotation of a function's first parameter is the fact kind that it reads, and its registration:

- ``check(fact, context)`` reads a fact about the source or a layer graph; its context is a Context, and
  a RunContext for a ModeRun.
- ``weigh(site, context)`` reads an EvaluationSite, whose evidence may be enough for a finding. Its context is a
  Context.
- ``check_...(fact, context)`` reads what a run showed, one function for each kind (``facts/observations.py``). Its
  context is an ObservedContext; for a RunSite it is a Context.
- ``refute...(fact)`` returns why a run that shows this proves the rule wrong at that line.

Checks yield diagnostics through ``context.report``. ``support/`` has what several of them share.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import FACT_KINDS
from dropout_lint.rulebook import codes_by_name, rules

Check = Callable[[Any, Any], Iterator[Diagnostic]]
Refute = Callable[[Any], str]
GROUPS = {
    "1": "always_on",
    "2": "mode",
    "3": "placement",
    "4": "arguments",
    "5": "handwritten",
    "6": "practice",
}
"""The folder of each hundred of codes."""


WEIGHS = ("DRP206",)
"""The rules that weigh evidence, so that no other module is imported to look for them."""


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
    """Fact kind and ``check`` of a rule. Raises CheckError that names the module at fault."""
    module = importlib.import_module(f"{__name__}.{_modules()[code]}")
    function = getattr(module, "check", None)
    hints = get_type_hints(function) if function is not None else {}
    kind = next((hint for name, hint in hints.items() if name != "return"), None)
    if function is None or kind not in FACT_KINDS:
        names = ", ".join(k.__name__ for k in FACT_KINDS)
        raise CheckError(f"{module.__name__}: check(fact, context) must annotate its first parameter: {names}")
    return kind, function


@cache
def codes() -> frozenset[str]:
    """The codes of the rules with a check that reads facts about the source. No check is imported."""
    return frozenset(code for code in _modules() if not rules()[code].engines)


def checks(enabled: Collection[str] | None = None) -> dict[str, tuple[type, Check]]:
    """By code, the fact kind and the ``check`` of each rule about the source in ``enabled``; of all if that is None.

    Only their modules are imported. Raises CheckError that names a module without a page or a registration.
    """
    return {code: _check(code) for code in _modules() if code in codes() and (enabled is None or code in enabled)}


def weighing(enabled: Collection[str]) -> dict[str, Check]:
    """By code, the function ``weigh`` of each rule in ``enabled`` that weighs the evidence of evaluations."""
    named = {code: _modules()[code] for code in WEIGHS if code in enabled}
    return {code: importlib.import_module(f"{__name__}.{name}").weigh for code, name in named.items()}


def checks_of(kind: type, enabled: Collection[str] | None = None) -> dict[str, Check]:
    """The checks that read one kind of observation, by code; all modules are imported. Raises CheckError."""
    return {code: check for code, check in _run_functions("check_", kind).items() if enabled is None or code in enabled}


def refuting(kind: type) -> dict[str, Refute]:
    """The functions that let one kind of observation refute a rule, by code. Raises CheckError."""
    return _run_functions("refute", kind)


@cache
def _run_functions(prefix: str, kind: type) -> dict[str, Callable[..., Any]]:
    """The function of each rule whose name has the prefix and that reads ``kind``."""
    found = {}
    for code, name in _modules().items():
        module = importlib.import_module(f"{__name__}.{name}")
        for function in vars(module).values():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and function.__name__.startswith(prefix) and _reads(function) == kind.__name__:
                found[code] = function
    return found


def _reads(function: Callable[..., Any]) -> str:
    """The annotation of the first parameter. Raises CheckError if that is no kind of observation."""
    from dropout_lint.facts import observations

    name = str(next(iter(function.__annotations__.values()), ""))
    kind = getattr(observations, name, None)
    if not isinstance(kind, type) or not issubclass(kind, observations.Observation):
        raise CheckError(f"{function.__module__}.{function.__name__}: its first parameter must be an observation")
    return name
