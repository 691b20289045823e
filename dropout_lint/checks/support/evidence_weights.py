"""placeholder"""

INTERCEPT = -10.0
LIKELY = 0.6
POSSIBLE = 0.3
WEIGHTS: dict[str, float] = {}
