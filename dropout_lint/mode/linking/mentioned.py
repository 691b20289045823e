"""The names that a definition mentions, read from its file on demand; ``candidates`` follows them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.project.project import Project
from dropout_lint.source.modes.mentions import Mentions, mentions
from dropout_lint.source.names.import_table import ImportTable


class Mentioned:
    """Names by definition. Keeps the text of each file that was asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: dict[str, tuple[str, ImportTable]] = {}

    def by(self, facts: FileFacts, outline: ModeOutline, own: Collection[str]) -> Mentions:
        """Names in a definition, or in the code between definitions; ``own`` are the definitions of the file."""
        if facts.path not in self._files:
            files = self._project.files
            self._files[facts.path] = files.text(Path(facts.path)) or "", files.imports(facts)
        text, imports = self._files[facts.path]
        code = text[outline.start : outline.end] if outline.name else "\n".join(outline.words)
        return mentions(code, imports, own)
