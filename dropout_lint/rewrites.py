"""The changes that a fix can ask for, as data: what to change, never how the text looks.

A check names a place by the span of an expression, a statement or a call, and says what becomes of it.
``dropout_lint.rewriting`` turns that into edits. Inserted code has four blanks for each level of indentation; the
rewriter takes those of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Rewrite, Span


@dataclass(frozen=True, slots=True)
class AddArgument(Rewrite):
    """Pass one more argument: behind the others, or before the one whose value is at ``before``."""

    call: Span
    name: str
    """The keyword, "" to pass it by position."""
    value: str
    before: Span | None = None


@dataclass(frozen=True, slots=True)
class RemoveArgument(Rewrite):
    """Pass the argument with this value no longer."""

    value: Span


@dataclass(frozen=True, slots=True)
class RemoveKeyword(Rewrite):
    """Pass the argument with this keyword no longer."""

    call: Span
    name: str


@dataclass(frozen=True, slots=True)
class NameArgument(Rewrite):
    """Pass a positional argument by keyword."""

    value: Span
    name: str


@dataclass(frozen=True, slots=True)
class ReplaceExpression(Rewrite):
    """Put another expression in the place of one."""

    expression: Span
    code: str


@dataclass(frozen=True, slots=True)
class WrapExpression(Rewrite):
    """Put an expression into another one, at its ``{}``: ``1 - {}``."""

    expression: Span
    template: str


@dataclass(frozen=True, slots=True)
class KeepPart(Rewrite):
    """Put a part of an expression in the place of the whole: ``x`` for ``drop(x)``."""

    whole: Span
    part: Span


@dataclass(frozen=True, slots=True)
class Rename(Rewrite):
    """Give an attribute, or the callee of a call, another last name."""

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
    """What the inner one is applied to."""
    result: Span
    """What the outer one is applied to."""


@dataclass(frozen=True, slots=True)
class InsertBefore(Rewrite):
    """Add statements in front of one."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class InsertAfter(Rewrite):
    """Add statements behind one."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class AddMethod(Rewrite):
    """Add a function behind the one that a statement stands in."""

    statement: Span
    code: str


@dataclass(frozen=True, slots=True)
class RemoveStatement(Rewrite):
    """Remove a statement that is not alone in its block."""

    statement: Span


@dataclass(frozen=True, slots=True)
class WrapStatements(Rewrite):
    """Put the statements from one to another under ``if test:``."""

    statements: Span
    test: str


@dataclass(frozen=True, slots=True)
class ReplaceStatement(Rewrite):
    """Put another statement in the place of one."""

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
