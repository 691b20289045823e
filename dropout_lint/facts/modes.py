"""Train and eval mode in one file: the statements of functions, the classes, the overrides of ``train``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import NOWHERE


@dataclass(frozen=True, slots=True)
class Term:
    """An expression, reduced to what can carry a model, a class, a function or a constant.

    ``parts`` are the operands in order: the base of an attribute or item; the callee and then the arguments of a
    call; the elements of a tuple or list; iterable and element of a comprehension.
    """

    kind: str
    """name, attribute, item, call, constant, tuple, dict, each, choice, compare, not, lambda, star, import or group."""
    text: str = ""
    """A name, an attribute, a dotted import, the operator of a comparison, the variable of a comprehension."""
    parts: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    span: Span = NOWHERE
    """Of calls and attributes."""
    constant: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A statement. ``arms`` are its blocks: two for a branch, the body and the rest for a loop, one for a region."""

    kind: Literal["bind", "evaluate", "return", "branch", "loop", "region", "stop", "define", "try", "outer"]
    targets: tuple[Term, ...] = ()
    value: Term | None = None
    arms: tuple[tuple[Step, ...], ...] = ()
    span: Span = NOWHERE
    text: str = ""
    """The qualified name of a definition; the statement by which a path stops."""


@dataclass(frozen=True, slots=True)
class ModeFlow:
    """The statements of one function, or of the top level of a file, with branches, loops and ``with`` regions.

    Calls of ``eval()``, of models, of ``backward()`` and of other functions are terms. Linking finds out which is
    which, because that takes the value of the callee.
    """

    name: str
    """Qualified name, "" for the top level."""
    span: Span
    steps: tuple[Step, ...]
    parameters: tuple[str, ...] = ()
    """Those that can be passed by position come first."""
    positional: int = 0
    defaults: tuple[tuple[str, Term], ...] = ()
    rest: str = ""
    """The parameter that takes further positional arguments."""
    owner: str = ""
    """Qualified name of the class whose method it is."""
    decorators: tuple[Term, ...] = ()
    intent: str = ""
    """Words that say dropout is meant at test time."""
    relevant: bool = False
    """Changes a mode, trains, exports or switches gradients off itself."""
    sets_flag: bool = False
    """Assigns to an attribute ``training``."""
    checkpoints: bool = False
    """Mentions the random state that activation checkpointing keeps."""


@dataclass(frozen=True, slots=True)
class ModeOutline:
    """The words about modes in a definition of the top level; ``name`` is "" for the statements between definitions.

    Linking finds the functions worth running by it, without parsing them.
    """

    name: str
    start: int
    end: int
    """The offsets of its lines in the text of the file, decorators included."""
    acts: bool
    """Switches a mode or gradients, trains, loads or exports."""
    alone: bool
    """Worth a run even in a module: assigns the flag ``training``, checkpoints without the random state, or trains."""
    freezes: bool
    """A class whose constructor puts a part into eval mode."""
    words: tuple[str, ...] = ()
    """For the statements between the definitions, the dotted names in them."""


@dataclass(frozen=True, slots=True)
class UncalledModeMethod:
    """A statement that names ``model.eval`` or ``model.train`` and does not call it."""

    receiver: str
    method: str
    span: Span
    is_used: bool
    """The file uses the receiver as a model."""
    owner: str
    """The class whose instance the receiver is, "" for anything else."""


@dataclass(frozen=True, slots=True)
class ModeOverride:
    """A class that defines ``train`` or ``eval`` itself."""

    owner: str
    name: str
    span: Span
    """The name in the ``def`` line."""
    required: int
    """Parameters without a default, beside the instance."""
    first: str
    """The first parameter beside the instance, "" for none."""
    keywords: bool
    trains: bool
    """Its body runs ``backward()`` or a step of an optimizer, or loops over data."""
    forwards: bool
    """Calls the method of the base class."""
    recurses: bool
    """Passes the mode on to its children by hand."""
    returns: bool
    """Ends in returning something."""
    body: Span
    """The first statement after the docstring."""
    end: Span
    """The last statement."""
    one_line: bool
    static: bool = False
    kind: Literal["method", "property", "attribute"] = "method"
    instance: str = ""
    backward: bool = False
    """Computes gradients, as only training does."""
    extra: bool = False
    """Does something beside calling the method of the base class."""
    sets: bool = False
    """Assigns the flag by hand."""


@dataclass(frozen=True, slots=True)
class ModeClass:
    """What a class does with modes, beside what its constructor builds."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    reads_mode: bool
    """Reads ``self.training`` outside of constructors and overrides."""
    functional_rates: tuple[str, ...]
    """The rates of functional dropouts: an attribute, or "?" for anything else that is not zero."""
