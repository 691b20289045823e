"""``clean``: removes caches, which it recognises by their tag file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from dropout_lint.atomic_write import reason
from dropout_lint.cache.folder import TAG, is_ours
from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import error, note


def remove_caches(paths: Sequence[Path]) -> ExitCode:
    """Remove every cache at and below these folders. A folder without our tag file is not touched."""
    failed = removed = 0
    for path in paths:
        if not path.is_dir():
            error(f"{path}: no such folder")
            failed += 1
            continue
        for folder in _caches(path):
            try:
                shutil.rmtree(folder)
            except OSError as problem:
                error(f"{folder}: cannot be removed: {reason(problem)}")
                failed += 1
            else:
                note(f"Removed {folder}")
                removed += 1
    if not removed and not failed:
        note("Nothing to remove.")
    return ExitCode.FAILED if failed else ExitCode.CLEAN


def _caches(path: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(path):
        below.sort()
        if TAG in files and is_ours(Path(folder)):
            below.clear()
            yield Path(folder)
