"""Classes and functions: what they hold, and what becomes of a rate that they are given."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import Scope


@dataclass(frozen=True, slots=True)
class RateWrite:
    """A dropout rate assigned while the model computes."""

    target: str
    span: Span
    scope: Scope
    under_mode_test: bool
    """A zero, written where the mode decides."""
    in_forward_branch: bool
    """A constant, written in one branch of ``forward``."""
    restored: bool


@dataclass(frozen=True, slots=True)
class WeightWrite:
    """A parameter overwritten with a dropped copy of itself."""

    target: str
    span: Span
    scope: Scope


@dataclass(frozen=True, slots=True)
class UnreadParameter:
    """A parameter of a constructor that configures dropout and that nothing reads."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ModelClass:
    """What a class says about itself: its bases, its dropout attributes and how it uses them."""

    name: str
    span: Span
    """The ``class`` line."""
    bases: tuple[str, ...]
    """Dotted names, or names of the same file behind a leading dot."""
    methods: frozenset[str]
    read: frozenset[str]
    """Attributes of the instance that the class reads, calls or deletes, in any method."""
    opaque: bool
    """Reads its attributes in a way that names none (``children()``, ``getattr`` with a variable, ...)."""
    torch_attributes: bool
    """Assigns an attribute from torch.nn, as only a Module does."""
    rate_writes: tuple[RateWrite, ...] = ()
    weight_writes: tuple[WeightWrite, ...] = ()
    unread_parameters: tuple[UnreadParameter, ...] = ()
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class FunctionSummary:
    """What a function does with a rate that it is given."""

    name: str
    parameters: tuple[str, ...]
    sinks: frozenset[str]
    """Parameters that reach a dropout which ignores the mode."""
    returns: tuple[str, ...] = ()
    """Functions of the same file that it returns, as factories do."""


@dataclass(frozen=True, slots=True)
class ClassHeader:
    """Enough of a class to follow its bases and its constants."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    attributes: frozenset[str]
    """Names on the instance that the class reads."""
    constants: dict[str, float]
    texts: dict[str, str] = field(default_factory=dict)
    """Strings that the class body or the constructor's defaults give to names."""
    opaque: bool = False
