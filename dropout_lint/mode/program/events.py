"""The modes of all models at one point of a run, and the events up to there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, OPEN, EventKind, Location, Modes
from dropout_lint.mode.program.contents import below, things
from dropout_lint.mode.program.values import Frame, Thing, Turn, Value

Live = tuple[tuple[Thing, Modes], ...]
"""Live parts with their modes."""
_HOLDERS = 3
"""How many levels of nested objects an escape searches for models."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """An event during the run. ``run_facts`` makes a RunEvent of it, where the fields are explained."""

    kind: EventKind
    thing: Thing | None
    modes: Modes
    grad: bool | None
    place: Location
    frame: Frame
    turns: tuple[Turn, ...]
    order: int
    live: Live = ()
    """The live parts; at a forward, a trace and checkpointing."""
    smoke: bool = False
    """The input is made of random numbers."""
    unused: bool = False
    """The result is not used, as in a pass that warms up or moves statistics."""
    cause: Event | None = None
    """The event that set the mode."""
    label: str = ""
    statement: Span = NOWHERE
    region: Location | None = None
    """The ``with`` statement that switches gradients off, in the same function."""


def joined(ends: Sequence[dict[int, Modes]]) -> dict[int, Modes]:
    """Join the modes at the ends of several paths."""
    modes = dict(ends[0])
    for other in ends[1:]:
        if other == modes:
            continue
        for number, others in other.items():
            known = modes.get(number)
            if known is not others:
                modes[number] = others if known is None else known | others
    return modes


class Recorder:
    """The modes of all models at this point of a run, and the events so far."""

    def __init__(self) -> None:
        self.modes: dict[int, Modes] = {}
        self.causes: dict[int, Event] = {}
        """For each model whose mode was set, the event that did it."""
        self.events: list[Event] = []
        self.turns: tuple[Turn, ...] = ()
        self.grad: bool | None = True
        self.region: Location | None = None

    def mode(self, thing: Thing) -> Modes:
        """The modes that a model may be in."""
        return self.modes.get(thing.number, OPEN)

    def live(self, thing: Thing) -> Live:
        """The live parts of a model."""
        return tuple((part, self.mode(part)) for part in below(thing) if part.live is True)

    def holds_model(self, values: Iterable[Value]) -> bool:
        """Whether some values hold a module, or an object whose mode was set."""
        return any(t.module or t.number in self.causes for value in values for t in things(value))

    def record(
        self,
        kind: EventKind,
        thing: Thing | None,
        place: Location,
        frame: Frame,
        live: Live = (),
        *,
        smoke: bool = False,
        unused: bool = False,
        label: str = "",
    ) -> Event:
        """Add an event at this point of the run."""
        event = Event(
            kind,
            thing,
            self.mode(thing) if thing is not None else OPEN,
            self.grad,
            place,
            frame,
            self.turns,
            len(self.events),
            live,
            smoke,
            unused,
            self.causes.get(thing.number) if thing is not None else None,
            label,
            frame.statement,
            self.region,
        )
        self.events.append(event)
        return event

    def set_mode(self, thing: Thing, modes: Modes, place: Location, frame: Frame) -> None:
        """``thing.eval()`` or ``thing.train()``."""
        self.modes[thing.number] = modes
        event = self.record("mode", thing, place, frame)
        for part in below(thing):
            self.modes[part.number] = modes
            self.causes[part.number] = event
        whole = thing.part_of
        while whole is not None:  # the whole now has parts in different modes
            self.unsettle(whole)
            if whole.module is not True:
                self.escape(list(whole.attributes.values()), place, frame)
            whole = whole.part_of

    def unsettle(self, thing: Thing) -> None:
        """Add "unknown" to the possible modes of a model."""
        self.modes[thing.number] = self.mode(thing) | OPEN

    def forget(self, parts: Iterable[Thing]) -> None:
        """Make the modes of some models unknown."""
        for part in parts:
            self.modes[part.number] = OPEN

    def escape(self, values: Iterable[Value], place: Location, frame: Frame) -> None:
        """Pass values to a call that cannot be followed: it may set any mode of the models in them."""
        for value in values:
            for thing in things(value):
                self._escape(thing, place, frame, _HOLDERS)

    def _escape(self, thing: Thing, place: Location, frame: Frame, depth: int) -> None:
        if thing.module is not False:
            if self.mode(thing) != OPEN or thing.number in self.causes:
                self.record("escape", thing, place, frame)
            self.forget(below(thing))
        elif depth > 0:
            for value in list(thing.attributes.values()):
                for inner in things(value):
                    self._escape(inner, place, frame, depth - 1)
