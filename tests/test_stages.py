"""The stages of a run: what they hand on is data, and nothing leaks from one file or text into another."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner

from dropout_lint import disk
from dropout_lint.cache.folder import CacheFolder
from dropout_lint.cli import cli
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic, Severity, Span
from dropout_lint.disk import Disk, FileChangedError
from dropout_lint.linting.checking import check_files, check_runs
from dropout_lint.linting.collecting import collect
from dropout_lint.linting.confirming import confirm
from dropout_lint.linting.linking import link
from dropout_lint.linting.linter import Linter
from dropout_lint.linting.merging import Findings
from dropout_lint.linting.stages import Checked, Collected, FileSet
from dropout_lint.linting.suppressing import suppress
from dropout_lint.linting.workspace import Workspace
from dropout_lint.rulebook import rules
from tests.linting import write_files
from tests.mode_helpers import MAIN, NET, STEPS

FIXED = """\
import torch.nn.functional as F
from torch import nn


class Fixed(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)
"""
LOOP = """\
import torch
import torch.nn.functional as F
from net import Net
from loops import Loop


class Trainer(Loop):
    def fit(self, batches):
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for epoch in range(10):
            for x, y in batches:
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for x, y in batches:
                    F.cross_entropy(model(x), y)
"""


def everything(folder: Path) -> Settings:
    on = frozenset(rules())
    return Settings(root=folder, enabled=on, fixable=on)


# --- files of several configurations


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three projects with the same files; in one of them, a framework sets the modes for what derives from its loop."""
    found = {}
    for name in ("managed", "plain", "other"):
        files = {"net.py": NET, "loops.py": "class Loop:\n    pass\n", "trainer.py": LOOP}
        table = 'mode-managed-bases = ["loops.Loop"]\n' if name == "managed" else ""
        write_files(tmp_path / name, {**files, "pyproject.toml": f"[tool.dropout-lint]\n{table}"})
        found[name] = tmp_path / name
    monkeypatch.chdir(tmp_path)
    return found


def lint_projects(*names: str) -> list[tuple[str, int, str]]:
    resolver = SettingsResolver()
    paths = [path for name in names for path in sorted(Path(name).glob("*.py"))]
    result = Linter(resolver, jobs=1).run(paths)
    assert not result.failures
    return [(d.path, d.span.line, d.code) for d in result.diagnostics]


@pytest.mark.usefixtures("projects")
def test_a_managed_base_of_one_project_does_not_leak_into_another() -> None:
    alone = {name: lint_projects(name) for name in ("managed", "plain", "other")}
    assert alone["managed"] == []
    assert [code for _, _, code in alone["plain"]] == ["DRP206"]
    for names in [*permutations(alone, 2), *permutations(alone, 3)]:
        assert lint_projects(*names) == sorted(found for name in names for found in alone[name])


# --- one content in a run


def collected(paths: Iterable[Path], space: Workspace, settings: Settings) -> Collected:
    return collect(FileSet.of(paths, lambda _: settings), space.disk, space.analyses)


def checked(collected: Collected, space: Workspace) -> Checked:
    project = space.project(collected)
    found = check_files(collected, project) + check_runs(link(collected, project), project)
    return confirm(found, project.files)


