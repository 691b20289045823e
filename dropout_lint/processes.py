"""How many processes a run may use, and forked workers, which inherit the memory of the parent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

FORKS = sys.platform == "linux"
"""Elsewhere, forking is not there or not safe: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"""

T = TypeVar("T")
_work: list[Callable[..., Any]] = []
"""The work of a forked process."""


def processors() -> int:
    """Processors that this process may use; only Linux tells them from those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lost(Exception):  # noqa: N818 - what happened to the processes
    """There was no room for more processes, or one was killed; their work can be done here."""


@contextmanager
def forked(jobs: int, work: Callable[..., Any]) -> Iterator[ProcessPoolExecutor]:
    """A pool of forked processes that call ``work`` where ``do`` is submitted. Raises Lost."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    try:
        with ProcessPoolExecutor(jobs, get_context("fork"), _start, (work,)) as pool:
            yield pool
    except (OSError, BrokenProcessPool) as error:
        raise Lost from error


@contextmanager
def apart(work: Callable[[], T] | None) -> Iterator[Callable[[], T | None]]:
    """Call ``work`` in a forked process meanwhile; yields a function that waits for the result.

    The result is None where there was no work, no room for a process, or the process was killed.
    """
    if work is None:
        yield lambda: None
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, get_context("fork"), _start, (work,)) as pool:
        asked: Future[T] | None = None
        with suppress(OSError, BrokenProcessPool):
            asked = pool.submit(do)

        def done() -> T | None:
            with suppress(BrokenProcessPool):
                return asked.result() if asked is not None else None
            return None

        yield done


def do(*arguments: object) -> Any:
    """Call the inherited work of this process, which need not be picklable, on arguments that are."""
    return _work[-1](*arguments)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which reports what it stopped."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start(work: Callable[..., Any]) -> None:
    ignore_interrupts()
    _work.append(work)
