"""Switch the gradients of parameters off and on, as ``p.requires_grad = False`` in a loop over all of them does."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.facts import Location
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.program.contents import things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import UNKNOWN, Constant, Frame, Parameters, Thing, Value

_ITERATORS = {"parameters", "named_parameters"}


def parameters_of(machine: Machine, model: Thing, method: str) -> Parameters | None:
    """What ``model.parameters()`` gives; None for other methods."""
    if method not in _ITERATORS:
        return None
    return Parameters((model,), machine.branches, named=method.startswith("named"))


def chained(machine: Machine, given: Iterable[Value]) -> Parameters | None:
    """What ``itertools.chain`` makes of the parameters of several models."""
    found = [one for one in given if isinstance(one, Parameters) and not one.named]
    return Parameters(tuple(model for one in found for model in one.models), machine.branches) if found else None


def set_gradients(machine: Machine, target: Value, value: Value | None, frame: Frame, place: Location) -> None:
    """``target.requires_grad = value``.

    Where a branch in the loop chooses one parameter, the others stay as they are.
    """
    off = value == Constant(False)
    if isinstance(target, (Thing, Parameters)):
        if isinstance(target, Parameters) and off and machine.branches > target.branches + 1:
            return
        for model in target.models if isinstance(target, Parameters) else (target,):
            machine.record("freeze" if off else "thaw", model, place, frame)
    elif not off:
        machine.record("thaw", None, place, frame)


def call_of_parameters(
    machine: Machine, base: Parameters, name: str, arguments: Arguments, frame: Frame, place: Location
) -> Value:
    """``p.requires_grad_(False)`` for each parameter."""
    if name == "requires_grad_":
        set_gradients(machine, base, asked(arguments), frame, place)
        return base
    return UNKNOWN


def asked(arguments: Arguments) -> Value:
    """The argument of ``requires_grad_()``."""
    return arguments.first("requires_grad") or Constant(True)


def blend(machine: Machine, given: Iterable[Value], frame: Frame, place: Location) -> None:
    """Walk through the parameters of several models at once, to average or copy weights."""
    groups = [one.models for one in given if isinstance(one, Parameters)]
    for model in (model for models in groups if len(groups) > 1 for model in models):
        machine.record("thaw", model, place, frame)


def extend(machine: Machine, base: Thing, value: Value, frame: Frame) -> None:
    """Give a frozen model a new part, whose parameters are not frozen."""
    if any(thing.module for thing in things(value, 1)) and _is_frozen(machine, base):
        machine.record("thaw", base, Location(frame.home.path, frame.statement), frame)


def _is_frozen(machine: Machine, model: Thing) -> bool:
    wholes: list[Thing] = []
    current: Thing | None = model
    while current is not None:
        wholes.append(current)
        current = current.part_of
    return any(e.kind == "freeze" and e.thing in wholes for e in machine.events)
