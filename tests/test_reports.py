"""Output formats: the frames of ``full``, the shape of JSON, escapes of GitHub, and the lines that sum up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dropout_lint.config.output_formats import FORMATS
from dropout_lint.diagnostic import Applicability, Confidence, Diagnostic, Edit, Failure, Fix, Related, Severity, Span
from dropout_lint.report import render
from dropout_lint.report.view import Summary, render_failures


@dataclass(frozen=True)
class Found:
    diagnostics: tuple[Diagnostic, ...] = ()
    failures: tuple[Failure, ...] = ()
    checked: int = 1


EDIT = Edit(Span(1, 1, 1, 1), "x")
SAFE = Fix("Add `training=self.training`", Applicability.SAFE, (EDIT,), ("import torch",))
UNSAFE = Fix("Swap them", Applicability.UNSAFE, (EDIT,))
ADVICE = Fix("Think again", Applicability.DISPLAY)


def at(
    line: int, column: int, end_line: int, end_column: int, fix: Fix | None = None, severity: Severity = Severity.ERROR
) -> Diagnostic:
    return Diagnostic("DRP101", "a.py", Span(line, column, end_line, end_column), "stays on", severity, fix)


def shown(
    format: str,
    *diagnostics: Diagnostic,
    source: str | None = None,
    failures: tuple[Failure, ...] = (),
    color: bool = False,
    **summary: Any,
) -> str:
    return render(
        Found(diagnostics, failures), format, sources=lambda _: source, color=color, summary=Summary(**summary)
    )


def frame(source: str, *span: int) -> str:
    return shown("full", at(*span), source=source, quiet=True)  # type: ignore[arg-type]


def test_full_shows_the_code_the_reason_and_the_help() -> None:
    source = "import os\n\nclass A:\n    def forward(self, x):\n        return drop(x)\n\n\n\nx = 1\n"
    finding = replace(at(5, 16, 5, 23, SAFE), related=(Related("b.py", Span(3, 1, 3, 5), "rate is 0.5 here"),))
    assert shown("full", finding, source=source) == (
        "DRP101 [*] stays on\n"
        " --> a.py:5:16\n"
        "  |\n"
        "3 | class A:\n"
        "4 |     def forward(self, x):\n"
        "5 |         return drop(x)\n"
        "  |                ^^^^^^^ error\n"
        "  |\n"
        "  = note: b.py:3: rate is 0.5 here\n"
        "  = help: Add `training=self.training`\n"
        "\n"
        "Found 1 problem (1 error).\n"
        "[*] 1 fixable with `--fix`.\n"
    )


RELATED = (
    Related("b.py", Span(3, 1, 3, 5), "built here"),
    Related("c.py", Span(7, 2, 7, 5), "left in train mode here"),
)


def test_several_related_places_are_numbered_in_their_order() -> None:
    finding = replace(at(1, 1, 1, 2), related=RELATED)
    first, second = "1. b.py:3: built here", "2. c.py:7: left in train mode here"
    assert f"  = note: {first}\n  = note: {second}\n" in shown("full", finding, source="x\n")
    assert shown("github", finding).endswith(f"a.py:1:1: DRP101 stays on%0A{first}%0A{second}\n")
    suites = ElementTree.fromstring(shown("junit", finding))
    assert suites[0][0][0].text == f"a.py:1:1\n{first}\n{second}"
    (entry,) = json.loads(shown("gitlab", finding))
    assert [(other["path"], other["lines"]["begin"]) for other in entry["other_locations"]] == [
        ("b.py", 3),
        ("c.py", 7),
    ]
    (entry,) = json.loads(shown("json", finding))
    assert [other["message"] for other in entry["related"]] == ["built here", "left in train mode here"]


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "json"])
def test_a_finding_that_is_not_proven_says_so(format: str) -> None:
    for confidence in (Confidence.LIKELY, Confidence.POSSIBLE):
        text = shown(format, replace(at(1, 1, 1, 2), confidence=confidence))
        assert f"stays on [{confidence}]" in text.replace("%5D", "]")
    assert "[" not in shown(format, at(1, 1, 1, 2), quiet=True).partition("stays on")[2].partition("\n")[0]


@pytest.mark.parametrize("confidence", Confidence)
def test_json_always_has_the_confidence(confidence: Confidence) -> None:
    (entry,) = json.loads(shown("json", replace(at(1, 1, 1, 2), confidence=confidence)))
    assert (entry["confidence"], entry["message"]) == (confidence, "stays on")


def underlined(text: str) -> tuple[str, str]:
    lines = text.splitlines()
    row = next(n for n, line in enumerate(lines) if "^" in line)
    return lines[row - 1], lines[row]


@pytest.mark.parametrize("before", ["x = '模型'; ", "\tx; ", "a\t= ", "é𝄞 = ", "e\u0301 = ", "\x0cx = '\u200b'; ", ""])
def test_the_underline_stands_below_the_span(before: str) -> None:
    code, line = underlined(frame(f"{before}drop(x)\n", 1, len(before) + 1, 1, len(before) + 8))
    cells = re.sub("[\u0301\u200b]", "", code).replace("模型", "....")
    assert cells.index("drop") == line.index("^")
    assert line.count("^") == 7


def test_a_long_line_is_cut_around_the_span() -> None:
    source = f"short\n[{'1, ' * 500}drop(x), {'2, ' * 500}]\n"
    code, line = underlined(frame(source, 2, 1502, 2, 1509))
    assert len(code) < 130
    assert code[line.index("^") :].startswith("drop(x)")
    assert code.count("…") == 2
    assert "1 | …\n" in frame(source, 2, 1502, 2, 1509)
    assert len(underlined(frame(source, 2, 1, 2, 3000))[1]) < 140


@pytest.mark.parametrize("columns", [54, 80, 120])
def test_code_is_cut_to_the_width_of_the_terminal(columns: int) -> None:
    source = f"{'a = 1; ' * 20}drop(x); {'b = 2; ' * 20}\nf(\n    {'1, ' * 60}drop(y)\n)\n"

    def cut(*span: int) -> str:
        line, column, end_line, end_column = span
        found = Found((at(line, column, end_line, end_column, severity=Severity.WARNING),))
        text = render(found, "full", sources=lambda _: source, color=False, summary=Summary(), columns=columns)
        assert max(len(line) for line in text.splitlines() if "|" in line) <= columns, text
        return text

    code, line = underlined(cut(1, 141, 1, 148))
    assert code[line.index("^") :].startswith("drop(x); b = 2;")
    assert code.count("…") == 2
    assert underlined(cut(3, 185, 3, 192))[0].endswith("1, 1, drop(y)")
    for span in ((2, 1, 4, 2), (1, 1, 1, 281)):
        assert "…" in cut(*span)


def test_a_span_of_several_lines_has_a_side() -> None:
    source = "a\n    x = f(\n        1,\n    )\nb\n"
    assert frame(source, 2, 5, 4, 6).splitlines()[3:8] == [
        "1 |   a",
        "2 | /     x = f(",
        "3 | |         1,",
        "4 | |     )",
        "  | |_____^ error",
    ]
    assert frame(source, 2, 9, 4, 6).splitlines()[4:6] == ["2 |       x = f(", "  |  _________^"]


def test_a_very_long_span_is_shortened() -> None:
    source = "f(\n" + "  1,\n" * 200 + ")\n"
    text = frame(source, 1, 1, 202, 2)
    assert len(text.splitlines()) < 16
    assert "... | |" in text
    assert "202 | | )" in text


@pytest.mark.parametrize("span", [(1, 1, 1, 1), (1, 4, 1, 4), (2, 1, 2, 1), (1, 1, 2, 1), (1, 2, 1, 99)])
def test_odd_spans_have_a_frame(span: tuple[int, int, int, int]) -> None:
    assert "^" in frame("abc\n", *span)


@pytest.mark.parametrize("source", [None, "", "x = 1\n"])
def test_without_the_line_there_is_no_frame_but_the_severity(source: str | None) -> None:
    assert shown("full", at(7, 1, 7, 2), source=source, quiet=True) == "DRP101 stays on\n --> a.py:7:1 (error)\n\n"


def test_help_says_how_a_fix_is_applied() -> None:
    def help_line(fix: Fix, **summary: Any) -> str:
        text = shown("full", at(1, 1, 1, 2, fix), source="x", **summary)
        return text[text.index("= help") :].splitlines()[0]

    assert help_line(UNSAFE) == "= help: Swap them (unsafe, applied with --unsafe-fixes)"
    assert help_line(UNSAFE, unsafe_fixes=True) == "= help: Swap them"
    assert help_line(ADVICE) == "= help: Think again"


def test_colours_come_only_when_asked_for_and_change_no_text() -> None:
    finding = at(1, 1, 1, 2, SAFE)
    for format in ("full", "concise", "grouped"):
        plain, coloured = (shown(format, finding, source="x", color=color) for color in (False, True))
        assert "\x1b" not in plain
        assert coloured != plain
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_concise_is_one_line_a_finding() -> None:
    finding = replace(at(3, 9, 4, 2, SAFE), message="two\nlines\x1b")
    assert shown("concise", finding, quiet=True) == "a.py:3:9: DRP101 [*] two lines \n"
    assert shown("concise", at(3, 9, 4, 2, UNSAFE), quiet=True) == "a.py:3:9: DRP101 stays on\n"
    assert shown("concise", at(3, 9, 4, 2, UNSAFE), quiet=True, unsafe_fixes=True).count("[*]") == 1


@pytest.mark.parametrize(
    ("fixes", "line"),
    [
        ([None, ADVICE], None),
        ([SAFE, SAFE, UNSAFE], "[*] 2 fixable with `--fix` (1 more with `--unsafe-fixes`)."),
        ([UNSAFE], "1 fixable with `--fix --unsafe-fixes`."),
    ],
)
def test_the_summary_counts_fixes(fixes: list[Fix | None], line: str | None) -> None:
    lines = shown("concise", *(at(1, 1, 1, 2, fix) for fix in fixes)).splitlines()[len(fixes) + 1 :]
    assert lines == ([line] if line else [])


def test_the_summary_counts_severities_and_what_was_fixed() -> None:
    kinds = [Severity.WARNING, Severity.ERROR, Severity.WARNING, Severity.INFO]
    text = shown("concise", *(at(1, 1, 1, 2, severity=kind) for kind in kinds), fixed=2)
    assert text.splitlines()[4:] == ["Fixed 2 problems.", "Found 4 problems (1 error, 2 warnings, 1 info)."]
    assert shown("concise", fixed=1) == "Fixed 1 problem.\n"


@pytest.mark.parametrize("format", ["full", "concise", "grouped"])
def test_all_checks_passed_only_if_all_was_checked(format: str) -> None:
    assert shown(format) == "All checks passed!\n"
    failures = (Failure("a.py", "gone"), Failure("b.py", "boom", "DRP101"), Failure("b.py", "boom", "DRP102"))
    assert shown(format, failures=failures) == "2 files could not be checked.\n"
    assert shown(format, failures=failures, quiet=True) == shown(format, quiet=True) == ""


def test_failures_are_one_line_each() -> None:
    failures = (Failure("a.py", "gone"), Failure("b.py", "KeyError:\n  'x'", "DRP101"))
    assert render_failures(failures, color=False) == "error: a.py: gone\nerror: b.py: DRP101: KeyError: 'x'\n"
    assert "\x1b" in render_failures(failures, color=True)
    crash = (Failure("a.py", "rule DRP101 crashed: KeyError", "DRP101"),)
    assert render_failures(crash, color=False) == "error: a.py: rule DRP101 crashed: KeyError\n"


def test_json_has_the_shape_of_ruff_and_more() -> None:
    finding = replace(at(1, 5, 3, 2, SAFE), related=(Related("b.py", Span(3, 1, 3, 5), "here"),))
    (entry,) = json.loads(shown("json", finding, source="x = '''\n\n''' + é\n"))
    assert entry["location"] == {"row": 1, "column": 5}
    assert entry["end_location"] == {"row": 3, "column": 2}
    assert entry["noqa_row"] == 3
    assert entry["filename"] == str(Path("a.py").absolute())
    assert entry["fix"]["edits"] == [
        {"content": "x", "location": {"row": 1, "column": 1}, "end_location": {"row": 1, "column": 1}}
    ]
    assert (entry["fix"]["applicability"], entry["fix"]["imports"]) == ("safe", ["import torch"])
    assert (entry["severity"], entry["engines"], entry["cell"]) == ("error", ["source"], None)
    assert entry["name"] == "functional-dropout-ignores-mode"
    assert entry["url"].endswith("/rules/DRP101-functional-dropout-ignores-mode/")
    assert entry["related"][0]["message"] == "here"


def test_json_has_the_keys_of_ruff(tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    (tmp_path / "x.py").write_text("import os\n")
    done = subprocess.run(
        [ruff, "check", "--isolated", "--no-cache", "--output-format", "json", tmp_path], capture_output=True
    )
    (theirs,) = json.loads(done.stdout)
    (ours,) = json.loads(shown("json", at(1, 1, 1, 2, SAFE), source="x"))

    def keys(value: object) -> object:
        if isinstance(value, Mapping):
            return {key: keys(item) for key, item in value.items()}
        return [keys(item) for item in value] if isinstance(value, list) else None

    def within(small: Any, large: Any) -> bool:
        if isinstance(small, dict):
            return all(key in large and within(item, large[key]) for key, item in small.items())
        return not isinstance(small, list) or all(within(a, b) for a, b in zip(small, large, strict=True))

    theirs.pop("severity", None)
    assert within(keys(theirs), keys(ours))


def test_json_of_nothing_is_an_empty_list() -> None:
    assert shown("json", failures=(Failure("a.py", "gone"),)) == "[]\n"
    (entry,) = json.loads(shown("json", replace(at(1, 1, 1, 2), code="DRP999")))
    assert (entry["fix"], entry["url"], entry["name"], entry["noqa_row"]) == (None, None, None, 1)


def test_github_commands_are_escaped() -> None:
    finding = replace(at(1, 2, 3, 4, severity=Severity.INFO), path="/a,b:c%.py", message="50%\nnext: a, b")
    assert shown("github", finding) == (
        "::notice title=dropout-lint (DRP101),file=/a%2Cb%3Ac%25.py,line=1,endLine=3,col=2,endColumn=4::"
        "/a,b:c%25.py:1:2: DRP101 50%25%0Anext: a, b\n"
    )
    assert shown("github", at(1, 1, 1, 1, severity=Severity.WARNING)).startswith("::warning ")
    assert shown("github") == ""


def test_grouped_has_the_findings_below_their_file() -> None:
    other = replace(at(120, 1, 120, 2), path="b.py")
    assert shown("grouped", at(1, 12, 1, 14, SAFE), at(20, 1, 20, 2), other, quiet=True) == (
        "a.py:\n  1:12  DRP101 [*] stays on\n  20:1  DRP101 stays on\n\nb.py:\n  120:1  DRP101 stays on\n\n"
    )
    assert shown("grouped") == "All checks passed!\n"


def test_what_was_left_out_is_not_called_clean() -> None:
    assert shown("concise", left_out=("3 known problems",)) == "No new problems.\nLeft out: 3 known problems.\n"
    (_, *lines) = shown("concise", at(1, 1, 1, 2), left_out=("3 known problems", "1 problem on x")).splitlines()
    assert lines == ["Found 1 problem (1 error).", "Left out: 3 known problems, 1 problem on x."]


def test_pylint_lines_have_file_line_and_code() -> None:
    finding = replace(at(3, 9, 4, 2, SAFE), message="two\nlines")
    assert shown("pylint", finding) == "a.py:3: [DRP101] two lines\n"
    assert shown("pylint") == ""


def test_azure_commands_are_escaped() -> None:
    finding = replace(at(1, 2, 3, 4), path="a;b].py", message="50 % now; a[0]\nnext")
    assert shown("azure", finding) == (
        "##vso[task.logissue type=error;sourcepath=a%3Bb%5D.py;linenumber=1;columnnumber=2;code=DRP101;]"
        "50 %AZP25 now%3B a[0%5D next\n"
    )
    assert "type=warning;" in shown("azure", at(1, 1, 1, 1, severity=Severity.INFO))
    assert shown("azure") == ""


def test_gitlab_entries_have_what_a_merge_request_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "x = drop(a)\ny = drop(a)\n"
    findings = (at(1, 5, 1, 12), at(2, 5, 2, 12, severity=Severity.WARNING), at(2, 5, 2, 12, severity=Severity.INFO))
    entries = json.loads(shown("gitlab", *findings, source=source))
    assert {**entries[0], "fingerprint": ""} == {
        "description": "DRP101: stays on",
        "check_name": "DRP101",
        "fingerprint": "",
        "severity": "critical",
        "location": {"path": "a.py", "lines": {"begin": 1, "end": 1}},
    }
    assert [entry["severity"] for entry in entries] == ["critical", "major", "info"]
    assert len({entry["fingerprint"] for entry in entries}) == 3
    monkeypatch.setenv("CI_PROJECT_DIR", str(Path.cwd().parent))
    (entry,) = json.loads(shown("gitlab", at(1, 5, 1, 12), source=source))
    assert entry["location"]["path"] == f"{Path.cwd().name}/a.py"
    assert shown("gitlab") == "[]\n"


def test_junit_counts_findings_and_what_could_not_be_checked() -> None:
    finding = replace(at(3, 9, 4, 2), message='<b> & "c"\x1b', path="lib/a.py")
    failures = (Failure("b.py", "gone"), Failure("b.py", "crashed", "DRP102"))
    suites = ElementTree.fromstring(shown("junit", finding, at(1, 1, 1, 2), failures=failures))
    assert (suites.tag, suites.attrib) == (
        "testsuites",
        {"name": "dropout-lint", "tests": "4", "failures": "2", "errors": "2"},
    )
    first, _, failed = suites
    assert [first.get(key) for key in ("name", "tests", "failures", "errors")] == ["lib/a.py", "1", "1", "0"]
    (case,) = first
    assert case.attrib == {"name": "DRP101", "classname": "lib/a", "file": "lib/a.py", "line": "3"}
    assert case[0].attrib == {"message": '<b> & "c" ', "type": "error"}
    assert [(case.get("name"), case[0].tag, case[0].get("message")) for case in failed] == [
        ("not checked", "error", "gone"),
        ("DRP102", "error", "crashed"),
    ]


def test_junit_of_a_clean_run_is_a_case_that_passed() -> None:
    suites = ElementTree.fromstring(shown("junit"))
    assert (suites.get("tests"), suites.get("failures"), len(suites[0]), len(suites[0][0])) == ("1", "0", 1, 0)


def test_statistics_count_by_rule() -> None:
    other = replace(at(1, 1, 1, 2), code="DRP102")
    text = shown("full", other, at(1, 1, 1, 2, SAFE), at(1, 1, 1, 2), statistics=True)
    assert text.splitlines()[:2] == [
        "2  DRP101  [-]  functional-dropout-ignores-mode",
        "1  DRP102  [ ]  attention-dropout-ignores-mode",
    ]
    (first, _) = json.loads(shown("json", other, at(1, 1, 1, 2, SAFE), at(1, 1, 1, 2), statistics=True))
    assert first == {"code": "DRP101", "name": "functional-dropout-ignores-mode", "count": 2, "fixable_count": 1}
    assert shown("concise", statistics=True) == "All checks passed!\n"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from full, concise"):
        shown("xml")


def test_reports_need_neither_rich_nor_libcst() -> None:
    code = f"""
import sys
from dropout_lint.diagnostic import *
from dropout_lint.report import *
class R:
    diagnostics = (Diagnostic("DRP101", "a.py", Span(1, 1, 1, 2), "m", Severity.ERROR),)
    failures = ()
    checked = 1
for format in {list(FORMATS)!r}:
    assert render(R(), format, sources=lambda p: "x", color=True, summary=Summary())
print(sorted({{"rich", "libcst", "torch"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
