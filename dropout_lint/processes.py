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
"""Forking is missing or unsafe on other systems: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"""

T = TypeVar("T")
_work: list[Callable[..., Any]] = []
"""The work of a forked process."""


def processors() -> int:
    """Number of processors that this process may use; outside of Linux, those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lost(Exception):  # noqa: N818 - what happened to the processes
    """A process could not be started, or was killed. The caller can do the work itself."""


@contextmanager
def forked(jobs: int, work: Callable[..., Any]) -> Iterator[ProcessPoolExecutor]:
    """A pool of forked processes. Submit ``do`` with arguments to call ``work`` with them. Raises Lost."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    try:
        with ProcessPoolExecutor(jobs, get_context("fork"), _start, (work,)) as pool:
            yield pool
    except (OSError, BrokenProcessPool) as error:
        raise Lost from error


@contextmanager
def in_background(work: Callable[[], T] | None) -> Iterator[Callable[[], T | None]]:
    """Call ``work`` in a forked process during the ``with`` block; yields a function that waits for the result.

    The result is None if there was no work, or if the process could not be started or was killed.
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
    """Call the work that this process inherited. Only the arguments must be picklable, not the work."""
    return _work[-1](*arguments)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which reports what it stopped."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start(work: Callable[..., Any]) -> None:
    ignore_interrupts()
    _work.append(work)
