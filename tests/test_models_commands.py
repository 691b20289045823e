"""``trace``, ``validate`` and ``check --with-models``: what they run, report and exit with, over a stub of torch."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dropout_lint.commands import trace, validate
from dropout_lint.config.settings import Settings
from dropout_lint.models.discover import modules_without_arguments
from tests.linting import run
from tests.stub_torch import JOB, write_stubs

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")

ROOT = Path(__file__).resolve().parent.parent
NET = """\
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, code="DRP101", line=12):
        self.code, self.line = code, line

    def forward(self, x=0):
        if x == 0:
            return x
        return F.dropout(x, 0.5)

    def answer(self, options):
        return {"finding": [self.code, __file__, self.line, "a.b"], "how": "looking", "not_seen": ["c.d"]}


class Clean(nn.Module):
    pass


class Refuting(Net):
    def answer(self, options):
        return {"refuted": [__file__, 12, "it never drew"]}


class Telling(Net):
    def answer(self, options):
        codes = [code for code in ("DRP101", "DRP401", "DRP501") if code in options["codes"]]
        raise ValueError([codes, *(item for item in options.items() if item[0] != "codes")])


class Garbled(Net):
    def answer(self, options):
        return "[[]]"


class Needy(nn.Module):
    def __init__(self, dim):
        pass
