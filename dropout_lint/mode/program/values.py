"""Abstract values: what an expression may evaluate to in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, FileFacts, Location, ModeFlow, Term


@dataclass(eq=False, slots=True)
class Thing:
    """An object. ``module`` is whether it is an ``nn.Module``, None if unknown.

    ``live`` says that its own computation differs between the modes: proven, refuted, or None.
    """

    number: int
    name: str = ""
    home: FileFacts | None = None
    """The file of its class, for classes of the project; ``name`` is then a qualified name."""
    place: Location | None = None
    """Where it was constructed."""
    module: bool | None = None
    live: bool | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    children: list[Thing] = field(default_factory=list)
    part_of: Thing | None = None
    origin: Thing | None = None
    """The module that it was traced, exported or scripted from."""
    random: bool = False
    """Made by a random number generator: the input of a smoke test or of a tracer."""
    label: str = ""
    """The first variable or attribute that it was bound to."""

    @property
    def opaque(self) -> bool:
        """Whether nothing is known about how it was made."""
        return not self.name and self.home is None


@dataclass(eq=False, slots=True)
class Function:
    """A function of the project, with the instance and the names around it."""

    home: FileFacts
    flow: ModeFlow
    instance: Thing | None = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class Lambda:
    """A lambda with the frame that made it."""

    term: Term
    frame: Frame


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project."""

    home: FileFacts
    name: str


@dataclass(frozen=True, slots=True)
class External:
    """A dotted name outside of the file, not looked up yet; ``home`` is the file that uses it."""

    name: str
    home: FileFacts


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some class of a module, chosen at run time."""

    home: FileFacts


@dataclass(eq=False, slots=True)
class Group:
    """A list, tuple or set; ``exact`` if its elements are all known."""

    items: list[Value]
    exact: bool = True


@dataclass(eq=False, slots=True)
class Table:
    """A dictionary."""

    items: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Several:
    """One of several values, where paths join."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that holds no model."""


Value = Thing | Function | Lambda | Class | External | AnyOf | Group | Table | Constant | Several | Unknown
UNKNOWN = Unknown()


@dataclass(eq=False, slots=True)
class Frame:
    """A call of a function: a frame of the call stack."""

    home: FileFacts
    flow: ModeFlow
    instance: Thing | None = None
    names: dict[str, Value] = field(default_factory=dict)
    outer: Frame | None = None
    foreign: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""
    caller: Frame | None = None
    call: Location | None = None
    """Where it was called."""
    returns: list[tuple[dict[int, frozenset[str]], Value]] = field(default_factory=list)
    statement: Span = NOWHERE
    """The statement being executed."""
    unused: Span = NOWHERE
    """The call in it whose result is not used."""

    def chain(self) -> Iterator[Frame]:
        """This frame and its callers, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.caller


class Turn(NamedTuple):
    """One turn of a loop."""

    loop: int
    turn: int
    place: Location
    frame: Frame
    body: Span | None
    """The first statement of the body."""
    word: str = ""
    """In a loop over words, such as the phases of an epoch, the one of this turn."""
