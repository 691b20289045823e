"""``check --add-noqa``: adds a suppression comment for each current finding."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from dropout_lint.commands.shared.messages import counted, note
from dropout_lint.diagnostic import Failure
from dropout_lint.fixing.files import NotFixedError, replace_file

if TYPE_CHECKING:
    from dropout_lint.linting.linter import Linter
    from dropout_lint.linting.stages import LintResult

RUFF_HINT = (
    "Ruff removes codes that it does not know from '# noqa'. Where you use both, add to pyproject.toml:\n"
    '  [tool.ruff.lint]\n  external = ["DRP"]'
)


def add_noqa(result: LintResult, linter: Linter, style: str) -> LintResult:
    """Write the comments and report their number. Returns the result without its findings, which are suppressed now."""
    from dropout_lint.suppressions.adding import add_suppressions
    from dropout_lint.suppressions.matching import TOOL_RULES
    from dropout_lint.syntax.text import UnreadableSource

    failures = list(result.failures)
    added = files = 0
    wanted = [item for item in result.diagnostics if item.code not in TOOL_RULES]
    for name, group in groupby(sorted(wanted, key=lambda item: item.sort_key), key=lambda item: item.path):
        found = tuple(group)
        try:
            source = linter.source(Path(name))
            text = add_suppressions(source.text, found, cast("Literal['native', 'noqa']", style))
            if text != source.text:
                replace_file(source, text)
                added, files = added + len(found), files + 1
        except (UnreadableSource, NotFixedError) as problem:
            failures.append(Failure(name, f"no comment added: {problem}"))
    note(f"Suppressed {counted(added, 'problem')} in {counted(files, 'file')}.")
    if style == "noqa" and added:
        note(RUFF_HINT)
    return replace(result, diagnostics=(), failures=tuple(failures))
