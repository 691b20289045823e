"""DRP211: ``eval()`` on a part in the constructor, which the first ``train()`` of the whole undoes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.mode import live_layer, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_override import override_of
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.checks.support.undone_parts import Undone, undone_parts
from dropout_lint.diagnostic import Confidence, Diagnostic, Related
from dropout_lint.facts import ModeRun

if TYPE_CHECKING:
    from dropout_lint.facts.observations import FrozenPartWoken


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report the calls of ``eval()``; the fix adds one override for all parts of the class."""
    history = history_of(run)
    for found in undone_parts(history):
        event = found.call
        here = unless_intended(context, run, event.location, event.frame)
        if here is None:
            continue
        which = "The first" if found.built else "A later"
        part = f"{run.function_of(event.frame).receiver}.{found.name}"
        yield here.report(
            event.location.span,
            f"{which} `train()` of this Module puts `{part}` back into train mode{live_layer(run, found.live)}.",
            confidence=Confidence.PROVEN if found.trained else Confidence.LIKELY,
            fix=override_of(history, event.frame),
            related=tuple(_seen(history, found)),
        )


def _seen(history: History, found: Undone) -> Iterator[Related]:
    place = history.run.models[found.live].built
    if place is not None:
        yield related(place, "computes differently by mode")
    cause = history.cause(found.proof) if found.proof is not None else None
    if cause is not None:
        yield related(cause.location, "puts it back into train mode")
    if found.proof is not None:
        yield related(found.proof.location, "runs in train mode here")


def check_part(part: FrozenPartWoken, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a frozen part that ``train()`` of the model put in train mode."""
    if part.while_watched:
        text = "This part of a frozen network was in eval mode, and `train()` of the model has undone that"
    else:
        text = "This frozen part was built in eval mode, and `train()` of the model undoes that"
    yield context.report(part, text)
