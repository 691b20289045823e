"""Turn a finished run into a ModeRun: plain data, without the values, frames and objects of the machine."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.diagnostic import Span
from dropout_lint.facts import Location, ModeRun, RunEvent, RunFrame, RunFunction, RunModel, RunTurn
from dropout_lint.mode.libraries.frameworks import LOADS
from dropout_lint.mode.program.call_sites import repeated_in_else
from dropout_lint.mode.program.contents import choices, parts
from dropout_lint.mode.program.events import Event
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.owners import owner_class
from dropout_lint.mode.program.terms import loop_variables
from dropout_lint.mode.program.values import Frame, Thing, Turn
from dropout_lint.vocabulary import FREEZES

_MAKERS = LOADS | {"from_pretrained", "from_config"}
"""Methods of a class that give an instance of it."""


def mode_run(machine: Machine, function: str = "") -> ModeRun:
    """The events of a run that came to its end, with everything that they refer to."""
    return _Writer(machine).run(function)


class _Writer:
    """Gives each object, frame and function a position when an event first refers to it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._things: dict[Thing, int] = {}
        self._frames: dict[Frame, int] = {}
        self._functions: dict[int, tuple[int, RunFunction]] = {}
        self._with_samples = self._with_owners = False
        """Whether a check may ask what the classes of models draw, or do with their parts: that is slow to find."""

    def run(self, function: str) -> ModeRun:
        machine = self._machine
        events = tuple(map(self._event, machine.events))
        self._with_samples = any(event.sampled is not None for event in events)
        self._with_owners = any(map(_is_about_parts, machine.events))
        subjects = {event.thing for event in machine.events if event.thing is not None}
        subjects |= {thing.origin for thing in subjects if thing.origin is not None}
        frames = tuple(self._frame_facts(frame, subjects) for frame in self._frames)
        models = tuple(self._models())
        functions = tuple(one for _, one in self._functions.values())
        return ModeRun(machine.root.path, function, events, frames, functions, models)

    def _event(self, event: Event) -> RunEvent:
        thing = event.thing
        forward = event.kind == "forward"
        sites = self._machine.definitions.call_sites(event.frame.home, event.frame.flow) if forward else None
        span = event.place.span
        return RunEvent(
            order=event.order,
            kind=event.kind,
            model=self._model(thing) if thing is not None else None,
            modes=event.modes,
            grad=event.grad,
            location=event.place,
            statement=event.statement,
            frame=self._frame(event.frame),
            turns=tuple(map(self._turn, event.turns)),
            region=event.region,
            cause=event.cause.order if event.cause is not None else None,
            live=tuple((self._model(part), modes) for part, modes in event.live),
            random_input=event.smoke,
            unused=event.unused,
            repeated=sites is not None and span in sites.repeated,
            sampled=self._sampled(event) if forward else None,
            passes=sites.passes.get(span, ()) if sites is not None else (),
            label=event.label,
        )

    def _sampled(self, event: Event) -> Span | None:
        """The loop in a function on the path to a forward that repeats the forward, or the call that leads to it."""
        place: Location | None = event.place
        for frame in event.frame.chain():
            if place is not None and place.path == frame.home.path:
                found = self._machine.definitions.samples(frame.home, frame.flow).get(place.span)
                if found is not None:
                    return found
            place = frame.call
        return None

    def _turn(self, turn: Turn) -> RunTurn:
        return RunTurn(turn.loop, turn.turn, turn.place, self._frame(turn.frame), turn.body, turn.word)

    def _model(self, thing: Thing) -> int:
        return self._things.setdefault(thing, len(self._things))

    def _frame(self, frame: Frame) -> int:
        """The position of a frame, after those that called it."""
        if frame not in self._frames:
            for one in reversed(list(frame.chain())):
                self._frames.setdefault(one, len(self._frames))
                if one.instance is not None:
                    self._model(one.instance)
        return self._frames[frame]

    def _function(self, frame: Frame) -> int:
        flow, home = frame.flow, frame.home
        if id(flow) not in self._functions:
            receiver = flow.parameters[0] if flow.parameters else ""
            spans = tuple(step.span for step in flow.steps)
            repeated = tuple(repeated_in_else(flow.steps))
            function = RunFunction(home.path, flow.name, home.is_test, flow.intent, receiver, spans, repeated)
            self._functions[id(flow)] = len(self._functions), function
        return self._functions[id(flow)][0]

    def _frame_facts(self, frame: Frame, subjects: set[Thing]) -> RunFrame:
        names: dict[int, str] = {}
        for thing, name in _named(frame):
            if thing in subjects:
                names.setdefault(self._model(thing), name)
        return RunFrame(
            function=self._function(frame),
            caller=self._frames[frame.caller] if frame.caller is not None else None,
            call=frame.call,
            instance=self._model(frame.instance) if frame.instance is not None else None,
            names=tuple(names.items()),
        )

    def _models(self) -> Iterator[RunModel]:
        done = 0
        while done < len(self._things):  # each may refer to others
            for thing in list(self._things)[done:]:
                yield self._model_facts(thing)
                done += 1

    def _model_facts(self, thing: Thing) -> RunModel:
        positions = {part: self._model(part) for part in parts(thing)}
        tracer = thing.name.removeprefix("traced:")
        return RunModel(
            name=thing.name,
            class_name=_class_name(thing),
            label=thing.label,
            in_project=thing.home is not None,
            draws=self._draws(thing),
            module=thing.module,
            live=thing.live,
            built=thing.place,
            parts=tuple(positions.values()),
            attributes=tuple(
                (n, positions[one])
                for n, v in thing.attributes.items()
                for one in choices(v)
                if isinstance(one, Thing) and one in positions
            ),
            part_of=self._model(thing.part_of) if thing.part_of is not None else None,
            origin=self._model(thing.origin) if thing.origin is not None else None,
            copy_of=self._model(thing.copy_of) if thing.copy_of is not None else None,
            tracer=tracer if tracer != thing.name else "",
            owner=owner_class(self._machine, thing) if thing.module and self._with_owners else None,
        )

    def _draws(self, thing: Thing) -> bool:
        home = thing.home if self._with_samples else None
        return home is not None and self._machine.definitions.draws(home, thing.name)


def _is_about_parts(event: Event) -> bool:
    """Whether an event fixes the weights or the mode of a part that a module may hold."""
    return (event.kind == "mode" and _is_set_up(event.frame.flow.name)) or event.kind in {"load", "freeze", "build"}


def _is_set_up(name: str) -> bool:
    """Whether a method prepares a model for training: a constructor, or one named ``freeze``."""
    return name.endswith("__init__") or FREEZES.search(name.rpartition(".")[2]) is not None


def _class_name(thing: Thing) -> str:
    owner, _, last = thing.name.rpartition(".")
    return owner.rpartition(".")[2] if last in _MAKERS and owner else last or thing.label


def _named(frame: Frame) -> Iterator[tuple[Thing, str]]:
    """Objects with the expressions that name them in a function: no variable of a loop, which changes at each turn."""
    current: Frame | None = frame
    while current is not None:
        passing = set(loop_variables(current.flow.steps))
        for name, value in current.names.items():
            if name not in passing:
                yield from ((one, name) for one in choices(value) if isinstance(one, Thing))
        current = current.outer
    instance = frame.instance
    if instance is not None and frame.flow.parameters:
        receiver = frame.flow.parameters[0]
        yield instance, receiver
        for name, value in instance.attributes.items():
            yield from ((one, f"{receiver}.{name}") for one in choices(value) if isinstance(one, Thing))
