"""What is known about values, arguments and scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span

NOWHERE = Span(0, 0, 0, 0)

Polarity = Literal["keep", "drop", ""]


@dataclass(frozen=True, slots=True)
class Value:
    """What is known about an expression that configures dropout. Every field may be unknown.

    ``number`` is the proven constant (also True/False as 1.0/0.0 with ``kind`` "bool"); ``polarity`` whether the
    value is a probability to keep or to drop, by the identifiers it flows through; ``doc`` the same as told by a
    docstring or a help text; ``gated`` whether some definition of it depends on the train/eval mode.
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
    """The parameter of the enclosing function that this value is, unchanged."""
    from_caller: bool = False
    """Computed from a parameter of a function that is no constructor, so that its callers decide."""
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
    """One argument of a call. ``name`` is the parameter it binds to, "" where unknown (after ``*args``)."""

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
    """Where in a file something stands."""

    class_name: str = ""
    """Qualified name of the innermost class whose method encloses it, "" outside of classes."""
    function: str = ""
    """Qualified name of the innermost named function, "" at module or class level."""
    method: str = ""
    """The method of ``class_name`` that encloses it (closures and lambdas count for their method)."""
    self_name: str = ""
    """How the instance is called there, "" where there is none."""
    parameters: tuple[str, ...] = ()

    @property
    def constructs(self) -> bool:
        """Whether this runs while the object is built, not while it computes."""
        return self.method in CONSTRUCTORS
