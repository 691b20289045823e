"""The abstract machine: runs the steps of a flow and keeps, for every model, the modes it may be in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, FileFacts, ModeFlow, Step, Term
from dropout_lint.mode.values import (
    UNKNOWN,
    Constant,
    Frame,
    Function,
    Group,
    Place,
    Table,
    Thing,
    Turn,
    Value,
    below,
    either,
    things,
)

BUDGET = 12_000
"""Steps of one run."""
ALONE = 2_500
"""Steps of a run of one function, about whose parameters nothing is known."""
SKETCH = 400
"""Steps that a function is given which neither changes modes nor receives a model."""
DEPTH = 16
Modes = frozenset[str]
TRAIN, EVAL, OPEN = frozenset("T"), frozenset("E"), frozenset("U")


class Exhausted(Exception):  # noqa: N818 - the end of a budget, not an error
    """The program is longer than the budget; what was seen so far proves nothing about the rest."""


class Overdrawn(Exception):  # noqa: N818 - the end of a budget, not an error
    """A function without any model takes too long: it counts as unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that happened to a model, in the order of the run."""

    kind: Literal["mode", "forward", "backward", "step", "trace", "escape", "load", "checkpoint", "flag", "script"]
    thing: Thing | None
    modes: Modes
    grad: bool | None
    place: Place
    frame: Frame
    turns: tuple[Turn, ...]
    order: int
    live: tuple[tuple[Thing, Modes], ...] = ()
    """At a forward or a trace, the parts that compute differently by mode, with their modes."""
    smoke: bool = False
    """The input is made of random numbers."""
    unused: bool = False
    """Nothing uses the result, as in a pass that only warms up or moves statistics."""
    cause: Event | None = None
    """The event that set the mode."""
    label: str = ""
    statement: Span = NOWHERE
    region: Place | None = None
    """The ``with`` statement that switches gradients off, in the same function."""


@dataclass(eq=False)
class Machine:
    """One run from a root. Subclasses say what expressions do."""

    root: FileFacts
    modes: dict[int, Modes] = field(default_factory=dict)
    causes: dict[int, Event] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    turns: tuple[Turn, ...] = ()
    grad: bool | None = True
    region: Place | None = None
    steps: int = 0
    budget: int = BUDGET
    allowance: int | None = None
    numbers: int = 0
    branches: int = 0
    reached: set[tuple[str, str]] = field(default_factory=set)
    undropped: set[str] = field(default_factory=set)
    """Rates of the command line that are 0 unless they are given, so that no dropout is proven by them."""
    unwound: list[list[tuple[dict[int, Modes], dict[str, Value]]]] = field(default_factory=list)
    """For each loop under way, the states at its ``break`` and ``continue``."""

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def evaluate(self, term: Term, frame: Frame) -> Value:
        """What an expression stands for; events that it causes are recorded."""
        raise NotImplementedError

    def bind(self, target: Term, value: Value, frame: Frame) -> None:
        """Assign."""
        raise NotImplementedError

    def flag(self, target: Term, value: Value, frame: Frame) -> None:
        """``model.training = value``."""
        for thing in things(self.evaluate(target.parts[0], frame), 1):
            live = tuple((t, OPEN) for t in below(thing) if t.live and t is not thing and t.number != thing.number)
            text = str(value.value) if isinstance(value, Constant) else ""
            self.record("flag", thing, Place(frame.home.path, frame.statement), frame, live=live, label=text)
            for part in below(thing) if thing.module else ():
                self.modes[part.number] = OPEN

    def enter(self, item: Term, frame: Frame) -> bool | Literal["same"] | None:
        """Whether gradients are on inside a context manager."""
        raise NotImplementedError

    # Events

    def record(self, kind: str, thing: Thing | None, place: Place, frame: Frame, **more: object) -> Event:
        modes = self.modes.get(thing.number, OPEN) if thing is not None else OPEN
        cause = self.causes.get(thing.number) if thing is not None else None
        event = Event(
            kind,  # type: ignore[arg-type]
            thing,
            modes,
            self.grad,
            place,
            frame,
            self.turns,
            len(self.events),
            cause=cause,
            region=self.region,
            statement=frame.statement,
            **more,  # type: ignore[arg-type]
        )
        self.events.append(event)
        return event

    def set_mode(self, thing: Thing, modes: Modes, place: Place, frame: Frame) -> None:
        """``thing.eval()`` or ``thing.train()``."""
        self.modes[thing.number] = modes
        event = self.record("mode", thing, place, frame)
        for part in below(thing):
            self.modes[part.number] = modes
            self.causes[part.number] = event
        whole = thing.part_of
        while whole is not None:  # a part in another mode than the whole: nothing is proven about the whole
            self.modes[whole.number] = self.modes.get(whole.number, OPEN) | OPEN
            whole = whole.part_of

    def escape(self, value: Value, place: Place, frame: Frame) -> None:
        """A call that cannot be seen through receives a value: it may set any mode."""
        for thing in things(value):
            self._escape(thing, place, frame, 3)

    def _escape(self, thing: Thing, place: Place, frame: Frame, depth: int) -> None:
        if thing.module is not False:
            if self.modes.get(thing.number, OPEN) != OPEN or thing.number in self.causes:
                self.record("escape", thing, place, frame)
            for part in below(thing):
                self.modes[part.number] = OPEN
        elif depth > 0:
            for value in list(thing.attributes.values()):
                for inner in things(value):
                    self._escape(inner, place, frame, depth - 1)

    # Statements

    def run(self, steps: tuple[Step, ...], frame: Frame) -> bool:
        """Run statements; false if the end of them is never reached."""
        return all(self.step(step, frame) for step in steps)

    def step(self, step: Step, frame: Frame) -> bool:
        """Run one statement."""
        frame.statement = step.span
        dropped = step.kind == "evaluate" or (step.kind == "bind" and all(t.text == "_" for t in step.targets))
        frame.unused = step.value.span if dropped and step.value is not None else NOWHERE
        self.steps += 1
        if self.steps > self.budget:
            raise Exhausted
        if self.allowance is not None and self.steps > self.allowance:
            raise Overdrawn
        match step.kind:
            case "bind":
                value = self.evaluate(step.value, frame) if step.value is not None else UNKNOWN
                for target in step.targets:
                    self.bind(target, value, frame)
                    if target.kind == "attribute" and target.text == "training":
                        self.flag(target, value, frame)
            case "evaluate" if step.value is not None and step.value.kind == "attribute" and not step.text:
                held = self.evaluate(step.value.parts[0], frame)
                if step.value.text in {"eval", "train"}:  # DRP201 tells; whatever follows is not what was meant
                    self.escape(held, Place(frame.home.path, step.span), frame)
            case "evaluate":
                value = self.evaluate(step.value, frame) if step.value is not None else UNKNOWN
                if step.text and step.targets:
                    held = self.evaluate(step.targets[0], frame)
                    if isinstance(held, Group) and isinstance(value, Group):
                        held.items += value.items
            case "return":
                value = self.evaluate(step.value, frame) if step.value is not None else UNKNOWN
                frame.returns.append((dict(self.modes), value))
                return False
            case "stop":
                if step.text in {"Break", "Continue"} and self.unwound:
                    self.unwound[-1].append((dict(self.modes), dict(frame.names)))
                return False
            case "define":
                name = step.text
                known = not frame.flow.name and (name in frame.home.defined or name in frame.home.headers)
                flow = None if known else self.flow(frame.home, name)  # what the top level defines is read when used
                if flow is not None:
                    frame.names[step.targets[0].text] = Function(frame.home, flow, None, frame)
                else:
                    frame.names.pop(step.targets[0].text, None)
            case "outer":
                frame.foreign |= {t.text for t in step.targets}
            case "branch":
                return self._branch(step, frame)
            case "try":
                return self._alternatives(list(step.arms), frame, first_always=True)
            case "loop":
                return self._loop(step, frame)
            case "region":
                return self._region(step, frame)
        return True

    def flow(self, home: FileFacts, name: str) -> ModeFlow | None:
        """A function of a file by its qualified name."""
        raise NotImplementedError

    def truth(self, term: Term, frame: Frame) -> bool | None:
        """Whether a test holds, where constants decide it."""
        value = self.evaluate(term, frame)
        if isinstance(value, Constant) and value.value != "?":
            return bool(value.value)
        return None

    def _branch(self, step: Step, frame: Frame) -> bool:
        held = self.truth(step.value, frame) if step.value is not None else None
        if held is not None and len(step.arms) == 2:
            return self.run(step.arms[0 if held else 1], frame)
        return self._alternatives(list(step.arms), frame)

    def _alternatives(self, arms: list[tuple[Step, ...]], frame: Frame, first_always: bool = False) -> bool:
        modes, names = self.modes, frame.names
        ends: list[tuple[dict[int, Modes], dict[str, Value]]] = []
        self.branches += 1
        for arm in arms:
            self.modes, frame.names = dict(modes), dict(names)
            if self.run(arm, frame):
                ends.append((self.modes, frame.names))
        self.branches -= 1
        self.modes, frame.names = modes, names
        if not ends:
            return False
        self._join(ends, frame)
        return True

    def _join(self, ends: list[tuple[dict[int, Modes], dict[str, Value]]], frame: Frame) -> None:
        if len(ends) == 1:
            self.modes, frame.names = ends[0]
            return
        modes = dict(ends[0][0])
        for other, _ in ends[1:]:
            for number, held in other.items():
                modes[number] = modes.get(number, held) | held
        names: dict[str, Value] = {}
        for _, bound in ends:
            for name, value in bound.items():
                if name not in names:
                    found: list[Value] = []
                    for _, b in ends:
                        one = b.get(name)
                        if one is not None and all(one is not f for f in found):
                            found.append(one)
                    values: list[Value] = [v for v in found if not isinstance(v, Constant)]
                    names[name] = value if len(found) == 1 else either(values)
        self.modes, frame.names = modes, names

    def _loop(self, step: Step, frame: Frame) -> bool:
        place = Place(frame.home.path, step.span)
        source = self.evaluate(step.value, frame) if step.value is not None else UNKNOWN
        passes = self._passes(source, step)
        exact = isinstance(source, Group) and source.exact and passes == source.items
        outside, number = self.turns, self.number()
        ends: list[tuple[dict[int, Modes], dict[str, Value]]] = []
        if not exact and step.text != "while":
            ends.append((dict(self.modes), dict(frame.names)))
        self.branches += 0 if exact else 1
        for turn, element in enumerate(passes, 1):
            self.turns = (*outside, Turn(number, turn, place, frame, step.arms[0][0].span if step.arms[0] else None))
            before = dict(self.modes)
            for target in step.targets:
                self.bind(target, element, frame)
            self.unwound.append([])
            reached = self.run(step.arms[0], frame)
            left = self.unwound.pop()
            if reached:
                left.append((self.modes, frame.names))
            if not left:
                self.modes = before
                break
            self._join(left, frame)
            if not exact:
                ends.append((dict(self.modes), dict(frame.names)))
                if all(self.modes.get(k, v) == v for k, v in before.items()):
                    break
        self.branches -= 0 if exact else 1
        self.turns = outside
        if ends:
            self._join(ends, frame)
        return self.run(step.arms[1], frame) if len(step.arms) > 1 else True

    def _passes(self, source: Value, step: Step) -> list[Value]:
        if isinstance(source, Group) and source.exact and 0 < len(source.items) <= 6:
            return source.items
        element = self.element(source)
        return [element, element]

    def element(self, source: Value) -> Value:
        """What iterating over a value gives."""
        if isinstance(source, Group):
            return either(source.items)
        if isinstance(source, Table):
            return UNKNOWN
        found = [child for thing in things(source) for child in self.inner(thing)]
        return either(list(found)) if found else UNKNOWN

    def inner(self, thing: Thing) -> list[Thing]:
        """The modules in a container of modules."""
        return (
            thing.children[:16] if thing.name.rpartition(".")[2] in {"ModuleList", "ModuleDict", "Sequential"} else []
        )

    def _region(self, step: Step, frame: Frame) -> bool:
        outside, region = self.grad, self.region
        for item in step.targets:
            grad = self.enter(item, frame)
            if grad != "same":
                self.grad = grad
                self.region = Place(frame.home.path, step.span) if grad is False else None
        reached = self.run(step.arms[0], frame)
        self.grad, self.region = outside, region
        return reached
