"""DRP590: a dropout drops at another rate than it is configured with; only a run shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.scaling import SETTLES_THE_RATE, counted, scaling_of, when_probed
from dropout_lint.diagnostic import Diagnostic

if TYPE_CHECKING:
    from dropout_lint.facts.observations import AttentionRate, DropoutInModel, ProbedDropout


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module whose observed rate contradicts the configured one, unless its scale explains that."""
    scaling, mask = scaling_of(probed), probed.tested
    if mask is None:
        return
    if scaling == "scaled for another rate":
        text = f"{probed.class_name} drops at a rate of {1 - 1 / mask.scale:.4f} and scales for it"
        yield context.report(probed, f"{text}, but {probed.attribute} is {probed.rate:g}{when_probed(probed)}")
    elif scaling not in SETTLES_THE_RATE and mask.contradicts(probed.rate, probed.alpha):
        yield context.report(probed, f"{probed.class_name} {counted(probed)}{when_probed(probed)}")


def check_call(call: DropoutInModel, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a torch dropout whose rate in the running model contradicts the configured one."""
    if call.rate_is_off:
        share = f"{call.dropped / call.units:.4f} of {call.units} units"
        yield context.report(call, f"{call.class_name} drops {share} in the model, p is {call.rate:g}")


def check_attention(seen: AttentionRate, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report fused attention whose rate on a device contradicts the rate passed to it."""
    if seen.rate_is_off:
        share = f"{seen.mask.rate:.4f} of {seen.mask.units}" if seen.mask is not None else "all"
        text = f"Fused attention on {seen.device} drops {share} weights, dropout_p is {seen.rate:g}"
        yield context.report(seen, text)
