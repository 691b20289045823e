"""DRP204: ``model.training = False``, which does not reach the modules inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.mode import built_places, model_name, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import EVAL, TRAIN, Location, ModeRun, RunEvent
from dropout_lint.rewrites import ReplaceStatement


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report assignments to ``training`` of models with layers that read their own flag, such as dropouts."""
    history = history_of(run)
    for event in run.events:
        model = event.model
        if event.kind != "flag" or model is None or not event.live or not _is_by_hand(history, event, model):
            continue
        here = unless_intended(context, run, event.location, event.frame)
        if here is None:
            continue
        live, _ = event.live[0]
        name = model_name(run, event.frame, model) or "``"
        yield here.report(
            event.location.span,
            f"This sets the flag of {name} alone: the `{run.models[live].class_name}` inside keeps its own.",
            fix=_as_call(here, event.location),
            related=tuple(built_places(run, model, live)),
        )


def _is_by_hand(history: History, event: RunEvent, model: int) -> bool:
    """Whether a function outside of the model sets the flag, and makes no call that sets the same mode inside."""
    run = history.run
    function = run.function_of(event.frame)
    if run.models[model].module is not True or function.is_test:
        return False
    if run.frames[event.frame].instance == model:
        # A constructor that writes `self.training = True` repeats what is so.
        return function.name.endswith("__init__") and event.label != "True"
    calls = (e for e in run.events if e.kind == "mode" and e.frame == event.frame and history.touches(e, model))
    return not any(e.order > event.order or _agrees(e, event) for e in calls)


def _agrees(call: RunEvent, flag: RunEvent) -> bool:
    """Whether a mode call sets the same mode as an assigned flag; true where the value of the flag is not known."""
    wanted = {"True": TRAIN, "False": EVAL}.get(flag.label)
    return wanted is None or call.modes == wanted


def _as_call(here: Context, place: Location) -> Fix | None:
    """A fix that writes ``model.eval()`` for ``model.training = False``."""
    target, _, value = here.project.files.lines(Path(place.path)).slice(place.span).partition("=")
    receiver = target.strip().removesuffix(".training")
    call = {"False": "eval()", "True": "train()"}.get(value.strip(), f"train({value.strip()})")
    if not value or "=" in target or "\n" in value:
        return advice("Call `eval()` or `train()`")
    return unsafe(f"Call `{receiver}.{call}`", ReplaceStatement(place.span, f"{receiver}.{call}"))
