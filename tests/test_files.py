"""Discovery: what is walked, what is left out, and a line for each path that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import pytest

from dropout_lint.config.resolver import Options, SettingsResolver
from dropout_lint.discovery.discovery import discover, is_excluded
from tests.linting import write_files

needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)


class Write(Protocol):
    """Writes empty files, and those with a text; returns their folder."""

    def __call__(self, *names: str, **texts: str) -> Path: ...


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(*names: str, **texts: str) -> Path:
        write_files(tmp_path, dict.fromkeys(names, "") | texts)
        return tmp_path

    return write


def found(*paths: str, force_exclude: bool = False, **overrides: Any) -> list[str]:
    discovery = discover(
        [Path(path) for path in paths or (".",)], SettingsResolver(Options(**overrides)), force_exclude=force_exclude
    )
    assert not discovery.failures
    return [path.as_posix() for path in discovery.files]


def failed(*paths: str) -> tuple[list[str], dict[str, str]]:
    discovery = discover([Path(path) for path in paths or (".",)], SettingsResolver())
    return [path.as_posix() for path in discovery.files], {item.path: item.reason for item in discovery.failures}


def test_folders_are_walked_for_py_files_and_the_usual_folders_left_out(tree: Write) -> None:
    tree("b.py", "a/x.py", "a/x.pyi", "a/notes.txt", ".venv/y.py", "a/build/z.py", ".hidden/h.py", "a/.#x.py")
    assert found() == [".hidden/h.py", "a/x.py", "b.py"]


def test_a_named_file_is_checked_whatever_it_is_called_unless_exclusion_is_forced(tree: Write) -> None:
    tree("build/x.py", "script")
    assert found("build/x.py", "script") == ["build/x.py", "script"]
    assert found("build/x.py", "script", force_exclude=True) == ["script"]
    assert found("build") == ["build/x.py"]
    assert found("build", force_exclude=True) == []


def test_each_file_once_and_sorted_however_it_is_spelt(tree: Write) -> None:
    root = tree("b.py", "a.py")
    (root / "link.py").symlink_to("a.py")
    assert found("b.py", "./a.py", str(root / "a.py"), ".", "a.py") == ["a.py", "b.py"]


def test_files_elsewhere_are_shown_by_absolute_path(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("a.py", "sub/b.py")
    monkeypatch.chdir(root / "sub")
    assert found("..") == [f"{root}/a.py", "b.py"]


def test_exclude_patterns_match_names_and_paths(tree: Write) -> None:
    tree("gen/a.py", "src/gen/b.py", "src/c_pb2.py", "src/d.py")
    assert found(extend_exclude=("gen", "*_pb2.py")) == ["src/d.py"]
    assert found(extend_exclude=("gen/", "./src/c*")) == ["src/d.py"]
    assert found(extend_exclude=("src/gen/*.py",)) == ["gen/a.py", "src/c_pb2.py", "src/d.py"]


def test_settings_of_an_inner_project_decide_inside_it(tree: Write) -> None:
    tree("a/x.py", "b/x.py", **{"a/pyproject.toml": "[tool.dropout-lint]\nexclude = ['x.py']\n"})
    assert found() == ["b/x.py"]


def test_gitignore_files_of_all_levels_up_to_the_repository(tree: Write) -> None:
    root = tree(
        "repo/a.py", "repo/out/b.py", "repo/sub/c.py", "repo/sub/keep.py", "repo/local.py", "repo/sub/deep/gen.py",
        **{".gitignore": "*.py\n", "repo/.git/HEAD": "", "repo/.git/info/exclude": "local.py\n",
           "repo/.gitignore": "out/\nkeep.py\n/sub/deep/gen.py\n", "repo/sub/.gitignore": "c.py\n!keep.py\n"},
    )  # fmt: skip
    assert found("repo") == ["repo/a.py", "repo/sub/keep.py"]
    assert found("repo/sub") == ["repo/sub/keep.py"]
    assert found("repo/out") == ["repo/out/b.py"]
    assert found("repo/sub/c.py") == ["repo/sub/c.py"]
    assert found("repo/sub/c.py", force_exclude=True) == []
    assert len(found("repo", respect_gitignore=False)) == 6
    assert is_excluded(root / "repo/out/new.py", SettingsResolver())


def test_gitignore_outside_a_repository_says_nothing_and_a_bad_line_spoils_no_other(tree: Write) -> None:
    tree("plain/a.py", "repo/a.py", "repo/b.py", **{"plain/.gitignore": "a.py\n", "repo/.git/HEAD": ""})
    Path("repo/.gitignore").write_bytes(b"\xff!\n!\na.py\n/**a[\n")
    assert found("plain") == ["plain/a.py"]
    assert found("repo") == ["repo/b.py"]


def test_a_repository_inside_another_has_rules_of_its_own(tree: Write) -> None:
    tree("inner/a.py", "b.py", **{".git/HEAD": "", ".gitignore": "a.py\n", "inner/.git": "gitdir: ../.git/x\n"})
    assert found() == ["b.py", "inner/a.py"]


def test_a_folder_called_like_a_module_is_a_folder(tree: Write) -> None:
    tree("x.py/inside.py")
    assert found() == ["x.py/inside.py"]
    assert found("x.py") == ["x.py/inside.py"]


def test_links_that_lead_nowhere_are_failures_and_the_rest_goes_on(tree: Write) -> None:
    root = tree("ok.py", "sub/also.py")
    (root / "broken.py").symlink_to("gone.py")
    (root / "circle.py").symlink_to("circle.py")
    (root / "sub" / "loop").symlink_to(root)
    (root / "notes").symlink_to("gone.txt")
    files, failures = failed()
    assert files == ["ok.py", "sub/also.py"]
    assert failures == {
        "broken.py": "broken symbolic link to gone.py",
        "circle.py": "the symbolic links lead in a circle",
    }
    assert failed("broken.py", "circle.py", "ok.py") == (["ok.py"], failures)


def test_what_is_no_python_file_is_said_so(tree: Write) -> None:
    root = tree("nb.ipynb")
    os.mkfifo(root / "pipe")
    files, failures = failed("missing.py", "nb.ipynb", "pipe", "nb.ipynb/x.py", "n" * 300)
    assert files == ["nb.ipynb"]
    assert failures.pop("n" * 300) == "file name too long"
    assert failures == {
        "missing.py": "no such file or directory",
        "pipe": "not a regular file",
        "nb.ipynb/x.py": "not a directory",
    }


def test_a_missing_path_is_told_its_nearest_neighbour(tree: Write) -> None:
    tree("src/model.py")
    _, failures = failed("src/modle.py", "scr")
    assert failures == {
        "src/modle.py": "no such file or directory; did you mean 'src/model.py'?",
        "scr": "no such file or directory",
    }
    assert failed("srcs")[1] == {"srcs": "no such file or directory; did you mean 'src'?"}


@needs_permissions
def test_an_unreadable_folder_is_a_failure(tree: Write) -> None:
    root = tree("ok.py", "locked/x.py")
    (root / "locked").chmod(0)
    try:
        assert failed() == (["ok.py"], {"locked": "permission denied"})
        assert failed("locked/x.py") == ([], {"locked/x.py": "permission denied"})
    finally:
        (root / "locked").chmod(0o755)


def test_a_folder_with_a_bad_configuration_is_a_failure_and_the_rest_goes_on(tree: Write) -> None:
    tree("ok.py", "bad/x.py", "bad/sub/y.py", **{"bad/pyproject.toml": "[tool.dropout-lint]\nselct = 1\n"})
    files, failures = failed()
    assert files == ["ok.py"]
    assert list(failures) == ["bad/pyproject.toml"]
    assert failures["bad/pyproject.toml"].startswith("unknown key 'selct'")
