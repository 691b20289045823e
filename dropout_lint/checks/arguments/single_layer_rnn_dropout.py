"""DRP406: ``dropout=`` of an RNN with one layer has no effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, safe, unsafe
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Rewrite
from dropout_lint.facts import Argument, DropoutSite
from dropout_lint.rewrites import RemoveArgument, ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import BuiltLayer, SingleLayerRnn


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report a rate that is proven not to be 0, on an RNN that is proven to have one layer."""
    if site.form != "rnn" or site.layers.number != 1.0 or site.layers.default or context.facts.is_test:
        return
    rate = site.argument("dropout")
    if rate is None or rate.value.gated:
        return
    numbers = {rate.value.number} if rate.value.number is not None else set()
    if not numbers and rate.value.attribute:
        numbers |= context.project.usages.constants(context.facts, rate.value.attribute)
    if not numbers or 0.0 in numbers:
        return
    kind = site.api.rpartition(".")[2]
    make = unsafe if _is_read(site, context) else safe
    shown = rate.text if rate.value.literal else f"{rate.text} ({', '.join(f'{n:g}' for n in sorted(numbers))})"
    yield context.report(
        rate.span,
        f"`{kind}` applies `dropout` between its layers, and this one has a single layer: {shown} has no effect.",
        fix=make("Remove it; for dropout on the output, apply `nn.Dropout` to it", _removal(site, rate))
        if rate.value.literal
        else advice("Set `num_layers`, or apply `nn.Dropout` to the output"),
    )


def _is_read(site: DropoutSite, context: Context) -> bool:
    """Whether the file may read the rate of the layer."""
    reads = {read for read in context.facts.setting_reads if read.endswith(".dropout")}
    return f"{site.attribute}.dropout" in reads if site.attribute else bool(reads - {f"{site.scope.self_name}.dropout"})


def _removal(site: DropoutSite, rate: Argument) -> Rewrite:
    if not rate.keyword and any(not a.keyword and a.span > rate.span for a in site.arguments):
        return ReplaceExpression(rate.span, "0.0")  # without it, the arguments behind would move up
    return RemoveArgument(rate.span)


def check_instance(layer: BuiltLayer, context: Context) -> Iterator[Diagnostic]:
    """Report a layer of the instance, by the check above, with the values that the run showed."""
    return check(layer.site, context)


def check_layers(rnn: SingleLayerRnn, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a network of one layer in a model that was run."""
    text = f"{rnn.class_name} drops between its layers and has one, so dropout={rnn.rate:g} does nothing"
    yield context.report(rnn, text)
