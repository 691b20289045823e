"""How likely an evaluation in train mode is, by the evidence for and against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from dropout_lint.checks.support.evidence_weights import INTERCEPT, LIKELY, POSSIBLE, WEIGHTS
from dropout_lint.diagnostic import Confidence

SHOWN = {
    "weights-loaded": "the weights are loaded here",
    "trained-before": "the model is trained here",
    "train-called-last": "train mode is set here",
    "live-yes": "computes differently by mode",
    "live-rate": "computes differently by mode, at a rate that is not 0",
    "no-grad": "gradients are off here",
    "result-metric": "the result is measured here",
    "result-prediction": "the result becomes a prediction here",
    "result-output": "the result is shown or saved here",
}
"""The signs that a message shows, in the order in which a reader follows them."""


def probability(signs: Iterable[str], intercept: float = INTERCEPT, weights: Mapping[str, float] = WEIGHTS) -> float:
    """The share of sites with such signs that were mistakes, by the fitted weights or by others."""
    found = set(signs)
    total = intercept + sum(weight for name, weight in weights.items() if found.issuperset(name.split(" & ")))
    return 1 / (1 + math.exp(-total))


def confidence(signs: Iterable[str]) -> Confidence | None:
    """``likely`` or ``possible``; None below both thresholds. Evidence alone never proves."""
    found = probability(signs)
    if found >= LIKELY:
        return Confidence.LIKELY
    return Confidence.POSSIBLE if found >= POSSIBLE else None
