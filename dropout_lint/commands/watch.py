"""``check --watch``: checks again and redraws the report whenever a file changes."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import CannotWriteError, error, note
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.config.tables import ConfigError
from dropout_lint.discovery import gitignore
from dropout_lint.discovery.discovery import SUFFIXES, displayed

if TYPE_CHECKING:
    from watchfiles import Change

_CONFIGURATION = frozenset({"pyproject.toml", ".gitignore"})
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"


def watch(options: CheckOptions, check: Callable[[CheckOptions], ExitCode]) -> ExitCode:
    """Check until Ctrl-C. An error of one run is printed, and the next change starts another run.

    Raises click.UsageError for paths that cannot be watched, and if watchfiles is not installed.
    """
    if options.reads_stdin or options.add_noqa or options.show_files or options.show_settings:
        raise click.UsageError("--watch cannot be combined with '-', --add-noqa, --show-files or --show-settings.")
    once = replace(options, watch=False)
    try:
        changes = _changes(options.paths or (Path(),))
        _check(once, check)
        for changed in changes:
            if sys.stdout.isatty():
                click.echo(_CLEAR, nl=False)
            note(f"[{_clock()}] {changed}")
            _check(once, check)
    except KeyboardInterrupt:
        pass
    return ExitCode.CLEAN


def _check(options: CheckOptions, check: Callable[[CheckOptions], ExitCode]) -> None:
    gitignore.forget()
    try:
        check(options)
    except (click.ClickException, ConfigError, CannotWriteError) as problem:
        error(problem.format_message() if isinstance(problem, click.ClickException) else str(problem))
    sys.stdout.flush()
    # A check runs with the garbage collector off, and freezes what it leaves.
    gc.unfreeze()
    gc.collect()
    note(f"[{_clock()}] Watching for changes; Ctrl-C ends this.")


def _changes(paths: tuple[Path, ...]) -> Iterator[str]:
    """Yield a summary of each change. Watches from the first call on."""
    try:
        import watchfiles
    except ImportError:
        raise click.UsageError("--watch needs watchfiles: pip install 'dropout-lint[watch]'.") from None
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"{path}: no such file or directory.")

    class Sources(watchfiles.DefaultFilter):
        def __call__(self, change: Change, path: str) -> bool:
            name = Path(path).name
            wanted = name.endswith(SUFFIXES) or name in _CONFIGURATION
            return wanted and super().__call__(change, path)

    # Watch folders: an editor that saves by renaming replaces the file.
    folders = dict.fromkeys(path if path.is_dir() else path.parent for path in paths)
    found: Iterator[Any] = watchfiles.watch(*folders, watch_filter=Sources(), yield_on_timeout=True, rust_timeout=100)
    next(found)  # starts watching before the first check, so that no change is missed
    return (_summary(changed) for changed in found if changed)


def _summary(changed: set[tuple[Change, str]]) -> str:
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{displayed(Path(min(path for _, path in changed)))}{more} changed."


def _clock() -> str:
    return time.strftime("%H:%M:%S")
