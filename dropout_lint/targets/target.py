"""Which model to run: an attribute of a module or of a file, what to build it with, and what to feed it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.inputs import InputSpec

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """A model by name; picklable, and nothing of it is loaded.

    ``spec`` is ``package.module:attribute`` or ``path/to/file.py:attribute``, where the attribute is a class, a
    function that returns a model, or a model. ``kwargs`` are JSON values for the class or function.
    """

    spec: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputSpec, ...] = ()
    name: str = ""
    """What reports call it; "" for ``spec``."""
    root: str = ""
    """Folder that relative files and imports start from; "" for the working directory."""
    timeout: float | None = None
    """Seconds, where they differ from those of the run."""

    def __post_init__(self) -> None:
        """Raises TargetError when ``spec`` has another form."""
        place, _, attribute = self.spec.rpartition(":")
        if not _MODULE.fullmatch(attribute) or not place:
            whole = self.spec.endswith(".py") or _MODULE.fullmatch(self.spec)
            hint = f"'{self.spec}:ClassName'" if whole else "'package.module:ClassName' or 'file.py:ClassName'"
            raise TargetError(f"'{self.spec}' does not say which attribute is the model: write {hint}")
        if not self.is_file and not _MODULE.fullmatch(place):
            raise TargetError(f"'{place}' in '{self.spec}' is neither a module such as 'package.module' nor a .py file")

    @property
    def place(self) -> str:
        """The module or file that has the model."""
        return self.spec.rpartition(":")[0]

    @property
    def attribute(self) -> str:
        """The dotted name of the model in its module."""
        return self.spec.rpartition(":")[2]

    @property
    def is_file(self) -> bool:
        """Whether ``place`` is a file."""
        return self.place.endswith(".py")

    @property
    def label(self) -> str:
        """What reports call it."""
        return self.name or self.spec


def parse_kwargs(text: str) -> dict[str, Any]:
    """Arguments of a constructor from a JSON object. Raises TargetError."""
    try:
        kwargs = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TargetError(f"the arguments '{text}' are not valid JSON: {error}") from None
    if not isinstance(kwargs, dict):
        raise TargetError(f"the arguments '{text}' are not a JSON object such as '{{\"dim\": 64}}'")
    return kwargs
