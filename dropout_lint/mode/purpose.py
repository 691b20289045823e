"""What says that a model runs in train mode on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dropout_lint.mode import library
from dropout_lint.mode.values import Frame, Thing

_NOT_AN_EVALUATION = re.compile(
    r"(?:^|_)(?:bn|recal\w*|calib\w*|adapt\w*|swa|warm\w*|popul\w*|stats?|momentum|bench\w*|speed|profile|latency|smoke|flops|sanity|mc)"
    r"(?:_|$)",
    re.IGNORECASE,
)


def generates(thing: Thing) -> bool:
    """Whether a model is named as one that is used in train mode, such as the generator of a GAN."""
    return any(name and library.GENERATIVE.search(name) for name in (thing.label, thing.name.rpartition(".")[2]))


def serves_otherwise(frames: Iterable[Frame]) -> bool:
    """Whether a function is named, or says, that it does something else than to evaluate."""
    return any(f.flow.intent or _NOT_AN_EVALUATION.search(f.flow.name.rpartition(".")[2]) for f in frames)
