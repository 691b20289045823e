"""Execute assignments to names, attributes and items."""

from __future__ import annotations

from dropout_lint.facts import OPEN, Location, Term
from dropout_lint.mode.execution.freezing import extend, set_gradients
from dropout_lint.mode.execution.lookup import attribute_of
from dropout_lint.mode.program.contents import below, choices, either, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import UNKNOWN, Constant, Frame, Group, Table, Thing, Value


def bind(machine: Machine, target: Term, value: Value, frame: Frame) -> None:
    """Assign a value to a name, an attribute, an item or several of them."""
    match target.kind:
        case "name":
            _bind_name(machine, target.text, value, frame)
        case "attribute":
            for base in choices(machine.evaluate(target.parts[0], frame)):
                if isinstance(base, Thing):
                    set_attribute(machine, base, target.text, value)
                    extend(machine, base, value, frame)
                elif target.text == "requires_grad":
                    set_gradients(machine, base, value, frame, Location(frame.home.path, frame.statement))
        case "tuple":
            for part, one in zip(target.parts, _unpacked(machine, value, len(target.parts)), strict=True):
                bind(machine, part, one, frame)
        case "item":
            container = machine.evaluate(target.parts[0], frame)
            key = machine.evaluate(target.parts[1], frame)
            if isinstance(container, Table) and isinstance(key, Constant):
                container.items[str(key.value)] = value
            elif isinstance(container, Group):
                container.exact = False
                container.items.append(value)


def _unpacked(machine: Machine, value: Value, number: int) -> list[Value]:
    if isinstance(value, Group):
        return value.items if value.exact and len(value.items) == number else [either(value.items)] * number
    groups = [v.items for v in choices(value) if isinstance(v, Group) and v.exact and len(v.items) == number]
    if groups and len(groups) == len(choices(value)):
        return [either(list(parts)) for parts in zip(*groups, strict=True)]
    if isinstance(value, Thing) and value.opaque:
        return [attribute_of(machine, value, f"[{n}]") for n in range(number)]
    return [UNKNOWN] * number


def _bind_name(machine: Machine, name: str, value: Value, frame: Frame) -> None:
    for thing in things(value, 1):
        thing.label = thing.label or name
    if name not in frame.foreign:
        frame.names[name] = value
        return
    outer = frame.outer
    while outer is not None and name not in outer.names:
        outer = outer.outer
    if outer is None and frame.home is machine.root:
        outer = machine.top
    if outer is not None:
        before = outer.names.get(name)
        outer.names[name] = value if before is None or not machine.branches else either([before, value])


def set_attribute(machine: Machine, base: Thing, name: str, value: Value) -> None:
    """``base.name = value``; inside of a branch, the attribute may keep its value."""
    before = base.attributes.get(name)
    placeholder = isinstance(before, Thing) and before.opaque
    keep = machine.branches and not placeholder and not isinstance(value, Constant)
    base.attributes[name] = either([before, value]) if keep and before is not None else value
    for thing in things(value, 1):
        thing.label = thing.label or name


def set_flag(machine: Machine, target: Term, value: Value, frame: Frame) -> None:
    """``model.training = value``."""
    for thing in things(machine.evaluate(target.parts[0], frame), 1):
        live = tuple((t, OPEN) for t in below(thing) if t.live and t is not thing and t.number != thing.number)
        text = str(value.value) if isinstance(value, Constant) else ""
        machine.record("flag", thing, Location(frame.home.path, frame.statement), frame, live=live, label=text)
        machine.forget(below(thing) if thing.module else ())
