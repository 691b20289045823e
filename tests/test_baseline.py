"""The baseline: what it holds, what it leaves out, and that nothing new hides behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests import linting
from tests.linting import reported, write

HEAD = "import torch.nn.functional as F\nfrom torch import nn\n\n\n"
MODEL = HEAD + (
    "class A(nn.Module):\n"
    "    def forward(self, x):\n"
    "        y = F.dropout(x, 0.5)\n"
    "        return y, F.dropout(x, 0.5)\n"
)
BASELINE = "known.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    return linting.run("check", "--output-format", "concise", *args)


def check(*args: str) -> Result:
    return run("--baseline", BASELINE, *(args or (".",)))


def accept(*args: str) -> Result:
    return check("--write-baseline", *(args or (".",)))


def test_what_is_known_is_left_out_and_said() -> None:
    write("a.py", MODEL)
    assert run(".").exit_code == 1
    result = accept()
    assert (result.exit_code, result.stderr) == (0, "Wrote 2 known problems to known.json.\n")
    result = check()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "No new problems.\nLeft out: 2 known problems.\n"
    assert run(".").exit_code == 1


def test_the_file_is_sorted_relative_and_the_same_each_time() -> None:
    for name in ("b/z.py", "b/a.py", "a.py"):
        write(name, MODEL)
    accept("b/z.py", "a.py", "b/a.py")
    text = Path(BASELINE).read_text()
    document = json.loads(text)
    assert document["version"] == 1
    assert list(document["findings"]) == ["a.py", "b/a.py", "b/z.py"]
    (entry,) = document["findings"]["a.py"]
    assert (entry["code"], entry["scope"], entry["count"]) == ("DRP101", "A.forward", 2)
    accept()
    assert Path(BASELINE).read_text() == text


def test_lines_may_move_and_code_may_be_laid_out_anew() -> None:
    write("a.py", MODEL)
    accept()
    moved = MODEL.replace("class A", "import os\n\n\ndef g():\n    pass\n\n\nclass A")
    write(
        "a.py",
        moved.replace(
            "F.dropout(x, 0.5)\n        return",
            "F.dropout(\n            x,\n            0.5,\n        )\n\n        return",
        ),
    )
    assert check().exit_code == 0


@pytest.mark.parametrize(
    ("change", "new"),
    [
        (("        return y", "        print(F.dropout(x, 0.5))\n        return y"), ["a.py:9:19"]),
        (("F.dropout(x, 0.5)\n        return", "F.dropout(x, 0.4)\n        return"), ["a.py:7:13"]),
        (("def forward", "def f(self, x):\n        return F.dropout(x, 0.5)\n\n    def forward"), ["a.py:7:16"]),
        (("class A", "class B"), ["a.py:7:13", "a.py:8:19"]),
    ],
    ids=["one more of the same", "another argument", "the same in another method", "the same in another class"],
)
def test_what_is_new_is_reported(change: tuple[str, str], new: list[str]) -> None:
    write("a.py", MODEL)
    accept()
    write("a.py", MODEL.replace(*change))
    result = check()
    assert (result.exit_code, reported(result)) == (1, new)


def test_the_same_in_another_file_is_new() -> None:
    write("a.py", MODEL)
    accept()
    write("b.py", MODEL)
    assert reported(check()) == ["b.py:7:13", "b.py:8:19"]


def test_a_fixed_finding_does_not_hide_a_new_one() -> None:
    write("a.py", MODEL)
    accept()
    write("a.py", MODEL.replace("y, F.dropout(x, 0.5)", "y, F.dropout(x, 0.1)"))
    result = check()
    assert reported(result) == ["a.py:8:19"]
    assert "a.py: DRP101 in A.forward\n" in result.stderr


def test_known_findings_that_are_gone_are_named_and_taken_out() -> None:
    write("a.py", MODEL)
    write("b.py", MODEL)
    write("c.py", MODEL)
    accept()
    write("a.py", MODEL.replace("F.dropout(x, 0.5)", "x"))
    Path("b.py").unlink()
    result = check()
    assert result.exit_code == 0
    assert result.stderr == (
        "Known problems that are gone (--write-baseline takes them out of the baseline):\n"
        "  a.py: DRP101 in A.forward (2 times)\n"
        "  b.py: DRP101 in A.forward (2 times)\n"
    )
    assert check("-q", ".").stderr == ""
    accept()
    assert list(json.loads(Path(BASELINE).read_text())["findings"]) == ["c.py"]


@pytest.mark.parametrize(
    "args",
    [["a.py"], [".", "--select", "DRP4"], [".", "--per-file-ignores", "b.py:DRP101"], [".", "--exclude", "b.py"]],
)
def test_what_was_not_checked_is_neither_gone_nor_forgotten(args: list[str]) -> None:
    write("a.py", MODEL)
    write("b.py", MODEL)
    accept()
    text = Path(BASELINE).read_text()
    write("b.py", "x = 1\n")
    assert check(*args).stderr == ""
    accept(*args)
    assert Path(BASELINE).read_text() == text


def test_a_file_that_cannot_be_read_keeps_its_entries() -> None:
    write("a.py", MODEL)
    accept()
    text = Path(BASELINE).read_text()
    Path("a.py").write_bytes(b"\xff\xfe")
    assert accept().exit_code == 2
    assert Path(BASELINE).read_text() == text


def test_a_syntax_error_is_never_known() -> None:
    write("a.py", "def f(:\n")
    result = accept()
    assert reported(result) == ["a.py:1:7"]
    assert (result.exit_code, check().exit_code) == (1, 1)
    assert json.loads(Path(BASELINE).read_text())["findings"] == {}


def test_the_configuration_names_a_baseline_beside_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    write("sub/pyproject.toml", "[tool.dropout-lint]\nbaseline = 'known.json'\n")
    write("sub/lib/a.py", MODEL)
    assert run("sub", "--write-baseline").exit_code == 0
    assert list(json.loads(Path("sub/known.json").read_text())["findings"]) == ["lib/a.py"]
    assert run("sub").exit_code == 0
    assert run("sub", "--isolated").exit_code == 1
    monkeypatch.chdir("sub/lib")
    assert run("a.py").exit_code == 0
    shown = linting.run("check", "--show-settings", "a.py").stdout
    assert json.loads(shown.split("baseline = ")[1].splitlines()[0]).endswith("known.json")


def test_standard_input_knows_the_baseline_of_its_file() -> None:
    write("a.py", MODEL)
    accept()
    args = ["check", "--baseline", BASELINE, "--stdin-filename", "a.py", "-"]
    assert linting.run(*args, stdin=MODEL).exit_code == 0
    more = MODEL + "\n    def f(self, x):\n        return F.dropout(x)\n"
    result = linting.run(*args, stdin=more)
    assert result.exit_code == 1
    assert "a.py:11:16" in result.stdout
    assert "gone" not in linting.run(*args, stdin="x = 1\n").stderr


def test_fix_mends_known_findings_too_and_the_rest_stays_known() -> None:
    write(
        "a.py",
        MODEL + "\n\ndef head(keep_prob=0.8):\n    return nn.Sequential(nn.Dropout(keep_prob), nn.Linear(2, 2))\n",
    )
    accept()
    result = check("--fix", ".")
    assert (result.exit_code, result.stdout) == (0, "Fixed 2 problems.\nLeft out: 1 known problem.\n")
    assert Path("a.py").read_text().count("training=self.training") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such baseline; --write-baseline makes it"),
        ("<<<<<<< HEAD\n{}\n", "not a baseline (not JSON); delete it, and --write-baseline makes it"),
        ("\xff", "not a baseline (not JSON)"),
        ("[]", "not a baseline of dropout-lint; delete it"),
        ("{}", "not a baseline of dropout-lint"),
        ('{"version": 1, "findings": []}', "not a baseline of dropout-lint"),
        ('{"version": 1, "findings": {"a.py": [{"code": "DRP101"}]}}', "not a baseline of dropout-lint"),
        (
            '{"version": 1, "findings": {"a.py": [{"code": "DRP101", "scope": "", "text": "", "count": -1}]}}',
            "not a baseline of dropout-lint",
        ),
        ('{"version": 2, "findings": {}}', "a newer dropout-lint wrote this baseline"),
    ],
)
def test_a_baseline_that_cannot_be_used_ends_the_run(text: str | None, said: str) -> None:
    write("a.py", MODEL)
    if text is not None:
        Path(BASELINE).write_text(text, encoding="latin-1")
    result = check()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {Path.cwd() / BASELINE}: {said}")
    assert result.stderr.count("\n") == 1
    if text is not None:
        assert accept().exit_code == 2
        assert Path(BASELINE).read_text(encoding="latin-1") == text
