"""Choose the definitions worth running: those from which a mode call, a training step or an export is reachable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.mode.linking.mentioned import Mentioned
from dropout_lint.project.name_search import defines
from dropout_lint.project.project import Project
from dropout_lint.source.module.triage import speaks_of_dropout, speaks_of_mode

Node = tuple[str, str]
"""A file and a definition of its top level, "" for the statements between them."""


class Candidates:
    """The definitions from which one that acts on modes is reachable, by the names that definitions mention.

    They are reached ``through_all`` files, or only through those with a word about models: a library has many others.
    """

    def __init__(self, project: Project, files: Iterable[FileFacts], *, through_all: bool = False) -> None:
        self._project = project
        self._through_all = through_all
        self._outlines: dict[str, dict[str, ModeOutline]] = {}
        self._mentioned = Mentioned(project)
        self._mentioned_by: dict[Node, list[Node]] = {}
        """For each definition, those that mention it."""
        self._switches: list[Node] = []
        """Definitions that switch a mode."""
        self._defined_without_models: dict[Path, frozenset[bytes] | None] = {}
        """For each file, the names that it defines; None if it mentions models."""
        self._explore(files)
        self._leading = self._leading_to_switches()

    def of(self, facts: FileFacts) -> frozenset[str]:
        """The definitions of a file that are worth running."""
        outlines = self._names(facts)
        return frozenset(n for n, o in outlines.items() if (facts.path, n) in self._leading and self._starts(facts, o))

    def _names(self, facts: FileFacts) -> dict[str, ModeOutline]:
        known = self._outlines.get(facts.path)
        if known is None:
            known = self._outlines[facts.path] = {o.name: o for o in self._project.files.outlines(facts)}
        return known

    def _explore(self, files: Iterable[FileFacts]) -> None:
        pending: list[tuple[FileFacts, str]] = []
        for facts in files:
            pending += [(facts, o.name) for o in self._names(facts).values() if self._starts(facts, o)]
        seen: set[Node] = {(f.path, name) for f, name in pending}
        while pending:
            facts, name = pending.pop()
            node, known = (facts.path, name), self._names(facts)
            outline = known[name]
            mentioned_names = self._mentioned.by(facts, outline, known)
            if mentioned_names.switches or (outline.freezes and self._project.classes.is_module(facts, f".{name}")):
                self._switches.append(node)
            for home, mentioned in self._definitions(facts, mentioned_names.names):
                other = (home.path, mentioned)
                self._mentioned_by.setdefault(other, []).append(node)
                if other not in seen:
                    seen.add(other)
                    pending.append((home, mentioned))

    def _starts(self, facts: FileFacts, outline: ModeOutline) -> bool:
        """Whether a run may start here: a script, or a function or class that acts.

        The methods of a Module are run alone only for what it does to itself.
        """
        if not outline.name:
            return True
        if not (outline.acts or outline.freezes):
            return False
        of_itself = outline.alone or outline.freezes or outline.name not in facts.headers
        return of_itself or not self._project.classes.is_module(facts, f".{outline.name}")

    def _definitions(self, facts: FileFacts, mentioned: Iterable[str]) -> Iterator[tuple[FileFacts, str]]:
        for name in mentioned:
            if name.startswith("."):
                yield facts, name[1:]
                continue
            names = [f"{star}.{name[1:]}" for star in facts.stars] if name.startswith("*") else [name]
            for found in map(self._find, [facts] * len(names), names):
                if found is not None and self._defined_in(Path(found[0].path)) is None:
                    home, inner = found[0], found[1].partition(".")[0]
                    known = self._names(home)
                    yield from ((home, n) for n in ([inner] if inner else known) if n in known)

    def _find(self, facts: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """The definition of a name; None without parsing where the file that has it mentions no model."""
        located = self._project.modules.locate(Path(facts.path), name)
        if located is None:
            return None
        path, rest = located
        defined = self._defined_in(path)
        if defined is not None:
            first = rest.partition(".")[0].encode()
            if not first or first in defined:
                return None
        return self._project.names.find(facts, name)

    def _defined_in(self, path: Path) -> frozenset[bytes] | None:
        """The names that a file defines; None if it mentions models."""
        if path not in self._defined_without_models:
            self._defined_without_models[path] = self._defined(path)
        return self._defined_without_models[path]

    def _defined(self, path: Path) -> frozenset[bytes] | None:
        data = self._project.files.data(path)
        if self._through_all or speaks_of_mode(data) or speaks_of_dropout(data):
            return None
        return defines(data)

    def _leading_to_switches(self) -> set[Node]:
        leading = set(self._switches)
        pending = list(self._switches)
        while pending:
            for node in self._mentioned_by.get(pending.pop(), ()):
                if node not in leading:
                    leading.add(node)
                    pending.append(node)
        return leading
