"""DRP212: activation checkpointing that draws another mask when it computes again."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.mode import evidence
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline
from dropout_lint.rewrites import RemoveKeyword


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report ``preserve_rng_state=False`` over something that drops."""
    for found in evidence(outline, context, context.code):
        yield context.report(
            found.span,
            f"The backward pass computes this again with another mask: `{found.detail}` draws from a state not kept.",
            fix=unsafe("Drop the argument", RemoveKeyword(found.span, "preserve_rng_state")),
        )
