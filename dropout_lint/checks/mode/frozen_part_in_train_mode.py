"""DRP215: a part whose weights never change is in train mode while the rest is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import built_places, live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import TRAIN, ModeRun, RunEvent


@dataclass(frozen=True, slots=True)
class Frozen:
    """A model with fixed weights that runs in train mode for a training step."""

    freeze: RunEvent
    """The event that fixes the weights."""
    model: int
    live: int
    """A layer in it that differs between the modes."""
    forward: RunEvent
    """The pass for the training step: of the model, or of one that holds it."""


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report where the weights are frozen."""
    history = history_of(run)
    for found in _frozen(history):
        here = unless_intended(context, run, found.freeze.location, found.freeze.frame, found.forward.frame)
        if here is None:
            continue
        name = model_name(run, found.freeze.frame, found.model) or "this model"
        cause = history.cause(found.forward)
        yield here.report(
            found.freeze.location.span,
            f"The weights of {name} are frozen, but it is in train mode while the rest is trained"
            f"{live_layer(run, found.live)}.",
            fix=advice("Call `eval()` on it before each training step, or override `train` of what holds it"),
            related=(
                *built_places(run, found.model, found.live),
                *((related(cause.location, "puts it into train mode"),) if cause is not None else ()),
                related(found.forward.location, "runs in train mode here"),
            ),
        )


def _frozen(history: History) -> Iterator[Frozen]:
    """The models that the program freezes, and that every training step runs in train mode."""
    seen: set[int] = set()
    for event in history.run.events:
        model = event.model
        if event.kind != "freeze" or model is None or model in seen or _changes(history, model):
            continue
        seen.add(model)
        steps = [f for f in _steps(history, model) if f.order > event.order]
        live = _always_live(history, model, steps)
        if live is not None and not history.in_test(steps[0].frame):
            yield Frozen(event, model, live, steps[0])


def _changes(history: History, model: int) -> bool:
    """Whether something trains the weights after all: it switches gradients on, averages weights, or copies them."""
    return any(
        event.kind == "thaw" or (event.kind == "load" and event.turns)
        for event in history.run.events
        if history.touches(event, model)
    )


def _steps(history: History, model: int) -> list[RunEvent]:
    """The passes for training steps in which a model takes part: it gives features or targets."""
    own = [f for f in history.forwards if f.model is not None and model in history.parts(f.model)]
    return [f for f in own if history.backward_of(f) is not None or (f.grad is False and history.feeds_step(f))]


def _always_live(history: History, model: int, steps: list[RunEvent]) -> int | None:
    """A layer of a model that differs between the modes and is in train mode at every training step."""
    if not steps:
        return None
    modes = [dict(f.live) for f in steps]
    return next((p for p in history.parts(model) if all(m.get(p) == TRAIN for m in modes)), None)
