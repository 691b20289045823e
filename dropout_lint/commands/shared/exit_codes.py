"""What an exit code of dropout-lint means."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """0 nothing at or above the fail level, 1 findings, 2 the run itself failed; 130 as shells count an interrupt."""

    CLEAN = 0
    FINDINGS = 1
    FAILED = 2
    INTERRUPTED = 130
