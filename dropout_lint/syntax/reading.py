"""Reads a source file by its suffix: Python, a notebook or Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dropout_lint.syntax.text import SourceText, UnreadableSource, decode_python


def read_source(path: Path) -> SourceText:
    """Read and decode a file. Raises UnreadableSource."""
    return decode_source(read_bytes(path), path)


def read_bytes(path: Path, read: Callable[[Path], bytes] = Path.read_bytes) -> bytes:
    """The bytes of a file. Raises UnreadableSource where ``read`` raises OSError."""
    try:
        return read(path)
    except FileNotFoundError:
        broken = path.is_symlink()
        raise UnreadableSource("broken symbolic link" if broken else "no such file (was it removed?)") from None
    except IsADirectoryError:
        raise UnreadableSource("is a directory, not a file") from None
    except PermissionError:
        raise UnreadableSource("cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        raise UnreadableSource(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def decode_source(data: bytes, path: Path) -> SourceText:
    """Decode a file; of a notebook and of Markdown, the Python. Raises UnreadableSource."""
    # Few runs see either, and every run waits for what is imported.
    if path.suffix == ".ipynb":
        from dropout_lint.syntax.notebook import decode_notebook

        return decode_notebook(data, path)
    if path.suffix == ".md":
        from dropout_lint.syntax.markdown import decode_markdown

        return decode_markdown(data, path)
    return decode_python(data, path)
