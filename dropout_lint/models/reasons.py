"""Phrases that say why a model could not be checked: the error, the exit status, and the line of user code."""

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


def error_text(error: BaseException) -> str:
    """An error in one line, such as ``ValueError: bad``."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def user_line(error: BaseException) -> str:
    """The innermost line of user code in a traceback, as `` (net.py:12)``; "" without any."""
    frames = [(frame.filename, frame.lineno or 0) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    if isinstance(error, SyntaxError) and error.filename:
        frames.insert(0, (error.filename, error.lineno or 0))
    return _innermost(frames)


def is_fault_of_model(error: BaseException) -> bool:
    """Whether an exception passed through user code or PyTorch; otherwise it is a bug of this package."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, SyntaxError) or any(is_foreign_file(frame.filename) for frame in frames)


def user_line_in_dump(dump: str) -> str:
    """The same as ``user_line`` from the stack that ``faulthandler`` wrote in a child that crashed or hung."""
    threads = re.split(r"^(?=Current thread |Thread )", dump, flags=re.MULTILINE)
    current = [text for text in threads if text.startswith("Current thread")] or threads
    return _innermost((match["file"], int(match["line"])) for match in _FRAME.finditer(current[-1]))


def exit_reason(code: int) -> str:
    """Say how a child ended that left no result, from its exit status; negative is a signal."""
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
    """The innermost frame of user code, preferably in a file of the working directory, as `` (net.py:12)``."""
    users = [frame for frame in frames if is_user_file(frame[0])]
    here = [frame for frame in users if not Path(_shown(frame[0])).is_absolute() and "site-packages" not in frame[0]]
    for file, line in (here or users)[:1]:
        return f" ({_shown(file)}:{line})"
    return ""


def _shown(file: str) -> str:
    """A path relative to the working directory if it is inside."""
    path = os.path.relpath(file) if Path(file).is_absolute() else file
    return file if path.startswith(os.pardir) else path
