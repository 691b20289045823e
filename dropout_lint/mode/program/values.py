"""Abstract values: what an expression may evaluate to in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, FileFacts, Location, ModeFlow, Term


@dataclass(eq=False, slots=True)
class Thing:
    """An object, such as a model, a layer or an optimizer.

    ``module``: whether it is an ``nn.Module``; None if unknown.
    ``live``: whether its own computation differs between train and eval mode; None if unknown.
    """

    number: int
    name: str = ""
    home: FileFacts | None = None
    """The file of its class if that is in the project; ``name`` is then the qualified name of the class."""
    place: Location | None = None
    """Where it was constructed."""
    module: bool | None = None
    live: bool | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    children: list[Thing] = field(default_factory=list)
    part_of: Thing | None = None
    """The object that an unknown part belongs to."""
    origin: Thing | None = None
    """The module that it was traced, exported or scripted from."""
    copy_of: Thing | None = None
    """The object that ``copy.deepcopy`` made it from."""
    unset: bool = False
    """An attribute that nothing assigns, as an option that the command line does not have."""
    random: bool = False
    """A tensor of random numbers, as the input of a smoke test or of a tracer."""
    label: str = ""
    """The first variable or attribute that it was assigned to."""

    @property
    def opaque(self) -> bool:
        """Whether nothing is known about how it was made."""
        return not self.name and self.home is None


@dataclass(eq=False, slots=True)
class Function:
    """A function of the project. A method has its ``instance``, a nested function the ``frame`` around it."""

    home: FileFacts
    flow: ModeFlow
    instance: Thing | None = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class Lambda:
    """A lambda, with the frame whose names it may use."""

    term: Term
    frame: Frame


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project."""

    home: FileFacts
    name: str


@dataclass(frozen=True, slots=True)
class External:
    """A dotted name, imported or built in, not looked up yet; ``home`` is the file that uses it."""

    name: str
    home: FileFacts


@dataclass(eq=False, slots=True)
class Partial:
    """``functools.partial`` of a function outside of the project; ``place`` is where its arguments are bound."""

    function: External
    positional: list[Value]
    keywords: dict[str, Value]
    place: Location


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some class of a file, chosen at run time: ``getattr(models, name)``, with ``home`` for ``models``."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """The parameters of models; also one of them, as in a loop over all."""

    models: tuple[Thing, ...]
    branches: int
    """How many branches and loops were around the call that gave them."""
    named: bool = False
    """Pairs of a name and a parameter."""


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
    """A value that holds no model, as far as it matters. A Thing that is ``opaque`` may be or hold one."""


Value = (
    Thing
    | Function
    | Lambda
    | Class
    | External
    | Partial
    | AnyOf
    | Group
    | Table
    | Parameters
    | Constant
    | Several
    | Unknown
)
UNKNOWN = Unknown()


@dataclass(eq=False, slots=True)
class Frame:
    """A frame of the call stack: one call of a function, with its local names."""

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
    """For each ``return``, the modes of all models there, and the returned value."""
    statement: Span = NOWHERE
    """The statement being executed."""
    unused: Span = NOWHERE
    """The call in the statement whose result is not used."""

    def chain(self) -> Iterator[Frame]:
        """This frame and its callers, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.caller


class Turn(NamedTuple):
    """One turn of a loop: ``loop`` is its number, ``turn`` counts from 1."""

    loop: int
    turn: int
    place: Location
    frame: Frame
    body: Span | None
    """The first statement of the body."""
    word: str = ""
    """In a loop over strings, such as ``"train"`` and ``"val"``, the string of this turn."""
