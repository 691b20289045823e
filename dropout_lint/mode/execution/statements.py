"""Execute statements, and join the states after branches and loops."""

from __future__ import annotations

from dropout_lint.facts import EVAL, NOWHERE, Location, Step
from dropout_lint.mode.execution.assignments import bind, set_flag
from dropout_lint.mode.execution.gradients import entered
from dropout_lint.mode.program.containers import element
from dropout_lint.mode.program.machine import Machine, State
from dropout_lint.mode.program.values import UNKNOWN, Constant, Frame, Function, Group, Turn

_MOST_TURNS = 6
"""Elements of a list that are followed one by one."""


def run(machine: Machine, steps: tuple[Step, ...], frame: Frame) -> bool:
    """Execute statements; False if their end is never reached."""
    return all(_run_one(machine, step, frame) for step in steps)


def _run_one(machine: Machine, step: Step, frame: Frame) -> bool:
    frame.statement = step.span
    dropped = step.kind == "evaluate" or (step.kind == "bind" and all(t.text == "_" for t in step.targets))
    frame.unused = step.value.span if dropped and step.value is not None else NOWHERE
    machine.count_step()
    match step.kind:
        case "bind":
            _bind(machine, step, frame)
        case "evaluate":
            _evaluate(machine, step, frame)
        case "branch":
            return _branch(machine, step, frame)
        case "try":
            return _alternatives(machine, step.arms, frame)
        case "loop":
            return _loop(machine, step, frame)
        case "region":
            return _region(machine, step, frame)
        case "return":
            value = machine.evaluate(step.value, frame) if step.value is not None else UNKNOWN
            frame.returns.append((dict(machine.modes), value))
            return False
        case "stop":
            if step.text in {"Break", "Continue"} and machine.unwound:
                machine.unwound[-1].append(machine.state(frame))
            return False
        case "define":
            _define(machine, step, frame)
        case "outer":
            frame.foreign |= {t.text for t in step.targets}
    return True


def _bind(machine: Machine, step: Step, frame: Frame) -> None:
    value = machine.evaluate(step.value, frame) if step.value is not None else UNKNOWN
    for target in step.targets:
        bind(machine, target, value, frame)
        if target.kind == "attribute" and target.text == "training":
            set_flag(machine, target, value, frame)


def _evaluate(machine: Machine, step: Step, frame: Frame) -> None:
    """An expression as a statement, or ``target += value``."""
    if step.value is not None and step.value.kind == "attribute" and not step.text:
        receiver = machine.evaluate(step.value.parts[0], frame)
        if step.value.text in {"eval", "train"}:  # the call was forgotten: nothing is known from here on
            machine.escape([receiver], Location(frame.home.path, step.span), frame)
        return
    value = machine.evaluate(step.value, frame) if step.value is not None else UNKNOWN
    if step.text and step.targets:
        target_value = machine.evaluate(step.targets[0], frame)
        if isinstance(target_value, Group) and isinstance(value, Group):
            target_value.items += value.items


def _define(machine: Machine, step: Step, frame: Frame) -> None:
    """Bind a function inside of another one; functions of the top level are looked up when they are used."""
    name, home = step.text, frame.home
    known = not frame.flow.name and (name in home.defined or name in home.headers)
    flow = None if known else machine.definitions.flow(home, name)
    if flow is not None:
        frame.names[step.targets[0].text] = Function(home, flow, None, frame)
    else:
        frame.names.pop(step.targets[0].text, None)


def _branch(machine: Machine, step: Step, frame: Frame) -> bool:
    truth = machine.truth(step.value, frame) if step.value is not None else None
    if truth is not None and len(step.arms) == 2:
        return run(machine, step.arms[0 if truth else 1], frame)
    return _alternatives(machine, step.arms, frame)


def _alternatives(machine: Machine, arms: tuple[tuple[Step, ...], ...], frame: Frame) -> bool:
    before = machine.modes, frame.names
    ends: list[State] = []
    machine.branches += 1
    for arm in arms:
        machine.modes, frame.names = dict(before[0]), dict(before[1])
        if run(machine, arm, frame):
            ends.append((machine.modes, frame.names))
    machine.branches -= 1
    machine.modes, frame.names = before
    if ends:
        machine.join(ends, frame)
    return bool(ends)


def _loop(machine: Machine, step: Step, frame: Frame) -> bool:
    """Execute a loop: over a short list turn by turn, else until a turn changes no mode."""
    body = step.arms[0]
    source = machine.evaluate(step.value, frame) if step.value is not None else UNKNOWN
    exact = isinstance(source, Group) and source.exact and 0 < len(source.items) <= _MOST_TURNS
    passes = source.items if isinstance(source, Group) and exact else [element(source)] * 2
    place, first = Location(frame.home.path, step.span), body[0].span if body else None
    outside, number = machine.turns, machine.next_number()
    ends: list[State] = []
    if not exact:
        machine.branches += 1
        if step.text != "while":
            ends.append(machine.state(frame))
    for turn, one in enumerate(passes, 1):
        word = one.value if exact and isinstance(one, Constant) and isinstance(one.value, str) else ""
        machine.turns = (*outside, Turn(number, turn, place, frame, first, word))
        before, count = dict(machine.modes), len(machine.events)
        for target in step.targets:
            bind(machine, target, one, frame)
        machine.unwound.append([])
        reached = run(machine, body, frame)
        left = machine.unwound.pop()
        if reached:
            left.append((machine.modes, frame.names))
        if not left:
            machine.modes = before
            break
        machine.join(left, frame)
        if not exact:
            ends.append(machine.state(frame))
            evaluated = any(e.kind == "mode" and e.modes == EVAL for e in machine.events[count:])
            if not evaluated and all(machine.modes.get(k, v) == v for k, v in before.items()):
                break
    machine.branches -= 0 if exact else 1
    machine.turns = outside
    if ends:
        machine.join(ends, frame)
    return run(machine, step.arms[1], frame) if len(step.arms) > 1 else True


def _region(machine: Machine, step: Step, frame: Frame) -> bool:
    """A ``with`` statement."""
    outside, region = machine.grad, machine.region
    for item in step.targets:
        grad = entered(machine, item, frame)
        if grad != "same":
            machine.grad = grad
            machine.region = Location(frame.home.path, step.span) if grad is False else None
    reached = run(machine, step.arms[0], frame)
    machine.grad, machine.region = outside, region
    return reached
