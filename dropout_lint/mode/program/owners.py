"""Describe what the methods of a module do to the modes of its parts."""

from __future__ import annotations

from dropout_lint.facts import FileFacts, ModeFlow, OwnerClass
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import attribute_called, terms
from dropout_lint.mode.program.values import Thing
from dropout_lint.vocabulary import FREEZES


def owner_class(machine: Machine, instance: Thing) -> OwnerClass | None:
    """The class of a module; None for one of a library."""
    home = instance.home
    if home is None:
        return None
    lineage = machine.definitions.lineage(home, instance.name)
    methods = [(current, known.name, method) for current, known in lineage for method in known.methods]
    setting = {method for current, name, method in methods if _sets_mode(machine, current, f"{name}.{method}", method)}
    freezing = {method for method in setting if FREEZES.search(method)}
    return OwnerClass(
        all(
            base == "torch.nn.Module" or machine.project.names.find(current, base) is not None
            for current, known in lineage
            for base in known.bases
        ),
        bool(setting - freezing - {"__init__"}),
        bool(freezing),
        frozenset(_used(machine, home, instance.name, "forward", set())),
    )


def _sets_mode(machine: Machine, home: FileFacts, name: str, method: str) -> bool:
    flow = machine.definitions.flow(home, name)
    return method in {"train", "eval"} or (flow is not None and _mentions_mode(flow))


def _mentions_mode(flow: ModeFlow) -> bool:
    return flow.sets_flag or any(t.kind == "attribute" and t.text in {"train", "eval"} for t in terms(flow.steps))


def _used(machine: Machine, home: FileFacts, name: str, method: str, seen: set[str]) -> set[str]:
    """The attributes that a method calls, also through other methods of the class."""
    found = machine.definitions.method(home, name, method) if method not in seen else None
    if found is None or not found[1].parameters:
        return set()
    seen.add(method)
    called = {attribute_called(t, found[1].parameters[0]) for t in terms(found[1].steps)} - {""}
    for one in sorted(called):
        called |= _used(machine, home, name, one, seen)
    return called
