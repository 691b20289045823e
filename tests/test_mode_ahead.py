"""Runs of a link in several processes come to what they come to in one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dropout_lint.disk import Disk
from dropout_lint.mode.judges.evidence import Evidence
from dropout_lint.mode.linking import ahead
from dropout_lint.mode.linking.link import link
from dropout_lint.mode.linking.runs import Run, Runs
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from tests.mode_helpers import MAIN, NET, STEPS, write_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, all runs are in one process")

FIT = """

def fit(model, optimizer, batches):
    model.train()
    for epoch in range(3):
        train(model, optimizer, batches)
        evaluate(model, batches)
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Scripts that share their steps and their network, which alone is not checked."""
    monkeypatch.setattr(ahead, "FILES_EACH", 2)
    steps = STEPS.format(train="pass", evaluate="model.eval()") + FIT
    main = MAIN.format(net="net", steps="steps")
    started = main.replace("model = Net()", "model = Net()\n    model.eval()")
    scripts = {f"main{n}.py": started if n % 2 else main for n in range(6)}
    alone = main.replace("from steps import evaluate, train", steps)
    return write_files(tmp_path, {"net.py": NET, "steps.py": steps, "alone.py": alone, **scripts})[1:]


def linked(files: list[Path], jobs: int) -> tuple[dict[str, list[Evidence]], Disk]:
    disk = Disk()
    project = Project(Files(disk), files)
    facts = [one for path in files if (one := project.files.facts(path)) is not None]
    return link(project, facts, files, jobs=jobs).by_file, disk


def test_the_findings_are_those_of_one_process(files: list[Path]) -> None:
    found, _ = linked(files, jobs=1)
    assert {Path(path).name for path in found} >= {"main0.py", "alone.py"}
    assert linked(files, jobs=2)[0] == found


def test_the_runs_are_done_elsewhere(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    here: list[str] = []
    script = Runs.script

    def recorded(self: Runs, facts: object) -> Run:
        here.append("run")
        return script(self, facts)  # type: ignore[arg-type]

    monkeypatch.setattr(Runs, "script", recorded)
    linked(files, jobs=2)
    assert not here
    linked(files, jobs=1)
    assert here


def test_what_the_processes_read_is_known_afterwards(files: list[Path]) -> None:
    (_, alone), (_, shared) = linked(files, jobs=1), linked(files, jobs=2)
    assert str(files[0].with_name("net.py")) in shared.looks.files
    assert set(alone.looks.files) <= set(shared.looks.files)
    assert all(alone.looks.entries[name].items() <= shared.looks.entries[name].items() for name in alone.looks.entries)
    assert set(alone.looks.listings) <= set(shared.looks.listings)
    assert Disk().agrees(shared.looks)


def test_a_process_that_dies_loses_nothing(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = linked(files, jobs=1)
    parent, script = os.getpid(), Runs.script

    def dying(self: Runs, facts: object) -> Run:
        if os.getpid() != parent:
            os._exit(1)
        return script(self, facts)  # type: ignore[arg-type]

    monkeypatch.setattr(Runs, "script", dying)
    assert linked(files, jobs=2)[0] == found


def test_a_run_that_crashes_is_told_as_in_one_process(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(self: Runs, facts: object) -> Run:
        raise ZeroDivisionError

    monkeypatch.setattr(Runs, "script", crashing)
    for jobs in (1, 2):
        with pytest.raises(ZeroDivisionError):
            linked(files, jobs)
