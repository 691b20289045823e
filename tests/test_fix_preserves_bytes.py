"""What ``--fix`` writes: the bytes of the lines concerned change, and no other byte; or nothing is written at all."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dropout_lint.fixing import files as fix_module
from tests import linting

SOURCE = """\
# {comment}
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(8, 8)

    @torch.jit.export
    @torch.no_grad()
    def forward(self, x):
        note = "{comment}"; x = F.dropout(x)  # {comment}
        x = F.dropout(F.dropout(x, 0.1), p=0.2)
        return self.out(F.dropout(
            x,  # {comment}
        ))
"""
FIXES = {
    "x = F.dropout(x)": "x = F.dropout(x, training=self.training)",
    "F.dropout(F.dropout(x, 0.1), p=0.2)": (
        "F.dropout(F.dropout(x, 0.1, training=self.training), p=0.2, training=self.training)"
    ),
    "            x,  #": "            x, training=self.training,  #",
}
CHANGED_LINES = [15, 16, 18]


def fixed(source: str) -> str:
    for old, new in FIXES.items():
        source = source.replace(old, new)
    return source


def run(*arguments: object) -> Result:
    return linting.run("check", "--isolated", *arguments)


def written(folder: Path, source: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "net.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode(encoding))
    return path


def same(text: str) -> str:
    return text


LAYOUTS: dict[str, Callable[[str], str]] = {
    "line feeds": same,
    "carriage returns and line feeds": lambda text: text.replace("\n", "\r\n"),
    "carriage returns": lambda text: text.replace("\n", "\r"),
    "mixed": lambda text: text.replace("\n    ", "\r\n    ").replace("\n\n", "\r\n"),
    "tabs": lambda text: text.replace("            x", "\t\tx").replace("        ", "\t\t").replace("    ", "\t"),
    "no final newline": lambda text: text.rstrip("\n"),
    "form feeds": lambda text: text.replace("\n\nclass", "\n\x0c\nclass").replace(
        "    @torch.jit", "\x0c    @torch.jit"
    ),
    "trailing blanks": lambda text: text.replace("\n", "  \n"),
    "backslash": lambda text: text.replace("x = F.dropout(x", "x = \\\n  F.dropout(x"),
}
ENCODINGS = {
    "utf-8": ("utf-8", "é𝄞 日本 \u2028\x85 ("),
    "byte order mark": ("utf-8-sig", "é𝄞 ("),
    "latin-1": ("latin-1", "coding: latin-1 é ÿ \x85 \xa0"),
    "cp1252": ("cp1252", "-*- coding: cp1252 -*- € œ"),
    "shift_jis": ("shift_jis", "vim: set fileencoding=shift_jis : 日本"),
    "koi8-r": ("koi8-r", "coding=koi8-r и"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_the_lines_concerned_change(layout: str, encoding: str, tmp_path: Path) -> None:
    codec, comment = ENCODINGS[encoding]
    source = SOURCE.format(comment=comment)
    before, after = LAYOUTS[layout](source), LAYOUTS[layout](fixed(source))
    path = written(tmp_path, before, codec)
    result = run("--fix", "--select", "DRP101", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert path.read_bytes() == after.encode(codec)
    assert [p.name for p in tmp_path.iterdir()] == ["net.py"]
    assert run("--fix", "--select", "DRP101", path).exit_code == 0
    assert path.read_bytes() == after.encode(codec)


def test_the_expected_text_is_what_the_parameters_say() -> None:
    before = SOURCE.format(comment="c")
    matcher = difflib.SequenceMatcher(None, before.split("\n"), fixed(before).split("\n"), autojunk=False)
    changed = [n + 1 for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal" for n in range(a, b)]
    assert changed == CHANGED_LINES


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_a_fix_adds_has_the_newlines_and_the_indentation_of_the_file(newline: str, tmp_path: Path) -> None:
    before = (
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n\tdef __init__(self, p=0.3):\n"
        "\t\tsuper().__init__()\n\t\tself.p = p\n\n\tdef forward(self, x):\n\t\tx = nn.Dropout(self.p)(x)\n"
        "\t\tmask = torch.rand_like(x) > self.p  # é\n\t\tx = x * mask / (1 - self.p)\n\t\treturn x\n"
    )
    after = (
        before.replace("from torch import nn\n", "from torch import nn\nimport torch.nn.functional as F\n")
        .replace("nn.Dropout(self.p)(x)", "F.dropout(x, self.p, training=self.training)")
        .replace("\t\tmask", "\t\tif self.training:\n\t\t\tmask")
        .replace("\t\tx = x *", "\t\t\tx = x *")
    )
    path = written(tmp_path, before.replace("\n", newline))
    result = run("--fix", "--unsafe-fixes", "--select", "DRP103,DRP501", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert path.read_bytes().decode() == after.replace("\n", newline)


def test_early_returns_have_the_newlines_of_the_file(tmp_path: Path) -> None:
    before = (
        "import torch\nfrom torch import nn\n\n\nclass Dropout(nn.Module):\n    p = 0.5\n\n    def forward(self, x):\n"
        "        return x * (torch.rand_like(x) > self.p) / (1 - self.p)\n"
    )
    after = before.replace("        return", "        if not self.training:\n            return x\n        return")
    path = written(tmp_path, before.replace("\n", "\r\n"))
    assert run("--fix", "--unsafe-fixes", "--select", "DRP501", path).exit_code == 0
    assert path.read_bytes().decode() == after.replace("\n", "\r\n")


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o664])
def test_mode_and_links_stay(mode: int, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    path = written(real, SOURCE.format(comment="c"))
    path.chmod(mode)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    assert run("--fix", "--select", "DRP101", link).exit_code == 0
    assert path.read_text() == fixed(SOURCE.format(comment="c"))
    assert path.stat().st_mode & 0o777 == mode
    assert link.is_symlink()
    assert [p.name for p in real.iterdir()] == ["net.py"]


def test_a_diff_shows_the_lines_concerned_and_writes_nothing(tmp_path: Path) -> None:
    before = SOURCE.format(comment="é").replace("\n", "\r\n").encode()
    path = written(tmp_path, before)
    result = run("--diff", "--select", "DRP101", path)
    assert result.exit_code == 1
    lines = [line for line in result.stdout.split("\n") if line.startswith(("-", "+"))]
    assert [line[0] for line in lines] == ["-", "+", "-", "-", "+", "+", "-", "+"]
    assert path.read_bytes() == before


def test_a_file_without_anything_to_fix_is_not_written(tmp_path: Path) -> None:
    path = written(tmp_path, fixed(SOURCE.format(comment="c")))
    os.utime(path, ns=(1, 1))
    assert run("--fix", "--select", "DRP101", path).exit_code == 0
    assert path.stat().st_mtime_ns == 1


def one_line(result: Result) -> str:
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr


def test_a_file_that_changes_during_the_run_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, SOURCE.format(comment="c"))
    other = tmp_path / "other.py"
    other.write_text(SOURCE.format(comment="c"))
    fix_source = fix_module.fix_source

    def saved_meanwhile(source, *rest):  # type: ignore[no-untyped-def]
        outcome = fix_source(source, *rest)
        if source.path.name == "net.py":
            path.write_text("edited = 1\n")
        return outcome

    monkeypatch.setattr(fix_module, "fix_source", saved_meanwhile)
    result = run("--fix", "--select", "DRP101", path, other)
    assert "net.py: not fixed: the file changed during the run" in one_line(result).replace("\\", "/")
    assert path.read_text() == "edited = 1\n"
    assert other.read_text() == fixed(SOURCE.format(comment="c"))


def test_a_file_that_vanishes_during_the_run_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, SOURCE.format(comment="c"))
    fix_source = fix_module.fix_source

    def removed_meanwhile(source, *rest):  # type: ignore[no-untyped-def]
        outcome = fix_source(source, *rest)
        path.unlink()
        return outcome

    monkeypatch.setattr(fix_module, "fix_source", removed_meanwhile)
    assert "not fixed" in one_line(run("--fix", "--select", "DRP101", path))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, SOURCE.format(comment="c"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert "not fixed: cannot be written: no space left" in one_line(run("--fix", "--select", "DRP101", path))
    assert path.read_text() == SOURCE.format(comment="c")
    assert [p.name for p in tmp_path.iterdir()] == ["net.py"]


def test_an_encoding_with_two_spellings_is_not_written(tmp_path: Path) -> None:
    before = SOURCE.format(comment="coding: utf-7").encode("ascii").replace(b"out = nn", b"+AG8-ut = nn")
    path = written(tmp_path, before)
    assert "cannot be written back unchanged" in one_line(run("--fix", "--select", "DRP101", path))
    assert path.read_bytes() == before


NOT_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write whatever the permissions are"
)


@NOT_ROOT
@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_without_permission_nothing_is_written(read_only: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = written(folder, SOURCE.format(comment="c"))
    locked = path if read_only == "file" else folder
    locked.chmod(0o444 if read_only == "file" else 0o555)
    try:
        result = run("--fix", "--select", "DRP101", path)
    finally:
        locked.chmod(0o755)
    assert "net.py: not fixed: cannot be written: permission denied" in one_line(result)
    assert path.read_text() == SOURCE.format(comment="c")
    assert [p.name for p in folder.iterdir()] == ["net.py"]


def test_the_command_itself_prints_one_line_and_no_traceback(tmp_path: Path) -> None:
    path = written(tmp_path, SOURCE.format(comment="coding: utf-7").replace("out = nn", "+AG8-ut = nn"))
    command = [sys.executable, "-m", "dropout_lint", "check", "--isolated", "--fix", "--select", "DRP101", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "not fixed" in done.stderr
