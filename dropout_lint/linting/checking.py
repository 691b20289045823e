"""The checks at work on the facts of files; while some follow modes, another process sees to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dropout_lint.diagnostic import Diagnostic, Failure
from dropout_lint.processes import FORKS, Lost, do, forked
from dropout_lint.rulebook import rules
from dropout_lint.syntax.reading import read_source

if TYPE_CHECKING:
    from dropout_lint.config.resolver import Settings
    from dropout_lint.disk import Looks
    from dropout_lint.facts import FileFacts
    from dropout_lint.project.networks import Networks
    from dropout_lint.project.project import Project
    from dropout_lint.syntax.concrete import ConcreteText

MODE_RULES = "DRP2"
"""The group of rules that need the modes of models followed through a project."""
APART_FROM = 300
"""Files below which a second process costs more than it saves."""


class Found(NamedTuple):
    """What the checks found in one file, and the rules that crashed on it."""

    diagnostics: list[Diagnostic]
    failures: list[Failure]


class Checker:
    """The checks of the rules that are on for each file. Raises nothing for a check that crashes."""

    def __init__(self, settings_for: Callable[[Path], Settings], project: Project, texts: dict[Path, str]) -> None:
        self._settings_for = settings_for
        self._project = project
        self._texts = texts
        self._concrete: tuple[Path, ConcreteText] | None = None

    @cached_property
    def _networks(self) -> Networks:
        from dropout_lint.project.networks import Networks

        return Networks(self._project)

    def run(self, files: Sequence[FileFacts]) -> Iterator[Found]:
        """What is found in each file, in their order."""
        others = self._others_apart(files)
        if others is None:
            yield from (self._found(facts) for facts in files)
        else:
            yield from (
                Found(a.diagnostics + b.diagnostics, a.failures + b.failures) for a, b in zip(*others, strict=True)
            )

    def _others_apart(self, files: Sequence[FileFacts]) -> tuple[list[Found], list[Found]] | None:
        """What the rules about modes find, and what the others do; None if that was not done in two processes."""
        if not FORKS or self._project.jobs <= 1 or len(files) < APART_FROM:
            return None
        if not any(follows_modes(self._settings_for(Path(facts.path)), Path(facts.path)) for facts in files):
            return None
        try:
            with forked(1, lambda: self._others(files)) as pool:
                asked = pool.submit(do)
                modes = [self._found(facts, modes=True) for facts in files]
                others, looks = asked.result()
        except Lost:
            return None
        self._project.disk.take_in(looks)
        return others, modes

    def _others(self, files: Sequence[FileFacts]) -> tuple[list[Found], Looks]:
        """What the rules find that are not about modes, and what they asked of the disk."""
        self._project.disk.hand_over()
        return [self._found(facts, modes=False) for facts in files], self._project.disk.hand_over()

    def _found(self, facts: FileFacts, modes: bool | None = None) -> Found:
        from dropout_lint.checks import checks
        from dropout_lint.checks.support.context import Context
        from dropout_lint.facts import LayerGraph

        found = Found([], [])
        path = Path(facts.path)
        settings = self._settings_for(path)
        for code, (kind, check) in checks(settings.enabled_for(path)).items():
            if modes is not None and modes != code.startswith(MODE_RULES):
                continue
            context = Context(code, facts, self._project, settings, lambda: self._text(path))
            try:
                for fact in self._networks.of(facts) if kind is LayerGraph else facts.of_kind(kind):
                    found.diagnostics.extend(self._with_edits(check(fact, context), path))
            except Exception as error:  # a bug in one rule must not hide the findings of the others
                reason = f"rule {code} crashed: {type(error).__name__}: {error}".splitlines()[0]
                found.failures.append(Failure(facts.path, f"{reason}; this is a bug in dropout-lint", code))
        return found

    def _with_edits(self, diagnostics: Iterator[Diagnostic], path: Path) -> Iterator[Diagnostic]:
        """The diagnostics with edits for the rewrites that they ask for."""
        for diagnostic in diagnostics:
            if diagnostic.fix is None or not diagnostic.fix.rewrites:
                yield diagnostic
                continue
            from dropout_lint.rewriting import with_edits
            from dropout_lint.syntax.concrete import ConcreteText

            if self._concrete is None or path != self._concrete[0]:
                self._concrete = path, ConcreteText(self._text(path))
            yield from with_edits([diagnostic], self._concrete[1])

    def _text(self, path: Path) -> str:
        return self._texts[path] if path in self._texts else read_source(path).text


def follows_modes(settings: Settings, path: Path) -> bool:
    """Whether a rule about train and eval mode is on for a file; following modes takes as long as all the rest."""
    return any(code.startswith(MODE_RULES) and not rules()[code].engines for code in settings.enabled_for(path))
