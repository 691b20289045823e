"""DRP406: ``dropout=`` of an RNN with one layer has no effect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dropout_lint.checks.support.context import Context, advice, safe, unsafe
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Rewrite, Severity
from dropout_lint.facts import Argument, DropoutSite
from dropout_lint.facts.doubts import ANY
from dropout_lint.rewrites import RemoveArgument, ReplaceExpression

if TYPE_CHECKING:
    from dropout_lint.facts.observations import BuiltLayer, SingleLayerRnn


class _Proof(NamedTuple):
    """Why an RNN has one layer, for the message, "" for a literal; and the severity, None for that of the rule."""

    text: str = ""
    severity: Severity | None = None


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report a rate that is not proven to be 0, on an RNN that is proven to have one layer."""
    if site.form != "rnn" or context.facts.is_test:
        return
    rate = site.argument("dropout")
    if rate is None or rate.value.gated:
        return
    numbers = {rate.value.number} if rate.value.number is not None else set()
    if not numbers and rate.value.attribute:
        numbers |= context.project.usages.constants(context.facts, rate.value.attribute)
    if not numbers and rate.value.names:
        function, name = site.scope.function, rate.value.names[-1]
        numbers |= context.project.calls.given(context.facts, function, name).numbers
    if 0.0 in numbers or (not numbers and not _is_plain(rate)):
        return
    proof = _single_layer(site, context)
    if not proof:
        return
    kind = site.api.rpartition(".")[2]
    make = unsafe if site.chosen or _is_read(site, context) else safe
    listed = f" ({', '.join(f'{n:g}' for n in sorted(numbers))})" if numbers and not rate.value.literal else ""
    shown = f"{rate.text}{listed}"
    yield context.report(
        rate.span,
        f"`{kind}` applies `dropout` between its layers, and this one has a single layer{proof.text}: "
        f"{shown} has no effect.",
        severity=proof.severity,
        fix=make("Remove it; for dropout on the output, apply `nn.Dropout` to it", _removal(site, rate))
        if rate.value.literal and not proof.text
        else advice("Set `num_layers`, or apply `nn.Dropout` to the output"),
    )


def _is_plain(rate: Argument) -> bool:
    """Whether a rate is a parameter or a setting as it is, and no expression that may ask for the layers."""
    last = re.findall(r"\w+", rate.text)[-1:]
    names = rate.value.names
    return len(names) == 1 and last == [names[0]] and bool(rate.value.parameter or rate.value.attribute)


def _single_layer(site: DropoutSite, context: Context) -> _Proof | None:
    """Why an RNN has one layer: by a literal, by all calls of the project, or by a default that nothing changes."""
    layers = site.layers
    if layers.number == 1.0 and not layers.default:
        return _Proof()
    parameter = layers.names[-1] if layers.names else ""
    if layers.number == 1.0 and parameter in site.scope.parameters:
        given = context.project.calls.given(context.facts, site.scope.function, parameter)
        if given.unknown or given.numbers - {1.0} or given.names:
            return None
        if given.opaque and not context.project.usages.set_once(parameter):
            return None
        if given.calls and not given.opaque:
            return _Proof(f" in every call of the project (`{parameter}`)")
        return _Proof(f" by default (`{parameter}`)", Severity.INFO)
    usages = context.project.usages
    if not layers.attribute or usages.constants(context.facts, layers.attribute) != {1.0}:
        return None
    return _Proof(f" by default (`{layers.attribute}`)", Severity.INFO) if usages.set_once(layers.attribute) else None


def _is_read(site: DropoutSite, context: Context) -> bool:
    """Whether the project may read the rate of the layer."""
    doubts = context.facts.doubts
    if "dropout" in doubts.walked or site.attribute in doubts.loose or ANY in doubts.loose:
        return True
    if site.attribute and context.project.usages.reads_setting(context.facts, f"{site.attribute}.dropout"):
        return True
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
