"""The processes of a run: how many, and forked ones, which have what the parent has read so far."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

FORKS = sys.platform == "linux"
"""Elsewhere, forking is not there or not safe: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"""

_held: list[object] = []
"""What a forked process was given."""


def processors() -> int:
    """Processors that this process may use; Linux alone can tell them from those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lost(Exception):  # noqa: N818 - what happened to the processes
    """There was no room for more processes, or one was killed; whatever they did can be done here."""


@contextmanager
def forked(jobs: int, given: object) -> Iterator[ProcessPoolExecutor]:
    """Processes that share what is ``given`` as it is now; ``held`` is that, there. Raises Lost."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    try:
        with ProcessPoolExecutor(jobs, get_context("fork"), _hold, (given,)) as pool:
            yield pool
    except (OSError, BrokenProcessPool) as error:
        raise Lost from error


def held() -> object:
    """What this process was given when it was forked."""
    return _held[-1]


def _hold(given: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which says what it stopped
    _held.append(given)
