"""What a check of an observation needs: how to report, and the words that several rules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.rulebook import rules

if TYPE_CHECKING:
    from dropout_lint.facts.observations import Observation

SWITCHED_OFF = "in an eval forward pass the call ran with its dropout switched off"
"""Why a run refutes a rule that expects a call to drop in eval mode."""


@dataclass(frozen=True, slots=True)
class ObservedContext:
    """One rule at work on what a run showed."""

    code: str

    def report(self, fact: Observation, message: str, *, severity: Severity | None = None) -> Diagnostic:
        """A diagnostic at the place of an observation; the severity is the page's unless the evidence decides."""
        level = severity or rules()[self.code].severity
        place = fact.place
        return Diagnostic(
            self.code, place.path, place.span, f"{message}.", level, engines=("runtime",), modules=fact.modules
        )


def at_probed_rate(rate: float | None) -> str:
    """The end of a sentence about eval mode that says which rate showed it."""
    return "" if rate is None else f" (probed with a rate of {rate:g} where 0 is configured)"
