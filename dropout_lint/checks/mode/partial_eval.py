"""DRP208: an evaluation that sets one model to eval and runs another one in train mode."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import live_layer, model_name, unless_intended
from dropout_lint.checks.support.mode_evaluations import evaluations_in_train_mode, evidence
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeRun


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report forwards of the model whose ``eval()`` is missing."""
    for found in evaluations_in_train_mode(run):
        here = unless_intended(context, run, found.location, found.first.frame)
        if found.other is None or here is None:
            continue
        name = model_name(run, found.frame, found.model) or "this model"
        reason = "only another model of this evaluation was set to eval"
        yield here.report(
            found.location.span,
            f"{name} is still in train mode here; {reason}{live_layer(run, found.live)}.",
            fix=advice(f"Call `eval()` on {name} too"),
            related=tuple(evidence(run, found)),
        )
