"""DRP401: the probability to keep passed where torch expects the probability to drop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.polarity import LOOKS_LIKE_DROP, LOOKS_LIKE_KEEP, keep_argument, known_numbers
from dropout_lint.checks.support.scaling import counted, scaling_of, when_probed
from dropout_lint.diagnostic import Diagnostic, Rewrite, Severity
from dropout_lint.facts import Argument, DropoutSite
from dropout_lint.rewrites import ReplaceExpression, WrapExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import ProbedDropout


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report values that are named, documented or computed as keep probabilities; known small values are misnamed."""
    argument = keep_argument(site)
    if argument is None:
        return
    numbers = known_numbers(argument, context)
    if argument.value.doc == "drop" or (numbers and max(numbers) <= LOOKS_LIKE_DROP):
        return
    certain = argument.value.doc == "keep" or (bool(numbers) and min(numbers) >= LOOKS_LIKE_KEEP)
    shown = f" {_list(numbers)}" if numbers else ""
    silent = "" if certain else " At 0.5 the two are the same, which hides it."
    flipped, rewrite = _flipped(argument)
    yield context.report(
        argument.span,
        f"`{argument.text}`{shown} is a probability to keep, and `{site.callee_text}` takes the one to drop.{silent}",
        severity=Severity.ERROR if certain else Severity.WARNING,
        fix=unsafe(f"Pass `{flipped}`", rewrite),
    )


def _flipped(argument: Argument) -> tuple[str, Rewrite]:
    """The complement of an expression, without a double one."""
    text = argument.text
    complement = re.fullmatch(r"1(?:\.0*)?\s*-\s*([\w.]+)", text)
    if complement:
        return complement.group(1), ReplaceExpression(argument.span, complement.group(1))
    template = "1 - {}" if re.fullmatch(r"[\w.]+", text) else "1 - ({})"
    return template.replace("{}", text), WrapExpression(argument.span, template)


def _list(numbers: set[float]) -> str:
    return "(" + ", ".join(f"{n:g}" for n in sorted(numbers)) + ")"


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that keeps the share that it is configured to drop, and scales for that."""
    if scaling_of(probed) == "rate is the kept share":
        text = f"{probed.class_name} takes its rate as the share to keep: it {counted(probed)}"
        yield context.report(probed, text + when_probed(probed))
