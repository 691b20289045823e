"""The hooks through the real pre-commit, from a local clone of this repository, in environments that it builds."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.public_schemas import PRE_COMMIT_CONFIG, errors

ROOT = Path(__file__).resolve().parent.parent
PARTS = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "dropout_lint", "pyproject.toml", "rules")
CLEAN = "import torch.nn.functional as F\n\n\ndef f(x, training):\n    return F.dropout(x, 0.5, training)\n"
BAD = (
    "import torch.nn.functional as F\nfrom torch import nn\n\n\n"
    "class A(nn.Module):\n    def forward(self, x):\n        return F.dropout(x, 0.5)\n"
)
LIBRARIES = "import click, libcst, pathspec, rich"
SLOWER = 1.6

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_hooks_file_has_the_shape_that_pre_commit_reads() -> None:
    file = str(ROOT / ".pre-commit-hooks.yaml")
    done = subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", file], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON", "PRE_COMMIT"))}
    names = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, **names, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"}


def run_in(folder: Path, env: dict[str, str]) -> Run:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(args, cwd=folder, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, str]]:
    """A repository that holds the hooks, its commit, and a home of pre-commit in which they are installed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    work = tmp_path_factory.mktemp("pre_commit")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(work / "probe"), "pathspec"]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no package index, and pre-commit has to install the hooks")
    clone = work / "dropout-lint"
    clone.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, clone / part)
    env = environment(work / "home")
    run = run_in(clone, env)
    for args in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "x"]):
        assert run("git", *args).returncode == 0
    return clone, run("git", "rev-parse", "HEAD").stdout.strip(), env


@pytest.fixture
def project(hooks: tuple[Path, str, dict[str, str]], tmp_path: Path) -> Callable[[str], Run]:
    """Makes a repository in which a hook is configured and installed, and gives what runs programs in it."""

    def make(hook: str) -> Run:
        clone, commit, env = hooks
        config = {"repos": [{"repo": str(clone), "rev": commit, "hooks": [{"id": hook}]}]}
        assert errors(config, PRE_COMMIT_CONFIG) == []
        (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        run = run_in(tmp_path, env)
        assert run("git", "init", "-q").returncode == 0
        done = run(sys.executable, "-m", "pre_commit", "install", "--install-hooks")
        assert done.returncode == 0, done.stdout + done.stderr
        return run

    return make


@pytest.mark.slow
def test_only_staged_files_are_checked_and_a_finding_stops_the_commit(
    project: Callable[[str], Run], tmp_path: Path
) -> None:
    run = project("dropout-lint")
    (tmp_path / "old.py").write_text(BAD)
    assert run("git", "add", "--all").returncode == 0
    assert run("git", "commit", "-q", "--no-verify", "-m", "x").returncode == 0
    (tmp_path / "staged.py").write_text(BAD)
    (tmp_path / "unstaged.py").write_text(BAD)
    (tmp_path / "notes.md").write_text("F.dropout(x)")
    run("git", "add", "staged.py", "notes.md")
    done = run("git", "commit", "-m", "x")
    assert done.returncode == 1
    assert "staged.py:7:16" in done.stderr
    assert "old.py" not in done.stderr
    assert "unstaged.py" not in done.stderr
    (tmp_path / "staged.py").write_text(CLEAN)
    run("git", "add", "staged.py")
    assert run("git", "commit", "-m", "x").returncode == 0


@pytest.mark.slow
def test_many_files_are_one_call_and_excluded_ones_stay_out(project: Callable[[str], Run], tmp_path: Path) -> None:
    run = project("dropout-lint")
    (tmp_path / "build").mkdir()
    for number in range(60):
        (tmp_path / f"m{number}.py").write_text(BAD)
    (tmp_path / "build" / "m.py").write_text(BAD)
    run("git", "add", "--all", "--force")
    done = run(sys.executable, "-m", "pre_commit", "run", "--all-files")
    assert done.returncode == 1
    assert "Found 60 problems (60 errors)." in done.stdout
    assert done.stdout.count("Found ") == 1


@pytest.mark.slow
def test_the_fixing_hook_fails_when_it_changed_something_and_then_passes(
    project: Callable[[str], Run], tmp_path: Path
) -> None:
    run = project("dropout-lint-fix")
    (tmp_path / "a.py").write_text(BAD)
    run("git", "add", "a.py")
    first = run("git", "commit", "-m", "x")
    assert first.returncode == 1
    assert "Fixed 1 problem." in first.stderr
    assert (tmp_path / "a.py").read_text() == BAD.replace("0.5)", "0.5, training=self.training)")
    run("git", "add", "a.py")
    assert run("git", "commit", "-m", "x").returncode == 0


def interpreter(home: Path) -> Path:
    (python,) = [*home.glob("repo*/py_env-*/bin/python"), *home.glob("repo*/py_env-*/Scripts/python.exe")]
    return python


@pytest.mark.slow
def test_the_environment_of_the_hook_has_no_torch(
    project: Callable[[str], Run], hooks: tuple[Path, str, dict[str, str]]
) -> None:
    run = project("dropout-lint")
    listed = run(str(interpreter(Path(hooks[2]["PRE_COMMIT_HOME"]))), "-m", "pip", "list", "--format=freeze").stdout
    names = {line.partition("==")[0].lower() for line in listed.splitlines()}
    assert {"libcst", "click"} <= names
    assert not names & {"torch", "numpy", "pytest"}


@pytest.mark.slow
def test_a_warm_call_on_one_file_takes_little_more_than_the_import_of_its_libraries(
    project: Callable[[str], Run], hooks: tuple[Path, str, dict[str, str]], tmp_path: Path
) -> None:
    run = project("dropout-lint")
    python = str(interpreter(Path(hooks[2]["PRE_COMMIT_HOME"])))
    (tmp_path / "a.py").write_text(CLEAN)

    def seconds(*args: str) -> float:
        before = os.times()
        assert run(python, *args).returncode == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    calls, imports = [], []
    for _ in range(9):
        calls.append(seconds("-m", "dropout_lint", "check", "--force-exclude", "a.py"))
        imports.append(seconds("-c", LIBRARIES))
    assert min(calls) <= SLOWER * min(imports), (statistics.median(calls), statistics.median(imports))
