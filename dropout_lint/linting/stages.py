"""The inputs and results of the stages; ``linter.py`` has the order.

All of them are plain data: a stage can run in another process, and its result can be cached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Diagnostic, Failure
from dropout_lint.linting.analysis import AnalysedFile
from dropout_lint.rulebook import rules

if TYPE_CHECKING:
    from dropout_lint.config.settings import Settings
    from dropout_lint.facts import FileFacts
    from dropout_lint.facts.evaluations import EvaluationSite
    from dropout_lint.mode.linking.link import LinkedRun

_MODE_RULES = "DRP2"
"""The group of rules that need the modes of models followed through a project."""


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files to check, each with its settings. ``texts`` replace the content of files on disk.

    ``named`` are the files of the whole run. Users of a class are searched for in their packages only.
    """

    settings: Mapping[Path, Settings]
    texts: Mapping[Path, str] = field(default_factory=dict)
    named: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path], settings_for: Callable[[Path], Settings]) -> FileSet:
        """Some files as they are on disk."""
        settings = {path: settings_for(path) for path in paths}
        return cls(settings, {}, tuple(settings))

    def only(self, path: Path, text: str, settings: Settings) -> FileSet:
        """Only one file, with this content; the texts of other files are kept."""
        return FileSet({path: settings}, {**self.texts, path: text}, self.named or (path,))

    def with_text(self, path: Path, text: str) -> FileSet:
        """The same files, one of them with another content."""
        return replace(self, texts={**self.texts, path: text})

    def enabled(self, path: Path) -> frozenset[str]:
        """The rules that are on for a file."""
        return self.settings[path].enabled_for(path)

    def follows_modes(self, path: Path) -> bool:
        """Whether a rule about train and eval mode is on for a file; following modes takes as long as all the rest."""
        return any(code.startswith(_MODE_RULES) and not rules()[code].engines for code in self.enabled(path))


@dataclass(frozen=True, slots=True)
class Collected:
    """The analysis of each file."""

    files: FileSet
    analysed: tuple[AnalysedFile, ...]

    @property
    def facts(self) -> list[FileFacts]:
        """The facts of all files that have any."""
        return [one.facts for one in self.analysed if one.facts is not None]


@dataclass(frozen=True, slots=True)
class Linked:
    """The runs through the files. ``crashed``: the error, by path of each file that could not be linked."""

    collected: Collected
    runs: tuple[LinkedRun, ...]
    crashed: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[EvaluationSite, ...] = ()
    """Calls of models that may be evaluations in train mode."""


@dataclass(frozen=True, slots=True)
class Found:
    """The findings in one file, and the checks that crashed there."""

    diagnostics: tuple[Diagnostic, ...] = ()
    failures: tuple[Failure, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(self.diagnostics + other.diagnostics, self.failures + other.failures)


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of the checks, by path."""

    collected: Collected
    found: Mapping[str, Found]

    def __add__(self, other: Checked) -> Checked:
        paths = dict.fromkeys((*self.found, *other.found))
        both = {path: self.found.get(path, Found()) + other.found.get(path, Found()) for path in paths}
        return Checked(self.collected, both)


@dataclass(frozen=True, slots=True)
class LintResult:
    """What a run found, sorted; ``failures`` are what it could not check; ``checked`` counts files.

    ``unsure`` are the findings that are less sure than the setting ``confidence``: they are not reported.
    ``collected`` is what fixing builds on: the files, and their facts unless the findings came from the cache.
    """

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...]
    checked: int
    collected: Collected | None = field(default=None, compare=False, repr=False)
    unsure: tuple[Diagnostic, ...] = ()
