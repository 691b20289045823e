"""Results of whole runs, valid while every read of the file system that they made gives the same answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from dropout_lint.cache.codec import decode, encode
from dropout_lint.cache.folder import CacheFolder
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.disk import Disk, Looks, digest_of
from dropout_lint.linting.stages import Collected, FileSet, LintResult

_MAX_RUNS = 32
_NOT_PART_OF_KEY = frozenset(
    {"source", "fixable", "unsafe_fixes", "respect_gitignore", "fail_level", "output_format", "exclude", "cache_dir"}
)
"""Settings that say which files to check, or what to do with findings, but not what is found in a file."""


@dataclass(frozen=True, slots=True)
class _CachedRun:
    looks: Looks
    diagnostics: tuple[Diagnostic, ...]
    unsure: tuple[Diagnostic, ...]


def lint_with_cache(
    lint: Callable[[FileSet], LintResult], files: FileSet, folder: CacheFolder, disk: Disk
) -> LintResult:
    """The cached result of an earlier run with the same reads from ``disk``, else that of ``lint``."""
    cache, key = RunCache(folder), run_key(files)
    known = cache.recall(key, disk)
    if known is not None:
        return LintResult(known.diagnostics, (), len(files.settings), Collected(files, ()), known.unsure)
    disk.hand_over()
    result = lint(files)
    if not result.failures:
        cache.remember(key, _CachedRun(disk.looks, result.diagnostics, result.unsure))
    return result


class RunCache:
    """Findings of earlier runs over the same files with the same settings."""

    def __init__(self, folder: CacheFolder) -> None:
        self._folder = folder

    def recall(self, key: str, disk: Disk) -> _CachedRun | None:
        """An earlier run, if the disk still gives the same answers."""
        data = self._folder.read(_name(key))
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if digest_of(text).encode() != digest:
            return None
        try:
            run = decode(_CachedRun, text)
        except (ValueError, TypeError):
            return None
        if not disk.agrees(run.looks):
            return None
        if disk.looks.files != run.looks.files:
            self.remember(key, replace(run, looks=disk.looks))
        return run

    def remember(self, key: str, run: _CachedRun) -> None:
        """Keep a run."""
        text = encode(run).encode()
        self._folder.write(_name(key), digest_of(text).encode() + b"\n" + text)
        self._folder.keep_newest("run-", _MAX_RUNS)


def run_key(files: FileSet) -> str:
    """A digest of the files of a run, by the names that are reported, and of their settings."""
    known: dict[int, str] = {}
    lines = [str(Path.cwd())]
    folders: dict[Path, str] = {}
    for path, settings in files.settings.items():
        if id(settings) not in known:
            known[id(settings)] = _digest(settings)
        if path.parent not in folders:
            folders[path.parent] = os.path.realpath(path.parent)
        enabled = settings.enabled_for(path)
        off = sorted(settings.enabled - enabled) if enabled is not settings.enabled else ()
        lines.append(f"{path}\0{folders[path.parent]}\0{known[id(settings)]}\0{','.join(off)}")
    return digest_of("\n".join(lines).encode(errors="surrogateescape"))


def _digest(settings: Settings) -> str:
    values = {item.name: getattr(settings, item.name) for item in fields(settings) if item.name not in _NOT_PART_OF_KEY}
    values["enabled"] = sorted(settings.enabled)
    values["per_file_ignores"] = [(pattern, sorted(codes)) for pattern, codes in settings.per_file_ignores]
    return digest_of(repr(values).encode(errors="surrogateescape"))


def _name(key: str) -> str:
    return f"run-{key}.json"
