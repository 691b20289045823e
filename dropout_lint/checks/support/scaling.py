"""What a probed dropout does to the values that it keeps, as a run shows it.

Inverted dropout at rate p keeps a value with probability 1 - p and divides it by 1 - p, in training alone. Every other
combination of rate and scale has one name here, and one rule reports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dropout_lint.facts.bound import same_factor

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ProbedDropout

Scaling = Literal[
    "untested",
    "varying",
    "keeps the dropped",
    "rate is the kept share",
    "scaled twice",
    "unscaled",
    "scaled for the configured rate",
    "scaled for another rate",
    "scaled wrongly",
    "unexplained",
    "right",
]
SETTLES_THE_RATE = frozenset(
    {"keeps the dropped", "rate is the kept share", "scaled for the configured rate", "scaled for another rate"}
)
"""Scalings that also explain a wrong rate; DRP590 does not report it then."""


def scaling_of(probed: ProbedDropout) -> Scaling:
    """Name the scaling of a probed dropout. The first test that fits decides."""
    mask, p = probed.tested, probed.rate
    if mask is None:
        return "untested"
    if not mask.constant:
        return "varying"
    fits = same_factor(mask.scale, 1 / (1 - p))
    off = mask.contradicts(p, probed.alpha)
    exchanged = off and not mask.contradicts(1 - p, probed.alpha)
    if exchanged and fits:
        return "keeps the dropped"
    if exchanged and same_factor(mask.scale, 1 / p):
        return "rate is the kept share"
    if probed.eval_factor is not None and same_factor(probed.eval_factor, 1 - p) and fits:
        return "scaled twice"
    if same_factor(mask.scale, 1):
        return "unscaled"
    if fits:
        return "scaled for the configured rate" if off else "right"
    if not mask.contradicts(1 - 1 / mask.scale, probed.alpha):
        return "scaled for another rate"
    return "unexplained" if off else "scaled wrongly"


def counted(probed: ProbedDropout) -> str:
    """The observed share of dropped units beside the configured rate, as words for a message."""
    assert probed.mask is not None
    share = f"{probed.mask.rate:.4f} of {probed.mask.units} units"
    return f"drops {share}, {probed.attribute} is {probed.rate:g}"


def when_probed(probed: ProbedDropout) -> str:
    """The end of a sentence about a module that was built to probe its class."""
    if not probed.fresh:
        return ""
    return f" (in a {probed.class_name} built with {probed.attribute}={probed.rate:g} to probe)"
