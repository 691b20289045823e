"""What says that a model runs in train mode on purpose."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.mode.program.events import Event
from dropout_lint.mode.program.terms import terms, within
from dropout_lint.mode.program.values import Frame, Thing
from dropout_lint.vocabulary import GENERATIVE, NOT_AN_EVALUATION, TARGETS


def generates(thing: Thing) -> bool:
    """Whether a model is named as one that is used in train mode, such as the generator of a GAN."""
    return any(name and GENERATIVE.search(name) for name in (thing.label, thing.name.rpartition(".")[2]))


def serves_otherwise(frames: Iterable[Frame]) -> bool:
    """Whether a function is named, or says, that it does something else than to evaluate."""
    return any(
        f.flow.intent or NOT_AN_EVALUATION.search(f.flow.name.rpartition(".")[2]) or "dropout" in f.flow.name.lower()
        for f in frames
    )


def wants_losses(forward: Event) -> bool:
    """Whether a model is called with its targets: detectors of torchvision give losses in train mode alone.

    https://docs.pytorch.org/vision/stable/models/faster_rcnn.html
    """
    calls = (t for t in terms(forward.frame.flow.steps) if t.kind == "call" and t.span == forward.place.span)
    given = [one for call in calls for one in (*call.parts[2:], *(value for _, value in call.keywords))]
    return any(TARGETS.search(t.text) for one in given for t in within(one))
