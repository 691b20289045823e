"""Call values: run a model, execute a function, construct an object."""

from __future__ import annotations

from dropout_lint.facts import Location
from dropout_lint.mode.execution.arguments import Arguments, with_class
from dropout_lint.mode.execution.construction import alternatives, construct
from dropout_lint.mode.execution.externals import call_external
from dropout_lint.mode.execution.functions import run_function
from dropout_lint.mode.libraries import library
from dropout_lint.mode.program.contents import below, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import (
    UNKNOWN,
    AnyOf,
    Class,
    External,
    Frame,
    Function,
    Lambda,
    Partial,
    Thing,
    Unknown,
    Value,
)
from dropout_lint.torch_api.names import canonical

_MOST_LOOPS = 8


def invoke(machine: Machine, callee: Value, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """Call one value."""
    match callee:
        case Function():
            return run_function(machine, callee, arguments, frame, place)
        case Lambda():
            return _lambda(machine, callee, arguments, frame, place)
        case Class():
            return construct(machine, callee, arguments, frame, place)
        case AnyOf(home=home):
            made: list[Value] = []
            for one in machine.definitions.models(home):
                made.append(construct(machine, one, arguments, frame, place))
            return alternatives(made)
        case External():
            return _named(machine, callee, arguments, frame, place)
        case Partial():
            given = [*callee.positional, *arguments.positional]
            bound = Arguments(given, {**callee.keywords, **arguments.keywords}, unpacked=arguments.unpacked)
            return invoke(machine, callee.function, bound, frame, callee.place)
        case Thing() if callee.module or callee.opaque:
            return forward(machine, callee, arguments, frame, place) if not callee.random else UNKNOWN
        case Thing(home=home, name=name) if home is not None:
            method = machine.definitions.method
            called = method(home, name, "__call__") or method(home, name, "forward")
            if called is not None and callee.module is None and called[1].name.endswith("forward"):
                return forward(machine, callee, arguments, frame, place)
            if called is not None:
                return run_function(machine, Function(*called, callee), arguments, frame, place)
    machine.escape(arguments.all(), place, frame)
    return machine.make_unknown()


def _named(machine: Machine, callee: External, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """Call what an import names: a class or function of the project, a method of a class, or code outside of it."""
    full = canonical(callee.name)
    found = None if full.startswith(("torch.", "builtins.")) else machine.project.names.find(callee.home, full)
    target = machine.definitions.value(*found) if found is not None else None
    if target is None:
        return call_external(machine, full, arguments, frame, place)
    if isinstance(target, Function) and target.flow.owner:
        arguments = with_class(target, Class(target.home, target.flow.owner), arguments)
    return invoke(machine, target, arguments, frame, place)


def forward(
    machine: Machine, thing: Thing, arguments: Arguments, frame: Frame, place: Location, label: str = ""
) -> Unknown:
    """Record a forward of a model. Modes that its own forward pass sets become unknown."""
    for part in below(thing):
        for name in machine.definitions.switched(part.home, part.name) if part.home is not None else ():
            switched = things(part.attributes.get(name, UNKNOWN)) if name else (part,)
            machine.forget(inner for one in switched for inner in below(one))
    given = [t for v in arguments.all() for t in things(v)]
    smoke = bool(given) and all(t.random for t in given[:2])
    if not arguments.keywords.keys() & library.MODE_ARGUMENTS:  # else the caller says which mode it wants
        unused = place.span == frame.unused
        machine.record("forward", thing, place, frame, machine.live(thing), smoke=smoke, unused=unused, label=label)
    return UNKNOWN


def _lambda(machine: Machine, callee: Lambda, arguments: Arguments, frame: Frame, place: Location) -> Value:
    if len(machine.turns) >= _MOST_LOOPS:
        return UNKNOWN
    home = callee.frame
    inner = Frame(home.home, home.flow, home.instance, outer=home, caller=frame, call=place)
    inner.names.update(zip(callee.term.text.split(","), arguments.positional, strict=False))
    return machine.evaluate(callee.term.parts[0], inner)
