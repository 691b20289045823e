"""The second stage: the modes of models are followed through the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.facts import ModeOutline
from dropout_lint.linting.stages import Collected, Linked

if TYPE_CHECKING:
    from dropout_lint.mode.judges.evidence import Evidence
    from dropout_lint.project.project import Project


def link(collected: Collected, project: Project, jobs: int = 1) -> Linked:
    """Follow the modes through the files for which a rule asks for that.

    Files under different managed bases are linked apart, each as if the others had not been named.
    """
    from dropout_lint.mode.linking import link as linker

    facts = {Path(one.path): one for one in collected.facts}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    crashed: dict[str, str] = {}
    for managed, paths in _groups(collected).items():
        given = [facts[path] for path in paths if path in facts]
        if not any(one.of_kind(ModeOutline) for one in given):
            continue
        try:
            found = linker.link(project, given, paths, tuple(sorted(managed)), jobs)
        except Exception as error:  # a bug here must not hide what the other rules find
            crashed |= {str(path): f"{type(error).__name__}: {error}" for path in paths}
        else:
            evidence |= {str(path): tuple(found.by_file.get(str(path), ())) for path in paths}
    return Linked(collected, evidence, crashed)


def _groups(collected: Collected) -> dict[frozenset[str], list[Path]]:
    """The files for which a rule is on that reads what linking finds, by their managed bases."""
    from dropout_lint import checks

    files = collected.files
    groups: dict[frozenset[str], list[Path]] = {}
    for path, settings in files.settings.items():
        if files.follows_modes(path) and any(
            kind is ModeOutline for kind, _ in checks.checks(files.enabled(path)).values()
        ):
            groups.setdefault(frozenset(settings.mode_managed_bases), []).append(path)
    return groups
