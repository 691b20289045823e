"""The services that the stages of a run share: file system, facts store, processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dropout_lint.disk import Disk
from dropout_lint.linting.analysis import Task, TaskResult
from dropout_lint.linting.collecting import analyse_all
from dropout_lint.linting.stages import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from dropout_lint.facts import FileFacts
    from dropout_lint.linting.facts_store import FactsStore
    from dropout_lint.project.files import Files
    from dropout_lint.project.project import Project
    from dropout_lint.source.names.place import ModulePlace


@dataclass(frozen=True)
class Workspace:
    """The file system as one run reads it, and the facts of earlier runs in ``store``. No results of stages."""

    disk: Disk = field(default_factory=Disk)
    store: FactsStore | None = None
    jobs: int = 1
    before: Files | None = None
    """Files with the facts of an earlier run over the same disk."""

    def analyses(self, tasks: Sequence[Task]) -> Iterable[TaskResult]:
        """The analyses of files, in any order."""
        if self.store is None:
            return analyse_all(tasks, self.disk, self.jobs)
        return self.store.analyses(tasks, self.disk, lambda new: analyse_all(new, self.disk, self.jobs))

    @cached_property
    def files(self) -> Files:
        """The files on disk, each read once."""
        from dropout_lint.project.files import Files

        return self.before or Files(self.disk, self._read)

    def project(self, collected: Collected) -> Project:
        """The project around the files of a run: names and classes across files."""
        from dropout_lint.project.project import Project

        return Project(self.files.view(collected.files.texts, collected.facts), collected.files.named)

    def after(self, collected: Collected | None) -> Workspace:
        """This workspace with the facts that a run has collected."""
        return replace(self, before=self.files.view({}, collected.facts)) if collected is not None else self

    def _read(self, path: Path, data: bytes, place: ModulePlace) -> FileFacts:
        from dropout_lint.project.files import read_facts

        return read_facts(path, data, place) if self.store is None else self.store.facts(path, data, place, read_facts)
