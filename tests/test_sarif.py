"""SARIF: the official schema, what GitHub reads, and fixes that a program can apply knowing nothing but regions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from dropout_lint.diagnostic import Applicability, Confidence, Diagnostic, Edit, Failure, Fix, Related, Severity, Span
from dropout_lint.report import render
from dropout_lint.report.view import Summary
from dropout_lint.rulebook import rules
from tests import linting
from tests.public_schemas import SARIF, errors

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = ("--isolated", "--select", "ALL", "--preview", "--unsafe-fixes")


class Found:
    def __init__(self, *diagnostics: Diagnostic, failures: tuple[Failure, ...] = ()) -> None:
        self.diagnostics, self.failures, self.checked = diagnostics, failures, 1


def log(source: str, *diagnostics: Diagnostic, failures: tuple[Failure, ...] = ()) -> dict[str, Any]:
    text = render(
        Found(*diagnostics, failures=failures), "sarif", sources=lambda _: source, color=False, summary=Summary()
    )
    document: dict[str, Any] = json.loads(text)
    assert errors(document, SARIF) == []
    run: dict[str, Any]
    (run,) = document["runs"]
    return run


def finding(*span: int, fix: Fix | None = None, code: str = "DRP101") -> Diagnostic:
    return Diagnostic(code, "a b.py", Span(*span), "stays on", Severity.ERROR, fix)


def test_the_schema_refuses_what_is_wrong() -> None:
    document = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{}]}]}
    assert errors(document, SARIF) == ["$.runs[0].results[0]: 'message' is a required property"]


def test_a_clean_run_is_a_valid_log_with_results() -> None:
    run = log("")
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_what_could_not_be_checked_is_in_the_log() -> None:
    failures = (Failure("a.py", "gone"), Failure("b.py", "rule DRP101 crashed", "DRP101"))
    (invocation,) = log("", failures=failures)["invocations"]
    assert invocation["executionSuccessful"] is False
    first, second = invocation["toolExecutionNotifications"]
    assert (first["message"]["text"], first["level"]) == ("gone", "error")
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a.py"
    assert second["associatedRule"] == {"id": "DRP101"}


def test_a_result_has_its_rule_and_its_places() -> None:
    related = Related("/elsewhere/b.py", Span(7, 1, 7, 5), "the rate is 0.5 here")
    run = log("x = drop(x)\n", replace(finding(1, 5, 1, 12), related=(related,)), finding(1, 5, 1, 12, code="DRP999"))
    (rule,) = run["tool"]["driver"]["rules"]
    page = rules()["DRP101"]
    assert (rule["id"], rule["name"], rule["helpUri"]) == ("DRP101", page.name, page.url)
    assert rule["shortDescription"]["text"] == page.summary
    assert "## Why it matters" in rule["help"]["markdown"]
    first, unknown = run["results"]
    assert (first["ruleIndex"], first["level"], first["message"]["text"]) == (0, "error", "stays on")
    assert "ruleIndex" not in unknown
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 12}
    (also,) = first["relatedLocations"]
    assert also["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/b.py"}
    assert also["message"]["text"] == "the rate is 0.5 here"
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == Path.cwd().as_uri() + "/"


@pytest.mark.parametrize(("confidence", "rank"), [("proven", 100), ("likely", 50), ("possible", 10)])
def test_a_result_says_how_sure_it_is(confidence: str, rank: int) -> None:
    (result,) = log("x\n", replace(finding(1, 1, 1, 2), confidence=Confidence(confidence)))["results"]
    assert (result["rank"], result["properties"]) == (rank, {"confidence": confidence})


def test_the_steps_of_a_run_are_a_code_flow() -> None:
    steps = (Related("b.py", Span(7, 1, 7, 5), "built here"), Related("a b.py", Span(1, 1, 1, 2), "evaluated here"))
    flowing, placed, short = log(
        "x\n",
        replace(finding(1, 1, 1, 2, code="DRP206"), related=steps),
        replace(finding(1, 1, 1, 2, code="DRP301"), related=steps),
        replace(finding(1, 1, 1, 2, code="DRP206"), related=steps[:1]),
    )["results"]
    ((flow,),) = (one["threadFlows"] for one in flowing["codeFlows"])
    told = [one["location"]["message"]["text"] for one in flow["locations"]]
    assert told == [one["message"]["text"] for one in flowing["relatedLocations"]] == ["built here", "evaluated here"]
    assert "codeFlows" not in placed
    assert "codeFlows" not in short


def fingerprints(source: str, *diagnostics: Diagnostic) -> list[str]:
    return [result["partialFingerprints"]["dropoutLint/v1"] for result in log(source, *diagnostics)["results"]]


def test_fingerprints_survive_moved_lines_and_differ_from_one_another() -> None:
    before = "class A:\n    def f(self, x):\n        drop(x)\n        drop(x)\n"
    both = fingerprints(before, finding(3, 9, 3, 16), finding(4, 9, 4, 16))
    assert len(set(both)) == 2
    moved = "import os\n\n\nclass A:\n    def f(self, x):\n        if x:\n            drop( x)\n        drop(x)\n"
    assert fingerprints(moved, finding(8, 9, 8, 16)) == both[:1]
    other_function = before.replace("def f", "def g")
    assert fingerprints(other_function, finding(3, 9, 3, 16))[0] not in both
    assert fingerprints(before, finding(3, 9, 3, 16, code="DRP102"))[0] not in both


def test_a_fix_is_whole_and_has_the_line_breaks_of_the_file() -> None:
    fix = Fix(
        "Do it",
        Applicability.UNSAFE,
        (Edit(Span(3, 1, 3, 1), "a = 1\nb = 2\n"), Edit(Span(3, 6, 3, 7), "é")),
        ("import torch", "import os"),
    )
    (result,) = log("import os\r\n\r\n'𝄞'; x\r\n", finding(3, 1, 3, 4, fix=fix))["results"]
    (shown,) = result["fixes"]
    assert shown["properties"] == {"applicability": "unsafe"}
    assert result["message"]["text"] == "stays on\nHelp: Do it"
    (change,) = shown["artifactChanges"]
    replaced = [(r["deletedRegion"], r["insertedContent"]["text"]) for r in change["replacements"]]
    assert [text for _, text in replaced] == ["import torch\r\n", "a = 1\r\nb = 2\r\n", "é"]
    assert replaced[2][0] == {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 7}


@pytest.mark.parametrize(
    "fix",
    [
        Fix("Think", Applicability.DISPLAY),
        Fix("x", Applicability.SAFE, (Edit(Span(9, 1, 9, 2), "x"),)),
        Fix("x", Applicability.SAFE, (Edit(Span(1, 1, 1, 2), "x"),), ("import x as torch",)),
        Fix("x", Applicability.SAFE, (Edit(Span(1, 1, 1, 2), "("),)),
        Fix("x", Applicability.SAFE, (Edit(Span(1, 1, 1, 2), "t"),)),
    ],
    ids=["advice", "outside of the text", "import that clashes", "breaks the file", "changes nothing"],
)
def test_what_cannot_be_applied_is_no_fix(fix: Fix) -> None:
    (result,) = log("torch = 1\n", finding(1, 1, 1, 2, fix=fix))["results"]
    assert "fixes" not in result


# --- a program that knows SARIF only


def sarif_of(folder: Path, report: Path) -> dict[str, Any]:
    linting.run(str(folder), *EVERYTHING, "--output-format", f"sarif={report}")
    document: dict[str, Any] = json.loads(report.read_text("utf-8"))
    assert errors(document, SARIF) == []
    run: dict[str, Any]
    (run,) = document["runs"]
    return run


def offsets(text: str, region: dict[str, int]) -> tuple[int, int]:
    """A region of a log whose columns are code points and whose line breaks are those it declares."""
    starts = [0, *(match.end() for match in re.finditer("\r\n|\n|\r", text))]
    start = starts[region["startLine"] - 1] + region["startColumn"] - 1
    return start, starts[region["endLine"] - 1] + region["endColumn"] - 1


def apply_once(run: dict[str, Any]) -> bool:
    """Apply the fixes of a log to the files, each whole or not at all; one that touches another waits."""
    assert run["columnKind"] == "unicodeCodePoints"
    base = run["originalUriBaseIds"]["%SRCROOT%"]["uri"].removeprefix("file://")
    accepted: dict[Path, set[tuple[int, int, str]]] = {}
    for result in run["results"]:
        for fix in result.get("fixes", []):
            (change,) = fix["artifactChanges"]
            where = change["artifactLocation"]
            file = Path(unquote((base if "uriBaseId" in where else "") + where["uri"].removeprefix("file://")))
            text = file.read_bytes().decode().removeprefix("\ufeff")
            edits = {(*offsets(text, r["deletedRegion"]), r["insertedContent"]["text"]) for r in change["replacements"]}
            others = accepted.setdefault(file, set())
            if all(
                (start, end) != (old[0], old[1]) and (end <= old[0] or start >= old[1])
                for start, end, new in edits
                for old in others
                if old != (start, end, new)
            ):
                others |= edits
    for file, edits in accepted.items():
        data = file.read_bytes()
        text = data.decode()
        mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        file.write_bytes((mark + text).encode())
    return any(accepted.values())


def corpus(folder: Path) -> None:
    """The example, the fixtures, and the bad examples of all pages; some with other line breaks, marks and letters."""
    folder.mkdir()
    for path in (ROOT / "examples" / "six_mistakes.py", *sorted((ROOT / "fixtures").rglob("*.py"))):
        (folder / path.name).write_bytes(path.read_bytes())
    for rule in rules().values():
        bad = [example.code for example in rule.examples if example.kind == "bad"]
        for number, code in enumerate(bad):
            # Two UTF-16 units and four bytes before the place of the fix.
            text = re.sub(r"^( +)(x = .*# DRP)", r"\1'𝄞'; \2", code, flags=re.MULTILINE)
            data = text.replace("\n", "\r\n").encode() if number % 2 else b"\xef\xbb\xbf" + text.encode()
            (folder / f"{rule.code.lower()}_{number}.py").write_bytes(data)


def test_fixes_applied_by_their_regions_give_the_bytes_of_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("by_fix", "by_regions"):
        corpus(tmp_path / name)
    before = {path.name: path.read_bytes() for path in (tmp_path / "by_fix").iterdir()}
    linting.run("by_fix", *EVERYTHING, "--fix")
    with_imports = 0
    for _ in range(10):
        run = sarif_of(tmp_path / "by_regions", tmp_path / "report.sarif")
        with_imports += json.dumps(run).count('"text": "import torch')
        if not apply_once(run):
            break
    fixed = {path.name: path.read_bytes() for path in (tmp_path / "by_fix").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "by_regions").iterdir()} == fixed
    assert sum(fixed[name] != before[name] for name in before) > 40
    assert with_imports
    assert any("𝄞".encode() in data and data != before[name] for name, data in fixed.items())
