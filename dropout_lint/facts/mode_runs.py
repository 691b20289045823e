"""What one run of an entry point does to models: its events, where they happen, and in which mode.

The parts of a run refer to each other by position: ``run.models[event.model]`` is the model of an event,
``run.frames[event.frame]`` the function call in which it happens, ``run.events[event.cause]`` what set the mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span

Modes = frozenset[str]
"""The modes that a model may be in: several where paths join."""
TRAIN, EVAL, OPEN = frozenset({"train"}), frozenset({"eval"}), frozenset({"unknown"})
EventKind = Literal[
    "mode",
    "forward",
    "backward",
    "trace",
    "script",
    "escape",
    "load",
    "checkpoint",
    "flag",
    "freeze",
    "thaw",
    "build",
    "adapt",
    "step",
]
_MOST_PARTS = 400


@dataclass(frozen=True, slots=True)
class Location:
    """A range of a file."""

    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class RunFunction:
    """A function that a run enters, or the top level of a file."""

    path: str
    name: str
    """Qualified name, "" for the top level."""
    is_test: bool
    """It is in a test file."""
    intent: str
    """Words in it that ask for dropout at test time."""
    receiver: str
    """Its first parameter, such as ``self``."""
    statements: tuple[Span, ...]
    """The spans of the statements at the top of its body."""
    repeated: tuple[Span, ...] = ()
    """Calls of ``train()`` in the ``else`` of an ``if`` that makes the same call."""


@dataclass(frozen=True, slots=True)
class RunFrame:
    """One call of a function."""

    function: int
    caller: int | None
    call: Location | None
    """Where it was called."""
    instance: int | None
    """The object whose method it is."""
    names: tuple[tuple[int, str], ...]
    """Models with the expression that names each here: a variable, or an attribute of the instance."""


@dataclass(frozen=True, slots=True)
class OwnerClass:
    """What the methods of a class do with its parts, and with their modes and gradients."""

    sees_bases: bool
    """Every base class is ``nn.Module`` or in the project."""
    sets_mode: bool
    """Another method overrides ``train`` or ``eval``, mentions one of them, or assigns the flag ``training``."""
    freezes: bool
    """A method named as one that freezes, such as ``freeze_backbone``, sets a mode."""
    used: frozenset[str]
    """The attributes that ``forward`` or ``training_step`` calls, also through other methods."""
    framework: str = ""
    """The class of a framework that it is derived from, such as ``lightning.LightningModule``."""
    without_gradients: frozenset[str] = frozenset()
    """The attributes whose every use in methods is under ``no_grad()``, or detached."""
    thaws: bool = False
    """A method other than the constructor may switch gradients of parameters on."""
    blends: bool = False
    """A method walks through the parameters of several models at once, to average or copy weights."""


@dataclass(frozen=True, slots=True)
class RunModel:
    """An object of a run: a model, a layer in it, or what may hold one."""

    name: str
    """The class, or the call that made it: ``torch.nn.Dropout``, ``Net``, ``timm.create_model``; "" if unknown."""
    class_name: str
    """The last part of ``name``, for a message: ``Dropout``."""
    label: str
    """The first variable or attribute that it was assigned to."""
    in_project: bool
    """The project defines its class."""
    draws: bool
    """The methods of its class draw random numbers, in any mode or in one. Only known if a forward is sampled."""
    module: bool | None
    """It is an ``nn.Module``; None if unknown."""
    live: bool | None
    """Its own computation, without its parts, differs between the modes; None if unknown."""
    built: Location | None
    parts: tuple[int, ...]
    """The objects that it holds directly."""
    attributes: tuple[tuple[str, int], ...]
    """Those of the parts that are attributes, by name."""
    part_of: int | None
    """The model that an unknown part belongs to, such as one that ``modules()`` gives."""
    origin: int | None
    """The model that it was traced, exported or scripted from."""
    copy_of: int | None
    """The model that ``copy.deepcopy`` made it from."""
    tracer: str
    """The function that made it as a graph, such as ``torch.jit.trace``."""
    owner: OwnerClass | None
    """Its class, if the project defines it and it is an ``nn.Module``; else None."""


@dataclass(frozen=True, slots=True)
class RunTurn:
    """One turn of a loop, in which an event happens."""

    loop: int
    turn: int
    location: Location
    """The loop statement."""
    frame: int
    body: Span | None
    """The first statement of the body."""
    word: str
    """In a loop over strings such as ``"train"`` and ``"val"``, the string of this turn."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happens to a model.

    ``mode`` is a call of ``train()`` or ``eval()``, ``flag`` an assignment to ``training``, ``escape`` a call that
    cannot be followed and may do anything to the model, ``load`` a load of weights, ``trace`` a trace or an export,
    ``script`` the making of a copy by ``torch.jit.script`` (its ``model`` is the copy), ``checkpoint`` activation
    checkpointing without the random state. ``freeze`` switches the gradients of all its parameters off, ``thaw``
    switches some of them on, or changes the weights without gradients, as an average of weights does. Its model is None
    if the parameters may belong to any. ``build`` is a call of a library that gives a model in eval mode, ``adapt`` one
    that adds adapters to a model. ``step`` is a call of a method of that name, as an optimizer has.
    """

    order: int
    kind: EventKind
    model: int | None
    modes: Modes
    """The modes of the model; for ``mode``, those that it sets."""
    grad: bool | None
    """Gradients are on, off, or unknown."""
    location: Location
    statement: Span
    """The statement that contains it."""
    frame: int
    turns: tuple[RunTurn, ...] = ()
    """The loops around it, in all functions on the path, outermost first."""
    region: Location | None = None
    """The ``with`` statement in the same function that switches gradients off."""
    cause: int | None = None
    """The event that set the mode of the model, None for the mode it was built in."""
    live: tuple[tuple[int, Modes], ...] = ()
    """The parts that compute differently in the two modes, each with the modes that it may be in."""
    random_input: bool = False
    """Of a forward: all inputs are random numbers."""
    unused: bool = False
    """Of a forward: nothing uses its result."""
    repeated: bool = False
    """Of a forward: a loop over a range repeats it on the same input."""
    sampled: Span | None = None
    """Of a forward: a loop repeats it, and the results are compared. The loop; NOWHERE for a comprehension."""
    passes: tuple[str, ...] = ()
    """Of a forward: the names in its arguments, the first argument left out."""
    label: str = ""
    """Of a trace, the tracer; of an adapt, the function; of a flag, the value; of a forward, the method before it."""


@dataclass(frozen=True, slots=True, eq=False)
class ModeRun:
    """One run of the top level of a file, or of one function with unknown parameters."""

    path: str
    function: str
    """The function that is run, "" for the top level."""
    events: tuple[RunEvent, ...]
    frames: tuple[RunFrame, ...]
    functions: tuple[RunFunction, ...]
    models: tuple[RunModel, ...]

    def function_of(self, frame: int) -> RunFunction:
        """The function that a frame is a call of."""
        return self.functions[self.frames[frame].function]

    def chain(self, frame: int) -> Iterator[int]:
        """A frame and those that called it, innermost first."""
        current: int | None = frame
        while current is not None:
            yield current
            current = self.frames[current].caller

    def instance_of(self, frame: int) -> RunModel | None:
        """The object whose method a frame runs."""
        instance = self.frames[frame].instance
        return self.models[instance] if instance is not None else None

    def spelling(self, frame: int, model: int) -> str:
        """The expression that names a model in a function, "" for none."""
        return next((name for known, name in self.frames[frame].names if known == model), "")

    def below(self, model: int) -> list[int]:
        """A model and everything that it holds."""
        found: list[int] = []
        pending, seen = [model], set[int]()
        while pending and len(found) < _MOST_PARTS:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                found.append(current)
                pending += self.models[current].parts
        return found
