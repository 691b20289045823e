"""Which model to run: its module or file and attribute, its constructor arguments, and its inputs."""

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
    """The name of a model, before anything is imported; picklable.

    ``spec`` is ``package.module:attribute`` or ``path/to/file.py:attribute``, where the attribute is a class, a
    function that returns a model, or a model. ``kwargs`` are JSON values for the class or function.
    """

    spec: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputSpec, ...] = ()
    name: str = ""
    """The name of the model in reports; "" for ``spec``."""
    root: str = ""
    """Folder of relative files and first folder for imports; "" for the working directory."""
    timeout: float | None = None
    """Seconds for this model; None for the limit of the run."""

    def __post_init__(self) -> None:
        """Raises TargetError if ``spec`` does not have one of the two forms."""
        place, _, attribute = self.spec.rpartition(":")
        if not _MODULE.fullmatch(attribute) or not place:
            whole = self.spec.endswith(".py") or _MODULE.fullmatch(self.spec)
            hint = f"'{self.spec}:ClassName'" if whole else "'package.module:ClassName' or 'file.py:ClassName'"
            raise TargetError(f"'{self.spec}' does not say which attribute is the model: write {hint}")
        if not self.is_file and not _MODULE.fullmatch(place):
            raise TargetError(f"'{place}' in '{self.spec}' is neither a module such as 'package.module' nor a .py file")

    @property
    def module(self) -> str:
        """The dotted module or the path of the file: what stands before the colon of ``spec``."""
        return self.spec.rpartition(":")[0]

    @property
    def attribute(self) -> str:
        """The name of the model in its module, such as ``Net`` or ``zoo.Net``: what follows the colon of ``spec``."""
        return self.spec.rpartition(":")[2]

    @property
    def is_file(self) -> bool:
        """Whether ``module`` is the path of a file."""
        return self.module.endswith(".py")

    @property
    def label(self) -> str:
        """The name of the model in reports."""
        return self.name or self.spec


def parse_kwargs(text: str) -> dict[str, Any]:
    """Read the arguments of a constructor from a JSON object. Raises TargetError."""
    try:
        kwargs = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TargetError(f"the arguments '{text}' are not valid JSON: {error}") from None
    if not isinstance(kwargs, dict):
        raise TargetError(f"the arguments '{text}' are not a JSON object such as '{{\"dim\": 64}}'")
    return kwargs
