"""The checks of runs: each finding is reported under the settings of its own file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dropout_lint import checks
from dropout_lint.config.settings import Settings
from dropout_lint.linting.checking import check_runs
from dropout_lint.linting.collecting import collect
from dropout_lint.linting.linking import link
from dropout_lint.linting.linter import Linter
from dropout_lint.linting.stages import FileSet, LintResult
from dropout_lint.linting.workspace import Workspace
from tests.linting import write_files
from tests.mode_helpers import MAIN, NET, STEPS

ON = frozenset({"DRP205", "DRP206", "DRP207"})


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A program whose evaluation, in another file than its run begins in, lacks ``eval()``."""
    steps = STEPS.format(train="pass", evaluate="pass")
    return write_files(tmp_path, {"net.py": NET, "steps.py": steps, "main.py": MAIN.format(net="net", steps="steps")})


def lint(files: list[Path], **by_name: Settings) -> LintResult:
    everything = Settings(root=files[0].parent, enabled=ON, fixable=ON)
    return Linter(lambda path: by_name.get(path.stem, everything), jobs=1).run(files)


def found(result: LintResult) -> list[tuple[str, str]]:
    return [(Path(d.path).name, d.code) for d in result.diagnostics]


def test_a_finding_is_in_the_file_of_the_evaluation(files: list[Path]) -> None:
    assert found(lint(files)) == [("steps.py", "DRP206")]


@pytest.mark.parametrize(("name", "reported"), [("steps", False), ("main", True)])
def test_a_rule_is_off_by_the_settings_of_the_file_with_the_finding(
    name: str, reported: bool, files: list[Path]
) -> None:
    off = Settings(root=files[0].parent, enabled=ON - {"DRP206"}, fixable=ON)
    assert found(lint(files, **{name: off})) == ([("steps.py", "DRP206")] if reported else [])


@pytest.mark.parametrize(("name", "reported"), [("steps", False), ("main", True)])
def test_names_that_declare_intent_are_those_of_the_file_with_the_finding(
    name: str, reported: bool, files: list[Path]
) -> None:
    named = replace(Settings(root=files[0].parent, enabled=ON, fixable=ON), mc_dropout_names=("evaluate",))
    assert found(lint(files, **{name: named})) == ([("steps.py", "DRP206")] if reported else [])


def test_a_pragma_on_the_line_declares_intent(files: list[Path]) -> None:
    steps = files[1]
    call = "            F.cross_entropy(model(x), y)"
    steps.write_text(steps.read_text().replace(f"{call}\n", f"{call}  # dropout-lint: mc-dropout\n"))
    assert found(lint(files)) == []


def test_a_check_that_crashes_on_a_run_hides_nothing_else(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_run: object, _context: object) -> None:
        raise ZeroDivisionError("never mind")

    table = dict(checks.checks())
    table["DRP207"] = (table["DRP207"][0], crash)  # type: ignore[assignment]
    monkeypatch.setattr(checks, "checks", lambda enabled=table: {c: table[c] for c in table if c in enabled})
    result = lint(files)
    assert found(result) == [("steps.py", "DRP206")]
    assert {(Path(f.path).name, f.code) for f in result.failures} == {("steps.py", "DRP207"), ("main.py", "DRP207")}
    assert {f.reason for f in result.failures} == {
        "rule DRP207 crashed: ZeroDivisionError: never mind; this is a bug in dropout-lint"
    }


def test_a_file_that_changes_before_the_check_of_a_run_is_a_failure(files: list[Path]) -> None:
    space = Workspace()
    everything = Settings(root=files[0].parent, enabled=ON, fixable=ON)
    collected = collect(FileSet.of(files, lambda _: everything), space.disk, space.analyses)
    linked = link(collected, space.project(collected))
    files[1].write_text('"""Another first line."""\n' + files[1].read_text())
    checked = check_runs(linked, space.project(collected)).found
    assert [one.diagnostics for one in checked.values()] == [()]
    assert [(Path(f.path).name, f.reason) for one in checked.values() for f in one.failures] == [
        ("steps.py", "the file changed during the run")
    ]
