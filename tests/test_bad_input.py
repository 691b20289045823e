"""Input that cannot be checked, or only with care: one clear line for it, findings for the rest, no traceback."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from dropout_lint import checks
from dropout_lint.config.schema import read_options
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.source import engine
from dropout_lint.syntax import bounded
from dropout_lint.syntax.newer import without_newer_syntax
from tests import linting
from tests.linting import check

BAD = """\
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return F.dropout(x)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.py").write_text(BAD)
    return tmp_path


def run(*arguments: object) -> Result:
    result = check(*(arguments or (".",)))
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit | None)
    return result


def one_line(result: Result) -> str:
    """The line about the bad input, where the findings of the good file are there as well."""
    assert result.stderr.count("\n") == 1, result.stderr
    assert "good.py:7:16: DRP101" in result.stdout
    return result.stderr.strip()


NOT_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read whatever the permissions are"
)
SYMLINKS = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")


def unreadable(path: Path) -> None:
    path.write_text(BAD)
    path.chmod(0)


def broken_link(path: Path) -> None:
    path.symlink_to("nowhere.py")


def circle(path: Path) -> None:
    path.symlink_to(path)


def fifo(path: Path) -> None:
    os.mkfifo(path)


FAILURES = [
    pytest.param(unreadable, "permission denied", id="unreadable", marks=NOT_ROOT),
    pytest.param(broken_link, "broken symbolic link", id="broken link", marks=SYMLINKS),
    pytest.param(circle, "circle", id="circle of links", marks=SYMLINKS),
    pytest.param(fifo, "not a regular file", id="pipe", marks=SYMLINKS),
    pytest.param(b"import torch  # dropout \xe9\n", "not UTF-8 text (byte 24)", id="wrong encoding"),
    pytest.param(b"# coding: klingon\nimport torch  # dropout\n", "unknown encoding", id="unknown encoding"),
    pytest.param(
        b"# coding: ascii\nimport torch  # dropout \xe9\n", "not text in encoding ascii", id="not as declared"
    ),
    pytest.param(b"import torch  # dropout\0\n", "null bytes (first at byte 23)", id="null bytes"),
    pytest.param("import torch  # dropout\n".encode("utf-16"), "null bytes", id="utf-16"),
    pytest.param(b"\x7fELF\x02\x01\x01\0\0dropout", "null bytes", id="binary"),
]


@pytest.mark.parametrize(("content", "reason"), FAILURES)
@pytest.mark.parametrize("options", [(), ("--exit-zero",), ("--fix",), ("--diff",), ("--output-format", "json")])
def test_what_cannot_be_read_is_one_line_and_exit_code_2(
    content: object, reason: str, options: tuple[str, ...], folder: Path
) -> None:
    path = folder / "bad.py"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)  # type: ignore[operator]
    try:
        result = run(*options, ".")
    finally:
        if path.is_file():
            path.chmod(0o644)
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert lines[0].startswith("error: bad.py: ")
    assert reason in lines[0]
    assert result.exit_code == (0 if "--exit-zero" in options else 2)
    if not options or options == ("--exit-zero",):
        one_line(result)
    if isinstance(content, bytes):
        assert path.read_bytes() == content
    fixed = BAD.replace("(x)\n", "(x, training=self.training)\n") if "--fix" in options else BAD
    assert (folder / "good.py").read_text() == fixed


def test_a_folder_named_like_a_file_is_searched(folder: Path) -> None:
    (folder / "x.py").mkdir()
    (folder / "x.py" / "inner.py").write_text(BAD)
    for path in (".", "x.py"):
        result = run(path)
        assert (result.exit_code, result.stderr) == (1, "")
        assert "x.py/inner.py:7:16: DRP101" in result.stdout.replace("\\", "/")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("import torch\ndef dropout(:\n", "2:13"),
        ("import torch\nprint 'dropout'\n", "2:1"),
        ("import torch\nx = 'dropout\n", "2:5"),
        ("import torch; dropout = (\n", "1:25"),
        ("import torch\nif dropout:\nx = 1\n", "3:1"),
        ("import torch\nif dropout:\n\tx = 1\n        y = 2\n", "4:"),
        ("not python, and nothing about it\n", "1:"),
        ("import torch\nx = f'{dropout!}'\n", "2:"),
        ("class A[T]:\n    x = dropout(\n", ""),
        ("class A[T]:\n    torch dropout\n", ""),
    ],
)
def test_a_syntax_error_is_a_finding(text: str, place: str, folder: Path) -> None:
    (folder / "bad.py").write_text(text)
    result = run()
    assert (result.exit_code, result.stderr) == (1, "")
    errors = [line for line in result.stdout.splitlines() if "DRP001" in line]
    assert len(errors) == 1
    assert errors[0].startswith(f"bad.py:{place}")
    assert "good.py:7:16: DRP101" in result.stdout
    assert run("--exit-zero").exit_code == 0
    assert run("--fix").exit_code == 1
    assert (folder / "bad.py").read_text() == text


