"""Replaces a file atomically, and writes to what is no regular file."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from functools import cache
from pathlib import Path

_PREFIX, _SUFFIX = ".dropout-lint-", ".tmp"
_ABANDONED = 60.0
"""Seconds after which a temporary file is one that a killed run has left."""
_BINARY: int = getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file atomically: readers see the old bytes or the new ones. Raises OSError.

    Follows symbolic links, and keeps owner, mode and extended attributes. Where that takes it, such as for a file with
    several names, the bytes are written in place. A device or a pipe is written to, and stays what it is.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    if status is not None and not stat.S_ISREG(status.st_mode):
        _write_to(path, data)
        return
    target = Path(os.path.realpath(path))
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    if status is not None and (status.st_nlink > 1 or _is_virtual(target)):
        _overwrite(target, data)
        return
    _remove_abandoned(target.parent)
    temporary = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        # Nobody else may read the copy before it has the owner and the mode of the file.
        mode = 0o666 if status is None else 0o600
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode), "wb") as f:
            f.write(data)
        if status is None or _is_like(temporary, target, status):
            temporary.replace(target)
        else:
            _overwrite(target, data)
            temporary.unlink()
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _write_to(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | _BINARY), "wb") as f:
        f.write(data)


def _overwrite(target: Path, data: bytes) -> None:
    """Write in place. If that fails, put the old bytes back."""
    old = target.read_bytes()
    try:
        target.write_bytes(data)
    except BaseException:
        with contextlib.suppress(OSError):
            target.write_bytes(old)
        raise


def _is_virtual(target: Path) -> bool:
    """Whether a path names an open file of a process, as the target of ``/dev/stdout`` may."""
    return target.parts[1:2] in {("dev",), ("proc",)}


def _is_like(copy: Path, original: Path, status: os.stat_result) -> bool:
    """Give a copy the owner, mode and extended attributes of a file. False if that is not possible."""
    try:
        if hasattr(os, "chown"):
            os.chown(copy, status.st_uid, status.st_gid)
        copy.chmod(stat.S_IMODE(status.st_mode))
        for name in os.listxattr(original) if hasattr(os, "listxattr") else ():
            value = os.getxattr(original, name)
            if name not in os.listxattr(copy) or os.getxattr(copy, name) != value:
                os.setxattr(copy, name, value)
    except OSError:
        return False
    return True


@cache
def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed runs have left in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
                        Path(entry.path).unlink()


def reason(problem: OSError) -> str:
    """The operating system's reason, such as ``permission denied``."""
    return (problem.strerror or str(problem)).lower()
