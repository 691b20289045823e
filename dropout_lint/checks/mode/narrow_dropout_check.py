"""DRP213: code that switches dropout, and finds only ``nn.Dropout``."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import NarrowDropoutCheck
from dropout_lint.rewrites import ReplaceExpression

_CLASSES = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")


def check(found: NarrowDropoutCheck, context: Context) -> Iterator[Diagnostic]:
    """Report the test; the fix asks for all six classes."""
    if found.asked is not None:
        missed = "`nn.Dropout` is no base of `Dropout1d`, `Dropout2d`, `Dropout3d` and the alpha dropouts"
    else:
        missed = "The names of the alpha dropouts do not begin like this"
    yield context.report(found.span, f"{missed}: they are passed over here.", fix=_all_classes(found))


def _all_classes(found: NarrowDropoutCheck) -> Fix | None:
    if found.asked is None or not found.namespace:
        return advice("Ask for all six classes")
    classes = ", ".join(f"{found.namespace}.{name}" for name in _CLASSES)
    return unsafe("Ask for all six classes", ReplaceExpression(found.asked, f"({classes})"))