"""
BROKEN = "raise RuntimeError('not today')\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stubs = write_stubs(tmp_path / "stubs")
    work = tmp_path / "work"
    work.mkdir()
    (work / "net.py").write_text(NET)
    (work / "broken.py").write_text(BROKEN)
    monkeypatch.chdir(work)
    monkeypatch.setenv("PYTHONPATH", str(stubs))
    monkeypatch.setattr(trace, "JOB", JOB)
    monkeypatch.setattr(validate, "JOB", JOB)
    return work


def declare(folder: Path, *targets: str, more: str = "") -> None:
    tables = "".join(f"[[tool.dropout-lint.models]]\n{target}\n" for target in targets)
    (folder / "pyproject.toml").write_text(f"[tool.dropout-lint]\n{more}\n{tables}")


# --- what is reported


@pytest.mark.parametrize("command", ["trace", "validate"])
def test_findings_are_reported_as_check_does(command: str) -> None:
    result = run(command, "net.py:Net", "--output-format", "concise")
    engine = "traced" if command == "trace" else "running"
    assert result.stdout == (
        f"net.py:12:16: DRP101 measured (found in the {engine} model; `a.b`)\nFound 1 problem (1 error).\n"
    )
    assert result.stderr == (
        "net.py:Net: seen by looking, inputs `forward`, which needs none\nwarning: net.py:Net: not checked: c.d\n"
    )
    assert result.exit_code == 1


def test_a_clean_model_is_clean_and_quiet_says_nothing_more() -> None:
    result = run("trace", "net:Clean", "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert run("trace", "net:Clean").stdout == "All checks passed!\n"


def test_a_model_that_fails_does_not_hide_the_others() -> None:
    result = run("trace", "broken.py:Net", "net.py:Net", "net.py:Needy", "--output-format", "concise")
    assert result.exit_code == 2
    assert "net.py:12:16: DRP101" in result.stdout
    assert "2 models could not be checked." in result.stdout
    assert "error: broken.py:Net: raised RuntimeError: not today while it was imported (broken.py:1)" in result.stderr
    assert "error: net.py:Needy: 'Needy' cannot be built: missing a required argument: 'dim'" in result.stderr
    assert run("trace", "broken.py:Net", "--exit-zero").exit_code == 0
    assert "raise RuntimeError('not today')" in run("trace", "broken.py:Net", "-v").stderr


def test_json_has_failures_on_stderr_only() -> None:
    result = run("trace", "net.py:Net", "broken.py:Net", "--output-format", "json")
    (entry,) = json.loads(result.stdout)
    assert (entry["engines"], entry["modules"], entry["location"]["row"]) == (["graph"], ["a.b"], 12)
    assert entry["filename"] == str(Path("net.py").absolute())


def test_rules_levels_and_files_are_selected_as_in_check(folder: Path) -> None:
    assert run("trace", "net.py:Net", "--ignore", "DRP101").exit_code == 0
    assert run("trace", "net.py:Net", "--select", "DRP2").exit_code == 0
    assert run("trace", "net.py:Net", "--per-file-ignores", "net.py:DRP101").exit_code == 0
    assert run("trace", "net.py:Net", "--fail-level", "error").exit_code == 1
    off = ("trace", "net.py:Net", "--kwargs", '{"code": "DRP405"}')
    assert run(*off).exit_code == 0
    assert run(*off, "--extend-select", "DRP405").exit_code == 1
    declare(folder, more="ignore = ['DRP101']")
    assert run("trace", "net.py:Net").exit_code == 0
    assert run("trace", "net.py:Net", "--isolated").exit_code == 1
    assert run("trace", "net.py:Net", "--select", "DRP99").exit_code == 2


@pytest.mark.parametrize("comment", ["noqa: DRP101", "dropout-lint: ignore[DRP101]", "dropout-lint: ignore"])
def test_a_comment_in_the_file_suppresses(comment: str, folder: Path) -> None:
    (folder / "net.py").write_text(NET.replace("F.dropout(x, 0.5)", f"F.dropout(x, 0.5)  # {comment}"))
    result = run("trace", "net.py:Net")
    assert (result.exit_code, result.stdout) == (0, "No problems found, but 1 part could not be checked.\n")
    assert run("trace", "net.py:Net", "--kwargs", '{"line": 11}').exit_code == 1


def test_a_pragma_suppresses_in_its_function(folder: Path) -> None:
    (folder / "net.py").write_text(NET.replace("    def forward", "    # dropout-lint: mc-dropout\n    def forward"))
    assert run("trace", "net.py:Net", "--kwargs", '{"line": 13}').exit_code == 0
    assert run("trace", "net.py:Net", "--kwargs", '{"line": 7}').exit_code == 1


def test_a_finding_in_no_file_stands_at_the_model(folder: Path) -> None:
    (folder / "net.py").write_text(NET.replace('__file__, self.line, "a.b"', '"", self.line, "a.b"'))
    assert run("trace", "net.py:Net", "--output-format", "concise").stdout.startswith("net.py:Net:1:1: DRP101 measured")


def test_an_answer_that_is_none_is_a_bug_of_ours() -> None:
    result = run("trace", "net.py:Garbled")
    assert result.exit_code == 2
    assert "the answer cannot be read: no ModelFindings: " in result.stderr
    assert "this is a bug in dropout-lint" in result.stderr


# --- what is run


def test_engines_are_told_rules_and_options() -> None:
    said = run("validate", "net.py:Telling", "--allow", "flow.*", "--seed", "3", "--ignore", "DRP1").stderr
    assert "[['DRP401', 'DRP501'], " in said
    for option in ("('allow', ('flow.*',))", "('device', 'cpu')", "('seed', 3)", "('compile', False)"):
        assert option in said
    said = run("trace", "net.py:Telling", "--fake", "--select", "DRP5").stderr
    assert "[['DRP501'], " in said
    assert "('fake', True), ('graph', False)" in said


def test_declared_models_run_alone_by_name_and_from_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(folder, "target = 'net.py:Net'\nname = 'first'", "target = 'net:Net'\nkwargs = {line = 3}")
    found = run("trace", "--output-format", "concise").stdout.splitlines()
    assert [line.partition(" ")[0] for line in found[:-1]] == ["net.py:3:16:", "net.py:12:16:"]
    assert run("trace", "first", "--output-format", "concise").stdout.startswith("net.py:12:16:")
    assert run("trace", "net:Net", "--output-format", "concise").stdout.startswith("net.py:3:16:")
    again = run("trace", "net:Net", "--kwargs", '{"line": 5}', "--output-format", "concise")
    assert again.stdout.startswith("net.py:5:16:")
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert run("trace", "-q", "--output-format", "concise").stdout.count("DRP101") == 2


def test_a_declared_timeout_holds_and_the_option_goes_before_it(folder: Path) -> None:
    (folder / "hang.py").write_text("import time\n\ntime.sleep(60)\n")
    declare(folder, "target = 'hang.py:Net'\ntimeout = 0.6")
    assert "was stopped after 0.6 s (--timeout) while it was imported (hang.py:3)" in run("trace").stderr
    assert "was stopped after 0.5 s" in run("trace", "--timeout", "0.5").stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "No model is named, and pyproject.toml declares none: write 'package.module:Model' or 'file.py:Model'"),
        (["net.py"], "'net.py' does not say which attribute is the model: write 'net.py:ClassName'."),
        (["net.py:Net", "--input", "2,x"], "'2,x' is not an input"),
        (["net.py:Net", "--kwargs", "{"], "The arguments '{' are not valid JSON"),
        (["--kwargs", "{}"], "--kwargs and --input go with a TARGET."),
        (["net.py:Net", "--memory", "lots"], "'lots' is not a size such as 4GB or 500MB."),
        (["net.py:Net", "--timeout", "0"], "--timeout"),
        (["net.py:Net", "--isolated", "--config", "x.toml"], "--isolated and --config exclude each other."),
    ],
)
def test_wrong_usage_is_one_sentence(args: list[str], said: str) -> None:
    result = run("trace", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_files_that_take_one_model_are_not_overwritten_by_the_next() -> None:
    assert "--html takes one model, and 2 are to be checked." in run("validate", "net:Net", "a:B", "--html", "x").stderr
    assert "--svg takes one model, and 2 are to be checked." in run("trace", "net:Net", "a:B", "--svg", "x").stderr


def test_without_torch_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    for command in ("trace", "validate"):
        result = run(command, "net.py:Net")
        assert result.exit_code == 2
        assert result.stderr == (
            f"error: Running a model needs PyTorch, which is not installed for {sys.executable}: "
            "pip install 'dropout-lint[torch]'.\n"
        )


def test_check_runs_no_model_and_imports_nothing_that_would(folder: Path) -> None:
    declare(folder, "target = 'marking.py:Net'")
    (folder / "marking.py").write_text(f"open('ran', 'w').close()\n{NET}")
    assert run("check", "marking.py").exit_code == 1
    assert not (folder / "ran").exists()
    run("trace")
    assert (folder / "ran").exists()
    (folder / "pyproject.toml").unlink()
    program = (
        "import sys\nfrom dropout_lint.cli import main\ntry:\n    main()\nexcept SystemExit:\n"
        "    print([n for n in sys.modules if n.startswith(('dropout_lint.models', 'dropout_lint.linting.merging'))])"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program, "net.py"], capture_output=True, text=True, env=env, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# --- devices


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "--device cuda: PyTorch 2.13.0+cpu finds no CUDA device on this machine."),
        ("mps:1", "--device mps:1: PyTorch 2.13.0+cpu finds no Apple (mps) device on this machine."),
        ("cudda", "--device cudda: PyTorch 2.13.0+cpu knows no device of this name."),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(device: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    if device != "cudda" and getattr(torch, device.partition(":")[0]).device_count():
        pytest.skip("there is such a device")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = run("validate", "net.py:Net", "--device", device)
    assert result.exit_code == 2
    assert result.stderr == f"error: {said.replace('2.13.0+cpu', torch.__version__)}\n"


def test_a_device_is_spelt_in_one_way() -> None:
    result = run("validate", "net.py:Net", "--device", "GPU 0")
    assert result.exit_code == 2
    assert "'GPU 0' is not a device such as 'cpu', 'cuda' or 'cuda:1'." in result.stderr


# --- all engines at once


def test_a_run_that_agrees_is_named_in_the_finding_of_the_source(folder: Path) -> None:
    declare(folder, "target = 'net.py:Net'")
    (entry,) = json.loads(run("check", "net.py", "--with-models", "--output-format", "json").stdout)
    assert entry["engines"] == ["source", "graph", "runtime"]
    assert (entry["verdict"], entry["modules"]) == ("proven", ["a.b"])
    assert entry["fix"]["edits"]
    assert "`F.dropout` runs with the default" in entry["message"]
    (alone,) = json.loads(run("check", "net.py", "--output-format", "json").stdout)
    assert (alone["engines"], alone["verdict"]) == (["source"], None)


def test_a_run_that_disagrees_makes_it_information(folder: Path) -> None:
    declare(folder, "target = 'net.py:Refuting'")
    result = run("check", "net.py", "--with-models", "--output-format", "concise")
    assert "(refuted by running the model: it never drew)" in result.stdout
    assert result.exit_code == 0
    assert run("check", "net.py").exit_code == 1


def test_findings_in_files_that_are_not_linted_are_there_too(folder: Path) -> None:
    (folder / "other.py").write_text("x = 1\n")
    declare(folder, "target = 'net.py:Net'")
    result = run("check", "other.py", "--with-models", "--output-format", "concise")
    assert result.stdout.count("net.py:12:16: DRP101") == 1
    assert result.exit_code == 1


def test_a_model_that_fails_fails_the_check(folder: Path) -> None:
    declare(folder, "target = 'broken.py:Net'")
    result = run("check", "net.py", "--with-models", "--output-format", "concise")
    assert result.exit_code == 2
    assert "net.py:12:16: DRP101" in result.stdout
    assert result.stderr.count("error: broken.py:Net: raised RuntimeError") == 1
    assert "1 model could not be checked." in result.stdout


@pytest.mark.usefixtures("folder")
def test_with_models_needs_declared_ones_and_changes_no_file() -> None:
    result = run("check", "net.py", "--with-models")
    assert result.exit_code == 2
    assert "declares none" in result.stderr
    for option in ("--fix", "--diff"):
        assert "--with-models cannot be combined" in run("check", "net.py", "--with-models", option).stderr


def test_a_comment_for_what_a_run_finds_is_not_called_unused_by_the_source(folder: Path) -> None:
    text = "import torch.nn.functional as F\n\n\ndef f(x, model):\n    return F.relu(x)  # noqa: DRP401\n"
    (folder / "other.py").write_text(text)
    assert "DRP002" in run("check", "other.py").stdout
    declare(folder, "target = 'net.py:Clean'")
    assert run("check", "other.py").stdout == "All checks passed!\n"
    assert "DRP002" in run("check", "other.py", "--with-models").stdout
    declare(folder, "target = 'broken.py:Net'")
    assert "DRP002" not in run("check", "other.py", "--with-models").stdout


def test_a_suppressed_finding_of_a_run_uses_its_comment(folder: Path) -> None:
    (folder / "net.py").write_text(NET.replace("        self.code, self", "        self.code, self", 1))
    marked = NET.replace("return x\n", "return x  # noqa: DRP401\n", 1)
    (folder / "net.py").write_text(marked.replace("F.dropout(x, 0.5)", "x"))
    declare(folder, "target = 'net.py:Net'\nkwargs = {code = 'DRP401', line = 11}")
    assert run("check", "net.py", "--with-models").stdout == "All checks passed!\n"


# --- discovery

FOUND = """\
from torch import nn
import torch


