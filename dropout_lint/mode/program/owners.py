"""Describe what the methods of a module do with its parts, and with their modes and gradients."""

from __future__ import annotations

from dropout_lint.facts import FileFacts, ModeFlow, OwnerClass, Step, Term
from dropout_lint.mode.libraries.frameworks import MANAGED_BASES
from dropout_lint.mode.program.gradless import without_gradients
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import attribute_called, operands, targets, terms, within
from dropout_lint.mode.program.values import Thing
from dropout_lint.vocabulary import FREEZES

_ENTRIES = ("forward", "training_step")
_ZIP = Term("name", "zip")
_FALSE = Term("constant", "bool", constant=False)
_WEIGHTS = {"parameters", "named_parameters", "buffers", "state_dict", "values"}


def owner_class(machine: Machine, instance: Thing) -> OwnerClass | None:
    """The class of a module; None for one of a library."""
    home = instance.home
    if home is None:
        return None
    known = machine.definitions.owners
    key = (home.path, instance.name)
    if key not in known:
        known[key] = _described(machine, instance, home)
    return known[key]


def _described(machine: Machine, instance: Thing, home: FileFacts) -> OwnerClass:
    lineage = machine.definitions.lineage(home, instance.name)
    methods = [(current, known.name, method) for current, known in lineage for method in sorted(known.methods)]
    setting = {method for current, name, method in methods if _sets_mode(machine, current, f"{name}.{method}", method)}
    freezing = {method for method in setting if FREEZES.search(method)}
    found = (machine.definitions.flow(current, f"{name}.{method}") for current, name, method in methods)
    flows = [flow for flow in found if flow is not None]
    return OwnerClass(
        all(
            base == "torch.nn.Module" or machine.project.names.find(current, base) is not None
            for current, known in lineage
            for base in known.bases
        ),
        bool(setting - freezing - {"__init__"}) or any(map(_replaces_switch, flows)),
        bool(freezing),
        frozenset(used for entry in _ENTRIES for used in _used(machine, home, instance.name, entry, set())),
        next((base for _, known in lineage for base in known.bases if base in MANAGED_BASES), ""),
        without_gradients(machine.definitions, home, instance.name),
        any(_thaws(flow.steps) for flow in flows if not flow.name.endswith("__init__")),
        any(map(_blends, flows)),
    )


def _replaces_switch(flow: ModeFlow) -> bool:
    """Whether a method gives a part another ``train()``: ``self.backbone.train = disabled_train``."""
    return any(t.kind == "attribute" and t.text in {"train", "eval"} for t in targets(flow.steps))


def _thaws(steps: tuple[Step, ...]) -> bool:
    """Whether statements may switch gradients of parameters on."""
    return any(
        (any(t.kind == "attribute" and t.text == "requires_grad" for t in step.targets) and step.value != _FALSE)
        or any(_is_switched_on(t) for one in operands(step) for t in within(one))
        or any(_thaws(arm) for arm in step.arms)
        for step in steps
    )


def _is_switched_on(term: Term) -> bool:
    """``model.requires_grad_()``."""
    called = term.parts[0] if term.kind == "call" else term
    if called is term or called.text != "requires_grad_":
        return False
    given = (*term.parts[1:], *(value for _, value in term.keywords))
    return given[:1] != (_FALSE,)


def _blends(flow: ModeFlow) -> bool:
    """Whether a function walks through the parameters of several models at once, to average or copy weights."""
    calls = [t for t in terms(flow.steps) if t.kind == "call" and t.parts[0] == _ZIP]
    return any(t.text in _WEIGHTS for call in calls for t in within(call))


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
