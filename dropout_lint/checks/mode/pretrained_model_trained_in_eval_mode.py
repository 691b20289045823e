"""DRP216: say what is wrong here."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeRun


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report what is proven, and nothing else."""
    return
    for event in run.events:
        here = context.file(event.location.path)
        if here is not None:
            yield here.report(event.location.span, "One sentence: what happens, and why it is not what was meant.")
