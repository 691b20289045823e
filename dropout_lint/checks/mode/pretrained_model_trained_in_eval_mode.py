"""DRP216: a model that a library gives in eval mode is trained in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.frozen_parts import runs_without_gradients
from dropout_lint.checks.support.mode import mode_call, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_insertion import named_around, outermost_loop, start_of_turn
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Confidence, Diagnostic, Fix
from dropout_lint.facts import EVAL, TRAIN, ModeRun, RunEvent, RunModel

_SETS_THE_MODE = {"mode", "escape", "flag", "freeze", "adapt"}
"""Events after which the mode is another one, or may be meant."""
_MOSTLY_WITH_DROPOUT = re.compile(
    r"AutoModelFor(?:SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice|MaskedLM|Seq2SeqLM)\b"
)
"""Tasks that are trained on encoders: nearly all of their published configurations have a dropout that is not zero."""
_OLD_LIGHTNING = "pytorch_lightning."
"""The package name of all versions; before 2.2, ``fit`` called ``train()``."""


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report the first training step; in a LightningModule, which has no loop of its own, the construction."""
    history = history_of(run)
    for built in run.events:
        model = built.model
        if built.kind != "build" or model is None or not _has_dropout(history, model):
            continue
        steps = (f for f in history.training if f.model is not None and model in history.parts(f.model))
        step = next((f for f in steps if history.updates_weights(f)), None)
        if not _stays_in_eval(history, model, step) or runs_without_gradients(history, model):
            continue
        if step is not None:
            yield from _trained(history, context, built, step)
        else:
            yield from _in_lightning_module(history, context, built, model)


def _has_dropout(history: History, model: int) -> bool:
    models = history.run.models
    if any(models[part].live for part in history.parts(model)):
        return True
    return models[model].live is None and _MOSTLY_WITH_DROPOUT.search(models[model].name) is not None


def _confidence(history: History, model: int) -> Confidence:
    """What is known: that a layer of the model differs between the modes, or only the task that it is made for."""
    known = any(history.run.models[part].live for part in history.parts(model))
    return Confidence.PROVEN if known else Confidence.LIKELY


def _stays_in_eval(history: History, model: int, step: RunEvent | None) -> bool:
    """Whether nothing sets the mode of a model or of a part of it before a training step, and nothing freezes it.

    Where the loop goes on to call ``eval()``, and never ``train()``, DRP205 reports that if the model is known.
    """
    events = [e for e in history.run.events if e.kind in _SETS_THE_MODE and history.touches(e, model)]
    if step is None:
        return not events
    if any(e.order < step.order or e.kind in {"freeze", "adapt"} for e in events):
        return False
    modes = [e.modes for e in events if e.kind == "mode"]
    return (
        EVAL not in modes or TRAIN in modes or not any(history.run.models[part].live for part in history.parts(model))
    )


def _trained(history: History, context: RunContext, built: RunEvent, step: RunEvent) -> Iterator[Diagnostic]:
    """A training loop of the project."""
    run, model, whole = history.run, built.model, step.model
    here = unless_intended(context, run, step.location, step.frame)
    if here is None or model is None or whole is None or history.in_test(step.frame):
        return
    name = model_name(run, step.frame, model) or "the model"
    yield here.report(
        step.location.span,
        f"{name} is trained in eval mode: `from_pretrained()` gives it so, and nothing calls `train()`.",
        confidence=_confidence(history, model),
        fix=_train_call(here, history, step, whole),
        related=(related(built.location, "given here, in eval mode"),),
    )


def _train_call(here: Context, history: History, step: RunEvent, whole: int) -> Fix:
    """Insert ``train()`` before the loop that trains, or at the start of its turns if they end with ``eval()``."""
    calls = [e for e in history.modes if e.kind == "mode" and e.modes == EVAL and history.touches(e, whole)]
    if not calls and any(f.grad is False and history.touches(f, whole) for f in history.forwards):
        return advice("Call `train()` before the training, and `eval()` before the evaluation")
    otherwise = "Call `train()` before the training"
    trains = (e for e in history.modes if e.kind == "mode" and e.modes == TRAIN and history.touches(e, whole))
    turns = {t.loop for e in calls for t in e.turns} - {t.loop for e in trains for t in e.turns}
    shared = next((t for t in step.turns if t.loop in turns), None)
    if shared is not None:
        name, before = start_of_turn(here, history.run, shared, whole) or ("", None)
        return mode_call(before, name, "train()", otherwise)
    name, around = named_around(here, history.run, step.frame, whole, step.location.span)
    return mode_call(outermost_loop(around), name, "train()", otherwise)


def _in_lightning_module(history: History, context: RunContext, built: RunEvent, model: int) -> Iterator[Diagnostic]:
    """A LightningModule: from 2.2 on, ``fit`` leaves the modes as they are."""
    run = history.run
    base = next((base for whole in run.models if (base := _lightning_base(history, whole, model))), "")
    here = unless_intended(context, run, built.location, built.frame)
    if not base or here is None or run.function_of(built.frame).is_test:
        return
    name = model_name(run, built.frame, model) or "this model"
    old = base.startswith(_OLD_LIGHTNING)
    since = "Lightning 2.2 or later" if old else "Lightning"
    yield here.report(
        built.location.span,
        f"{since} trains {name} in eval mode: `from_pretrained()` gives it so, and `fit` leaves the modes as they are.",
        confidence=Confidence.POSSIBLE if old else _confidence(history, model),
        fix=advice("Call `train()` on it after this statement"),
    )


def _lightning_base(history: History, whole: RunModel, model: int) -> str:
    """The base class of a LightningModule that trains a part in the mode in which it was built; "" otherwise."""
    owner = whole.owner
    if owner is None or not owner.framework.endswith(".LightningModule") or owner.sets_mode:
        return ""
    parts = (part for name, part in whole.attributes if name in owner.used)
    return owner.framework if any(model in history.parts(part) for part in parts) else ""
