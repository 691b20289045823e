"""What a job found in one model, as it crosses from the child process to ours."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts.observations import Remark
from dropout_lint.graph.pictures.outline import Drawing
from dropout_lint.linting.merging import Refutation


@dataclass(frozen=True, slots=True)
class ModelFindings:
    """The findings of one engine about one model, and what it could not see. ``cache.codec`` makes JSON of it."""

    diagnostics: tuple[Diagnostic, ...]
    refuted: tuple[Refutation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    not_seen: tuple[str, ...] = ()
    how: str = ""
    """How the model was traced, "" where it was not."""
    drawing: Drawing | None = None

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What the engine could not see, one sentence each."""
        return (*self.not_seen, *(one.text for one in self.remarks if one.kind == "not checked"))
