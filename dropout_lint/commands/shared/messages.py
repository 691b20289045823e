"""Output for the user: notes on stderr, reports on stdout or in a file, and when to use colour."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dropout_lint.diagnostic import Failure, visible


class CannotWriteError(Exception):
    """A report or a file could not be written; the message says which and why."""


def warn(text: str) -> None:
    """Print a warning on stderr."""
    click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {visible(text)}", err=True, color=_stderr_color())


def error(text: str) -> None:
    """Print an error on stderr."""
    click.echo(f"{click.style('error', fg='red', bold=True)}: {visible(text)}", err=True, color=_stderr_color())


def note(text: str) -> None:
    """Print a line on stderr, because stdout is for the report."""
    click.echo(visible(text, "\n\t"), err=True)


def show_failures(failures: Sequence[Failure]) -> None:
    """Print a line on stderr for each path that could not be checked."""
    if not failures:
        return
    from dropout_lint.report.view import render_failures

    click.echo(render_failures(failures, _stderr_color()), nl=False, err=True, color=_stderr_color())


def use_color(when: str) -> bool:
    """True if stdout gets colours. ``auto`` depends on the terminal and on NO_COLOR and similar variables."""
    return when == "always" or (when == "auto" and _auto_color(sys.stdout.isatty()))


def columns() -> int | None:
    """Width of the terminal; None if stdout is not one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_report(text: str, file: Path | None, *, color: bool) -> None:
    """Print a report, or write it to ``file`` in one step. Raises CannotWriteError."""
    if text and not text.endswith("\n"):
        text += "\n"
    if file is None:
        click.echo(text, nl=False, color=color)
        return
    from dropout_lint.atomic_write import reason, write_atomically

    try:
        write_atomically(file, text.encode(errors="backslashreplace"))
    except OSError as problem:
        raise CannotWriteError(f"cannot write the report to {file}: {reason(problem)}") from None


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _stderr_color() -> bool:
    return _auto_color(sys.stderr.isatty())


def _auto_color(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return terminal or os.environ.get("FORCE_COLOR", "0") not in {"", "0"}