@pytest.mark.parametrize("settled", [0, 2_000_000_000], ids=["by signature", "by content"])
def test_a_file_that_changes_before_its_checks_is_a_failure(
    tmp_path: Path, settled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SETTLED", settled)
    space, path = Workspace(), tmp_path / "net.py"
    path.write_text(FIXED)
    time.sleep(0.05)
    facts = collected([path], space, everything(tmp_path))
    assert [d.code for d in suppress(checked(facts, space)).diagnostics] == ["DRP101"]
    path.write_text('"""Another first line."""\n' + FIXED)
    result = suppress(checked(facts, space))
    assert result.diagnostics == ()
    assert [(f.path, f.reason) for f in result.failures] == [(str(path), "the file changed during the run")]


def test_a_file_that_goes_before_its_checks_is_a_failure(tmp_path: Path) -> None:
    space, path = Workspace(), tmp_path / "net.py"
    path.write_text(FIXED)
    facts = collected([path], space, everything(tmp_path))
    path.unlink()
    result = suppress(checked(facts, space))
    assert result.diagnostics == ()
    assert [failure.reason for failure in result.failures] == ["the file changed during the run"]


def test_the_disk_gives_one_content_of_a_file(tmp_path: Path) -> None:
    path, reader = tmp_path / "a.py", Disk()
    path.write_text("a")
    assert reader.read(path) == b"a"
    looks = reader.hand_over()
    path.write_text("b")
    with pytest.raises(FileChangedError, match="the file changed during the run"):
        reader.read(path)
    assert reader.read_or_empty(path) == b""
    assert not Disk().agrees(reader.looks)
    assert not Disk().agrees(looks)
    reader.forget(path)
    assert reader.read(path) == b"b"


@pytest.mark.parametrize(
    ("args", "reason"),
    [(["--fix"], "not fixed"), (["--add-noqa=native"], "no comment added")],
    ids=["fix", "add-noqa"],
)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_file_that_changes_before_it_is_written_is_left_alone(
    tmp_path: Path, args: list[str], reason: str, warm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DROPOUT_LINT_NO_CACHE", raising=False)
    path = Path("net.py")
    path.write_text(FIXED)
    if warm:
        CliRunner().invoke(cli, ["check", "--isolated", "."])
    run = Linter.run

    def edited_afterwards(self: Linter, paths: list[Path]) -> object:
        result = run(self, paths)
        path.write_text("# edited\n" + FIXED)
        return result

    monkeypatch.setattr(Linter, "run", edited_afterwards)
    done = CliRunner().invoke(cli, ["check", "--isolated", *args, "."])
    assert done.exit_code == 2
    assert f"net.py: {reason}: cannot be read: the file changed during the run" in done.stderr
    assert path.read_text() == "# edited\n" + FIXED


# --- values


def test_what_the_stages_hand_on_travels_to_another_process(tmp_path: Path) -> None:
    files = {"net.py": NET, "steps.py": STEPS.format(train="pass", evaluate="pass"), "fixed.py": FIXED}
    paths = write_files(tmp_path, {**files, "main.py": MAIN.format(net="net", steps="steps")})
    space = Workspace()
    facts = collected(paths, space, everything(tmp_path))
    linked = link(facts, space.project(facts))
    here = suppress(checked(facts, space))
    assert {"DRP101", "DRP206"} <= {d.code for d in here.diagnostics}
    script = (
        "import pickle, sys\n"
        "from dropout_lint.linting.checking import check_files, check_runs\n"
        "from dropout_lint.linting.confirming import confirm\n"
        "from dropout_lint.linting.workspace import Workspace\n"
        "facts, linked = pickle.load(sys.stdin.buffer)\n"
        "project = Workspace().project(facts)\n"
        "checked = check_files(facts, project) + check_runs(linked, project)\n"
        "sys.stdout.buffer.write(pickle.dumps(confirm(checked, project.files)))\n"
    )
    sent = pickle.dumps((facts, linked))
    done = subprocess.run([sys.executable, "-c", script], input=sent, capture_output=True, check=True)
    there = suppress(pickle.loads(done.stdout))
    assert (there.diagnostics, there.failures) == (here.diagnostics, here.failures)


def test_a_text_replaces_what_is_on_disk_for_every_file(tmp_path: Path) -> None:
    base, net = write_files(
        tmp_path,
        {
            "base.py": "class Base:\n    pass\n",
            "net.py": FIXED.replace("(nn.Module)", "(Base)").replace("from torch import nn", "from base import Base"),
        },
    )
    linter = Linter(lambda _: everything(tmp_path), jobs=1)
    linter = linter.after(linter.run([base, net]))
    module = "from torch import nn\n\n\nclass Base(nn.Module):\n    pass\n"
    found = linter.run_text(net, net.read_text()).diagnostics
    followed = linter.with_text(base, module).run_text(net, net.read_text()).diagnostics
    assert [d.message for d in found] != [d.message for d in followed]
    base.write_text(module)
    assert followed == Linter(lambda _: everything(tmp_path), jobs=1).run([net]).diagnostics


def test_findings_of_models_are_not_kept_for_a_run_without_them(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET)
    by_model = Diagnostic("DRP302", str(path), Span(9, 9, 9, 10), "seen", Severity.ERROR, engines=("graph",))
    cache, settings = CacheFolder(tmp_path / "cache"), Settings(tmp_path, enabled=frozenset({"DRP302"}))
    for runs, count in ((Findings([by_model]), 1), (None, 0), (Findings([by_model]), 1), (None, 0)):
        result = Linter(lambda _: settings, 1, runs=runs, cache=cache).run([path])
        assert len(result.diagnostics) == count


def test_linking_that_crashes_hides_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("never\nmind")

    steps = STEPS.format(train="pass", evaluate="pass")
    paths = write_files(tmp_path, {"fixed.py": FIXED, "steps.py": steps})
    monkeypatch.setattr("dropout_lint.mode.linking.link.link", crash)
    result = Linter(lambda _: everything(tmp_path), jobs=1).run(paths)
    assert "DRP101" in {d.code for d in result.diagnostics}
    assert {f.path for f in result.failures} == {str(tmp_path / "steps.py")}
    reasons = {f.code: f.reason for f in result.failures}
    assert reasons["DRP206"] == "rule DRP206 crashed: ZeroDivisionError: never; this is a bug in dropout-lint"
    assert "DRP202" not in reasons
