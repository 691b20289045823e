"""Construct objects of classes of the project, and find whether they are live."""

from __future__ import annotations

from dropout_lint.facts import EVAL, OPEN, TRAIN, Location
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.functions import run_function
from dropout_lint.mode.program.contents import below, choices, either, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.uses import is_reached
from dropout_lint.mode.program.values import Class, Constant, Frame, Function, Thing, Value


def construct(machine: Machine, made: Class, arguments: Arguments, frame: Frame, place: Location) -> Thing:
    """Make an instance of a class, by executing its constructor.

    A layer of a module that was built before from the same constants is not executed again.
    """
    module = machine.project.classes.is_module(made.home, "." + made.name)
    holds = machine.holds_model(arguments.all())
    if not module and not holds and not machine.definitions.acts(made.home, made.name):
        return Thing(machine.next_number(), made.name, made.home, place, module)
    if not module or holds:
        return _constructed(machine, made, module, arguments, frame, place)
    key = (made.home.path, made.name, *arguments.shown())
    if key in machine.built and any(f.instance is not None and f.instance.module for f in frame.chain()):
        live, name, at = machine.built[key]
        return machine.make_object(name or made.name, live, at or place, module=True)
    thing = _constructed(machine, made, module, arguments, frame, place)
    parts = below(thing)
    proof = next((p for p in parts if p.live), None)
    certain = False if all(p.live is False or (p.live is None and p.opaque) for p in parts) else None
    machine.built[key] = (True, proof.name, proof.place) if proof is not None else (certain, "", None)
    return thing


def alternatives(made: list[Value]) -> Value:
    """One of several models, of which the program chooses one. The mode matters for sure if it does for all of them."""
    models = [thing for one in made for thing in choices(one) if isinstance(thing, Thing) and thing.module]
    held = [below(model) for model in models]
    if not all(any(part.live for part in parts) for parts in held):
        for part in (part for parts in held for part in parts if part.live):
            part.live = None
    return either(made)


def construct_in_eval_mode(machine: Machine, made: Class, frame: Frame, place: Location) -> Thing:
    """Make an instance by the ``from_pretrained()`` of Transformers, which calls ``eval()`` on it."""
    thing = construct(machine, made, Arguments([], {}, unpacked=True), frame, place)
    for part in below(thing):
        machine.modes[part.number] = EVAL
    machine.record("build", thing, place, frame)
    return thing


def _constructed(
    machine: Machine, made: Class, module: bool | None, arguments: Arguments, frame: Frame, place: Location
) -> Thing:
    thing = Thing(machine.next_number(), made.name, made.home, place, module)
    machine.modes[thing.number] = TRAIN if module else OPEN
    init = machine.definitions.method(made.home, made.name, "__init__")
    if init is not None:
        run_function(machine, Function(*init, thing), arguments, frame, place)
    elif module:
        thing.children = [t for v in arguments.all() for t in things(v)]
    if module:
        thing.live = _is_live(machine, made, thing)
        _discount_unreached(machine, made, thing)
    return thing


def _is_live(machine: Machine, made: Class, thing: Thing) -> bool:
    """Whether methods read ``self.training``, or call a functional dropout at a rate that is not 0."""
    for _, known in machine.definitions.lineage(made.home, made.name):
        if known.reads_mode:
            return True
        for rate in known.functional_rates:
            value = thing.attributes.get(rate)
            if not (isinstance(value, Constant) and value.value in {0, None}):
                return True
    return False


def _discount_unreached(machine: Machine, made: Class, thing: Thing) -> None:
    """Clear ``live`` of layers that no method can reach under the flags that the constructor sets."""
    uses = machine.definitions.uses(made.home, made.name)
    if uses is None:
        return
    reached = {
        part
        for name, value in thing.attributes.items()
        if is_reached(name, uses, thing)
        for one in things(value)
        for part in below(one)
    }
    for name, value in thing.attributes.items():
        if is_reached(name, uses, thing):
            continue
        if isinstance(value, Thing) and value.live and value.home is None and not value.children:
            value.live = value in reached
        for part in (part for one in things(value) for part in below(one) if part.live and part not in reached):
            part.live = None  # code outside of the class may call a network in it
