"""How sure a finding is: what that does to its severity and fix, and which findings are reported."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from dropout_lint import checks
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.commands.shared.model_run import selected
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Applicability, CodePlace, Confidence, Diagnostic, Severity, Span, surer
from dropout_lint.disk import Disk
from dropout_lint.facts import DropoutSite, FileFacts, ModeRun
from dropout_lint.facts.observations import UnreachedDropout
from dropout_lint.flake8_plugin import DropoutLint
from dropout_lint.linting.linter import Linter
from dropout_lint.linting.merging import Findings
from dropout_lint.model_linting.graph_context import GraphContext
from dropout_lint.model_linting.run_findings import check_observations
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from dropout_lint.runtime.page import render
from dropout_lint.runtime.report import Report
from dropout_lint.server.convert import ClientPositions, as_diagnostic
from dropout_lint.server.document import check_document
from tests.linting import check, lint_text, reported, run, write
from tests.mode_helpers import NET

PROVEN, LIKELY, POSSIBLE = Confidence
BY_RATE = {0.3: LIKELY, 0.1: POSSIBLE}
HEAD = """\
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def forward(self, x):
"""
CALLS = """\
        a = F.dropout(x, 0.5)
        b = F.dropout(x, 0.3)
        c = F.dropout(x, 0.1)
        return a, b, c
