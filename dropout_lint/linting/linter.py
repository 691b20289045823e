"""A run: a chain of stages, each a function from one value of ``stages.py`` to the next.

    FileSet --collect--> Collected --link--> Linked --check_runs--> Checked
    Checked --confirm--> Checked --suppress--> LintResult

``check_files`` needs no links: it leads from Collected to Checked. Fixing runs the same stages again with other texts
in the FileSet. ``run_cache`` wraps the whole chain, ``facts_store`` the analysis of files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.linting.analysis import without_garbage_collection
from dropout_lint.linting.collecting import collect
from dropout_lint.linting.stages import Checked, Collected, FileSet, Found, LintResult
from dropout_lint.linting.suppressing import suppress
from dropout_lint.linting.workspace import Workspace
from dropout_lint.processes import FORKS, in_background, processors

if TYPE_CHECKING:
    from dropout_lint.cache.folder import CacheFolder
    from dropout_lint.config.settings import Settings
    from dropout_lint.disk import Looks
    from dropout_lint.linting.merging import Findings
    from dropout_lint.syntax.text import SourceText

Progress = Callable[[int, int], None]
APART_FROM = 300
"""Files below which a second process for checks costs more than it saves."""


def lint(
    files: FileSet, space: Workspace, runs: Findings | None = None, on_progress: Progress | None = None
) -> LintResult:
    """Run all stages. Raises nothing for what a file contains."""
    with without_garbage_collection():
        collected = collect(files, space.disk, space.analyses, on_progress)
        return suppress(check(collected, space), runs)


def check(collected: Collected, space: Workspace) -> Checked:
    """Link and check the files. In large runs, another process meanwhile does the checks that need no links."""
    with_facts = sum(facts.has_anything for facts in collected.facts)
    if not with_facts:
        return Checked(collected, {})
    from dropout_lint.linting.checking import check_files, check_runs
    from dropout_lint.linting.confirming import confirm
    from dropout_lint.linting.linking import link

    project = space.project(collected)

    def check_unlinked() -> tuple[Mapping[str, Found], Looks]:
        space.disk.hand_over()
        return confirm(check_files(collected, project), project.files).found, space.disk.hand_over()

    pays = FORKS and space.jobs > 1 and with_facts >= APART_FROM
    pays = pays and any(map(collected.files.follows_modes, collected.files.settings))
    with in_background(check_unlinked if pays else None) as done:
        modes = confirm(check_runs(link(collected, project, space.jobs), project), project.files)
        others = done()
    if others is None:
        return confirm(check_files(collected, project), project.files) + modes
    space.disk.take_in(others[1])
    return Checked(collected, others[0]) + modes


@dataclass(frozen=True)
class Linter:
    """Lints files under the settings of each. ``jobs`` 0 means as many processes as there are processors.

    ``runs`` are the findings of models that ran, to be merged in. ``cache`` has the results of earlier runs; without
    it, nothing is read or written but the files. A linter reads the files once: a later change is a failure.
    """

    settings_for: Callable[[Path], Settings]
    jobs: int = 0
    on_progress: Progress | None = None
    runs: Findings | None = None
    cache: CacheFolder | None = None
    files: FileSet = field(default_factory=lambda: FileSet({}))
    """The files of an earlier run, some with other texts."""
    space: Workspace | None = None
    """Everything that run has read."""

    def run(self, paths: Sequence[Path]) -> LintResult:
        """Lint files from disk. Never raises for what a file contains."""
        files, space = FileSet.of(paths, self.settings_for), self._space
        run = partial(lint, space=space, runs=self.runs, on_progress=self.on_progress)
        if self.cache is None or space.store is None:
            return run(files)
        from dropout_lint.linting.run_cache import lint_with_cache

        result = run(files) if self.runs is not None else lint_with_cache(run, files, self.cache, space.disk)
        space.store.save()
        return result

    def run_text(self, path: Path, text: str) -> LintResult:
        """Lint one text as if it were the content of ``path``."""
        return lint(self.files.only(path, text, self.settings_for(path)), self._space, self.runs)

    def source(self, path: Path) -> SourceText:
        """The text of a file that was linted. Raises UnreadableSource, also when the file has changed since."""
        from dropout_lint.syntax.reading import decode_source, read_bytes

        return decode_source(read_bytes(path, self._space.disk.read), path)

    def after(self, result: LintResult) -> Linter:
        """A linter for single texts among the files of a run, which reuses the facts of the others."""
        files = result.collected.files if result.collected is not None else self.files
        return replace(self, files=files, space=self._space.after(result.collected))

    def with_text(self, path: Path, text: str) -> Linter:
        """This linter after a file has got another content, on disk or not."""
        self._space.disk.forget(path)
        return replace(self, files=self.files.with_text(path, text), space=self._space)

    @cached_property
    def _space(self) -> Workspace:
        if self.space is not None:
            return self.space
        jobs = self.jobs or processors()
        if self.cache is None:
            return Workspace(jobs=jobs)
        from dropout_lint.linting.facts_store import FactsStore

        return Workspace(store=FactsStore(self.cache), jobs=jobs)
