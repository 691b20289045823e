"""Why a model may run in train mode on purpose, by the names in the program."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.facts import RunEvent, RunFunction, RunModel
from dropout_lint.vocabulary import GENERATIVE, NOT_AN_EVALUATION, TARGETS


def generates(model: RunModel) -> bool:
    """Whether a model is named as one that runs in train mode on purpose, such as ``netG`` or ``ema_teacher``."""
    return any(name and GENERATIVE.search(name) for name in (model.label, model.name.rpartition(".")[2]))


def serves_otherwise(functions: Iterable[RunFunction]) -> bool:
    """Whether a function says that it does not evaluate, such as ``warm_up_bn`` or ``collect_rollouts``."""
    return any(
        f.intent or NOT_AN_EVALUATION.search(f.name.rpartition(".")[2]) or "dropout" in f.name.lower()
        for f in functions
    )


def wants_losses(forward: RunEvent) -> bool:
    """Whether a model is called with its targets: detectors of torchvision give losses in train mode alone.

    https://docs.pytorch.org/vision/stable/models/faster_rcnn.html
    """
    return any(map(TARGETS.search, forward.passes))
