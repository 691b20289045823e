"""The result of a job about one model, which the child process sends to its parent."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts.observations import Remark
from dropout_lint.graph.pictures.outline import Drawing
from dropout_lint.linting.merging import Refutation


@dataclass(frozen=True, slots=True)
class ModelFindings:
    """The findings of one engine about one model, and what it did not check. ``cache.codec`` turns it into JSON."""

    diagnostics: tuple[Diagnostic, ...]
    refuted: tuple[Refutation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    not_seen: tuple[str, ...] = ()
    how: str = ""
    """The tracer that was used; "" if the model was not traced."""
    drawing: Drawing | None = None

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What the engine could not check, one phrase each."""
        return (*self.not_seen, *(one.text for one in self.remarks if one.kind == "not checked"))
