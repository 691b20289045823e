"""DRP212: activation checkpointing that draws another mask when it computes again."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.edits import remove_argument
from dropout_lint.checks.support.mode import evidence
from dropout_lint.diagnostic import Diagnostic, Fix, Span
from dropout_lint.facts import ModeOutline

_ARGUMENT = "preserve_rng_state=False"


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report ``preserve_rng_state=False`` over something that drops."""
    for found in evidence(outline, context, context.code):
        start = context.offset(found.span.line, found.span.column)
        end = context.offset(found.span.end_line, found.span.end_column)
        place = context.text.find(_ARGUMENT, start, end)
        fix = None
        if place >= 0:
            argument = Span(*context.position(place), *context.position(place + len(_ARGUMENT)))
            fix = _dropped(context, argument, start)
        yield context.report(
            found.span,
            f"The backward pass computes this again with another mask: `{found.detail}` draws from a state not kept.",
            fix=fix,
        )


def _dropped(context: Context, argument: Span, start: int) -> Fix | None:
    text = context.text
    first = context.offset(argument.line, argument.column)
    comma = text.rfind(",", start, first)
    if comma < 0 or text[comma + 1 : first].strip():
        return None
    line, column = context.position(comma)
    return unsafe(
        "Drop the argument", *remove_argument(context, Span(line, column, argument.end_line, argument.end_column))
    )
