"""The second stage: follow the train and eval modes of models through the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.facts import ModeRun
from dropout_lint.linting.stages import Collected, Linked

if TYPE_CHECKING:
    from dropout_lint.facts.evaluations import EvaluationSite
    from dropout_lint.mode.linking.link import LinkedRun
    from dropout_lint.project.project import Project


def link(collected: Collected, project: Project, jobs: int = 1) -> Linked:
    """Follow the modes through the files that have a rule about runs enabled.

    Files with different ``mode-managed-bases`` are linked separately, as if each group were checked alone.
    """
    from dropout_lint.evaluations.sites import evaluations
    from dropout_lint.mode.linking import link as linker
    from dropout_lint.mode.linking.neighbours import Neighbours

    facts = {Path(one.path): one for one in collected.facts}
    neighbours = Neighbours(project.files)
    runs: list[LinkedRun] = []
    crashed: dict[str, str] = {}
    sites: list[EvaluationSite] = []
    for managed, paths in _groups(collected).items():
        given = [facts[path] for path in paths if path in facts]
        if not any(one.speaks_of_mode or one.drives for one in given):
            continue
        try:
            made = linker.link(project, given, paths, tuple(sorted(managed)), jobs, neighbours)
            runs += made
            if _weighs(collected, paths):
                sites += evaluations(project, given, [one.run for one in made], tuple(sorted(managed)), neighbours)
        except Exception as error:  # a bug here must not hide what the other rules find
            crashed |= {str(path): f"{type(error).__name__}: {error}" for path in paths}
    return Linked(collected, tuple(runs), crashed, tuple(sites))


def _weighs(collected: Collected, paths: list[Path]) -> bool:
    """Whether a rule that weighs evidence is on for one of the files."""
    from dropout_lint import checks

    return any(checks.WEIGHS[0] in collected.files.enabled(path) for path in paths)


def _groups(collected: Collected) -> dict[frozenset[str], list[Path]]:
    """The files that have a rule about runs enabled, by their managed bases."""
    from dropout_lint import checks

    files = collected.files
    groups: dict[frozenset[str], list[Path]] = {}
    for path, settings in files.settings.items():
        if files.follows_modes(path) and any(
            kind is ModeRun for kind, _ in checks.checks(files.enabled(path)).values()
        ):
            groups.setdefault(frozenset(settings.mode_managed_bases), []).append(path)
    return groups
