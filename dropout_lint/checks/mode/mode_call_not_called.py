"""DRP201: ``model.eval`` as a statement, which does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import UncalledModeMethod
from dropout_lint.rewrites import WrapExpression


def check(found: UncalledModeMethod, context: Context) -> Iterator[Diagnostic]:
    """Report them on names that the file also uses as a model, and on instances of Modules."""
    if found.is_used or (found.owner and context.is_module(found.owner)):
        name = f"{found.receiver}.{found.method}"
        yield context.report(
            found.span,
            f"`{name}` names the method and does not call it, so the mode stays as it is.",
            fix=unsafe(f"Call `{name}()`", WrapExpression(found.span, "{}()")),
        )
