"""``check --diff-base``: reports a finding only if its lines, or those of a related place, were changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from dropout_lint.baselines.changed_lines import ChangedLines, GitError, changed_since
from dropout_lint.commands.shared.linted import Linted
from dropout_lint.commands.shared.messages import counted
from dropout_lint.diagnostic import Diagnostic


def only_changed(revision: str, linted: Linted) -> Linted:
    """Remove findings that the branch did not introduce. Raises click.UsageError if git fails."""
    try:
        changes = changed_since(revision, Path.cwd())
    except GitError as problem:
        raise click.UsageError(f"--diff-base {revision}: {problem}.") from None
    found = linted.result.diagnostics
    new = tuple(item for item in found if _is_new(item, changes))
    if len(new) == len(found):
        return linted
    left_out = (*linted.left_out, f"{counted(len(found) - len(new), 'problem')} on unchanged lines")
    return replace(linted, result=replace(linted.result, diagnostics=new), left_out=left_out)


def _is_new(item: Diagnostic, changes: ChangedLines) -> bool:
    """True if the finding or a related place was changed: a new default can make an old call wrong."""
    return changes.touch(item.path, item.span) or any(changes.touch(r.path, r.span) for r in item.related)
