"""What the names in a program say about why a model runs in train mode."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dropout_lint.facts import RunEvent, RunFunction, RunModel

_EVALUATES = re.compile(
    r"(?:^|_)(?:eval|evaluate|evaluation|test|tests|testing|val|valid|validate|validation|infer|inference|predict)(?:_|$)"
    r"|^(?:evaluate|validate|predict)[A-Z]"
)
_TRAINS = re.compile(
    r"(?:^|_)(?:train|training|fit|finetune|update|learn|calibrat\w*|recalibrat\w*|attack)(?:_|$)|^train|bn|init"
)
_GENERATIVE = re.compile(
    r"(?:^|_|\.)(?:g|d|gen|generator|netg|netd|disc|discriminator|critic|target\w*|teacher\w*|ema\w*|policy|actor|momentum\w*)"
    r"(?:_|\.|\d|$)|gan\b|_ema$|_target$|^(?:net)?[gd]_|discriminator|generator|target_|key_encoder|encoder_k",
    re.IGNORECASE,
)
"""Models that run without gradients in train mode on purpose: in GANs, self-distillation, reinforcement learning."""
_NOT_AN_EVALUATION = re.compile(
    r"(?:^|_)(?:bn|recal\w*|calib\w*|adapt\w*|swa|warm\w*|popul\w*|stats?|momentum|bench\w*|speed|profile|latency|smoke|flops|sanity|mc"
    r"|act|actions?|rollouts?|explor\w*|collect\w*)"
    r"(?:_|$)",
    re.IGNORECASE,
)
_TARGETS = re.compile(r"target|annot|label|(?:^|_)gt(?:_|$)|bbox|boxes", re.IGNORECASE)


def evaluates(name: str) -> bool:
    """Whether a function is named as one that evaluates, such as ``validate``, and not as one that trains."""
    last = name.rpartition(".")[2]
    return bool(_EVALUATES.search(last)) and not _TRAINS.search(last)


def generates(model: RunModel) -> bool:
    """Whether a model is named as one that runs in train mode on purpose, such as ``netG`` or ``ema_teacher``."""
    return any(name and _GENERATIVE.search(name) for name in (model.label, model.name.rpartition(".")[2]))


def serves_otherwise(functions: Iterable[RunFunction]) -> bool:
    """Whether a function says that it does not evaluate, such as ``warm_up_bn`` or ``collect_rollouts``."""
    return any(
        f.intent or _NOT_AN_EVALUATION.search(f.name.rpartition(".")[2]) or "dropout" in f.name.lower()
        for f in functions
    )


def wants_losses(forward: RunEvent) -> bool:
    """Whether a model is called with its targets: detectors of torchvision give losses in train mode alone.

    https://docs.pytorch.org/vision/stable/models/faster_rcnn.html
    """
    return any(map(_TARGETS.search, forward.passes))
