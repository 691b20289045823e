"""Make copies, scripted modules and graphs of a model, which have modes of their own."""

from __future__ import annotations

from dropout_lint.facts import Location
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Constant, Frame, Thing, Value

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


def copied(machine: Machine, thing: Thing, place: Location) -> Thing:
    """A copy of an object with its parts, in their modes."""
    made = _alike(machine, thing, place)
    made.children = [_alike(machine, part, part.place) for part in below(thing)[1:_MOST_PARTS]]
    return made


def _alike(machine: Machine, thing: Thing, place: Location | None) -> Thing:
    made = Thing(machine.next_number(), thing.name, thing.home, place, thing.module, thing.live)
    machine.modes[made.number] = machine.mode(thing)
    return made
