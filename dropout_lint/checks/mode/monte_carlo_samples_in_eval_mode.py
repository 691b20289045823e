"""DRP217: the spread of repeated passes in eval mode, which is 0."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import live_layer, model_name, related
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Confidence, Diagnostic
from dropout_lint.facts import EVAL, Location, ModeRun, RunEvent, RunModel
from dropout_lint.vocabulary import MONTE_CARLO_WORDS, words

_WITHOUT_NOISE = re.compile(r"^(?:torch\.nn|torchvision|timm|transformers)\.")
"""Libraries whose layers and models draw nothing in eval mode."""


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report the forwards that are samples. Names that ask for Monte Carlo dropout are what makes it a mistake."""
    history = history_of(run)
    seen: set[Location] = set()
    for forward in history.forwards:
        model = forward.model
        here = context.file(forward.location.path)
        if forward.sampled is None or model is None or here is None or forward.location in seen:
            continue
        dropout = _silent_dropout(history, forward)
        known = dropout is not None and _is_constant(history, forward, model)
        if history.in_test(forward.frame) or not (known or _is_meant_to_drop(history, forward, model)):
            continue
        seen.add(forward.location)
        name = model_name(run, forward.frame, model) or "the model"
        cause = history.cause(forward)
        yield here.report(
            forward.location.span,
            f"All samples are alike: {name} is in eval mode, so its dropout draws nothing and their spread is 0"
            f"{live_layer(run, dropout)}.",
            confidence=Confidence.PROVEN if known else Confidence.LIKELY,
            fix=advice("Call `train()` on the dropout layers after `eval()`"),
            related=(related(cause.location, "enters eval mode here"),) if cause is not None else (),
        )


def _silent_dropout(history: History, forward: RunEvent) -> int | None:
    """A dropout of a model of which every layer that depends on the mode is in eval mode."""
    if forward.modes != EVAL or any(modes != EVAL for _, modes in forward.live):
        return None
    return next((part for part, _ in forward.live if "Norm" not in history.run.models[part].name), None)


def _is_meant_to_drop(history: History, forward: RunEvent, model: int) -> bool:
    """Whether nothing is known about a model, but a function by its name samples with dropout, and calls ``eval()``."""
    known, cause = history.run.models[model], history.cause(forward)
    if cause is None or cause.modes != EVAL or forward.modes != EVAL or known.name or known.in_project or forward.live:
        return False
    return cause.frame in history.chain(forward.frame) and any(
        words(f.name.rpartition(".")[2]) & MONTE_CARLO_WORDS for f in history.functions(forward.frame)
    )


def _is_constant(history: History, forward: RunEvent, model: int) -> bool:
    """Whether each pass gives the same: nothing in the model draws random numbers, and the loop trains nothing."""
    if not all(map(_draws_nothing, (history.run.models[part] for part in history.parts(model)))):
        return False
    changes = (e for e in history.run.events if e.kind in {"backward", "load", "mode", "escape", "flag"})
    return not any(t.location.span == forward.sampled for e in changes for t in e.turns)


def _draws_nothing(model: RunModel) -> bool:
    if model.in_project:
        return not model.draws
    return model.live is False or _WITHOUT_NOISE.match(model.name) is not None
