"""The first stage: analyse all files, in parallel if there are many. ``analysis.py`` analyses one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from dropout_lint.disk import UNREADABLE, Disk, Seen
from dropout_lint.linting.analysis import AnalysedFile, Task, TaskResult, analyse, analyse_text, start_worker
from dropout_lint.linting.stages import Collected, FileSet
from dropout_lint.source.names.place import place_of

PARALLEL_FROM = 1_500_000
"""Bytes of source below which starting processes costs more than it saves."""


def collect(
    files: FileSet,
    disk: Disk,
    analyses: Callable[[Sequence[Task]], Iterable[TaskResult]],
    on_progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Collect the facts of all files, in any order; ``analyses`` is called for those that are on disk only."""
    tasks = [Task(path, place_of(path, disk), files.follows_modes(path)) for path in files.settings]
    done: list[AnalysedFile] = []
    for one in _all(tasks, files, analyses):
        done.append(one)
        if on_progress is not None:
            on_progress(len(done), len(tasks))
    return Collected(files, tuple(done))


def _all(
    tasks: Sequence[Task], files: FileSet, analyses: Callable[[Sequence[Task]], Iterable[TaskResult]]
) -> Iterator[AnalysedFile]:
    for path, place, modes in tasks:
        if path in files.texts:
            text = files.texts[path]
            yield analyse_text(path, text, text.encode(errors="replace"), place, modes)
    yield from (one.analysed for one in analyses([task for task in tasks if task.path not in files.texts]))


def analyse_all(tasks: Sequence[Task], disk: Disk, jobs: int) -> Iterator[TaskResult]:
    """Analyse files, in any order."""
    sizes = {task.path: _size(task.path) for task in tasks}
    if jobs <= 1 or sum(sizes.values()) < PARALLEL_FROM:
        yield from (TaskResult(task, analyse(*task, disk)) for task in tasks)
    else:
        # Largest first: a long file at the end would keep one process busy alone.
        yield from _in_parallel(sorted(tasks, key=lambda task: -sizes[task.path]), disk, jobs)


def _in_parallel(tasks: Sequence[Task], disk: Disk, jobs: int) -> Iterator[TaskResult]:
    from concurrent.futures import ProcessPoolExecutor

    from dropout_lint.linting.analysis_json import analysis_from_json

    with ProcessPoolExecutor(jobs, initializer=start_worker) as pool:
        for task, (seen, text, unencoded) in zip(tasks, pool.map(_work, tasks, chunksize=8), strict=True):
            disk.note(task.path, seen)
            yield TaskResult(task, unencoded or analysis_from_json(text, task.path, task.place), text)


def _work(task: Task) -> tuple[Seen, str, AnalysedFile | None]:
    """Analyse in a worker process. Returns JSON, and an object only for what JSON cannot represent."""
    from dropout_lint.linting.analysis_json import analysis_to_json

    disk = Disk()
    one = analyse(*task, disk)
    seen = disk.looks.files.get(str(task.path), UNREADABLE)
    if one.failure:
        return seen, "", one
    try:
        return seen, analysis_to_json(one), None
    except RecursionError:
        return seen, "", one


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