@pytest.mark.parametrize(
    "text", ["", "\n", "# dropout", "# torch dropout\n\n", "\ufeff", '"""torch.nn.dropout"""', "\x0c\n", "pass"]
)
def test_files_without_code_are_clean(text: str, folder: Path) -> None:
    (folder / "empty.py").write_text(text, encoding="utf-8", newline="")
    result = run("empty.py")
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", "All checks passed!\n")


@pytest.mark.parametrize("fix", [(), ("--fix",), ("--diff",)])
def test_a_huge_generated_file_is_one_line_and_is_not_parsed(fix: tuple[str, ...], folder: Path) -> None:
    row = "VALUES += [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]\n"
    path = folder / "huge.py"
    path.write_text(BAD + "VALUES = []\n" + row * (50_000_000 // len(row)))
    size = path.stat().st_size
    result = run(*fix, "huge.py")
    assert result.exit_code == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert errors == ["error: huge.py: too large to check: 50 MB are more than the 8 MB that are parsed"]
    assert path.stat().st_size == size


DEEP = {
    "parentheses": "x = " + "(" * 300 + "1" + ")" * 300,
    "brackets": "x = " + "[" * 190 + "1" + "]" * 190,
    "operators": "x = " + " + ".join(["a"] * 5000),
    "comparisons": "x = " + " < ".join(["a"] * 5000),
    "strings": "x = " + " + ".join(["'a'"] * 3000),
    "calls": "x = a" + ".b()" * 3000,
    "attributes": "x = a" + ".b" * 3000,
    "subscripts": "x = a" + "[0]" * 3000,
    "not": "x = " + "not " * 1000 + "a",
    "lambdas": "x = " + "lambda: " * 100 + "1",
    "choices": "x = " + "1 if a else " * 1500 + "2",
    "elifs": "if a:\n    pass\n" + "elif a:\n    x = 1\n" * 1500,
    "statements": "x = 1\n" * 20_000,
    "ifs": "".join(f"{' ' * n}if a:\n" for n in range(90)) + " " * 90 + "x = 1",
    "ifs beyond the parser": "".join(f"{' ' * n}if a:\n" for n in range(150)) + " " * 150 + "x = 1",
    "functions": "".join(f"{' ' * n}def f{n}(x):\n" for n in range(90)) + " " * 90 + "x = 1",
    "functions beyond the parser": "".join(f"{' ' * n}def f{n}(x):\n" for n in range(150)) + " " * 150 + "x = 1",
    "classes": "".join(f"{' ' * n}class C{n}(nn.Module):\n" for n in range(90)) + " " * 90 + "x = 1",
    "f-strings": 'x = f"{a:' + "{a}" * 500 + '}"',
    "sequential": "x = " + "nn.Sequential(" * 150 + "nn.Dropout(0.5)" + ")" * 150,
    "dropouts": "x = " + "F.dropout(" * 150 + "a" + ")" * 150,
    "long list": "x = [" + "nn.Dropout(0.5), " * 3000 + "]",
    "aliases": "\n".join(f"a{n + 1} = a{n}" for n in range(3000)) + "\nx = F.dropout(a, a3000)",
    "circular": "a = b\nb = a\nx = F.dropout(a, b)",
    "circular classes": "class A(B): pass\nclass B(A): pass",
    "own base": "class A(A):\n    def forward(self, x):\n        return F.dropout(x)",
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("where", ["module", "method"])
def test_deep_nesting_is_checked_or_said_not_to_be(name: str, where: str, folder: Path) -> None:
    text = DEEP[name]
    if where == "method":
        inside = text if "\n" not in text else text.replace("\n", "\n        ")
        text = f"class Deep(nn.Module):\n    def forward(self, a, x):\n        {inside}\n"
    (folder / "deep.py").write_text(f"{BAD}\n\n{text}\n")
    result = run("--select", "ALL")
    assert "good.py:7:16: DRP101" in result.stdout
    errors = result.stderr.splitlines()
    if not errors:
        assert "deep.py:7:16: DRP101" in result.stdout or "DRP001" in result.stdout
        assert result.exit_code == 1
    else:
        assert len(errors) == 1
        assert errors[0].startswith("error: deep.py: nested too deeply")
        assert result.exit_code == 2


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("[tool.dropout-lint]\nselct = ['DRP101']\n", "select"),
        ("[tool.dropout-lint]\nselect = 3\n", "select"),
        ("[tool.dropout-lint\n", "pyproject.toml"),
        ("[tool.dropout-lint]\nselect = ['DRP999']\n", "DRP999"),
        ("\0", "pyproject.toml"),
    ],
)
def test_a_bad_configuration_is_one_line(config: str, reason: str, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(config)
    result = linting.run("check", ".")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr


def test_no_files_at_all_is_said_and_is_no_failure(folder: Path) -> None:
    (folder / "empty").mkdir()
    result = run("empty")
    assert result.exit_code == 0
    assert "no Python files found under empty" in result.stderr
    missing = run("missing.py")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("error: missing.py: no such file")


NEWER = {
    "type parameters of a class": "class Box[T]({base}):",
    "type parameters with bounds and defaults": "class Box[T: (int, str) = int, *Ts, **P]({base}):",
    "type parameters over lines": "class Box[\n    T,  # é (\n\n    U: int,\n]({base}):",
    "type statement": "type Pair[T] = tuple[T, T]; é = 1\nclass Box({base}):",
    "type statement over lines": "type Pair = (\n    int\n    | str\n)\nclass Box({base}):",
    "nested quotes": 'd = {{}}; é = f"{{d["é"]}} {{f"{{1}}"}}"\nclass Box({base}):',
    "f-string over lines": 'é = f"{{1 + # one\n2}}"\nclass Box({base}):',
    "backslash in an f-string": 'é = f"{{"\\n".join([])}}"\nclass Box({base}):',
    "except without parentheses": "try:\n    é = 1\nexcept ValueError, TypeError:\n    pass\nclass Box({base}):",
    "except star": "try:\n    é = 1\nexcept* ValueError, TypeError:\n    pass\nclass Box({base}):",
    "t-string": 'é = t"{{1!r:>{{2}}}} é" t"{{d["k"]}}"\nclass Box({base}):',
    "raw t-string": "é = tR'{{1}}\\d'\nclass Box({base}):",
    "form feed": "\x0cclass Box[T]({base}):",
}
METHOD = '    def forward[S](self, x: S) -> S:\n        é = f"{x!r:{"é"}}"; return F.dropout(x), é\n'


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", NEWER)
def test_syntax_newer_than_the_running_python_is_linted_and_fixed(name: str, newline: str, folder: Path) -> None:
    head = "# coding: utf-8\nimport torch.nn.functional as F\nfrom torch import nn\n"
    text = f"{head}{NEWER[name].format(base='nn.Module')}\n{METHOD}"
    line = text.count("\n")
    path = folder / "newer.py"
    path.write_bytes(text.replace("\n", newline).encode())
    result = run("newer.py")
    assert result.stderr == ""
    assert f"newer.py:{line}:{METHOD.splitlines()[1].index('F.') + 1}: DRP101" in result.stdout
    assert "DRP001" not in result.stdout
    assert run("--fix", "newer.py").exit_code == 0
    fixed = text.replace("F.dropout(x)", "F.dropout(x, training=self.training)")
    assert path.read_bytes().decode() == fixed.replace("\n", newline)


@pytest.mark.parametrize("name", NEWER)
def test_newer_syntax_is_overwritten_in_place(name: str) -> None:
    text = f"{NEWER[name].format(base='nn.Module')}\n{METHOD}"
    older = without_newer_syntax(text)
    assert older is not None
    assert len(older.encode()) == len(text.encode())
    assert older.count("\n") == text.count("\n")
    ast.parse(older)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf8_beside_a_script_is_nothing_odd(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.py")).write_text("x = 1\n")
    (folder / "good.py").write_text(f"{BAD}\n\nm = Net()\nm.eval()\nm(1)\n")
    assert "DRP101" in one_line_less(run("good.py"))


def one_line_less(result: Result) -> str:
    """The report of a run without failures."""
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize("number", ["1" + "0" * 309, "-1" + "0" * 309])
def test_an_integer_too_large_for_a_float_is_a_number(number: str, folder: Path) -> None:
    (folder / "big.py").write_text(f"from torch import nn\nd = nn.Dropout({number})\n")
    assert "big.py:2" in one_line_less(run("."))


def test_an_integer_too_long_for_python_is_no_valid_configuration(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.dropout-lint]\nx = 1{'0' * 5000}\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_options(folder / "pyproject.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_closed_streams_are_no_crash(folder: Path) -> None:
    command = f'"{sys.executable}" -m dropout_lint check --no-cache good.py >&- 2>&- <&-'
    root = str(Path(checks.__file__).parent.parent.parent)
    done = subprocess.run(command, shell=True, cwd=folder, env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs odd names")
@pytest.mark.parametrize("form", ["full", "concise", "github", "azure", "grouped", "pylint"])
def test_a_name_and_a_line_command_no_terminal_and_no_ci_system(form: str, folder: Path) -> None:
    (folder / "a\n::error::\x1b[2Jx.py").write_text(BAD.replace("(x)\n", "(x)  # \x1b[2J\n"))
    (folder / "b\n::error::x.py").write_bytes(b"dropout \0")
    result = run("--output-format", form, ".")
    for output in (result.stdout, result.stderr):
        assert "\x1b" not in output
        assert not any(line.startswith("::error::") for line in output.splitlines())


def test_a_patch_keeps_escape_sequences(folder: Path) -> None:
    (folder / "good.py").write_text(BAD.replace("(x)\n", "(x)  # \x1b[2J\n"))
    assert "# \x1b[2J\n" in run("--diff", "good.py").stdout


SLOW = {
    "patterns": "match x:\n case ((((((((((((((((((x y)))))))))))))))))):\n  pass\n",
    "patterns of newer syntax": "type X = int\nmatch x:\n case " + "(" * 30 + "y" + ")" * 30 + ":\n  pass\n",
    "deletion": "type X = int\ndel " + "(" * 40 + "x y" + ")" * 40 + "\n",
    "calls": "type X = int\nx" + ".y()" * 2500 + "\n",
}


@pytest.mark.parametrize("name", SLOW)
def test_a_text_that_libcst_cannot_read_in_time_ends(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 1.5)
    (folder / "slow.py").write_text(f"import torch  # dropout\n{SLOW[name]}")
    began = time.monotonic()
    result = run()
    assert time.monotonic() - began < 10
    assert "good.py:7:16: DRP101" in result.stdout
    failures = result.stderr.splitlines()
    assert failures in ([], [f"error: slow.py: {bounded.TOO_SLOW}"])
    assert result.exit_code == (2 if failures else 1)


def test_only_a_text_with_a_sign_of_newer_syntax_is_read_by_libcst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    for name, text in NEWER.items():
        assert bounded.may_be_newer(text.format(base="nn.Module")), name
    assert not bounded.may_be_newer("match x:\n case ((x y)):\n  pass\n")


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dict(checks.checks())
    kind, _ = table["DRP101"]

    def crash(*_: object) -> Iterator[Diagnostic]:
        raise ZeroDivisionError("division\nby zero")
        yield

    table["DRP101"] = (kind, crash)
    monkeypatch.setattr(checks, "checks", lambda enabled: {c: table[c] for c in table if c in enabled})


@pytest.mark.usefixtures("crashing")
def test_a_rule_that_crashes_is_one_failure_and_hides_nothing_else(folder: Path) -> None:
    (folder / "both.py").write_text(BAD.replace("F.dropout(x)", "F.dropout(nn.Dropout(0.5)(x))"))
    (folder / "other.py").write_text(BAD.replace("F.dropout(x)", "nn.Dropout(0.5)(x)"))
    (folder / "clean.py").write_text("x = 1\n")
    result = run()
    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["both.py", "good.py", "other.py"]
    assert all("rule DRP101 crashed: ZeroDivisionError: division" in line for line in result.stderr.splitlines())
    assert "both.py:7:26: DRP103" in result.stdout
    assert "other.py:7:16: DRP103" in result.stdout
    assert run("--exit-zero").exit_code == 0
    before = (folder / "good.py").read_bytes()
    assert run("--fix").exit_code == 2
    assert (folder / "good.py").read_bytes() == before
    assert "F.dropout(x, 0.5, training=self.training)" in (folder / "other.py").read_text()


def test_an_analysis_that_crashes_is_a_failure_of_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "odd.py").write_text(BAD)
    collect = engine.collect

    def crash(path: Path, *given: object, **named: object) -> object:
        if path.name == "odd.py":
            raise KeyError("node\nof")
        return collect(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "collect", crash)
    result = run()
    assert result.exit_code == 2
    assert one_line(result).startswith("error: odd.py: the analysis crashed: KeyError: ")
