"""Facts about train and eval mode: the statements of functions as Steps and Terms, and what classes do."""

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
    """The kind of expression.

    name, attribute, item, call, constant, dict, compare, not, lambda, star: as in Python. ``tuple``: also a list or a
    set. ``each``: a comprehension. ``choice``: one of several values: ``a if test else b``, ``a or b``. ``import``: an
    imported name. ``group``: any other expression, by the terms in it.
    """
    text: str = ""
    """The name, attribute or dotted import; the operator of a comparison; the variable of a comprehension."""
    parts: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    span: Span = NOWHERE
    """Of calls and attributes."""
    constant: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A statement.

    ``arms`` are its blocks: both sides of a branch, or each ``case``; the body and the ``else`` of a loop; the body of
    a ``with`` statement (a region).
    """

    kind: Literal["bind", "evaluate", "return", "branch", "loop", "region", "stop", "define", "try", "outer"]
    targets: tuple[Term, ...] = ()
    value: Term | None = None
    arms: tuple[tuple[Step, ...], ...] = ()
    span: Span = NOWHERE
    text: str = ""
    """Of a "define" the qualified name, of a "stop" the statement (``Break``); "+=", "while" or "" elsewhere."""


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
    """Names of the parameters, positional ones first."""
    positional: int = 0
    """How many of them can be passed by position."""
    defaults: tuple[tuple[str, Term], ...] = ()
    rest: str = ""
    """The name of ``*args``, "" if there is none."""
    owner: str = ""
    """Qualified name of the class whose method it is."""
    decorators: tuple[Term, ...] = ()
    intent: str = ""
    """Words in it that declare dropout at test time, "" if none."""
    relevant: bool = False
    """It changes a mode, trains, exports or switches gradients off."""
    sets_flag: bool = False
    """It assigns to an attribute ``training``."""
    checkpoints: bool = False
    """It may use activation checkpointing, and its file mentions the option ``preserve_rng_state``."""


@dataclass(frozen=True, slots=True)
class ModeOutline:
    """What a top-level definition does with modes, by its words, without parsing it. Decides whether to run it.

    The name is "" for the statements between definitions.
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
    """A class whose constructor puts a part into eval mode, freezes its parameters, or gets it in eval mode."""
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
    """The name of the instance there, such as ``self``; "" for a static method."""
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
    """It calls the method of the base class: ``super().train(mode)``."""
    recurses: bool = False
    """It passes the mode on to its children."""
    sets: bool = False
    """It assigns ``training``."""
    extra: bool = False
    """It does something beside calling the method of the base class."""
    returns: bool = False
    """It returns something."""
    rebinds: bool = False
    """It binds the name of the instance to something else, deletes it, or is a generator."""
    delegates: bool = False
    """It gives the mode to a function, or calls another method of the instance."""
    acts: bool = False
    """It does something at all, beside a docstring and ``return``."""
    speaks_of_dropout: bool = False
    """Its words, or those that declare it, say that it is about dropout: it may keep one active on purpose."""
    woken: str = ""
    """A part that it puts into train mode whatever the mode is, as in ``self.part.train()``; "" for none."""
    body: Span = NOWHERE
    """The first statement after the docstring."""
    end: Span = NOWHERE
    """The last statement."""
    one_line: bool = False


@dataclass(frozen=True, slots=True)
class ModeClass:
    """How a class uses the mode. What its constructor builds is in the ModeFlow of ``__init__``."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    reads_mode: bool
    """It reads ``self.training`` outside of constructors and overrides."""
    functional_rates: tuple[str, ...]
    """The rates of functional dropouts: an attribute, or "?" for anything else that is not zero."""
