"""The code of definitions, read from their files when the search for candidates comes to them."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.project import Project
from dropout_lint.source.import_table import ImportTable
from dropout_lint.source.mode_mentions import Mentions, mentions


class Mentioned:
    """What definitions mention. Holds the files that it was asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: dict[str, tuple[str, ImportTable, frozenset[str]]] = {}

    def by(self, facts: FileFacts, outline: ModeOutline) -> Mentions:
        """What a definition, or the code between the definitions, mentions."""
        if facts.path not in self._files:
            text = self._project.text(Path(facts.path)) or ""
            own = frozenset(o.name for o in self._project.outlines(facts))
            self._files[facts.path] = text, self._project.imports(facts), own
        text, imports, own = self._files[facts.path]
        if not outline.name:
            return mentions("\n".join(outline.words), imports, own)
        return mentions(text[outline.start : outline.end], imports, own - {outline.name})
