"""A fix that keeps parts in eval mode: an override of ``train``."""

from __future__ import annotations

from dropout_lint.checks.support.context import advice, unsafe
from dropout_lint.checks.support.frozen_parts import frozen_in_train_mode
from dropout_lint.checks.support.mode_history import History
from dropout_lint.checks.support.undone_parts import undone_parts
from dropout_lint.diagnostic import Fix, Span
from dropout_lint.facts import RunEvent
from dropout_lint.rewrites import AddMethod

_OTHERWISE = "Call `eval()` on it after each `train()`, or override `train` to do so"


def override_of(history: History, frame: int) -> Fix:
    """One override for all parts that a constructor freezes, or leaves in eval mode.

    There is advice instead if the class has an override already, or if the constructor does it on a condition.
    """
    run = history.run
    whole, function = run.frames[frame].instance, run.function_of(frame)
    owner = run.models[whole].owner if whole is not None else None
    if whole is None or owner is None or owner.sets_mode or not function.name.endswith("__init__"):
        return advice(_OTHERWISE)
    events = {one.part: one.call for one in undone_parts(history) if one.whole == whole and one.call.frame == frame}
    for frozen in frozen_in_train_mode(history):
        if frozen.frame == frame:
            events.setdefault(frozen.model, frozen.freeze)
    parts = [(name, events.pop(part)) for name, part in run.models[whole].attributes if part in events]
    always = all(_statement(event, frame) in function.statements for _, event in parts)
    if events or not parts or not always:
        return advice(_OTHERWISE)
    lines = [
        f"def train({function.receiver}, mode: bool = True):",
        "    super().train(mode)",
        *(f"    {function.receiver}.{name}.eval()" for name, _ in parts),
        f"    return {function.receiver}",
    ]
    added = AddMethod(function.statements[-1], "\n".join(lines))
    return unsafe("Override `train`", added, otherwise=_OTHERWISE)


def _statement(event: RunEvent, frame: int) -> Span:
    """The statement of an event, or the outermost loop around it in its function."""
    loops = (turn.location.span for turn in event.turns if turn.frame == frame)
    return next(loops, event.statement)