class Base(nn.Module):
    def __init__(self, dim=4, *, deep=False):
        pass

    def forward(self):
        pass


class Child(Base):
    pass


class NeedsDim(Base):
    def __init__(self, dim):
        pass


class NeedsKeyword(Base):
    def __init__(self, *, dim):
        pass


class _Private(Base):
    pass


class NoForward(torch.nn.Module):
    pass


class Plain:
    def forward(self):
        pass
"""


def test_modules_without_arguments_are_found_without_running_anything(folder: Path) -> None:
    (folder / "a.py").write_text(FOUND + "\n\nraise RuntimeError\n")
    (folder / "b.py").write_text("from a import Child\n\n\nclass Grandchild(Child):\n    x = 'nn.Module'\n")
    (folder / "syntax.py").write_text("class A(nn.Module:\n")
    (folder / "venv").mkdir()
    (folder / "venv" / "c.py").write_text(FOUND)
    found = modules_without_arguments(Path(), lambda _: Settings(folder))
    names = {target.spec for target in found}
    assert {name for name in names if not name.startswith("net")} == {"a.py:Base", "a.py:Child", "b.py:Grandchild"}
    assert "net.py:Net" in names
    assert "net.py:Needy" not in names


def test_nothing_is_discovered_in_a_file_that_cannot_be_imported(folder: Path) -> None:
    text = "from torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n        print{}\n"
    (folder / "new.py").write_text(text.format("(x)"))
    (folder / "old.py").write_text(text.format(" x"))
    found = modules_without_arguments(Path(), lambda _: Settings(folder))
    specs = [target.spec for target in found]
    assert "new.py:Net" in specs
    assert "old.py:Net" not in specs


def test_discovered_modules_that_do_not_run_are_counted_and_fail_nothing(folder: Path) -> None:
    (folder / "net.py").write_text(NET.partition("class Refuting")[0])
    (folder / "bad.py").write_text(FOUND.replace("pass", "raise RuntimeError", 1))
    result = run("trace", "--discover", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.stdout.startswith("net.py:12:16: DRP101")
    assert "Tried 3 modules without arguments; 2 could not be checked." in result.stderr
    assert "bad.py:Base: raised RuntimeError" in run("trace", "--discover", "-v").stderr
    (folder / "net.py").unlink()
    nothing = run("trace", "--discover")
    assert nothing.exit_code == 0
    assert "2 could not be checked." in nothing.stderr
