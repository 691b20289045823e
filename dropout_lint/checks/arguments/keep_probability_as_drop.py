"""DRP401: the probability to keep passed where torch expects the probability to drop."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Severity
from dropout_lint.facts import Argument, DropoutSite

LOOKS_LIKE_KEEP = 0.6
LOOKS_LIKE_DROP = 0.4


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report values that are named, documented or computed as keep probabilities; known small values are misnamed."""
    argument = keep_argument(site, context)
    if argument is None:
        return
    numbers = known_numbers(argument, context)
    if argument.value.doc == "drop" or (numbers and max(numbers) <= LOOKS_LIKE_DROP):
        return
    certain = argument.value.doc == "keep" or (bool(numbers) and min(numbers) >= LOOKS_LIKE_KEEP)
    shown = f" {_list(numbers)}" if numbers else ""
    silent = "" if certain else " At 0.5 the two are the same, which hides it."
    flipped = _flipped(argument.text)
    yield context.report(
        argument.span,
        f"`{argument.text}`{shown} is a probability to keep, and `{site.callee_text}` takes the one to drop.{silent}",
        severity=Severity.ERROR if certain else Severity.WARNING,
        fix=unsafe(f"Pass `{flipped}`", Edit(argument.span, flipped)),
    )


def _flipped(text: str) -> str:
    """The complement of an expression, without a double one."""
    complement = re.fullmatch(r"1(?:\.0*)?\s*-\s*([\w.]+)", text)
    if complement:
        return complement.group(1)
    return f"1 - {text}" if re.fullmatch(r"[\w.]+", text) else f"1 - ({text})"


def keep_argument(site: DropoutSite, context: Context) -> Argument | None:
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
        return context.project.constants(context.facts, argument.value.attribute)
    return set()


def _list(numbers: set[float]) -> str:
    return "(" + ", ".join(f"{n:g}" for n in sorted(numbers)) + ")"
