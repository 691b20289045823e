"""DRP107: the bound method ``self.train`` tested as if it were a flag."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context, safe
from dropout_lint.diagnostic import Diagnostic, Edit
from dropout_lint.facts import ModelClass


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report tests of ``self.train`` in a Module that has no attribute of that name."""
    for flag in model.flags:
        if flag.kind != "method" or not context.is_module(model.name):
            continue
        owner = flag.scope.self_name
        yield context.report(
            flag.span,
            f"`{owner}.train` is a method, and a method is always true; the mode is `{owner}.training`.",
            fix=safe(f"Test `{owner}.training`", Edit(flag.span, f"{owner}.training")),
        )
