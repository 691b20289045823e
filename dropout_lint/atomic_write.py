"""Replaces a file atomically."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file atomically: readers see the old bytes or the new ones.

    Keeps the file's mode, and follows a symbolic link. Raises OSError; the file is then unchanged.
    """
    target = os.path.realpath(path)
    status = os.stat(target) if os.path.exists(target) else None
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    temporary = os.path.join(os.path.dirname(target), f".dropout-lint-{secrets.token_hex(8)}.tmp")
    try:
        with open(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb"
        ) as f:
            f.write(data)
        if status is not None:
            with contextlib.suppress(OSError, AttributeError):
                os.chown(temporary, status.st_uid, status.st_gid)
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def reason(problem: OSError) -> str:
    """The operating system's reason, such as ``permission denied``."""
    return (problem.strerror or str(problem)).lower()
