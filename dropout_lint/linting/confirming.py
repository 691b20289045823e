"""The stage after the checks: confirms findings with a second parser, and turns the rewrites of fixes into edits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Failure
from dropout_lint.disk import FileChangedError
from dropout_lint.linting.stages import Checked, Found

if TYPE_CHECKING:
    from dropout_lint.project.files import Files


def confirm(checked: Checked, files: Files) -> Checked:
    """The findings that libcst confirms, with edits in their fixes; a Failure for each other finding."""
    return Checked(checked.collected, {path: _confirmed(path, found, files) for path, found in checked.found.items()})


def _confirmed(path: str, found: Found, files: Files) -> Found:
    if not found.diagnostics:
        return found
    # A run without findings never imports libcst.
    from dropout_lint.rewriting import with_edits
    from dropout_lint.rewriting.second_parser import split_confirmed
    from dropout_lint.syntax.concrete import ConcreteText

    try:
        text = ConcreteText(files.lines(Path(path)).text)
    except FileChangedError as error:
        return Found((), (*found.failures, Failure(path, str(error))))
    confirmed, failures = split_confirmed(found.diagnostics, text)
    return Found(tuple(with_edits(confirmed, text)), (*found.failures, *failures))
