"""``--diff-base``: what a branch changed, in real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.linting import check, reported

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

HEAD = "import torch.nn.functional as F\nfrom torch import nn\n\n\n"
OLD = HEAD + "class A(nn.Module):\n    def forward(self, x):\n        return F.dropout(x, 0.5)\n"
MORE = "\n    def more(self, x):\n        return F.dropout(x, 0.1)\n"
SPREAD = HEAD + (
    "class A(nn.Module):\n"
    "    def forward(self, x):\n"
    "        return F.dropout(\n"
    "            x,\n"
    "            p=0.5,\n"
    "            training=self.training,\n"
    "        )\n"
)


def git(*args: str) -> None:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    subprocess.run(["git", *args], check=True, capture_output=True, env={**os.environ, **names})


def commit(**files: str) -> None:
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)
    git("add", "--all")
    git("commit", "-qm", "x")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one old finding on ``main``, checked out at a branch of it."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    git("init", "-q", "-b", "main")
    commit(old=OLD, spread=SPREAD)
    git("switch", "-qc", "branch")
    return tmp_path


def new(*args: str) -> list[str]:
    result = check("--diff-base", "main", *(args or (".",)))
    assert result.exit_code in {0, 1}, result.stderr
    found = reported(result)
    assert result.exit_code == bool(found)
    return found


def test_old_findings_are_left_out_and_said() -> None:
    assert check(".").exit_code == 1
    result = check("--diff-base", "main", ".")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "No new problems.\nLeft out: 1 problem on unchanged lines.\n"


@pytest.mark.parametrize("how", ["committed", "staged", "in the working tree"])
def test_a_finding_on_a_new_line_is_reported(how: str) -> None:
    Path("old.py").write_text(OLD + MORE)
    if how != "in the working tree":
        git("add", "--all")
    if how == "committed":
        git("commit", "-qm", "x")
    assert new() == ["old.py:10:16"]


def test_a_changed_line_is_new_and_a_moved_one_is_not() -> None:
    Path("old.py").write_text(OLD.replace("0.5", "0.4"))
    assert new() == ["old.py:7:16"]
    Path("old.py").write_text("import os\n\n" + OLD)
    assert new() == []


def test_a_line_removed_from_a_call_makes_its_finding_new() -> None:
    Path("spread.py").write_text(SPREAD.replace("            training=self.training,\n", ""))
    assert new() == ["spread.py:7:16"]


def test_lines_removed_around_a_finding_do_not_make_it_new() -> None:
    commit(old=OLD.replace("        return", "        x = x\n        return") + "# end\n")
    git("branch", "-f", "main")
    Path("old.py").write_text(OLD)
    assert new() == []


def test_new_and_untracked_and_ignored_files_count_as_a_whole() -> None:
    commit(added=OLD)
    Path("untracked.py").write_text(OLD)
    Path("ignored.py").write_text(OLD)
    Path(".gitignore").write_text("ignored.py\n")
    assert new(".", "ignored.py") == ["added.py:7:16", "ignored.py:7:16", "untracked.py:7:16"]


def test_a_renamed_file_is_not_new_but_what_changed_in_it_is() -> None:
    git("mv", "old.py", "renamed.py")
    git("commit", "-qm", "x")
    assert new() == []
    Path("renamed.py").write_text(OLD + MORE)
    assert new() == ["renamed.py:10:16"]


def test_what_main_did_meanwhile_is_not_the_doing_of_the_branch() -> None:
    git("switch", "-q", "main")
    commit(old=OLD.replace("0.5", "0.3"))
    git("switch", "-q", "branch")
    assert new() == []


@pytest.mark.parametrize("name", ["näh.py", "with space.py", 'quo"te.py', "tab\t.py", "b/c.py"])
def test_every_file_name_is_understood(name: str) -> None:
    try:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(OLD)
    except OSError:
        pytest.skip("this file system has no such names")
    commit()
    git("branch", "-f", "main")
    assert new(".") == []
    Path(name).write_text("# first\n" + OLD + MORE)
    assert new(".") == [f"{name}:11:16".replace("\t", " ")]


def test_code_that_looks_like_a_patch_is_not_taken_for_one() -> None:
    text = OLD + "\n\nTEXT = '''\n++ b/other.py\n@@ -1 +1 @@\n'''\n"
    commit(old=text, other=OLD)
    git("branch", "-f", "main")
    Path("old.py").write_text(text.replace("++ b/other.py", "++ b/other.py\n++ b/other.py\n@@ -1 +7 @@"))
    assert new() == []


def test_a_folder_inside_of_the_repository_and_settings_of_git_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("diff.noprefix=true", "diff.mnemonicPrefix=true", "color.ui=always", "diff.external=false"):
        git("config", *setting.split("="))
    Path("sub").mkdir()
    Path("old.py").write_text(OLD + MORE)
    monkeypatch.chdir("sub")
    assert new("..") == [f"{Path.cwd().parent / 'old.py'}:10:16"]


def test_a_finding_is_new_when_the_other_place_of_its_proof_is() -> None:
    text = f"import torch\n{HEAD}" + (
        "class Dropout(nn.Module):\n"
        "    def __init__(self, p=0.3):\n"
        "        super().__init__()\n"
        "        self.p = p\n"
        "\n"
        "    def forward(self, x):\n"
        "        if self.training:\n"
        "            return x * (torch.rand_like(x) > self.p)SCALED\n"
        "        return x * (1 - self.p)\n"
    )
    commit(scaled=text.replace("SCALED", ""))
    git("branch", "-f", "main")
    Path("scaled.py").write_text(text.replace("SCALED", " / (1 - self.p)"))
    assert new("scaled.py") == ["scaled.py:14:16"]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("nope", "--diff-base nope: unknown revision 'nope' (in a shallow clone, fetch it first)."),
        ("--output=x", "unknown revision '--output=x'"),
        ("HEAD:old.py", "unknown revision"),
        ("orphan", "'orphan' and HEAD have no commit in common"),
    ],
)
def test_a_revision_that_cannot_be_used_is_one_sentence(revision: str, said: str) -> None:
    git("switch", "-q", "--orphan", "orphan")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("switch", "-q", "branch")
    result = check(f"--diff-base={revision}", ".")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert not Path("x").exists()


def test_outside_of_a_repository_and_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    shutil.rmtree(".git")
    result = check("--diff-base", "main", ".")
    assert result.exit_code == 2
    assert "--diff-base main: not a git repository" in result.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    result = check("--diff-base", "main", ".")
    assert (result.exit_code, "git is not installed" in result.stderr) == (2, True)
