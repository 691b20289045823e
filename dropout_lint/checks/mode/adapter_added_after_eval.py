"""DRP218: adapters that are added to a model in eval mode, and stay in train mode when it is used."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Confidence, Diagnostic
from dropout_lint.facts import EVAL, TRAIN, ModeRun, RunEvent

_LOADS = "load_adapter"


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report where the adapters are added."""
    history = history_of(run)
    for added in run.events:
        use = _use(history, added) if added.kind == "adapt" and added.modes == EVAL else None
        here = unless_intended(context, run, added.location, added.frame, use.frame) if use is not None else None
        if use is None or here is None or added.model is None:
            continue
        name = model_name(run, added.frame, added.model) or "the model"
        loads = added.label == _LOADS
        which = "the adapters that older versions of Transformers load" if loads else "the adapters that this adds"
        yield here.report(
            added.location.span,
            f"{name} is in eval mode, but {which} are in train mode, and their dropout drops when it is used.",
            confidence=Confidence.POSSIBLE if loads else Confidence.PROVEN,
            fix=advice("Call `eval()` after the adapters are added"),
            related=(related(use.location, "used here"),),
        )


def _use(history: History, added: RunEvent) -> RunEvent | None:
    """The first use of a model with its adapters in train mode, if nothing trains it or may set its mode."""
    model = added.model
    if model is None or history.is_trained(model) or history.in_test(added.frame):
        return None
    later = [e for e in history.run.events if e.order > added.order and history.touches(e, model)]
    use = next((e for e in later if e.kind == "forward"), None)
    if use is None or any(e.kind == "escape" for e in later):
        return None
    drops = any(history.run.models[part].built == added.location and modes == TRAIN for part, modes in use.live)
    return use if drops else None
