"""Which definitions of a project are worth running: those that lead to a switch, a training step or an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.project import Project

Node = tuple[str, str]
"""A file and a definition of its top level, "" for the statements between them."""


class Candidates:
    """Follows the names that definitions mention, from those that act on a mode. Linear in what is reachable."""

    def __init__(self, project: Project, files: Iterable[FileFacts]) -> None:
        self._project = project
        self._outlines: dict[str, dict[str, ModeOutline]] = {}
        self._mentioned_by: dict[Node, list[Node]] = {}
        self._switches: list[Node] = []
        self._explore(files)
        self._leading = self._backwards()

    def of(self, facts: FileFacts) -> frozenset[str]:
        """The definitions of a file with which a run may start that can prove something."""
        outlines = self._names(facts)
        return frozenset(n for n, o in outlines.items() if (facts.path, n) in self._leading and self._starts(facts, o))

    def _names(self, facts: FileFacts) -> dict[str, ModeOutline]:
        known = self._outlines.get(facts.path)
        if known is None:
            known = self._outlines[facts.path] = {o.name: o for o in self._project.outlines(facts)}
        return known

    def _explore(self, files: Iterable[FileFacts]) -> None:
        pending: list[tuple[FileFacts, str]] = []
        for facts in files:
            pending += [(facts, o.name) for o in self._names(facts).values() if self._starts(facts, o)]
        seen: set[Node] = {(f.path, name) for f, name in pending}
        while pending:
            facts, name = pending.pop()
            node, outline = (facts.path, name), self._names(facts)[name]
            if outline.switches:
                self._switches.append(node)
            for home, mentioned in self._mentions(facts, outline):
                other = (home.path, mentioned)
                self._mentioned_by.setdefault(other, []).append(node)
                if other not in seen:
                    seen.add(other)
                    pending.append((home, mentioned))

    def _starts(self, facts: FileFacts, outline: ModeOutline) -> bool:
        """Whether a run may start here: a script, or a function or class that acts.

        The methods of a Module are run alone only for its checkpoints and flags.
        """
        if not outline.name:
            return True
        if not outline.acts:
            return False
        is_class = outline.name in facts.headers
        return outline.flags or not is_class or not self._project.is_module(facts, f".{outline.name}")

    def _mentions(self, facts: FileFacts, outline: ModeOutline) -> Iterator[tuple[FileFacts, str]]:
        for name in outline.mentions:
            if name.startswith("*"):
                found = [self._project.find(facts, f"{star}.{name[1:]}") for star in facts.stars]
            elif name.startswith("."):
                yield facts, name[1:]
                continue
            else:
                found = [self._project.find(facts, name)]
            for one in found:
                if one is not None:
                    home, inner = one[0], one[1].partition(".")[0]
                    known = self._names(home)
                    yield from ((home, n) for n in ([inner] if inner else known) if n in known)

    def _backwards(self) -> set[Node]:
        leading = set(self._switches)
        pending = list(self._switches)
        while pending:
            for node in self._mentioned_by.get(pending.pop(), ()):
                if node not in leading:
                    leading.add(node)
                    pending.append(node)
        return leading