"""
MODEL = HEAD + CALLS
AT_7, AT_8, AT_9 = (f"net.py:{line}:13" for line in (7, 8, 9))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which DRP101 is less sure of low rates."""
    table = dict(checks.checks())
    kind, proven = table["DRP101"]

    def hedged(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
        class Hedging(Context):
            def report(self, *args: Any, **more: Any) -> Diagnostic:
                confidence = BY_RATE.get(site.rate.number or 0.0, PROVEN)
                return super().report(*args, confidence=confidence, **more)

        return proven(site, Hedging(context.code, context.facts, context.project, context.settings))

    table["DRP101"] = (kind, hedged)
    replace_checks(monkeypatch, table)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replace_checks(monkeypatch: pytest.MonkeyPatch, table: dict[str, Any]) -> None:
    monkeypatch.setattr(checks, "checks", lambda enabled: {code: table[code] for code in table if code in enabled})


# --- severity and fix


def test_ranks_are_in_order() -> None:
    assert [one.rank for one in Confidence] == [2, 1, 0]


@pytest.mark.parametrize(
    ("confidence", "limited"),
    [
        (PROVEN, [Severity.ERROR, Severity.WARNING, Severity.INFO]),
        (LIKELY, [Severity.WARNING, Severity.WARNING, Severity.INFO]),
        (POSSIBLE, [Severity.INFO, Severity.INFO, Severity.INFO]),
    ],
)
def test_what_is_less_sure_is_less_severe(confidence: Confidence, limited: list[Severity]) -> None:
    assert [confidence.limit(severity) for severity in Severity] == limited


def test_only_a_proven_finding_is_an_error_with_a_safe_fix() -> None:
    sure, unsure = lint_text(MODEL, {"DRP101"})
    assert (sure.confidence, sure.severity) == (PROVEN, Severity.ERROR)
    assert (unsure.confidence, unsure.severity) == (LIKELY, Severity.WARNING)
    assert sure.fix is not None
    assert unsure.fix is not None
    assert (sure.fix.applicability, unsure.fix.applicability) == (Applicability.SAFE, Applicability.UNSAFE)


def test_an_observation_can_be_less_sure_too() -> None:
    fact = UnreachedDropout(CodePlace("net.py", Span(3, 5, 3, 20)), ("drop",), "Dropout", 0.5, drops_paths=False)
    for confidence in Confidence:
        found = ObservedContext("DRP101").report(fact, "stays on", confidence=confidence)
        assert (found.confidence, found.severity) == (confidence, confidence.limit(Severity.ERROR))
    assert {one.confidence for one in check_observations([fact])} == {PROVEN}


def test_a_finding_in_a_layer_graph_can_be_less_sure_too() -> None:
    context = GraphContext("DRP101", FileFacts("net.py", ""), Project(Files(Disk())), Settings(Path()))
    found = context.report(Span(3, 5, 3, 20), "stays on", confidence=LIKELY)
    assert (found.confidence, found.severity, found.engines) == (LIKELY, Severity.WARNING, ("graph",))


def test_of_equal_findings_about_runs_the_surest_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _ = checks.checks({"DRP206"})["DRP206"]

    def several(mode_run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
        here = context.file(mode_run.path)
        assert here is not None
        for confidence in (POSSIBLE, PROVEN, LIKELY):
            yield here.report(mode_run.events[0].location.span, f"is {confidence}", confidence=confidence)

    replace_checks(monkeypatch, {"DRP206": (kind, several)})
    found = lint_text(f"{NET}\n\nnet = Net()\nnet.train()\n", {"DRP206"})
    assert {one.message for one in found} == {"is proven"}


def test_of_two_alike_the_first_is_surer() -> None:
    (first, second, *_) = lint_text(MODEL.replace("0.3", "0.5"), {"DRP101"})
    assert surer(first, second) is first


# --- the floor


@pytest.mark.parametrize(
    ("args", "shown", "code"),
    [
        ([], [AT_7, AT_8], 1),
        (["--confidence", "proven"], [AT_7], 1),
        (["--confidence", "possible"], [AT_7, AT_8, AT_9], 1),
        (["--confidence", "possible", "--fail-level", "error"], [AT_7, AT_8, AT_9], 1),
        (["--select", "DRP101"], [AT_7, AT_8], 1),
    ],
)
def test_the_option_says_what_is_reported(args: list[str], shown: list[str], code: int) -> None:
    write("net.py", MODEL)
    result = check("net.py", *args)
    assert (reported(result), result.exit_code) == (shown, code)


@pytest.mark.parametrize(("rate", "level", "code"), [("0.3", "error", 0), ("0.3", "warning", 1), ("0.1", "warning", 0)])
def test_a_run_fails_by_the_limited_severity(rate: str, level: str, code: int) -> None:
    write("net.py", f"{HEAD}        return F.dropout(x, {rate})\n")
    result = check("net.py", "--confidence", "possible", "--fail-level", level)
    assert (len(reported(result)), result.exit_code) == (1, code)


def test_each_folder_has_its_own_floor_and_the_command_line_wins() -> None:
    for name, confidence in (("strict", "proven"), ("open", "possible")):
        write(f"{name}/net.py", MODEL)
        write(f"{name}/pyproject.toml", f'[tool.dropout-lint]\nconfidence = "{confidence}"\n')
    found = [f"open/{AT_7}", f"open/{AT_8}", f"open/{AT_9}", f"strict/{AT_7}"]
    assert reported(run("check", "--output-format", "concise")) == found
    found = [f"{name}/{place}" for name in ("open", "strict") for place in (AT_7, AT_8)]
    assert reported(run("check", "--output-format", "concise", "--confidence", "likely")) == found


def test_text_from_standard_input_has_the_floor_of_its_file() -> None:
    write("pyproject.toml", '[tool.dropout-lint]\nconfidence = "proven"\n')
    result = run("check", "-", "--stdin-filename", "net.py", "--output-format", "concise", stdin=MODEL)
    assert reported(result) == [AT_7]


def test_verbose_counts_what_is_not_reported() -> None:
    write("net.py", MODEL)
    assert "not reported: 1 finding of lower confidence; see --confidence\n" in check("net.py", "-v").stderr
    assert "not reported" not in check("net.py", "-v", "--confidence", "possible").stderr


@pytest.mark.parametrize("confidence", Confidence)
def test_findings_of_models_have_a_floor(confidence: Confidence) -> None:
    span, info = Span(1, 1, 1, 2), Severity.INFO
    found = [Diagnostic("DRP101", f"{one}.py", span, "seen", info, None, one) for one in Confidence]
    settings = Settings(Path(), enabled=frozenset({"DRP101"}), confidence=confidence)
    shown = selected(Findings(found), lambda _: settings)
    assert {one.confidence for one in shown} == {one for one in Confidence if one.rank >= confidence.rank}


def test_a_finding_that_a_run_proves_is_above_the_floor() -> None:
    path = write("net.py", MODEL)
    ran = Diagnostic("DRP101", str(path), Span(9, 13, 9, 30), "drew", Severity.ERROR, engines=("runtime",))
    settings = Settings(Path(), enabled=frozenset({"DRP101"}), confidence=PROVEN)
    found = Linter(lambda _: settings, jobs=1, runs=Findings([ran])).run([path]).diagnostics
    assert [(one.span.line, one.confidence, one.severity) for one in found] == [
        (7, PROVEN, Severity.ERROR),
        (9, PROVEN, Severity.ERROR),
    ]


def test_flake8_and_editors_show_how_sure_a_finding_is() -> None:
    path = write("net.py", MODEL)
    flake8 = DropoutLint(ast.parse(MODEL), str(path), MODEL.splitlines(keepends=True))
    proven, likely = (text for _, _, text, _ in flake8.run())
    assert proven.endswith("`model.eval()`.")
    assert likely.endswith("`model.eval()`. [likely]")
    lines = ClientPositions(MODEL, PositionCodec())
    shown = [as_diagnostic(one, lines, lambda *_: None) for one in check_document(path, MODEL).diagnostics]
    assert ["[likely]" in one.message for one in shown] == [False, True]
    assert [one.severity for one in shown] == [types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning]


def test_the_report_about_a_model_shows_how_sure_a_finding_is() -> None:
    found = Diagnostic("DRP101", "net.py", Span(1, 1, 1, 2), "drew", Severity.INFO, None, POSSIBLE, modules=("drop",))
    report = Report([found])
    assert "drew [possible] (`drop`)" in str(report)
    assert "<td>drew [possible]<br>" in render(report, "Net")


@pytest.mark.parametrize("command", ["check", "trace", "validate"])
def test_all_commands_that_report_findings_have_the_option(command: str) -> None:
    assert "--confidence [proven|likely|possible]" in run(command, "--help").stdout


# --- comments, the cache, fixes and baselines


@pytest.mark.parametrize("confidence", Confidence)
def test_a_comment_is_used_whether_its_finding_would_be_reported_or_not(confidence: Confidence) -> None:
    text = MODEL.replace("0.1)", "0.1)  # noqa: DRP101")
    write("net.py", text)
    assert AT_9 not in reported(check("net.py", "--confidence", confidence))
    assert "DRP002" not in check("net.py", "--confidence", confidence).stdout
    write("net.py", text.replace("0.1)", "0.1, training=self.training)"))
    assert "DRP002" in check("net.py", "--confidence", confidence).stdout


def test_comments_are_added_for_what_is_reported() -> None:
    path = write("net.py", MODEL)
    check("net.py", "--add-noqa")
    assert [line for line in path.read_text().splitlines() if "ignore[" in line] == [
        "        a = F.dropout(x, 0.5)  # dropout-lint: ignore[DRP101]",
        "        b = F.dropout(x, 0.3)  # dropout-lint: ignore[DRP101]",
    ]


def test_the_cache_of_one_floor_is_not_read_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DROPOUT_LINT_NO_CACHE")
    write("net.py", MODEL)
    write("pyproject.toml", "[tool.dropout-lint]\n")
    args = ("check", "net.py", "--output-format", "concise", "--confidence")
    for _ in range(2):
        for count, confidence in enumerate(Confidence, 1):
            assert len(reported(run(*args, confidence))) == count
            assert ("not reported" in run(*args, confidence, "-v").stderr) == (count < 3)
    assert list(Path(".dropout_lint_cache").rglob("run-*.json"))


def test_fix_mends_what_is_proven_and_with_unsafe_fixes_what_is_reported() -> None:
    path = write("net.py", MODEL)
    check("--fix", "net.py")
    assert path.read_text() == MODEL.replace("0.5)", "0.5, training=self.training)")
    check("--fix", "--unsafe-fixes", "net.py")
    assert path.read_text().count("training=self.training") == 2
    check("--fix", "--unsafe-fixes", "--confidence", "possible", "net.py")
    assert path.read_text().count("training=self.training") == 3


def test_a_baseline_keeps_what_a_higher_floor_does_not_report() -> None:
    def known() -> int:
        files = json.loads(Path("known.json").read_text())["findings"]
        return sum(entry["count"] for entries in files.values() for entry in entries)

    write("net.py", MODEL)
    args = ("--baseline", "known.json", "net.py", "--confidence")
    check("--write-baseline", *args, "possible")
    assert known() == 3
    strict = check(*args, "proven")
    assert (reported(strict), strict.stderr) == ([], "")
    check("--write-baseline", *args, "proven")
    assert known() == 3
    Path("known.json").unlink()
    check("--write-baseline", *args, "proven")
    assert known() == 1
    assert reported(check(*args, "possible")) == [AT_8, AT_9]
