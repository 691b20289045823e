"""Start, watch and end a child process that runs user code, together with the processes that it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.models.memory import GIGABYTE, resident

_POLL = 0.05
_MEASURE = 0.2
"""Seconds between two checks whether the process runs, and between two of its memory."""
_TAIL = 8_000
"""Bytes of output to keep."""
_PACKAGE_ROOT = str(Path(__file__).resolve().parent.parent.parent)
# If this package is found only through the working directory, that folder must not come first for user code.
_BOOT = (
    "import sys; root = sys.argv.pop(); sys.path.insert(0, root); import dropout_lint.models.worker as worker; "
    "sys.path.remove(root); sys.path.append(root); worker.main()"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one child: seconds of wall time, and bytes of memory (None for no limit)."""

    seconds: float
    memory: int | None = None


class Child:
    """One child process."""

    def __init__(self, folder: Path, root: Path, environment: Mapping[str, str]) -> None:
        """Start the worker on the request in ``folder``, with ``root`` as working directory. Raises OSError."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(folder), _PACKAGE_ROOT],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,  # never written to; it closes when we end, which tells the child to end
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so Ctrl-C reaches only us, and the whole group can be killed
        )
        self._tail = b""
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    @property
    def code(self) -> int:
        """The exit status; negative is a signal."""
        return self._process.returncode

    @property
    def output(self) -> str:
        """The last part of what it printed."""
        return self._tail.decode(errors="replace")

    def watch(self, limits: Limits, stop: threading.Event) -> str:
        """Wait until the child ends, and kill it if it exceeds a limit or ``stop`` is set; return the limit or ""."""
        exceeded = ""
        measured = 0.0
        while self._process.poll() is None and not stop.is_set():
            running = time.monotonic() - self._started
            if running > limits.seconds:
                exceeded = f"was stopped after {limits.seconds:g} s (--timeout)"
                break
            if limits.memory and running - measured > _MEASURE:
                measured = running
                if resident(self._process.pid) > limits.memory:
                    exceeded = f"was stopped as it took more than {limits.memory / GIGABYTE:.3g} GB (--memory)"
                    break
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_POLL)
        self._end()
        return exceeded

    def _end(self) -> None:
        """Kill the child and the processes that it started, which may outlive it."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._reader.join(1.0)
        if self._process.stdin:
            self._process.stdin.close()

    def _drain(self) -> None:
        """Read what it prints and keep the last part, so that much output fills neither a pipe nor a disk."""
        assert self._process.stdout is not None
        with self._process.stdout as stream, contextlib.suppress(ValueError):
            while block := os.read(stream.fileno(), 1 << 16):
                self._tail = (self._tail + block)[-_TAIL:]
