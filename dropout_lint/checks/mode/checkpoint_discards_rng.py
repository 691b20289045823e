"""DRP212: activation checkpointing whose recomputation in the backward pass draws another mask."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import unsafe
from dropout_lint.checks.support.mode import unless_intended
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeRun
from dropout_lint.rewrites import RemoveKeyword


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report ``preserve_rng_state=False`` for a function or model with a dropout."""
    for event in run.events:
        if event.kind != "checkpoint":
            continue
        drops = next((part for part, _ in event.live if "Norm" not in run.models[part].name), None)
        here = unless_intended(context, run, event.location, event.frame) if drops is not None else None
        if drops is None or here is None:
            continue
        name = run.models[drops].class_name
        yield here.report(
            event.location.span,
            f"The backward pass computes this again with another mask: `{name}` draws from a state not kept.",
            fix=unsafe("Drop the argument", RemoveKeyword(event.location.span, "preserve_rng_state")),
        )
