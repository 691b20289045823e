"""Rates whose name or documentation calls them the probability to keep."""

from __future__ import annotations

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import Argument, DropoutSite

LOOKS_LIKE_KEEP = 0.6
"""From here up a known value reads as a probability to keep."""
LOOKS_LIKE_DROP = 0.4
"""Up to here a known value reads as a probability to drop."""


def keep_argument(site: DropoutSite) -> Argument | None:
    """The rate of a torch dropout whose value is a probability to keep."""
    if site.form in {"forwarded", "application"}:
        return None
    argument = site.argument(site.rate_argument)
    if argument is None or argument.value.polarity != "keep":
        return None
    if argument.value.number is not None and argument.value.literal and not argument.value.names:
        return None
    return argument


def known_numbers(argument: Argument, context: Context) -> set[float]:
    """Values that the rate is known to take: its own, or those of configuration classes of the project."""
    if argument.value.number is not None:
        return {argument.value.number}
    if argument.value.attribute:
        return context.project.usages.constants(context.facts, argument.value.attribute)
    return set()
