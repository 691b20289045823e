"""DRP506: a mask that stays on the default device, or that turns the tensor into float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.masks import is_dropout
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.facts import MaskSite
from dropout_lint.rewrites import AddArgument, ReplaceMethod

if TYPE_CHECKING:
    from dropout_lint.facts.observations import DropoutRaised, ForeignInput


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report a mask on the default device, and, as another finding, one that changes the type of half precision."""
    if site.kind in {"mask", "mix", "skip"} or not is_dropout(site):
        return
    if site.creation is not None:
        message = "This mask is drawn on the default device, not on that of the tensor it is applied to."
        argument = AddArgument(site.creation, "device", f"{site.device_of}.device")
        make = safe if site.device_of == site.data else unsafe  # another one may be no tensor
        yield context.report(site.span, message, fix=make("Draw on the tensor's device", argument))
    if site.cast is not None:
        convert = ReplaceMethod(site.cast, f"to({site.data}.dtype)") if site.data else None
        fix = unsafe("Convert to the tensor's type", convert) if convert is not None else None
        message = "A float32 mask turns a half-precision tensor into float32."
        yield context.report(site.cast, message, severity=Severity.INFO, fix=fix)


def check_input(seen: ForeignInput, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module whose mask is on the CPU whatever its input's device, or changes the type."""
    name = seen.class_name
    if seen.mask_on_cpu:
        yield context.report(seen, f"{name} makes its mask on the CPU whatever the device of its input")
    if seen.bfloat16_gives != "bfloat16":
        text = f"{name} turns bfloat16 into {seen.bfloat16_gives}, since its mask has another type"
        yield context.report(seen, text)


def check_error(seen: DropoutRaised, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that raised in the model, since devices or types do not agree."""
    if seen.misfit == "device or type":
        yield context.report(seen, f"{seen.class_name} raises in train mode: {seen.error}")
