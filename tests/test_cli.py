"""The command line: what a user types, what comes out where, and the exit code.

The linter is replaced by one that finds words, so that these tests say nothing about rules.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

import dropout_lint
from dropout_lint import __version__
from dropout_lint.cli import cli
from dropout_lint.commands.shared.progress import ProgressBar
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Failure, Fix, Severity, Span
from dropout_lint.linting.stages import LintResult
from dropout_lint.syntax.reading import read_source
from dropout_lint.syntax.text import SourceText, UnreadableSource
from tests.linting import run, write

WORDS = {
    "BAD": ("DRP101", Severity.ERROR, Applicability.SAFE),
    "RISKY": ("DRP104", Severity.ERROR, Applicability.UNSAFE),
    "HINT": ("DRP105", Severity.INFO, None),
}


class WordLinter:
    """Finds WORDS; a fix turns one into ``good_word``; CRASH is a rule that crashes, INTERRUPT and BUG break it."""

    def __init__(self, settings_for: Callable[[Path], Settings], *_: object, **__: object) -> None:
        self.settings_for = settings_for

    def after(self, _: LintResult) -> WordLinter:
        return self

    def with_text(self, _: Path, __: str) -> WordLinter:
        return self

    def source(self, path: Path) -> SourceText:
        return read_source(path)

    def run(self, files: Sequence[Path]) -> LintResult:
        found: list[Diagnostic] = []
        failures: list[Failure] = []
        for path in files:
            try:
                result = self.run_text(path, read_source(path).text)
            except UnreadableSource as problem:
                failures.append(Failure(str(path), str(problem)))
                continue
            found += result.diagnostics
            failures += result.failures
        return LintResult(tuple(found), tuple(failures), len(files))

    def run_text(self, path: Path, text: str) -> LintResult:
        found: list[Diagnostic] = []
        enabled = self.settings_for(path).enabled_for(path)
        for number, line in enumerate(text.split("\n"), 1):
            for match in re.finditer("BAD|RISKY|HINT", line):
                code, severity, applicability = WORDS[match.group()]
                span = Span(number, match.start() + 1, number, match.end() + 1)
                fix = Fix("Write it well.", applicability, (Edit(span, "good_word"),)) if applicability else None
                if code in enabled:
                    found.append(Diagnostic(code, str(path), span, f"{match.group()} word", severity, fix))
        if "INTERRUPT" in text:
            raise KeyboardInterrupt
        if "BUG" in text:
            raise RuntimeError("two\nlines")
        failures = (Failure(str(path), "ZeroDivisionError: x", "DRP102"),) if "CRASH" in text else ()
        return LintResult(tuple(found), failures, 1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(dropout_lint.__file__).parents[1]))
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(sys.modules, "dropout_lint.linting.linter", types.SimpleNamespace(Linter=WordLinter))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "args", "code"),
    [
        ("fine", [], 0),
        ("BAD", [], 1),
        ("HINT", [], 0),
        ("HINT", ["--fail-level", "info"], 1),
        ("BAD", ["--exit-zero"], 0),
        ("CRASH", [], 2),
        ("BAD CRASH", [], 2),
        ("BAD CRASH", ["--exit-zero"], 0),
        ("BAD", ["--ignore", "DRP1"], 0),
        ("BAD", ["--per-file-ignores", "x.py:DRP101"], 0),
        ("BAD", ["--select", "DRP104,DRP105"], 0),
        ("BAD", ["--fix"], 0),
        ("BAD", ["--fix", "--exit-non-zero-on-fix"], 1),
        ("fine", ["--fix", "--exit-non-zero-on-fix"], 0),
        ("RISKY", ["--fix"], 1),
        ("RISKY", ["--fix", "--unsafe-fixes"], 0),
        ("BAD", ["--diff"], 1),
        ("RISKY", ["--diff"], 0),
        ("BAD", ["--diff", "--exit-zero"], 0),
    ],
)
def test_exit_codes(text: str, args: list[str], code: int) -> None:
    write("x.py", text)
    assert run(*args, "x.py").exit_code == code


def test_a_path_without_a_command_is_checked_and_options_may_come_first() -> None:
    write("x.py", "BAD")
    for args in (["x.py"], ["check", "x.py"], ["--quiet", "x.py"], ["--quiet", "check", "x.py"], ["check"], ["-q"]):
        result = run(*args)
        assert result.exit_code == 1, args
        assert "DRP101" in result.stdout
    assert run("check/x.py").exit_code == 2


def test_bare_call_and_help_and_version() -> None:
    assert run().exit_code == 0
    assert "Usage: dropout-lint [OPTIONS]" in run().stdout
    assert "--unsafe-fixes" in run("check", "--help").stdout
    assert run("--version").stdout == f"dropout-lint {__version__}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chekc"], "No such file or directory: 'chekc'. Did you mean the command 'check'?"),
        (["rul", "DRP101"], "Did you mean the command 'rule'?"),
        (["explain", "DRP101"], "Did you mean 'dropout-lint rule'?"),
        (["drp101"], "Did you mean 'dropout-lint rule DRP101'?"),
        (["nothing-like-it"], "nothing-like-it: no such file or directory"),
        (["--fixx", "."], "--fix"),
        (["--quiet", "rules"], "Write the command first: 'dropout-lint rules [OPTIONS]'."),
        (["--select", "DRP10l", "."], "--select: Unknown rule 'DRP10l'. Did you mean DRP101?"),
        (["--output-format", "jsn", "."], "'jsn' is not one of 'full', 'concise', 'json', 'github'"),
        (["--output-format", "sarif=", "."], "'sarif=' names no file."),
        (["--output-format", "json=a", "--output-format", "sarif", "-o", "a", "."], "to the same file"),
        (["--output-format", "json=a", "--diff", "."], "--diff and --add-noqa write no report"),
        (["--write-baseline", "."], "--write-baseline needs a file: --baseline FILE, or the key 'baseline'"),
        (["--write-baseline", "--baseline", "b", "--diff", "."], "--write-baseline cannot be combined with"),
        (["--diff-base", "HEAD", "--fix", "."], "--diff-base cannot be combined with --fix"),
        (["--diff-base", "", "--fix", "."], "--diff-base cannot be combined with --fix"),
        (["--diff-base", "HEAD", "-"], "--diff-base cannot be combined with"),
        (["--per-file-ignores", "DRP101", "."], "'DRP101' is not of the form PATTERN:RULE"),
        (["--config", "nope.toml", "."], "nope.toml: cannot be read: No such file"),
        (["--isolated", "--config", "x", "."], "exclude each other"),
        (["-", "x.py"], "cannot be combined"),
        (["--stdin-filename", "x.py", "y.py"], "--stdin-filename goes with '-'"),
        (["--add-noqa", "--fix", "."], "--add-noqa cannot be combined with --fix"),
        (["--add-noqa=nqoa", "."], "'nqoa' is not one of"),
        (["rule", "DRP10l"], "Did you mean DRP101?"),
        (["rule", "DRP1"], "stands for"),
        (["rule", "functional-dropout-ignore-mode"], "Did you mean functional-dropout-ignores-mode?"),
        (["rule"], "CODE|NAME"),
        (["--jobs", "-1", "."], "-1 is not in the range"),
        (["-o", "no/such/folder.txt", "."], "cannot write the report to no/such/folder.txt: no such file or directory"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_2(args: list[str], said: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr


def test_a_bad_configuration_here_ends_the_run_and_one_inside_does_not() -> None:
    write("inner/pyproject.toml", "[tool.dropout-lint]\nselct = 1\n")
    write("inner/x.py", "BAD")
    write("y.py", "BAD")
    result = run(".")
    assert result.exit_code == 2
    assert "y.py:1:1" in result.stdout
    assert "error: inner/pyproject.toml: unknown key 'selct'" in result.stderr
    write("pyproject.toml", "[tool.dropout-lint]\nselct = 1\n")
    result = run(".")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'select'?" in result.stderr


def test_missing_paths_fail_and_the_others_are_checked() -> None:
    write("x.py", "BAD")
    result = run("missing.py", "x.py", "--output-format", "concise")
    assert result.exit_code == 2
    assert "x.py:1:1: DRP101" in result.stdout
    assert result.stderr == "error: missing.py: no such file or directory\n"


def test_no_files_is_a_warning() -> None:
    result = run(".")
    assert (result.exit_code, result.stderr) == (0, "warning: no Python files found under .\n")
    assert run(".", "--output-format", "json").stdout == "[]\n"


def test_fix_writes_reports_the_rest_and_says_how_many() -> None:
    write("x.py", "BAD = RISKY\n").chmod(0o754)
    write("y.py", "BAD\n")
    result = run("--fix", "--output-format", "concise", ".")
    assert Path("x.py").read_text() == "good_word = RISKY\n"
    assert Path("x.py").stat().st_mode & 0o777 == 0o754
    assert "Fixed 2 problems" in result.stdout
    assert "x.py:1:13: DRP104" in result.stdout
    assert result.exit_code == 1


def test_unfixable_rules_are_neither_fixed_nor_called_fixable() -> None:
    write("x.py", "BAD\n")
    result = run("--fix", "--unfixable", "DRP101", "x.py")
    assert Path("x.py").read_text() == "BAD\n"
    assert "fixable" not in result.stdout


def test_diff_prints_a_patch_and_writes_nothing() -> None:
    write("x.py", "a\nBAD\nRISKY")
    result = run("--diff", "x.py")
    assert Path("x.py").read_text() == "a\nBAD\nRISKY"
    assert result.stdout.splitlines()[:3] == ["--- x.py", "+++ x.py", "@@ -1,3 +1,3 @@"]
    assert "-BAD\n+good_word\n" in result.stdout
    assert result.stderr == "Would fix 1 problem in 1 file.\n1 more problem can be fixed with --unsafe-fixes.\n"


def test_a_file_that_changes_during_the_run_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("x.py", "BAD\n")
    write("y.py", "BAD\n")
    before = WordLinter.run_text

    def edited_meanwhile(self: WordLinter, file: Path, text: str) -> LintResult:
        if file == path and "good_word" in text:
            path.write_text("BAD edited\n")
        return before(self, file, text)

    monkeypatch.setattr(WordLinter, "run_text", edited_meanwhile)
    result = run("--fix", ".")
    assert result.exit_code == 2
    assert "error: x.py: not fixed: the file changed during the run; left alone" in result.stderr
    assert path.read_text() == "BAD edited\n"
    assert Path("y.py").read_text() == "good_word\n"


def test_a_file_that_cannot_be_written_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_permission(path: Path, _: bytes) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("dropout_lint.atomic_write.write_atomically", no_permission)
    write("x.py", "BAD\n")
    result = run("--fix", "x.py")
    assert result.exit_code == 2
    assert "error: x.py: not fixed: cannot be written: permission denied" in result.stderr
    assert "DRP101" in result.stdout


def test_a_rule_that_crashes_on_the_fixed_text_only_leaves_the_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    write("x.py", "BAD\n")
    before = WordLinter.run_text

    def crash_after(self: WordLinter, file: Path, text: str) -> LintResult:
        result = before(self, file, text)
        failures = (Failure(str(file), "boom", "DRP102"),) if "good_word" in text else ()
        return LintResult(result.diagnostics, failures, 1)

    monkeypatch.setattr(WordLinter, "run_text", crash_after)
    result = run("--fix", "x.py")
    assert result.exit_code == 2
    assert Path("x.py").read_text() == "BAD\n"


def test_stdin_is_checked_under_its_name_and_fixed_to_stdout() -> None:
    result = run("-", "--output-format", "concise", stdin="BAD\n")
    assert result.exit_code == 1
    assert "-:1:1: DRP101" in result.stdout
    result = run("--stdin-filename", "lib/a.py", "--output-format", "concise", "-", stdin="BAD RISKY\n")
    assert "lib/a.py:1:1: DRP101" in result.stdout
    result = run("-", "--fix", "--output-format", "concise", stdin="BAD\r\nRISKY\r\n")
    assert result.stdout_bytes == b"good_word\r\nRISKY\r\n"
    assert "DRP104" in result.stderr
    assert "Fixed 1 problem" in result.stderr
    result = run("-", "--diff", stdin="BAD\n")
    assert "-BAD\n+good_word\n" in result.stdout
    assert result.exit_code == 1


def test_stdin_that_cannot_be_read_comes_out_as_it_went_in() -> None:
    result = run("-", "--fix", stdin=b"\xff BAD\n")
    assert result.stdout_bytes == b"\xff BAD\n"
    assert result.exit_code == 2
    assert "error: -: not UTF-8 text" in result.stderr


def test_excluded_stdin_is_not_checked() -> None:
    args = ["-", "--stdin-filename", "build/x.py"]
    assert run(*args, stdin="BAD").exit_code == 1
    assert run(*args, "--force-exclude", stdin="BAD").exit_code == 0
    assert run(*args, "--force-exclude", "--fix", stdin="BAD").stdout == "BAD"


def test_settings_hold_per_folder() -> None:
    write("strict/x.py", "HINT")
    write("strict/pyproject.toml", "[tool.dropout-lint]\nfail-level = 'info'\n")
    write("loose/x.py", "HINT")
    assert run("loose").exit_code == 0
    assert run("strict").exit_code == 1
    assert run(".", "--isolated").exit_code == 0


def test_output_file_gets_the_report_without_colour_and_the_terminal_the_default_one() -> None:
    write("x.py", "BAD")
    result = run("x.py", "--color", "always", "--output-format", "concise", "-o", "report.txt")
    assert Path("report.txt").read_text().startswith("x.py:1:1: DRP101")
    assert (result.exit_code, result.stdout) == (1, run("x.py", "--color", "always").stdout)
    write("pyproject.toml", "[tool.dropout-lint]\noutput-format = 'grouped'\n")
    assert run("x.py", "--output-format", "json", "-o", "report.json").stdout.startswith("x.py:\n  1:1  DRP101")
    assert json.loads(Path("report.json").read_text())[0]["code"] == "DRP101"
    run("x.py", "-o", "report.txt")
    assert Path("report.txt").read_text().startswith("x.py:\n  1:1  DRP101")


def test_several_reports_at_once() -> None:
    write("x.py", "BAD")
    files = ["--output-format", "sarif=out.sarif", "--output-format", "junit=a=b.xml"]
    assert run("x.py", *files).stdout == run("x.py").stdout
    assert json.loads(Path("out.sarif").read_text())["version"] == "2.1.0"
    assert Path("a=b.xml").read_text().startswith("<?xml")
    result = run("x.py", *files, "--output-format", "pylint")
    assert (result.exit_code, result.stdout) == (1, "x.py:1: [DRP101] BAD word\n")
    result = run("x.py", "--output-format", "json", *files, "--output-format", "pylint")
    assert result.stdout == "x.py:1: [DRP101] BAD word\n"
    run("x.py", "--output-format", "gitlab=c.json", "--output-format", "json", "-o", "d.json")
    assert json.loads(Path("c.json").read_text())[0]["check_name"] == "DRP101"
    assert json.loads(Path("d.json").read_text())[0]["code"] == "DRP101"


def test_a_report_that_cannot_be_written_does_not_cost_the_others() -> None:
    write("x.py", "BAD")
    result = run("x.py", "--output-format", "sarif=no/such/a.sarif")
    assert result.exit_code == 2
    assert "x.py:1:1" in result.stdout
    assert result.stderr == "error: cannot write the report to no/such/a.sarif: no such file or directory\n"


def test_a_file_name_that_is_no_text_is_reported_all_the_same() -> None:
    try:
        Path(os.fsdecode(b"\xff.py")).write_text("BAD")
    except (OSError, UnicodeError):
        pytest.skip("this file system has text names only")
    formats = ("sarif", "gitlab", "junit", "azure", "pylint", "grouped", "json", "github", "concise", "full")
    for number, format in enumerate(formats):
        assert run(".", "--output-format", f"{format}=report{number}").exit_code == 1, format
        assert "DRP101" in Path(f"report{number}").read_text()


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    write("x.py", "BAD")
    assert "\x1b[" not in run("x.py").stdout
    assert "\x1b[" in run("x.py", "--color", "always").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("x.py").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("x.py").stdout


def test_quiet_verbose_and_statistics() -> None:
    write("x.py", "BAD BAD RISKY")
    assert "Found" not in run("x.py", "-q").stdout
    assert re.search(r"configuration: no file.*\nchecked 1 file in \d", run("x.py", "-v").stderr)
    assert re.search(r"2\s+DRP101", run("x.py", "--statistics").stdout)
    assert run("x.py", "-q", "--select", "DRP309").stderr == ""
    assert "DRP309' has no effect" in run("x.py", "--select", "DRP309").stderr


def test_show_files_and_settings() -> None:
    write("a/x.py", "")
    write("b.py", "")
    assert run("--show-files", ".").stdout == "a/x.py\nb.py\n"
    write("a/pyproject.toml", "[tool.dropout-lint]\npreview = true\n")
    shown = run("--show-settings", "a", "--unsafe-fixes").stdout
    assert "preview = true" in shown
    assert "unsafe-fixes = true" in shown
    assert 'fail-level = "warning"' in shown


def test_add_noqa_takes_no_path_for_its_style_and_then_nothing_is_left() -> None:
    write("x.py", "BAD = 1\n")
    result = run("--add-noqa", "x.py")
    assert result.exit_code == 0
    assert "dropout-lint: ignore[DRP101]" in Path("x.py").read_text()
    assert result.stderr == "Suppressed 1 problem in 1 file.\n"
    write("y.py", "BAD = 1\n")
    result = run("--add-noqa=noqa", "y.py")
    assert "# noqa: DRP101" in Path("y.py").read_text()
    assert 'external = ["DRP"]' in result.stderr


def test_rule_pages_in_every_form() -> None:
    plain = run("rule", "DRP101").stdout
    assert plain.startswith("# DRP101 ")
    assert run("rule", "functional-dropout-ignores-mode").stdout == plain
    assert "\x1b[" in run("rule", "DRP101", "--color", "always").stdout
    page = json.loads(run("rule", "DRP101", "--output-format", "json").stdout)
    assert (page["code"], page["explanation"]) == ("DRP101", plain)
    listed = json.loads(run("rules", "--output-format", "json").stdout)
    assert len(run("rules").stdout.splitlines()) == len(listed)
    assert "DRP101" in run("rules", "--color", "always").stdout


def test_an_interrupt_is_quiet_and_a_bug_is_one_sentence() -> None:
    write("x.py", "INTERRUPT")
    result = run("x.py")
    assert (result.exit_code, result.stdout) == (130, "")
    assert "Traceback" not in result.stderr
    write("x.py", "BUG")
    result = run("x.py")
    assert result.exit_code == 2
    assert result.stderr == "error: RuntimeError: two lines (this is a bug in dropout-lint; --verbose shows where)\n"
    assert "Traceback" in run("x.py", "--verbose").stderr


def test_the_progress_bar_needs_a_terminal_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bar = ProgressBar(quiet=False)
    bar(1, 2)
    assert bar._shown is None
    quiet = ProgressBar(quiet=True)
    monkeypatch.setattr("dropout_lint.commands.shared.progress.DELAY", -1.0)
    quiet(1, 2)
    assert quiet._shown is None
    with bar:
        bar(1, 2)
        assert bar._shown is not None


def program(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dropout_lint", *args], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["rules"], ["rule", "DRP101"], ["check", "--show-files"]])
def test_small_commands_import_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\nfrom dropout_lint.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(sorted({'rich', 'libcst', 'torch', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "[]"


def test_completion_scripts_and_completion_itself() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_DROPOUT_LINT_COMPLETE" in run("completion", shell).stdout
    env = {**os.environ, "_DROPOUT_LINT_COMPLETE": "bash_complete", "COMP_WORDS": "dropout-lint ru", "COMP_CWORD": "1"}
    assert "rules" in program(env=env).stdout


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    command = f"{sys.executable} -m dropout_lint rules --output-format json"
    done = subprocess.run(
        ["sh", "-c", f"({command}; echo code $? >&2) | head -c 1"], capture_output=True, text=True, check=False
    )
    assert done.stderr == "code 0\n"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_of_the_program_leaves_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dropout_lint", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in stderr


def test_a_terminal_that_lacks_a_character_is_no_crash() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert program("rule", "DRP101", env=env).returncode == 0
    done = program("näh.py", env=env)
    assert done.returncode == 2
    assert "bug" not in done.stderr


def test_every_option_has_a_help_text() -> None:
    for command in cli.commands.values():
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, parameter.name
