"""DRP506: a mask that stays on the default device, or that turns the tensor into float32."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.masks import edit, is_dropout
from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.facts import MaskSite


def check(site: MaskSite, context: Context) -> Iterator[Diagnostic]:
    """Report the device, and as a finding of its own that only half precision shows, the type."""
    if site.kind == "mask" or not is_dropout(site):
        return
    if site.device is not None:
        message = "This mask is drawn on the default device, not on that of the tensor it is applied to."
        yield context.report(site.span, message, fix=safe("Draw on the tensor's device", edit(site.device)))
    if site.cast is not None:
        fix = unsafe("Convert to the tensor's type", edit(site.dtype)) if site.dtype is not None else None
        message = "A float32 mask turns a half-precision tensor into float32."
        yield context.report(site.cast, message, severity=Severity.INFO, fix=fix)
