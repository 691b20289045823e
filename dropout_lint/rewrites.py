"""The changes of code that a fix may consist of, as data.

A check makes them from spans of expressions, statements or calls. ``dropout_lint.rewriting`` turns them into edits, and
knows about layout. Inserted code has four blanks for each level of indentation; the
rewriter takes those of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Rewrite, Span


@dataclass(frozen=True, slots=True)
class AddArgument(Rewrite):
    """Add an argument to a call: last, or before the argument whose value is at ``before``."""

    call: Span
    name: str
    """The keyword, "" to pass it by position."""
    value: str
    before: Span | None = None


@dataclass(frozen=True, slots=True)
class RemoveArgument(Rewrite):
    """Remove the argument with this value."""

    value: Span


@dataclass(frozen=True, slots=True)
class RemoveKeyword(Rewrite):
    """Remove the argument with this keyword."""

    call: Span
    name: str


@dataclass(frozen=True, slots=True)
class NameArgument(Rewrite):
    """Pass a positional argument by keyword."""

    value: Span
    name: str


@dataclass(frozen=True, slots=True)
class ReplaceExpression(Rewrite):
    """Replace an expression."""

    expression: Span
    code: str


@dataclass(frozen=True, slots=True)
class WrapExpression(Rewrite):
    """Put an expression at the ``{}`` of a template: ``1 - {}``."""

    expression: Span
    template: str


@dataclass(frozen=True, slots=True)
class KeepPart(Rewrite):
    """Replace an expression by a part of it: ``drop(x)`` by ``x``."""

    whole: Span
    part: Span


@dataclass(frozen=True, slots=True)
class Rename(Rewrite):
    """Rename the last part of a dotted name, such as the callee of a call: ``nn.Dropout`` to ``nn.Dropout1d``."""

    expression: Span
    name: str


@dataclass(frozen=True, slots=True)
class ReplaceMethod(Rewrite):
    """Call another method on the same object: ``to(x.dtype)`` for ``float()``."""

    call: Span
    code: str


@dataclass(frozen=True, slots=True)
class SwapElements(Rewrite):
    """Exchange two elements of a call, list or tuple, or two statements; the first loses the argument ``without``."""

    first: Span
    second: Span
    without: Span | None = None
    """The value of the argument."""


@dataclass(frozen=True, slots=True)
class SwapCalls(Rewrite):
    """Exchange two functions applied one after the other: ``outer(inner(x))``, or ``x = inner(x); x = outer(x)``."""

    inner: Span
    outer: Span
    operand: Span
    """The argument of the inner one."""
    result: Span
    """The argument of the outer one."""


@dataclass(frozen=True, slots=True)
class InsertBefore(Rewrite):
    """Insert statements before a statement."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class InsertAfter(Rewrite):
    """Insert statements after a statement."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class AddMethod(Rewrite):
    """Add a function after the function that a statement is in."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class RemoveStatement(Rewrite):
    """Remove a statement that is not alone in its block."""

    statement: Span


@dataclass(frozen=True, slots=True)
class WrapStatements(Rewrite):
    """Put neighbouring statements under ``if test:``."""

    statements: Span
    test: str


@dataclass(frozen=True, slots=True)
class ReplaceStatement(Rewrite):
    """Replace a statement."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class AssignResult(Rewrite):
    """Bind what a statement computes: ``x = f(x)`` for ``f(x)``."""

    statement: Span
    target: str


@dataclass(frozen=True, slots=True)
class AssignNew(Rewrite):
    """Bind a new value instead of changing one in place: ``x = x + y`` for ``x += y``, ``x = x.add(y)`` for
    ``x.add_(y)``."""

    statement: Span
