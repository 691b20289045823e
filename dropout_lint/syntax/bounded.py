"""Looks for newer syntax in a process that can be ended.

libcst takes exponential time for some short texts, and cannot be interrupted. So it reads a text that ``ast`` has
refused only if the text has a sign of newer syntax, and only in a child process with a limit of time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading

SECONDS = 5.0
"""The limit for a text, without what its size needs."""
TOO_SLOW = "takes too long to be parsed"
_BYTES_PER_SECOND = 50_000
_RECURSION_LIMIT = 8_000
_SIGNS = {
    (3, 12): re.compile(
        r"(?:^|[;:])[ \t]*type[ \t]+\w"  # an alias: "type X = int"
        r"|\b(?:def|class)[ \t]+\w+[ \t]*\["  # type parameters: "def f[T](x)"
        r"|\b(?:f|fr|rf)[\"']",  # quotes and comments in f-strings
        re.MULTILINE | re.IGNORECASE,
    ),
    (3, 14): re.compile(r"\b(?:t|tr|rt)[\"']|\bexcept\b", re.IGNORECASE),
}
"""By the version that brought it, what a text with newer syntax has."""
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from dropout_lint.syntax.bounded import serve; serve()"
)
_children: dict[int, subprocess.Popen[bytes]] = {}
"""The child, by the process that started it: a forked process inherits that of its parent, and may not use it."""


class TooSlowError(Exception):
    """The child was ended, or died, before it answered."""

    def __init__(self) -> None:
        super().__init__(TOO_SLOW)


def may_be_newer(text: str) -> bool:
    """Whether a text that ``ast`` has refused has a sign of syntax newer than this interpreter."""
    return any(sys.version_info < version and sign.search(text) for version, sign in _SIGNS.items())


def without_newer_syntax_in_time(text: str) -> str | None:
    """The result of ``without_newer_syntax``, None for a text without a sign of it. Raises TooSlowError."""
    if not may_be_newer(text):
        return None
    seconds = SECONDS + len(text) / _BYTES_PER_SECOND
    try:
        child = _child()
        timer = threading.Timer(seconds + 1, child.kill)
        timer.start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps([seconds, text]).encode() + b"\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        finally:
            timer.cancel()
        found: str | None = json.loads(answer)
    except (OSError, ValueError):
        _forget()
        raise TooSlowError from None
    return found


def _child() -> subprocess.Popen[bytes]:
    known = _children.get(os.getpid())
    if known is None or known.poll() is not None:
        _children.clear()
        known = _children[os.getpid()] = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    return known


def _forget() -> None:
    child = _children.pop(os.getpid(), None)
    if child is not None:
        child.kill()
        child.communicate()


def serve() -> None:
    """The child: answer texts until standard input ends. An alarm ends it even while libcst runs."""
    from dropout_lint.syntax.newer import without_newer_syntax

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(_RECURSION_LIMIT)
    for line in sys.stdin.buffer:
        seconds, text = json.loads(line)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = json.dumps(without_newer_syntax(text))
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(answer, flush=True)
