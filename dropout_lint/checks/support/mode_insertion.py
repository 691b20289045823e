"""Where a fix may insert a mode call: the name has its value there, and what follows is not harmed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.mode_history import History, iteration
from dropout_lint.diagnostic import Fix, Rewrite, Span
from dropout_lint.facts import TRAIN, ModeRun, RunEvent, RunTurn, Step
from dropout_lint.mode.program.bindings import setters_of, statements_with_value
from dropout_lint.rewrites import InsertBefore

_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def named_around(here: Context, run: ModeRun, frame: int, model: int, at: Span) -> tuple[str, tuple[Step, ...]]:
    """The name of a model in a function, and the statements around a place that a call on it may precede.

    The outermost comes first. Without such a name in the file of ``here``, both are empty.
    """
    function = run.function_of(frame)
    reader = here.project.files.flows(here.facts) if function.path == here.facts.path else None
    flow = None if reader is None else reader.flow(function.name) if function.name else reader.top
    if reader is None or flow is None:
        return "", ()
    for known, name in run.frames[frame].names:
        if known != model or not _EXPRESSION.fullmatch(name):
            continue
        setters = setters_of(reader.within(flow.owner), name) if flow.owner else frozenset[str]()
        found = statements_with_value(flow, name, at, setters)
        if found:
            return name, found
    return "", ()


def outermost_loop(around: Iterable[Step]) -> Span | None:
    """The first loop of some statements, or the last statement."""
    known = list(around)
    last = known[-1].span if known else None
    return next((step.span for step in known if step.kind == "loop"), last)


def place_in(history: History, event: RunEvent, frame: int) -> Span | None:
    """Where an event happens in a function: itself, or the call that leads to it."""
    if event.frame == frame:
        return event.location.span
    call = history.call_towards(event, frame)
    return call.span if call is not None else None


def start_of_turn(here: Context, run: ModeRun, turn: RunTurn, model: int) -> tuple[str, Span] | None:
    """The name of a model and the first statement of a loop, if a call on the model may come before that."""
    body = turn.body
    if body is None or body.line <= turn.location.span.line or turn.location.path != here.facts.path:
        return None
    name, around = named_around(here, run, turn.frame, model, body)
    return (name, body) if any(step.span == body for step in around) else None


def resumption(here: Context, history: History, event: RunEvent, model: int) -> tuple[Rewrite, ...] | None:
    """What to insert so that training goes on in train mode after an ``eval()`` at an event.

    Nothing where no training follows, or where a ``train()`` comes before it. Where the loop has none, a ``train()``
    at the start of each turn. None if that is not possible.
    """
    step = _next_step(history, event, model)
    if step is None or _is_resumed(history, event, step, model):
        return ()
    loops = {turn.loop for turn in step.turns}
    turn = next((t for t in reversed(event.turns) if t.loop in loops), None)
    if turn is None or not _comes_last(history, event, turn, model):
        return None
    start = start_of_turn(here, history.run, turn, model)
    return (InsertBefore(start[1], f"{start[0]}.train()"),) if start is not None else None


def eval_call(name: str, before: Span | None, resume: tuple[Rewrite, ...] | None, otherwise: str) -> Fix:
    """Insert ``name.eval()``, and the ``train()`` that it calls for; give advice where one of them cannot be."""
    if not name or before is None or resume is None:
        return advice(otherwise)
    message = f"Insert `{name}.eval()`"
    if resume:
        message += ", and `train()` at the start of each turn of the loop"
    return unsafe(message, *resume, InsertBefore(before, f"{name}.eval()"), otherwise=otherwise)


def _next_step(history: History, event: RunEvent, model: int) -> RunEvent | None:
    """The training step that comes next after an event, also in the next turn of a loop."""
    steps = [step for step in history.training if history.touches(step, model)]
    later = next((step for step in steps if step.order > event.order), None)
    loops = {turn.loop for turn in event.turns}
    return later or next((s for s in steps if loops & {turn.loop for turn in s.turns}), None)


def _is_resumed(history: History, event: RunEvent, step: RunEvent, model: int) -> bool:
    """Whether a ``train()`` on the model comes between an event and the training step after it."""
    calls = [e for e in history.modes if e.kind == "mode" and e.modes == TRAIN and e.model is not None]
    trains = [e for e in calls if e.model is not None and model in history.parts(e.model)]
    if step.order > event.order:
        return any(event.order < e.order < step.order for e in trains)
    shared = {turn.loop for turn in event.turns} & {turn.loop for turn in step.turns}
    inside = [e for e in trains if shared & {turn.loop for turn in e.turns}]
    return any(e.order > event.order or e.order < step.order for e in inside)


def _comes_last(history: History, event: RunEvent, turn: RunTurn, model: int) -> bool:
    """Whether all training in the turn of an event comes before it."""
    here = (turn.loop, turn.turn)
    steps = [s for s in history.training if history.touches(s, model) and here in iteration(s)]
    return bool(steps) and all(step.order < event.order for step in steps)
