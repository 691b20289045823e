"""Record where each module was constructed, for layers that nn.Sequential or a loop calls.

The place is kept in the module itself, so that a copy of a module knows the constructor of the original.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from torch import nn

from dropout_lint.diagnostic import CodePlace
from dropout_lint.models.user_code import frame_place, user_frames

_KEY = "_dropout_lint_built_at"


@contextmanager
def recording() -> Iterator[None]:
    """While open, every constructed module remembers the constructor call in user code."""
    original = nn.Module.__init__

    def construct(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        original(module, *args, **kwargs)
        caller = next(user_frames(_outside_constructors(sys._getframe(1), module)), None)
        if caller is not None:
            module.__dict__[_KEY] = frame_place(caller)

    nn.Module.__init__ = construct  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        nn.Module.__init__ = original  # type: ignore[method-assign]


def _outside_constructors(frame: FrameType | None, module: nn.Module) -> FrameType | None:
    """The first frame outside of the constructors of ``module`` and its bases."""
    while frame is not None:
        code = frame.f_code
        if code.co_name != "__init__" or not code.co_argcount or frame.f_locals.get(code.co_varnames[0]) is not module:
            return frame
        frame = frame.f_back
    return None


def built_at(module: nn.Module) -> CodePlace | None:
    """Where a module was constructed; None unless ``recording()`` was open then."""
    found = module.__dict__.get(_KEY)
    return found if isinstance(found, CodePlace) else None
