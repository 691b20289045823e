"""DRP605: a literal rate in a class whose constructor takes none."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import DropoutSite
from dropout_lint.vocabulary import words

_RATE_WORDS = {
    "args",
    "cfg",
    "conf",
    "config",
    "configuration",
    "drop",
    "dropout",
    "hparams",
    "keep",
    "kwargs",
    "opt",
    "options",
    "p",
}
"""A parameter with one of these words in its name may pass a rate to the class."""


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report literal rates other than zero in a constructor without a parameter for them."""
    if site.form not in {"module", "rnn", "multihead"} or site.scope.method != "__init__" or context.facts.is_test:
        return
    argument = site.argument(site.rate_argument)
    if argument is None or not argument.value.literal or argument.value.names or not argument.value.number:
        return
    if any(words(name) & _RATE_WORDS for name in site.scope.parameters):
        return
    if context.in_module(site.scope):
        yield context.report(
            argument.span,
            f"`{site.scope.class_name}` cannot be built with another dropout rate than {argument.text}, so what the "
            "dropout does for it cannot be measured.",
        )
