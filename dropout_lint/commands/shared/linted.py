"""The result of a run before it is reported, and the patches that ``--diff`` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.commands.shared.messages import counted, note, write_report
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Diagnostic, visible
from dropout_lint.fixing.files import FixRun, is_applicable

if TYPE_CHECKING:
    from dropout_lint.linting.stages import LintResult
    from dropout_lint.syntax.text import SourceText


@dataclass(frozen=True, slots=True)
class Linted:
    """The result of a run.

    ``texts`` are sources from standard input, ``files`` those that were checked on disk. ``stdout_taken``: stdout
    already carries a fixed text. ``left_out`` describes findings that are not reported.
    """

    result: LintResult
    texts: Mapping[str, SourceText] = field(default_factory=dict)
    fixed: int = 0
    changed: bool = False
    stdout_taken: bool = False
    files: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()
    not_checked: int = 0
    """Number of parts of models that an engine could not check; each was reported on stderr."""

    def sources(self) -> Callable[[str], str | None]:
        """A function from a place (a file or a notebook cell) to its text; None if it is gone."""
        from dropout_lint.report.cells import split_place
        from dropout_lint.syntax.reading import read_source
        from dropout_lint.syntax.text import UnreadableSource

        @lru_cache(maxsize=1)
        def read(name: str) -> SourceText | None:
            try:
                return self.texts[name] if name in self.texts else read_source(Path(name))
            except UnreadableSource:
                return None

        def source_of(place: str) -> str | None:
            path, cell = split_place(place)
            source = read(path)
            return source.shown(cell) if source is not None else None

        return source_of


def show_patches(
    options: CheckOptions, settings_for: Callable[[Path], Settings], result: LintResult, run: FixRun
) -> None:
    """Print what ``--fix`` would change on stdout, and the count on stderr."""
    patches = "".join(run.patches)
    if options.output_file is None and sys.stdout.isatty():
        patches = visible(patches, "\n\t")
    # With colour, click keeps escape sequences of the source, which a patch needs to apply.
    write_report(patches, options.output_file, color=True)
    if options.quiet:
        return
    if run.patches:
        note(f"Would fix {counted(run.fixed, 'problem')} in {counted(len(run.patches), 'file')}.")
    else:
        note("Nothing to fix.")
    for_unsafe = [item for item in result.diagnostics if _waits_for_unsafe(item, settings_for(Path(item.path)))]
    if for_unsafe:
        note(f"{counted(len(for_unsafe), 'more problem')} can be fixed with --unsafe-fixes.")


def _waits_for_unsafe(item: Diagnostic, settings: Settings) -> bool:
    return is_applicable(item, replace(settings, unsafe_fixes=True)) and not is_applicable(item, settings)
