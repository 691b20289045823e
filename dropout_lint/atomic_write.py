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
    target = Path(os.path.realpath(path))
    status = None
    with contextlib.suppress(OSError):
        status = target.stat()
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    temporary = target.parent / f".dropout-lint-{secrets.token_hex(8)}.tmp"
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb"
        ) as f:
            f.write(data)
        if status is not None:
            with contextlib.suppress(OSError, AttributeError):
                os.chown(temporary, status.st_uid, status.st_gid)
            temporary.chmod(stat.S_IMODE(status.st_mode))
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def reason(problem: OSError) -> str:
    """The operating system's reason, such as ``permission denied``."""
    return (problem.strerror or str(problem)).lower()
