"""Measure the memory of processes. (A limit on the address space would stop torch from starting.)"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

GIGABYTE = 1_000_000_000
_PROC = Path("/proc")
_ROWS = re.compile(r"^(?:RssAnon|RssShmem):\s+(\d+) kB$", re.MULTILINE)


def total() -> int:
    """Bytes of memory of this machine or of our control group; 0 if unknown."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    granted = _text(Path("/sys/fs/cgroup/memory.max")).strip()
    return min(physical, int(granted)) if granted.isdigit() else physical


def resident(pid: int) -> int:
    """Bytes used by a process and its children, without mapped files; 0 if unknown."""
    if (_PROC / str(pid) / "status").is_file():
        return sum(_used(_text(_PROC / str(each) / "status")) for each in _family(pid))
    return _resident_by_ps(pid)


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
    except OSError:
        return
    for thread in threads:
        for child in _text(thread / "children").split():
            yield from _family(int(child))


def _used(status: str) -> int:
    return 1024 * sum(int(match[1]) for match in _ROWS.finditer(status))


def _resident_by_ps(pid: int) -> int:
    """The same for systems without /proc: ask ``ps`` about the process group."""
    try:
        done = subprocess.run(["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    rows = [line.split() for line in done.stdout.splitlines()]
    return 1024 * sum(int(row[1]) for row in rows if len(row) == 2 and row[0] == str(pid))


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
