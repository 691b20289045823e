"""DRP210: a mode call that does not change what runs.

The mode of a traced or exported graph is fixed. A scripted copy does not follow the mode of its original.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import EVAL, TRAIN, ModeRun, RunEvent


@dataclass(frozen=True, slots=True)
class _Ineffective:
    """A mode call that does not change what runs."""

    call: RunEvent
    model: int
    """The model that the call is on."""
    live: int | None
    """A layer that computes differently by mode, and runs in the mode that the call does not set."""
    made: RunEvent | None
    """The trace or script call that made what runs; None for an exported program, on which the call raises."""


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report mode calls that change nothing."""
    history = history_of(run)
    for event in run.events:
        found = _ineffective(history, event)
        here = unless_intended(context, run, found.call.location, found.call.frame) if found is not None else None
        if found is None or here is None:
            continue
        message, todo = _explain(run, found)
        yield here.report(
            found.call.location.span,
            message,
            fix=advice(todo),
            related=(related(found.made.location, "the graph is made here"),) if found.made is not None else (),
        )


def _explain(run: ModeRun, found: _Ineffective) -> tuple[str, str]:
    """The message of a finding, and what to do."""
    name = model_name(run, found.call.frame, found.model)
    differs = live_layer(run, found.live)
    if found.made is None:
        return (
            f"{name or 'This'} is an exported program, whose mode is fixed: this call raises `NotImplementedError`.",
            "Set the mode before the export",
        )
    if found.made.kind == "script":
        return (
            f"The scripted copy of {name or 'This'} keeps its own mode and stays in train mode{differs}.",
            "Call `eval()` before `torch.jit.script`, or on the scripted model",
        )
    mode = "train" if found.made.modes == TRAIN else "eval"
    return (
        f"{name or 'This'} was traced in {mode} mode and stays in it{differs}: this call changes nothing.",
        "Set the mode before the trace",
    )


def _ineffective(history: History, event: RunEvent) -> _Ineffective | None:
    """The finding of an event: of a mode call on a graph, or of a script call, after which ``eval()`` is too late."""
    run, model = history.run, event.model
    if model is None:
        return None
    if event.kind == "script":
        return _call_on_scripted_original(history, event, model) if event.modes == TRAIN else None
    if event.kind != "mode" or run.function_of(event.frame).is_test:
        return None
    tracer = run.models[model].tracer
    if tracer.startswith("torch.export."):
        return _Ineffective(event, model, None, None)
    return _call_on_traced(run, event, model) if tracer.startswith("torch.jit.trace") else None


def _call_on_traced(run: ModeRun, call: RunEvent, graph: int) -> _Ineffective | None:
    """A call that sets another mode than the one that the graph was traced in."""
    original = run.models[graph].origin
    before = reversed(run.events[: call.order])
    trace = next((e for e in before if e.kind == "trace" and e.model == original), None)
    if trace is None or {trace.modes, call.modes} != {TRAIN, EVAL}:
        return None
    live = next((part for part, modes in trace.live if modes == trace.modes), None)
    return _Ineffective(call, graph, live, trace) if live is not None else None


def _call_on_scripted_original(history: History, script: RunEvent, copy: int) -> _Ineffective | None:
    """An ``eval()`` on the original after the script call, if then only the copy runs, still in train mode."""
    run, original = history.run, history.run.models[copy].origin
    after = run.events[script.order + 1 :]
    call = next((e for e in after if e.kind == "mode" and e.model == original), None)
    if original is None or call is None or call.modes != EVAL or run.function_of(call.frame).is_test:
        return None
    if any(e.kind in {"backward", "escape"} for e in after) or _sets_another(history, after, call, copy, original):
        return None
    forwards = [e for e in after if e.kind == "forward" and e.order > call.order]
    if any(e.model == original for e in forwards):
        return None
    forward = next((e for e in forwards if e.model == copy), None)
    live = next((p for p, modes in forward.live if modes == TRAIN), None) if forward is not None else None
    return _Ineffective(call, original, live, script) if live is not None else None


def _sets_another(history: History, after: tuple[RunEvent, ...], call: RunEvent, copy: int, original: int) -> bool:
    """Whether another call sets the mode of the copy, of the original or of a part."""
    parts = history.parts(copy) | history.parts(original)
    return any(e.kind == "mode" and e is not call and e.model in parts for e in after)
