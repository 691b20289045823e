"""DRP402: a literal that is no probability."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite

_LATE = {
    "attention": "at the first call",
    "functional": "at the first call",
    "multihead": "at the first training forward",
}


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report rates below 0, above 1, strings and None that are written at the call."""
    if site.form in {"forwarded", "application"} or context.facts.is_test or site.error_expected:
        return
    argument = site.argument(site.rate_argument)
    if argument is None or argument.value.default or not argument.value.literal:
        return
    value, number = argument.value, argument.value.number
    when = _LATE.get(site.form, "when it is constructed")
    if value.kind in {"str", "none"} and site.form in {"module", "functional", "rnn"}:
        what = "a string" if value.kind == "str" else "None"
        yield context.report(argument.span, f"A drop probability is a number between 0 and 1; {what} raises {when}.")
    elif value.kind == "number" and number is not None and not 0.0 <= number <= 1.0:
        fix = advice(f"If {number:g} % is meant, write {number / 100:g}") if 1.0 < number <= 100.0 else None
        yield context.report(
            argument.span, f"A drop probability is between 0 and 1; {number:g} raises {when}.", fix=fix
        )
