"""DRP204: the flag ``training`` assigned, which does not reach the modules inside."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.mode import evidence
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline
from dropout_lint.rewrites import ReplaceStatement


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report assignments on models with layers inside that ask for their own flag."""
    for found in evidence(outline, context, context.code):
        target, _, value = context.slice(found.span).partition("=")
        receiver = target.strip().removesuffix(".training")
        call = {"False": "eval()", "True": "train()"}.get(value.strip(), f"train({value.strip()})")
        plain = value and "=" not in target and "\n" not in value
        fix = (
            unsafe(f"Call `{receiver}.{call}`", ReplaceStatement(found.span, f"{receiver}.{call}"))
            if plain
            else advice("Call `eval()` or `train()`")
        )
        yield context.report(
            found.span,
            f"This sets the flag of `{found.subject}` alone: the `{found.detail}` inside keeps its own.",
            fix=fix,
            related=found.related,
        )
