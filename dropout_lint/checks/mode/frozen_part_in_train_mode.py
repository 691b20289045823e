"""DRP215: a part whose weights never change is in train mode while the rest is trained."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.frozen_parts import Frozen, frozen_in_train_mode
from dropout_lint.checks.support.mode import built_places, live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_override import override_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.checks.support.undone_parts import undone_parts
from dropout_lint.diagnostic import Confidence, Diagnostic, Related
from dropout_lint.facts import ModeRun

_NOT_KNOWN = ", where its dropout drops and its batch norm learns"


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report where the weights are frozen."""
    history = history_of(run)
    undone = {one.part for one in undone_parts(history)}
    for found in frozen_in_train_mode(history):
        if found.model in undone:
            continue  # DRP211 reports its ``eval()``
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
            f"{_fixed(found, name)}, but {when}{live_layer(run, found.live) or _NOT_KNOWN}.",
            confidence=Confidence.PROVEN if found.forward is not None else Confidence.LIKELY,
            fix=override_of(history, found.frame),
            related=(*built_places(run, found.model, found.live), *_steps(history, found)),
        )


def _fixed(found: Frozen, name: str) -> str:
    return f"The weights of {name} are frozen" if found.freeze.kind == "freeze" else f"{name} runs without gradients"


def _steps(history: History, found: Frozen) -> Iterator[Related]:
    if found.forward is None:
        return
    cause = history.cause(found.forward)
    if cause is not None:
        yield related(cause.location, "puts it into train mode")
    yield related(found.forward.location, "runs in train mode here")
