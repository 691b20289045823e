"""Analyses many files, in several processes where that pays, and leaves out what an earlier run has done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dropout_lint.disk import UNREADABLE, Disk, Seen
from dropout_lint.linting.analysis import Analysed, analyse, start_worker
from dropout_lint.processes import processors
from dropout_lint.source.names.place import Place, place_of

if TYPE_CHECKING:
    from dropout_lint.linting.facts_store import FactsStore

PARALLEL_FROM = 1_500_000
"""Bytes of source below which starting processes costs more than it saves."""


class _Task(NamedTuple):
    path: Path
    place: Place
    modes: bool


def gather(
    files: Sequence[Path], follows_modes: Callable[[Path], bool], disk: Disk, store: FactsStore | None, jobs: int
) -> Iterator[Analysed]:
    """The analyses of files, in any order."""
    tasks = []
    for path in files:
        task = _Task(path, place_of(path, disk), follows_modes(path))
        known = _known(task, disk, store)
        if known is not None:
            yield known
        else:
            tasks.append(task)
    sizes = {task.path: _size(task.path) for task in tasks}
    jobs = jobs or processors()
    if jobs <= 1 or sum(sizes.values()) < PARALLEL_FROM:
        yield from _in_turn(tasks, disk, store)
    else:
        # Largest first: a long file at the end would keep one process busy alone.
        yield from _in_parallel(sorted(tasks, key=lambda task: -sizes[task.path]), disk, store, jobs)


def _known(task: _Task, disk: Disk, store: FactsStore | None) -> Analysed | None:
    if store is None or store.is_empty:
        return None
    try:
        disk.read(task.path)
    except OSError:
        return None
    return store.analysed(task.path, disk.digest(task.path), task.place, task.modes)


def _in_turn(tasks: Sequence[_Task], disk: Disk, store: FactsStore | None) -> Iterator[Analysed]:
    for task in tasks:
        one = analyse(*task, disk)
        if store is not None and not one.failure:
            store.add(one, disk.digest(task.path), task.place, task.modes)
        yield one


def _in_parallel(tasks: Sequence[_Task], disk: Disk, store: FactsStore | None, jobs: int) -> Iterator[Analysed]:
    from concurrent.futures import ProcessPoolExecutor

    from dropout_lint.linting.facts_store import analysed_from

    with ProcessPoolExecutor(jobs, initializer=start_worker) as pool:
        for task, (seen, text, failed) in zip(tasks, pool.map(_work, tasks, chunksize=8), strict=True):
            disk.note(task.path, seen)
            if failed is not None:
                yield failed
                continue
            if store is not None:
                store.add_text(task.path, seen.digest, task.place, task.modes, text)
            yield analysed_from(text, task.path, task.place)


def _work(task: _Task) -> tuple[Seen, str, Analysed | None]:
    """Analyse in a process of its own. The result travels as JSON, which is faster than a pickle and can be kept."""
    from dropout_lint.linting.facts_store import entry_text

    disk = Disk()
    one = analyse(*task, disk)
    seen = disk.looks.files.get(str(task.path), UNREADABLE)
    if one.failure:
        return seen, "", one
    try:
        return seen, entry_text(one), None
    except RecursionError:
        return seen, "", one


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
