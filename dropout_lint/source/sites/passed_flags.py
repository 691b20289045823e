"""Searches the text of a file, without a parse, for calls that pass a mode flag to a model, or that build a class."""

from __future__ import annotations

import re

from dropout_lint.vocabulary import TRAIN_FLAGS

_CALLEE = re.compile(rb"(?:\b(def|class)\s+)?([\w.]*)$")
_OF_TORCH = re.compile(rb"drop|norm|rrelu|multi_head", re.IGNORECASE)
"""Functions of torch that take the mode themselves."""
_MODELS = re.compile(rb"model|net|encod|decod|block|layer|module|forward|self\.\w+$", re.IGNORECASE)
"""Names of what may be a model, so that a positional False may be its flag."""
_NAMED = rb"(?:\w+\.)*(?:%s)" % b"|".join(sorted(flag.encode() for flag in TRAIN_FLAGS))
_POSITIONAL = re.compile(rb"(?<=[(,])\s*(?:(False)|%s)\s*(?=[,)])" % _NAMED)
_LONGEST = 2000
"""How far the opening bracket of a call may be away."""


def passes_flag(data: bytes, flag: str) -> bool:
    """Whether a call passes a flag by its name, or by position a mode, to anything but a function of torch."""
    if any(_is_passed(data, found.start(), positional=False) for found in _keyword(flag).finditer(data)):
        return True
    return any(_is_passed(data, f.start(), positional=f[1] is not None) for f in _POSITIONAL.finditer(data))


def calls_class(data: bytes, name: str) -> bool:
    """Whether a file calls a class of this name."""
    return re.search(rb"(?<!class )\b%s\(" % re.escape(name.encode()), data) is not None


def _keyword(flag: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<=[(,])\s*%s\s*=(?!=)" % re.escape(flag.encode()))


def _is_passed(data: bytes, at: int, *, positional: bool) -> bool:
    """Whether the call around a place may be that of a model. ``positional``: it passes no more than False."""
    depth, start = 0, max(0, at - _LONGEST)
    for index in range(at - 1, start - 1, -1):
        if data[index] in b")]}":
            depth += 1
        elif data[index] in b"([{":
            depth -= 1
            if depth < 0:
                callee = _CALLEE.search(data, max(0, index - 80), index)
                if data[index] != ord("(") or callee is None or callee[1] or not callee[2]:
                    return False
                if positional:
                    return _MODELS.search(callee[2]) is not None
                return _OF_TORCH.search(callee[2].rpartition(b".")[2]) is None
    return False
