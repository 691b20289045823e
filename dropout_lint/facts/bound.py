"""Test an observed drop rate against a configured one, by an exact bound that holds for any number of units.

Chernoff's bound (Ann. Math. Stat. 23, 1952): with rate p, the chance that k of n independent units are dropped, or a
count further from np on that side, is at most exp(-n KL(k/n || p)). Two sides make 2 exp(-n KL).
"""

from __future__ import annotations

import math

ALPHA = 1e-6
"""Chance of a false alarm for a whole model; a test of one of its m rates gets ALPHA / m."""


_CLOSE = 2e-4


def same_factor(a: float, b: float) -> bool:
    """True if two measured scale factors differ by no more than rounding."""
    return math.isclose(a, b, rel_tol=_CLOSE)


def divergence(observed: float, p: float) -> float:
    """Kullback-Leibler divergence of two coins in nats; infinite where ``p`` rules the observation out."""
    total = 0.0
    for a, b in ((observed, p), (1 - observed, 1 - p)):
        if a > 0:
            total += a * math.log(a / b) if b > 0 else math.inf
    return total


def contradicts(dropped: int, units: int, p: float, alpha: float = ALPHA) -> bool:
    """True if rate ``p`` drops ``dropped`` of ``units`` independent units less often than ``alpha``."""
    return units > 0 and units * divergence(dropped / units, p) > math.log(2 / alpha)
