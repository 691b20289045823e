"""What the checks of observations share: how to report, and phrases for messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Confidence, Diagnostic, Severity
from dropout_lint.rulebook import rules

if TYPE_CHECKING:
    from dropout_lint.facts.observations import Observation

SWITCHED_OFF = "in an eval forward pass the call ran with its dropout switched off"
"""Why a run refutes a rule that expects a call to drop in eval mode."""


@dataclass(frozen=True, slots=True)
class ObservedContext:
    """What one rule may use while it checks the observations of a run."""

    code: str

    def report(
        self,
        fact: Observation,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.PROVEN,
    ) -> Diagnostic:
        """A diagnostic at the place of an observation, with the severity of the rule's page unless one is passed.

        One that is not proven has a lower severity.
        """
        level = confidence.limit(severity or rules()[self.code].severity)
        place, text = fact.place, f"{message}."
        return Diagnostic(
            self.code, place.path, place.span, text, level, None, confidence, engines=("runtime",), modules=fact.modules
        )


def at_probed_rate(rate: float | None) -> str:
    """The words that a message ends with if a configured rate of 0 was replaced to see draws; "" otherwise."""
    return "" if rate is None else f" (probed with a rate of {rate:g} where 0 is configured)"
