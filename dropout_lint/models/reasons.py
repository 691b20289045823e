"""Explain in one line why a model could not be checked, with the line of user code where it failed."""

from __future__ import annotations

import os
import re
import signal
import traceback
from collections.abc import Iterable
from pathlib import Path

from dropout_lint.models.user_code import is_foreign_file, is_user_file

_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in ', re.MULTILINE)
_LONGEST = 300
_SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGBUS": "a bus error",
    "SIGFPE": "a floating point exception in machine code",
    "SIGILL": "an instruction that this processor does not have",
    "SIGABRT": "an abort in machine code",
    "SIGKILL": "a kill signal, as the system sends when memory runs out",
}


def described(error: BaseException) -> str:
    """``ValueError: bad``."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def place(error: BaseException) -> str:
    """`` (net.py:12)``, the innermost line of user code that an exception came through; "" without any."""
    frames = [(frame.filename, frame.lineno or 0) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    if isinstance(error, SyntaxError) and error.filename:
        frames.insert(0, (error.filename, error.lineno or 0))
    return _innermost(frames)


def from_outside(error: BaseException) -> bool:
    """Whether anything but this package and the machinery of imports was running, so that the model is at fault."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, SyntaxError) or any(is_foreign_file(frame.filename) for frame in frames)


def where(dump: str) -> str:
    """`` (net.py:12)`` from what ``faulthandler`` wrote about the main thread, "" when no user code was running."""
    threads = re.split(r"^(?=Current thread |Thread )", dump, flags=re.MULTILINE)
    current = [text for text in threads if text.startswith("Current thread")] or threads
    return _innermost((match["file"], int(match["line"])) for match in _FRAME.finditer(current[-1]))


def ending(code: int) -> str:
    """What the exit status of a process that left no result means."""
    if code >= 0:
        return f"ended its process with exit code {code}, as os._exit() does"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"crashed: {_SIGNALS.get(name, 'a signal')} ({name})"


def one_line(text: str) -> str:
    """Text without line breaks, cut to a readable length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _innermost(frames: Iterable[tuple[str, int]]) -> str:
    """The innermost frame of user code, in a file of the working directory where there is one."""
    users = [frame for frame in frames if is_user_file(frame[0])]
    here = [frame for frame in users if not Path(_shown(frame[0])).is_absolute() and "site-packages" not in frame[0]]
    for file, line in (here or users)[:1]:
        return f" ({_shown(file)}:{line})"
    return ""


def _shown(file: str) -> str:
    """Relative to the working directory where it is inside."""
    path = os.path.relpath(file) if Path(file).is_absolute() else file
    return file if path.startswith(os.pardir) else path
