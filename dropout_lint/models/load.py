"""In the child process: import what the user named, and build the model. This runs user code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from dropout_lint.models.target import ModelTarget


@dataclass(slots=True)
class LoadedModel:
    """A model, on the CPU as it was built, and the arguments to call it with."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    target: ModelTarget
    inputs_from: str = ""
    """Where the inputs come from: "given", "inferred from Conv2d `stem.conv`", or "" where there are none."""
    no_inputs: str = ""
    """Why there are none, in words."""
