"""DRP290: modules run or come back in a mode that nobody set.

In source: a function evaluates a model and leaves it in eval mode, and its caller trains on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.mode import built_places, live_layer, mode_call, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_insertion import named_around, outermost_loop, place_in
from dropout_lint.checks.support.mode_purpose import generates
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import EVAL, Location, ModeRun, RunEvent

if TYPE_CHECKING:
    from dropout_lint.facts.observations import LeftInTrainMode, ModesMixed, ModesNotRestored


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report the call of a function that leaves a model in eval mode. In a loop that trains on, DRP205 reports it."""
    history = history_of(run)
    seen: set[Location] = set()
    for step in history.training:
        cause, model = history.cause(step), step.model
        common = history.common_caller(cause.frame, step.frame) if cause is not None else None
        live = next((part for part, modes in step.live if modes == EVAL), None)
        if cause is None or model is None or common is None or live is None or not history.updates_weights(step):
            continue
        call = _call(history, cause, step, common, model)
        here = unless_intended(context, run, call, cause.frame, step.frame) if call is not None else None
        if call is None or here is None or call in seen:
            continue
        seen.add(call)
        name = model_name(run, common, model) or "the model"
        place = place_in(history, step, common)
        receiver, around = named_around(here, run, common, model, place) if place is not None else ("", ())
        yield here.report(
            call.span,
            f"This leaves {name} in eval mode, and the training that follows does not call `train()`"
            f"{live_layer(run, live)}.",
            fix=mode_call(outermost_loop(around), receiver, "train()", "Call `train()` before the training"),
            related=(
                *built_places(run, model, live),
                related(cause.location, "enters evaluation here"),
                related(step.location, "trains here, in eval mode"),
            ),
        )


def _call(history: History, cause: RunEvent, step: RunEvent, common: int, model: int) -> Location | None:
    """The call, in a function that goes on to train, of one that evaluates the model and leaves it in eval mode."""
    if cause.kind != "mode" or cause.modes != EVAL or step.modes != EVAL or cause.frame == common:
        return None
    if {t.loop for t in cause.turns} & {t.loop for t in step.turns} or history.in_test(step.frame):
        return None
    if generates(history.run.models[model]) or not _evaluates_there(history, cause, model, common):
        return None
    return history.call_towards(cause, common)


def _evaluates_there(history: History, cause: RunEvent, model: int, common: int) -> bool:
    """Whether the function that calls ``eval()`` goes on to run the model, and does not train it."""
    inside = [f for f in history.chain(cause.frame) if f != common and common in history.chain(f)]
    later = (f for f in history.forwards if f.order > cause.order and f.model == model)
    used = next((f for f in later if set(inside) & set(history.chain(f.frame))), None)
    return used is not None and history.backward_of(used) is None


def check_modules(left: LeftInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report modules that ``eval()`` left in train mode although no class around them overrides it."""
    if not left.overridden:
        text = f"`eval()` leaves modules in train mode that drop or normalise by batch, below {left.owner}"
        yield context.report(left, text)


def check_mixed(mixed: ModesMixed, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that ran in another mode than the model."""
    here, there = ("train", "eval") if mixed.model_trains else ("eval", "train")
    text = f"The model is in {here} mode, and {mixed.class_name} below it in {there} mode"
    yield context.report(mixed, text)


def check_restored(changed: ModesNotRestored, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report modules that a block of code left in another mode than it found them in."""
    first, *others = changed.modules
    what = f"`{first}`" if first else f"the {changed.model_class}"
    more = f" and {len(others)} more modules" if others else ""
    yield context.report(changed, f"{what}{more} came back in {'train' if changed.trains else 'eval'} mode")
