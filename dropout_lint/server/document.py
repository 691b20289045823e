"""One open document: its path, the findings in its unsaved text, and its fixed texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pygls.uris import to_fs_path

from dropout_lint.config.resolver import Settings, SettingsResolver
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.discovery.discovery import is_excluded
from dropout_lint.fixing.files import NotFixedError, fix_source, is_applicable, without_unfixable
from dropout_lint.fixing.fixer import apply_fixes
from dropout_lint.linting.linter import Linter
from dropout_lint.suppressions.adding import add_suppressions
from dropout_lint.syntax.text import SourceText


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings in one version of a text. ``problems`` are sentences about what could not be checked."""

    path: Path
    text: str
    diagnostics: tuple[Diagnostic, ...] = ()
    problems: tuple[str, ...] = ()
    settings: Settings | None = None

    def with_fix(self, diagnostic: Diagnostic) -> str | None:
        """The text with one fix and its imports applied; None if it cannot be applied alone."""
        text, waiting = apply_fixes(self.text, [diagnostic])
        return None if waiting or text == self.text else text

    def with_all_fixes(self) -> str:
        """The text after ``dropout-lint --fix``; unchanged if there is nothing to fix, or fixing fails."""
        if self.settings is None or not any(is_applicable(found, self.settings) for found in self.diagnostics):
            return self.text
        source = SourceText(self.path, self.text, "utf-8", bom=False, data=self.text.encode(errors="replace"))
        try:
            return fix_source(source, Linter(SettingsResolver(), jobs=1), self.settings).text
        except NotFixedError:
            return self.text

    def with_suppression(self, diagnostic: Diagnostic) -> str:
        """The text with a comment that suppresses one diagnostic."""
        return add_suppressions(self.text, [diagnostic], "native")


def check_document(path: Path, text: str) -> Checked:
    """Lint ``text`` as the content of ``path``. Reads the configuration again, because it may have been edited."""
    resolver = SettingsResolver()
    try:
        settings = resolver(path)
        if is_excluded(path, resolver):
            return Checked(path, text)
    except ConfigError as error:
        return Checked(path, text, problems=(str(error),))
    result = Linter(resolver, jobs=1).run_text(path, text)
    found: Sequence[Diagnostic] = without_unfixable(result.diagnostics, resolver)
    reasons = tuple(failure.reason for failure in result.failures)
    return Checked(path, text, tuple(found), reasons, settings)


def path_of(uri: str, root: str | None) -> Path:
    """The path of a document. An unsaved one gets a path in the workspace."""
    file = to_fs_path(uri) if uri.startswith("file:") else None
    if file is not None:
        return Path(file)
    name = re.split(r"[/:]", uri)[-1] or "untitled"
    return Path(root or Path.cwd(), name if name.endswith(".py") else f"{name}.py")
