"""Models that hang, crash, flood, fork or lie: each is one failure with its reason, and the others still run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest

from dropout_lint.cache.codec import decode
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.models import reasons
from dropout_lint.models.isolation import Outcome, run
from dropout_lint.models.memory import _resident_by_ps, resident
from dropout_lint.targets.target import ModelTarget
from tests.stub_torch import JOB, write_stubs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")

GOOD = "from torch import nn\n\n\nclass Good(nn.Module):\n    pass\n"
HANG = "import time\n\n\nwhile True:\n    time.sleep(0.01)\n"
MODELS = {
    "good": GOOD,
    "exit": "import sys\n\nsys.exit('bye')\n",
    "interrupt": "raise KeyboardInterrupt\n",
    "leave": "import os\n\nos._exit(0)\n",
    "segfault": "import ctypes\n\n\ndef deref():\n    ctypes.string_at(0)\n\n\nderef()\n",
    "abort": "import os\n\nos.abort()\n",
    "raising": "raise ValueError('two\\nlines')\n",
    "syntax": "x = (\n",
    "missing": "import no_such_dependency\n",
    "recursion": "def f():\n    f()\n\n\nf()\n",
    "hang": HANG,
    "stubborn": "import signal\n\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG,
    "flood": "while True:\n    print('{\"result\": {}}' * 10_000)\n",
    "hungry": (
        "import time\n\nheld = []\nwhile True:\n    held.append(bytearray(b'x') * 30_000_000)\n    time.sleep(0.02)\n"
    ),
    "liar": (
        "import json, os, sys\n" + GOOD + "for number in (1, 2):\n"
        "    os.write(number, json.dumps({'result': {'how': 'lying'}}).encode() + b'\\n')\n"
        "os.closerange(0, 3)\n"
    ),
    "forking": "import os, time\n" + GOOD + "pid = os.fork()\n",
    "daemon": (
        "import os, subprocess, sys\n"
        + GOOD
        + "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('daemon.pid', 'w').write(str(child.pid))\n"
    ),
    "thread": "import threading, time\n" + GOOD + "threading.Thread(target=time.sleep, args=(60,)).start()\n",
    "reading": GOOD + "assert input.__call__ and __import__('sys').stdin.read() == ''\n",
    "moving": "import os\n" + GOOD + "os.chdir('/')\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_stubs(tmp_path_factory.mktemp("models"))
    for name, text in MODELS.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, Outcome]:
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(folder))
    patch.chdir(folder)
    try:
        # The models that work are not to fail for a machine that is busy.
        slow = {"hang": 1.0, "stubborn": 1.0, "flood": 1.0}
        targets = [ModelTarget(f"{name}.py:Good", timeout=slow.get(name, 20.0)) for name in MODELS]
        done = list(run(targets, JOB, {}, memory=400_000_000, jobs=3))
    finally:
        patch.undo()
    assert [outcome.target.module for outcome in done] == [f"{name}.py" for name in MODELS]
    return dict(zip(MODELS, done, strict=True))


@pytest.mark.parametrize("name", ["good", "liar", "forking", "daemon", "thread", "reading", "moving"])
def test_what_a_model_does_beside_being_one_changes_nothing(name: str, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[name].failure is None
    assert decode(ModelFindings, outcomes[name].result) == ModelFindings((), how="looking")
    assert outcomes[name].inputs_from == "`forward`, which needs none"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("exit", "called sys.exit('bye') while it was imported (exit.py:3)"),
        ("interrupt", "raised KeyboardInterrupt while it was imported (interrupt.py:1)"),
        ("leave", "ended its process with exit code 0, as os._exit() does while it was imported"),
        ("segfault", "crashed: a segmentation fault (SIGSEGV) while it was imported (segfault.py:5)"),
        ("abort", "crashed: an abort in machine code (SIGABRT) while it was imported (abort.py:3)"),
        ("raising", "raised ValueError: two lines while it was imported (raising.py:1)"),
        ("syntax", "raised SyntaxError: '(' was never closed while it was imported (syntax.py:1)"),
        ("missing", "needs the module 'no_such_dependency', which is not installed (missing.py:1)"),
        ("hang", "was stopped after 1 s (--timeout) while it was imported (hang.py:5)"),
        ("stubborn", "was stopped after 1 s (--timeout) while it was imported"),
        ("flood", "was stopped after 1 s (--timeout) while it was imported"),
        ("hungry", "was stopped as it took more than 0.4 GB (--memory) while it was imported"),
    ],
)
def test_each_way_to_fail_is_one_line(name: str, reason: str, outcomes: dict[str, Outcome], folder: Path) -> None:
    failure = outcomes[name].failure
    assert failure is not None
    assert outcomes[name].result is None
    assert (failure.path, failure.kind) == (f"{name}.py:Good", "model")
    shown = failure.reason.replace(f"{folder}{os.sep}", "")
    assert shown == reason or (reason.endswith("imported") and shown.startswith(f"{reason} ("))


def test_a_flood_is_read_and_forgotten(outcomes: dict[str, Outcome]) -> None:
    assert 1_000 < len(outcomes["flood"].output) <= 8_000


def test_endless_recursion_is_an_exception(outcomes: dict[str, Outcome]) -> None:
    failure = outcomes["recursion"].failure
    assert failure is not None
    assert failure.reason.startswith("raised RecursionError: maximum recursion depth exceeded")
    assert failure.reason.endswith("(recursion.py:2)")


def test_what_a_model_started_ends_with_it(outcomes: dict[str, Outcome], folder: Path) -> None:
    assert outcomes["daemon"].failure is None
    assert gone(int((folder / "daemon.pid").read_text()))


def test_nothing_is_left_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("good", "segfault", "forking"):
        list(run([ModelTarget(f"{name}.py:Good")], JOB, {}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    (outcome,) = run([ModelTarget("a.py:A", root=str(tmp_path / "gone"))], JOB, {})
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("cannot be started")


def test_leaving_the_iteration_ends_the_children(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(folder)
    started = time.monotonic()
    targets = [ModelTarget("good.py:Good"), ModelTarget("hang.py:Good")]
    running = cast("Generator[Outcome]", run(targets, JOB, {}, jobs=2, timeout=60))
    assert next(running).failure is None
    running.close()
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_children_end_with_the_program(number: int, code: int, folder: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "hang.py").write_text(f"import os\n\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n{HANG}")
    root = Path(__file__).resolve().parent.parent
    program = f"from dropout_lint.commands import trace\ntrace.JOB = {JOB!r}\nfrom dropout_lint.cli import main\nmain()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "trace", "hang.py:Good"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert eventually(lambda: pid.exists() and pid.read_text() != "")
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (code, "")
    assert gone(int(pid.read_text()))


def test_memory_is_measured_with_that_of_children() -> None:
    before = resident(os.getpid())
    held = bytearray(b"x") * 100_000_000
    hungry = subprocess.Popen(
        [sys.executable, "-c", "held = bytearray(b'x') * 100_000_000; input()"], stdin=subprocess.PIPE
    )
    assert eventually(lambda: resident(os.getpid()) - before > 190_000_000)
    hungry.communicate(b"\n")
    assert 90_000_000 < resident(os.getpid()) - before < 190_000_000
    assert len(held) == 100_000_000
    assert resident(0x7FFFFFFF) == 0


def test_memory_can_be_told_by_ps() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        assert eventually(lambda: 1_000_000 < _resident_by_ps(process.pid) < 1_000_000_000)
    finally:
        process.communicate(b"\n")


def test_the_main_thread_of_a_dump_counts() -> None:
    dump = (
        "Timeout (0:00:01)!\nThread 0x1 (most recent call first):\n"
        '  File "other.py", line 3 in watch\n\nThread 0x2 (most recent call first):\n'
        f'  File "{os.__file__}", line 9 in x\n  File "net.py", line 7 in forward\n'
        '  File "net.py", line 1 in <module>\n'
    )
    assert reasons.user_line_in_dump(dump) == " (net.py:7)"
    assert reasons.user_line_in_dump("") == ""


def eventually(true: object, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    """Whether a process ends soon; one that nobody has waited for yet counts as ended."""

    def ended() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"

    return eventually(ended, 5)
