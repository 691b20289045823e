"""DRP409: a drop probability that is named as one to keep."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.polarity import LOOKS_LIKE_DROP, keep_argument, known_numbers
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report names that say keep where the value, or the help text, says drop."""
    argument = keep_argument(site)
    if argument is None:
        return
    numbers = known_numbers(argument, context)
    if argument.value.doc == "drop" or (numbers and max(numbers) <= LOOKS_LIKE_DROP):
        yield context.report(
            argument.span,
            f"`{argument.text}` is named as a probability to keep and is, rightly, used as one to drop.",
        )
