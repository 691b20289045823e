"""Paths for other programs and machines: relative, with forward slashes."""

from __future__ import annotations

import os
from pathlib import Path


def relative_posix(path: str, folder: Path) -> str:
    """The path relative to a folder; absolute if it is on another drive."""
    absolute = os.path.abspath(path)
    try:
        return Path(os.path.relpath(absolute, folder)).as_posix()
    except ValueError:
        return Path(absolute).as_posix()
