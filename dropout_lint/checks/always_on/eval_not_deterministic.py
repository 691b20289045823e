"""DRP190: something draws random numbers in eval mode; only a run shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.observed import ObservedContext, at_probed_rate
from dropout_lint.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvalDraw, PythonDraws, UnlocatedDraws


def check_draw(draw: EvalDraw, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report draws that no other rule explains; noise that is no dropout is information."""
    if draw.origin == "function" and draw.mode is None:
        text = f"`{draw.name}` drops in eval mode"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate))
    elif draw.origin == "noise":
        text = f"`{draw.name}` draws random numbers in eval mode; no sign that this is dropout"
        yield context.report(draw, text + at_probed_rate(draw.probed_rate), severity=Severity.INFO)


def check_unlocated(draws: UnlocatedDraws, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report draws that could not be located in the code."""
    text = f"An eval forward pass draws random numbers ({', '.join(draws.generators)})"
    why = f"; where is not known, since following the operators raised {draws.error}"
    yield context.report(draws, text + at_probed_rate(draws.probed_rate) + why)


def check_python(draws: PythonDraws, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report numbers drawn outside of torch; it is a warning where the answer depends on them."""
    text = f"An eval forward pass draws from {' and '.join(draws.generators)}, "
    text += "and the answer depends on it" if draws.changes_answer else "but the answer was the same with another seed"
    severity = Severity.WARNING if draws.changes_answer else Severity.INFO
    yield context.report(draws, text + at_probed_rate(draws.probed_rate), severity=severity)
