"""Facts about train and eval mode: statements of functions, and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import NOWHERE


@dataclass(frozen=True, slots=True)
class Term:
    """An expression that may evaluate to a model, a class, a function or a constant.

    ``parts`` are the operands in order: the base of an attribute or item; the callee and the arguments of a call; the
    elements of a tuple or list; the iterable and the element of a comprehension. ``model.eval()`` is a call whose
    only part is the attribute ``eval`` of the name ``model``.
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
    """Positional ones come first."""
    positional: int = 0
    defaults: tuple[tuple[str, Term], ...] = ()
    rest: str = ""
    """The parameter that takes further positional arguments."""
    owner: str = ""
    """Qualified name of the class whose method it is."""
    decorators: tuple[Term, ...] = ()
    intent: str = ""
    """Words by which it declares dropout at test time."""
    relevant: bool = False
    """It changes a mode, trains, exports or switches gradients off."""
    sets_flag: bool = False
    """It assigns to an attribute ``training``."""
    checkpoints: bool = False
    """It mentions ``preserve_rng_state``, an option of activation checkpointing."""


@dataclass(frozen=True, slots=True)
class ModeOutline:
    """The mode words in a top-level definition; its name is "" for the statements between definitions.

    Shows whether to follow a function, without parsing it.
    """

    name: str
    start: int
    end: int
    """Offsets of its lines in the text of the file, decorators included."""
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
    """A definition of ``train`` or ``eval`` in a class, or an attribute of this name that hides the method.

    From ``required`` on, the fields describe a definition; of an attribute they have their defaults.
    """

    owner: str
    name: str
    span: Span
    """The definition, or the assignment."""
    kind: Literal["method", "property", "attribute"]
    instance: str
    """How the instance is called there, "" for a static method."""
    static: bool = False
    required: int = 0
    """How many parameters beside the instance have no default."""
    first: str = ""
    """The first parameter beside the instance, "" for none."""
    keywords: bool = False
    """It takes ``*args`` or ``**kwargs``."""
    trains: bool = False
    """It runs ``backward()`` or a step of an optimizer, or loops over data."""
    backward: bool = False
    """It computes gradients."""
    forwards: bool = False
    """It calls the method of the base class."""
    recurses: bool = False
    """It passes the mode on to its children."""
    sets: bool = False
    """It assigns ``training``."""
    extra: bool = False
    """It does something beside calling the method of the base class."""
    returns: bool = False
    """It returns something."""
    body: Span = NOWHERE
    """The first statement after the docstring."""
    end: Span = NOWHERE
    """The last statement."""
    one_line: bool = False


@dataclass(frozen=True, slots=True)
class ModeClass:
    """What a class proves about modes. What its constructor builds is in its ModeFlow."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    reads_mode: bool
    """It reads ``self.training`` outside of constructors and overrides."""
    functional_rates: tuple[str, ...]
    """The rates of functional dropouts: an attribute, or "?" for anything else that is not zero."""
