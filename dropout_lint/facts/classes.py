"""Facts about classes and functions."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import Scope


@dataclass(frozen=True, slots=True)
class RateWrite:
    """A dropout rate assigned while the model computes, such as ``self.drop.p = 0``."""

    target: str
    span: Span
    scope: Scope
    under_mode_test: bool
    """It writes 0, and a test of the mode decides about it."""
    in_forward_branch: bool
    """It writes a constant, in a branch of ``forward``."""
    restored: bool
    """The same function assigns it more than once."""


@dataclass(frozen=True, slots=True)
class WeightWrite:
    """A parameter overwritten with a dropped copy of itself."""

    target: str
    span: Span
    scope: Scope


@dataclass(frozen=True, slots=True)
class UnreadParameter:
    """A parameter of a constructor that configures dropout and is never read."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A class as checks see it: bases, methods, and how it uses its attributes. ClassHeader is for other files."""

    name: str
    span: Span
    """The ``class`` line."""
    bases: tuple[str, ...]
    """Dotted names; those of the same file begin with a dot."""
    methods: frozenset[str]
    read: frozenset[str]
    """Attributes of the instance that the class reads, calls or deletes, in any method."""
    opaque: bool
    """Reads attributes without naming them (``children()``, ``getattr`` with a variable, ...)."""
    torch_attributes: bool
    """Assigns an attribute from torch.nn, as only a Module does."""
    rate_writes: tuple[RateWrite, ...] = ()
    weight_writes: tuple[WeightWrite, ...] = ()
    unread_parameters: tuple[UnreadParameter, ...] = ()
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class FunctionSummary:
    """Where a function passes its parameters, so that its calls can be followed."""

    name: str
    parameters: tuple[str, ...]
    sinks: frozenset[str]
    """Parameters that reach the rate of a dropout which ignores the mode."""
    only_sinks: frozenset[str] = frozenset()
    """Those of ``sinks`` that it uses for nothing else."""
    returns: tuple[str, ...] = ()
    """Functions of the same file that it returns."""
    captures: tuple[tuple[str, str], ...] = ()
    """Parameters that what it makes reads as the mode of a dropout, each with the attribute that holds it or ""."""
    applies: frozenset[str] = frozenset()
    """Parameters, named after dropout, that it calls."""
    hands_on: tuple[tuple[str, str, str], ...] = ()
    """Parameters, named after dropout, that it passes on: the callee, the keyword or position there, the parameter."""
    makes_dropout: bool = False
    """It returns a dropout that it constructs, with a rate that is not 0."""


@dataclass(frozen=True, slots=True)
class ClassHeader:
    """The part of a class that other classes and files need: bases, names and constants."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    attributes: frozenset[str]
    """Names on the instance that the class reads."""
    constants: dict[str, float]
    texts: dict[str, str] = field(default_factory=dict)
    """Strings in the class body and in the defaults of the constructor, by name."""
    opaque: bool = False
    own_mode: bool = False
    """Its ``training`` may not be what ``train()`` and ``eval()`` set it to."""
