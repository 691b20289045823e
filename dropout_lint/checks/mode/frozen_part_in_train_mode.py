"""DRP215: a part whose weights never change is in train mode while the rest is trained."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.frozen_parts import Frozen, frozen_in_train_mode
from dropout_lint.checks.support.mode import built_places, live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Related
from dropout_lint.facts import ModeRun


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report where the weights are frozen."""
    history = history_of(run)
    for found in frozen_in_train_mode(history):
        frames = (found.frame, *((found.forward.frame,) if found.forward is not None else ()))
        here = unless_intended(context, run, found.location, *frames)
        if here is None:
            continue
        name = model_name(run, found.frame, found.model) or "this model"
        when = "it is in train mode while the rest is trained"
        if found.forward is None:
            when = "`train()` of this Module puts it into train mode"
        yield here.report(
            found.location.span,
            f"The weights of {name} are frozen, but {when}{live_layer(run, found.live)}.",
            fix=advice("Override `train` so that it calls `eval()` on the frozen part again"),
            related=(*built_places(run, found.model, found.live), *_steps(history, found)),
        )


def _steps(history: History, found: Frozen) -> Iterator[Related]:
    if found.forward is None:
        return
    cause = history.cause(found.forward)
    if cause is not None:
        yield related(cause.location, "puts it into train mode")
    yield related(found.forward.location, "runs in train mode here")
