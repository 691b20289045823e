"""DRP212: activation checkpointing that draws another mask when it computes again."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.edits import remove_argument
from dropout_lint.checks.support.mode import unless_meant
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Fix, Span
from dropout_lint.facts import ModeRun

_ARGUMENT = "preserve_rng_state=False"


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report ``preserve_rng_state=False`` over something that drops."""
    for event in run.events:
        if event.kind != "checkpoint":
            continue
        drops = next((part for part, _ in event.live if "Norm" not in run.models[part].name), None)
        here = unless_meant(context, run, event.location, event.frame) if drops is not None else None
        if drops is None or here is None:
            continue
        name = run.models[drops].class_name
        yield here.report(
            event.location.span,
            f"The backward pass computes this again with another mask: `{name}` draws from a state not kept.",
            fix=_without_argument(here, event.location.span),
        )


def _without_argument(here: Context, call: Span) -> Fix | None:
    """The call without ``preserve_rng_state=False``."""
    text = here.text
    start = here.offset(call.line, call.column)
    first = text.find(_ARGUMENT, start, here.offset(call.end_line, call.end_column))
    if first < 0:
        return None
    comma = text.rfind(",", start, first)
    if comma < 0 or text[comma + 1 : first].strip():
        return None
    removed = Span(*here.position(comma), *here.position(first + len(_ARGUMENT)))
    return unsafe("Drop the argument", *remove_argument(here, removed))
