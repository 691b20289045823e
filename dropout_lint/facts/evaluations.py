"""A place where a model may be evaluated in train mode, with the evidence for and against."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.facts.mode_runs import Location


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence: its name in the table of weights, and where it is seen."""

    name: str
    location: Location | None = None
    text: str = ""
    """For a message: "the weights are loaded here"."""


@dataclass(frozen=True, slots=True)
class EvaluationSite:
    """A call of a model that may be an evaluation, on a path without ``eval()``.

    The signs are in the order of a message: how the model came there, what is missing, what becomes of the result.
    """

    location: Location
    """The call to report: of the model, or of the function that runs it."""
    forward: Location
    """The call of the model."""
    function: str
    """The qualified name of the function of ``location``."""
    model: str
    """The expression that names the model there, such as ``self.net``."""
    layer: str
    """The class of a layer of it that differs between the modes, "" if unknown."""
    signs: tuple[Sign, ...]
    names: tuple[str, ...] = ()
    """The functions and classes on the path to it."""
    insert: Span | None = None
    """The statement before which an ``eval()`` helps and does no harm."""

    def sign(self, name: str) -> Sign | None:
        """The sign of a name."""
        return next((s for s in self.signs if s.name == name), None)
