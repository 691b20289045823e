"""Execute calls of functions of the project, each in its own frame."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.facts import Location, ModeFlow
from dropout_lint.mode.execution.arguments import Arguments, bind_parameters
from dropout_lint.mode.execution.gradients import gradients
from dropout_lint.mode.execution.lookup import PROPERTIES
from dropout_lint.mode.execution.statements import run
from dropout_lint.mode.program.contents import choices, either
from dropout_lint.mode.program.events import joined
from dropout_lint.mode.program.machine import Machine, Overdrawn
from dropout_lint.mode.program.values import UNKNOWN, Constant, Frame, Function, Lambda, Value

SKETCH = 400
"""The most steps of a sketch: of a function that changes no mode and receives no model."""
DEPTH = 16
"""The deepest call stack."""


def run_function(machine: Machine, function: Function, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """Execute a function and return its result, which is unknown for one that cannot reach a model: that is skipped."""
    flow, instance = function.flow, function.instance
    chain = list(frame.chain())
    if len(chain) > DEPTH or sum(f.flow is flow for f in chain) >= (1 if flow.relevant else 2):
        machine.escape(arguments.all(), place, frame)
        return UNKNOWN
    plain = instance is not None and instance.module is not True and not flow.relevant and not _is_getter(flow)
    if plain and not flow.name.endswith("__init__") and not _sees_models(machine, function, arguments):
        return machine.make_unknown()
    if _is_sketch(machine, function, arguments):
        return _execute_sketch(machine, function, arguments, frame, place)
    return _execute(machine, function, arguments, frame, place)


def _is_getter(flow: ModeFlow) -> bool:
    """Whether a function is a property. One that is executed builds what it returns."""
    return any(decorator.text in PROPERTIES for decorator in flow.decorators)


def run_callbacks(machine: Machine, values: Iterable[Value], frame: Frame, place: Location) -> None:
    """Execute functions that are passed to a library, which may call them."""
    for one in (one for value in values for one in choices(value)):
        if isinstance(one, Function) and one.flow.relevant:
            run_function(machine, one, Arguments([], {}, unpacked=True), frame, place)


def _sees_models(machine: Machine, function: Function, arguments: Arguments) -> bool:
    instance = function.instance
    if instance is not None and instance.home is not None and machine.definitions.acts(instance.home, instance.name):
        return True
    return machine.holds_model(arguments.all())


def _is_sketch(machine: Machine, function: Function, arguments: Arguments) -> bool:
    """Whether a function changes no mode and receives no model. It may build one, so it runs on a small budget."""
    if function.flow.relevant or function.instance is not None or function.frame is not None:
        return False
    if machine.allowance is not None or function.home is machine.root:
        return False
    given = arguments.all()
    return not any(isinstance(v, (Function, Lambda)) for v in given) and not machine.holds_model(given)


def _execute_sketch(machine: Machine, function: Function, arguments: Arguments, frame: Frame, place: Location) -> Value:
    modes, causes, count = dict(machine.modes), dict(machine.causes), len(machine.events)
    around = machine.grad, machine.turns, machine.unwound, machine.region, machine.branches
    caller = machine.current
    machine.allowance = machine.steps + SKETCH
    try:
        return _execute(machine, function, arguments, frame, place)
    except Overdrawn:
        machine.modes, machine.causes, machine.current = modes, causes, caller
        del machine.events[count:]
        machine.grad, machine.turns, machine.unwound, machine.region, machine.branches = around
        return machine.make_unknown()
    finally:
        machine.allowance = None


def _execute(machine: Machine, function: Function, arguments: Arguments, frame: Frame, place: Location) -> Value:
    flow, home = function.flow, function.home
    machine.reached.add((home.path, flow.name))
    inner = Frame(home, flow, function.instance, outer=function.frame, caller=frame, call=place)
    bind_parameters(machine, inner, function, arguments)
    around = machine.grad, machine.turns, machine.unwound, machine.region
    machine.unwound, machine.region = [], None
    caller, machine.current = machine.current, inner
    for decorator in flow.decorators:
        if decorator.kind in {"name", "attribute", "call"}:
            change = gradients(machine, decorator, frame if frame.home is home else inner)
            machine.grad = change if change != "same" else machine.grad
    falls_through = run(machine, flow.steps, inner)
    machine.current = caller
    machine.grad, machine.turns, machine.unwound, machine.region = around
    ends = [modes for modes, _ in inner.returns]
    if falls_through:
        ends.append(machine.modes)
    if ends:
        machine.modes = joined(ends)
    returned = [value for _, value in inner.returns]
    return returned[0] if len(returned) == 1 else either([v for v in returned if not isinstance(v, Constant)])
