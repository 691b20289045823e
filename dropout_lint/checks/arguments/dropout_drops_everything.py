"""DRP403: a rate of one zeroes the whole tensor and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite

if TYPE_CHECKING:
    from dropout_lint.facts.observations import BuiltLayer


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report rates that are proven to be 1 or True, except in tests and documented ablations."""
    if site.form in {"forwarded", "application", "rnn"} or context.facts.is_test or site.intent:
        return
    argument = site.argument(site.rate_argument)
    if argument is None or argument.value.default or argument.value.gated or argument.value.polarity == "keep":
        return
    if argument.value.number != 1.0 or not argument.value.literal or site.mode == "false":
        return
    bool_note = ", and True is 1.0 here" if argument.value.kind == "bool" else ""
    yield context.report(
        argument.span,
        f"A drop probability of 1 drops everything{bool_note}: the output and the gradient are all zeros in training.",
        fix=advice("Pass the fraction to drop, such as 0.1; if the fraction to keep was meant, 0.0"),
    )


def check_instance(layer: BuiltLayer, context: Context) -> Iterator[Diagnostic]:
    """Report a layer of the instance, by the check above, with the values that the run showed."""
    return check(layer.site, context)
