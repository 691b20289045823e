"""What a check of a ModeRun gets beside the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dropout_lint.checks.support.context import Context


@dataclass(frozen=True)
class RunContext:
    """What one rule may use while it checks one run. Its findings may lie in any file that the run enters."""

    code: str
    file: Callable[[str], Context | None]
    """The Context of the rule for a file by path; None if the rule is off there, or the file is not checked."""
