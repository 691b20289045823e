"""What a check of a ModeRun may ask beyond the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dropout_lint.checks.support.context import Context


@dataclass(frozen=True)
class RunContext:
    """One rule at work on one run, whose findings may lie in any file that the run leads into."""

    code: str
    file: Callable[[str], Context | None]
    """The rule at work on one of these files; None where the rule is off, or the file is not checked."""
