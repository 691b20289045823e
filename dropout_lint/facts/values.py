"""Values, arguments and scopes, which other facts contain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span

NOWHERE = Span(0, 0, 0, 0)

Polarity = Literal["keep", "drop", ""]


@dataclass(frozen=True, slots=True)
class Value:
    """What is known about an expression that configures dropout. Every field may be unknown.

    ``number``: the proven constant; for ``kind`` "bool", 1.0 or 0.0.
    ``polarity``: a probability to keep or to drop, by the identifiers that the value flows through.
    ``doc``: the same, according to a docstring or a help text.
    ``gated``: a definition of the value depends on the train/eval mode.
    ``literal``: it comes from literals in the code, not from a default or an option.

    After ``def __init__(self, keep_prob=0.8)``, the value of ``1 - keep_prob`` has the number 0.2, the polarity
    "drop", ``default`` and the name ``keep_prob``.
    """

    kind: Literal["number", "bool", "str", "none", "unknown"] = "unknown"
    number: float | None = None
    polarity: Polarity = ""
    doc: Polarity = ""
    gated: bool = False
    literal: bool = False
    default: bool = False
    """The number is the default of a parameter, so a caller can change it."""
    parameter: str = ""
    """The parameter of the enclosing function, if the value is that parameter unchanged."""
    from_caller: bool = False
    """Computed from a parameter of a function that is no constructor, so each call decides."""
    attribute: str = ""
    """The last attribute or key name the value was read from, for a look-up in configuration classes."""
    names: tuple[str, ...] = ()
    """Identifiers the value flows through, outermost first."""

    @property
    def is_zero(self) -> bool:
        """Proven to be zero wherever it is used, not only by default."""
        return self.number == 0.0 and not self.default


UNKNOWN = Value()
FALSE = Value(kind="bool", number=0.0)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call. ``name`` is its parameter, "" if unknown (after ``*args``)."""

    name: str
    keyword: bool
    text: str
    span: Span
    """The value alone."""
    value: Value
    runs_code: bool = False
    """Evaluating it may do more than compute a value."""


CONSTRUCTORS = frozenset(
    {"__init__", "__new__", "__post_init__", "setup", "build", "_build", "configure_model", "__setstate__"}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The class and function around a place in a file."""

    class_name: str = ""
    """Qualified name of the innermost class whose method encloses it, "" outside of classes."""
    function: str = ""
    """Qualified name of the innermost named function, "" at module or class level."""
    method: str = ""
    """The method of ``class_name`` that encloses it (closures and lambdas count for their method)."""
    self_name: str = ""
    """The name of the instance there, "" if there is none."""
    parameters: tuple[str, ...] = ()
    inner: bool = False
    """A function or lambda inside of the method, which may run later than the method."""

    @property
    def constructs(self) -> bool:
        """True if this runs while the object is built."""
        return self.method in CONSTRUCTORS

    @property
    def computes(self) -> bool:
        """True if this may run in ``forward``: in another method, or in a lambda that the constructor defines."""
        return self.inner or not self.constructs
