"""A flake8 plugin: the same diagnostics, without fixes.

flake8 has no severities and fails on any diagnostic, so it gets those at or above ``fail-level``. Rules are selected in
``[tool.dropout-lint]``; flake8's ``--select``, ``--ignore`` and ``noqa`` work too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from dropout_lint import __version__
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import hedged
from dropout_lint.linting.linter import Linter


class DropoutLint:
    """Checks one file; https://flake8.pycqa.org/en/latest/plugin-development/ says how flake8 calls it."""

    name = "dropout-lint"
    version = __version__

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        """Take the file as flake8 has read it. The parameter ``tree`` makes flake8 run this once for each file."""
        self._path = Path(filename)
        self._text = "".join(lines)

    def run(self) -> Iterator[tuple[int, int, str, type[DropoutLint]]]:
        """Yield line (from 1), column (from 0), text with the code in front, and this class."""
        try:
            settings = _settings()(self._path)
        except ConfigError as error:
            yield 1, 0, f"DRP004 {error}", DropoutLint
            return
        result = Linter(_settings(), jobs=1).run_text(self._path, self._text)
        for failure in result.failures:
            yield 1, 0, f"DRP004 {failure.reason}", DropoutLint
        for found in result.diagnostics:
            if found.severity.rank >= settings.fail_level.rank:
                yield found.span.line, found.span.column - 1, f"{found.code} {hedged(found)}", DropoutLint


@cache
def _settings() -> SettingsResolver:
    return SettingsResolver()
