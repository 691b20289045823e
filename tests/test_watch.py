"""``--watch``, as a process of its own: what a user sees when files change, break and go, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.linting import run

pytest.importorskip("watchfiles")
BAD = """
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)
"""
GOOD = BAD.replace("0.5", "0.5, training=self.training")
FINDING = "net.py:8:16: DRP101"
AWAITS = "Watching for changes; Ctrl-C ends this.\n"


class Watching:
    """A process, and what it has printed so far."""

    def __init__(self, folder: Path, *args: str) -> None:
        command = [sys.executable, "-m", "dropout_lint", "check", "--output-format", "concise", "--watch"]
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self.process = subprocess.Popen(
            [*command, *args],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            creationflags=flags,
        )
        self._printed = ""
        self._seen = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._printed += line

    def next_report(self) -> str:
        """What is printed up to the end of the next report."""
        deadline = time.monotonic() + 60
        while AWAITS not in self._printed[self._seen :]:
            assert time.monotonic() < deadline, self._printed
            assert self.process.poll() is None, self._printed
            time.sleep(0.05)
        end = self._printed.index(AWAITS, self._seen) + len(AWAITS)
        report, self._seen = self._printed[self._seen : end], end
        return report

    def end(self) -> int:
        """Press Ctrl-C; gives the exit code."""
        self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        code = self.process.wait(30)
        assert "Traceback" not in self._printed
        return code


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def start(*args: str) -> Watching:
        started.append(Watching(tmp_path, *args))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to one process")
@pytest.mark.parametrize("path", [".", "net.py"])
def test_each_change_is_reported_until_ctrl_c(path: str, tmp_path: Path, watching: Callable[..., Watching]) -> None:
    net = tmp_path / "net.py"
    net.write_text(BAD)
    run = watching(path)
    assert FINDING in run.next_report()
    net.write_text(GOOD)
    report = run.next_report()
    assert re.match(r"\[\d\d:\d\d:\d\d\] net\.py changed\.\n", report)
    assert "All checks passed!" in report
    net.write_text("class Net(:\n")
    assert "net.py:1:11: DRP001" in run.next_report()
    net.unlink()
    missing = "warning: no Python files found under ." if path == "." else "error: net.py: no such file or directory"
    assert missing in run.next_report()
    saved = tmp_path / "saved.tmp"
    saved.write_text(BAD)
    saved.replace(net)
    assert FINDING in run.next_report()
    (tmp_path / "notes.txt").write_text("no source")
    (tmp_path / "net.py").write_text(GOOD)
    assert "net.py changed" in run.next_report()
    assert run.end() == 0


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to one process")
def test_a_broken_configuration_is_said_and_waited_out(tmp_path: Path, watching: Callable[..., Watching]) -> None:
    settings = tmp_path / "pyproject.toml"
    settings.write_text("[tool.dropout-lint]\n")
    (tmp_path / "net.py").write_text(BAD)
    run = watching("--config", "pyproject.toml", ".")
    assert FINDING in run.next_report()
    settings.write_text("[tool.dropout-lint]\nselct = []\n")
    assert "error: pyproject.toml: unknown key 'selct'" in run.next_report()
    settings.write_text("[tool.dropout-lint]\nselect = ['DRP4']\n")
    assert "All checks passed!" in run.next_report()
    assert run.end() == 0


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_terminal_is_cleared_before_each_report_but_the_first(tmp_path: Path) -> None:
    import pty

    (tmp_path / "net.py").write_text(BAD)
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "dropout_lint", "check", "--isolated", "--watch", "."]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown = b""

    def wait_for(number: int) -> None:
        nonlocal shown
        while shown.count(b"Ctrl-C ends this.") < number:
            shown += os.read(master, 4096)

    try:
        wait_for(1)
        assert b"\x1b[2J" not in shown
        (tmp_path / "net.py").write_text(GOOD)
        wait_for(2)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        os.close(master)
    assert shown.count(b"\x1b[2J\x1b[3J\x1b[H") == 1
    assert b"All checks passed!" in shown.partition(b"\x1b[2J")[2]


@pytest.mark.parametrize("args", [["-"], ["--add-noqa", "."], ["--show-files", "."], ["--show-settings", "."]])
def test_what_makes_no_sense_with_watch_is_refused(args: list[str]) -> None:
    done = run("check", "--watch", *args)
    assert done.exit_code == 2
    assert "--watch cannot be combined with" in done.stderr


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = run("check", "--watch", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0] == f"error: {tmp_path / 'nowhere'}: no such file or directory."


def test_without_watchfiles_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    done = run("check", "--watch", ".")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0] == "error: --watch needs watchfiles: pip install 'dropout-lint[watch]'."
