"""Make copies, scripted modules and graphs of a model, which have modes of their own."""

from __future__ import annotations

from dropout_lint.facts import Location
from dropout_lint.mode.program.contents import things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import UNKNOWN, Constant, Frame, Group, Several, Table, Thing, Value

TRACERS = {
    *("torch.jit.trace", "torch.jit.trace_module", "torch.export.export", "torch.export.export_for_training"),
    "torch.fx.symbolic_trace",
}
_MOST_PARTS = 60


def is_trace(name: str, keywords: dict[str, Value]) -> bool:
    """Whether a function makes a graph in the mode of the model, without an argument for the mode."""
    exports = name == "torch.onnx.export" and "training" not in keywords
    return name in TRACERS or (exports and keywords.get("dynamo", Constant(True)) == Constant(True))


def traced(machine: Machine, given: Value, name: str, frame: Frame, place: Location) -> Thing:
    """The graph that a tracer makes of a model."""
    model = given if isinstance(given, Thing) else None
    if model is not None:
        machine.record("trace", model, place, frame, live=machine.live(model), label=name)
    return graph(machine, name, model)


def graph(machine: Machine, name: str, model: Thing | None = None) -> Thing:
    """A graph, by the function that made or loaded it."""
    made = machine.make_unknown()
    made.name = "traced:" + name
    made.origin = model
    return made


def scripted(machine: Machine, given: Value, frame: Frame, place: Location) -> Value:
    """``torch.jit.script``."""
    if not isinstance(given, Thing) or not given.module:
        return given
    made = copied(machine, given, place)
    made.origin = given
    machine.record("script", made, place, frame)
    return made


def copied(machine: Machine, thing: Thing, place: Location, *, deep: bool = True) -> Thing:
    """A copy of an object, in its mode. A deep one has copies of the parts, in their modes; the last are left out."""
    originals = _held(thing) if deep else [thing]
    alike = {one: _alike(machine, one, place if one is thing else one.place) for one in originals}
    for one, made in alike.items():
        made.children = [alike[part] for part in one.children if part in alike] if deep else one.children
        copies = {name: _of_copy(value, alike) for name, value in one.attributes.items()} if deep else one.attributes
        made.attributes = {name: value for name, value in copies.items() if value != UNKNOWN}
    return alike[thing]


def _held(thing: Thing) -> list[Thing]:
    """An object and all that it holds, nearest first."""
    found = [thing]
    for one in found:
        inner = [*one.children, *(t for value in one.attributes.values() for t in things(value))]
        found += [t for t in dict.fromkeys(inner) if t not in found]
        if len(found) >= _MOST_PARTS:
            break
    return found[:_MOST_PARTS]


def _of_copy(value: Value, alike: dict[Thing, Thing]) -> Value:
    """What the attribute of a copy holds: the copies of the parts, and what has no copy itself."""
    match value:
        case Thing():
            return alike.get(value, UNKNOWN)
        case Group(items=items, exact=exact):
            return Group([_of_copy(one, alike) for one in items], exact)
        case Table(items=items):
            return Table({key: _of_copy(one, alike) for key, one in items.items()})
        case Several(values=values):
            return Several(tuple(_of_copy(one, alike) for one in values))
    return value


def _alike(machine: Machine, thing: Thing, place: Location | None) -> Thing:
    made = Thing(machine.next_number(), thing.name, thing.home, place, thing.module, thing.live, copy_of=thing)
    machine.modes[made.number] = machine.mode(thing)
    return made
