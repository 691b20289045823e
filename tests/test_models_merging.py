"""Findings of several engines: what is one finding, who is named, and what a run proves or refutes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropout_lint.cache.codec import decode, encode
from dropout_lint.diagnostic import Applicability, Confidence, Diagnostic, Edit, Engine, Fix, Related, Severity, Span
from dropout_lint.facts.observations import Remark
from dropout_lint.linting.merging import Findings, Refutation, of_one_model
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.report import render
from dropout_lint.report.view import Summary
from tests.test_reports import Found


def finding(
    engine: Engine,
    line: int,
    column: int = 5,
    message: str = "stays on",
    *,
    modules: tuple[str, ...] = (),
    last: int = 0,
) -> Diagnostic:
    span = Span(line, column, last or line, column + 3)
    return Diagnostic("DRP101", "a.py", span, message, Severity.WARNING, engines=(engine,), modules=modules)


def merged_with(
    *found: Diagnostic, source: tuple[Diagnostic, ...] = (), refuted: tuple[Refutation, ...] = ()
) -> list[Diagnostic]:
    return Findings(found, refuted).merged_with("a.py", source)


FIX = Fix("Mend", Applicability.SAFE, (Edit(Span(1, 1, 1, 1), "x"),), ("import torch",))
SOURCE = replace(finding("source", 3, last=5), fix=FIX, related=(Related("b.py", Span(1, 1, 1, 2), "from here"),))


def test_the_same_rule_on_a_line_of_the_statement_is_one_finding() -> None:
    graph = finding("graph", 5, 9, "dropout here", modules=("blocks.0.drop", "blocks.1.drop"))
    (item,) = merged_with(graph, source=(SOURCE,))
    assert item.engines == ("source", "graph")
    assert (item.message, item.span, item.fix, item.related) == (SOURCE.message, SOURCE.span, FIX, SOURCE.related)
    assert item.modules == ("blocks.0.drop", "blocks.1.drop")
    assert (item.verdict, item.severity) == ("", Severity.WARNING)


@pytest.mark.parametrize("other", [{"code": "DRP102"}, {"path": "b.py"}, {"span": Span(6, 1, 6, 2)}])
def test_another_rule_file_or_line_is_another_finding(other: dict[str, Any]) -> None:
    graph = replace(finding("graph", 4), **other)
    findings = Findings([graph])
    assert len(findings.merged_with("a.py", [SOURCE])) + (graph.path == "b.py") == 2
    assert findings.paths == (graph.path,)


def test_two_on_a_line_find_their_own() -> None:
    first, second = finding("source", 3, 5), finding("source", 3, 30)
    found = merged_with(
        finding("graph", 3, 30, modules=("b",)), finding("graph", 3, 5, modules=("a",)), source=(first, second)
    )
    assert [(item.span.column, item.modules) for item in found] == [(5, ("a",)), (30, ("b",))]


def test_one_place_in_several_models_is_one_finding() -> None:
    (item,) = merged_with(finding("graph", 3, modules=("a", "b")), finding("graph", 3, modules=("b", "c")))
    assert item.modules == ("a", "b", "c")


def test_paths_that_lead_to_one_file_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").touch()
    (tmp_path / "link.py").symlink_to("a.py")
    graph = replace(finding("graph", 3), path=str(tmp_path / "link.py"))
    (item,) = Findings([graph]).merged_with("a.py", [SOURCE])
    assert item.path == "a.py"


def test_a_run_that_finds_it_too_proves_it() -> None:
    measured = replace(finding("runtime", 4, message="drew 12 times in eval"), severity=Severity.ERROR)
    (item,) = merged_with(measured, source=(SOURCE,))
    assert (item.engines, item.verdict, item.evidence) == (("source", "runtime"), "proven", "drew 12 times in eval")
    assert item.severity is Severity.ERROR


def test_the_higher_confidence_stays() -> None:
    unsure = replace(SOURCE, confidence=Confidence.POSSIBLE, severity=Severity.INFO)
    likely = replace(finding("graph", 4), confidence=Confidence.LIKELY)
    (item,) = merged_with(likely, source=(unsure,))
    assert (item.confidence, item.severity, item.verdict) == (Confidence.LIKELY, Severity.WARNING, "")
    (item,) = merged_with(likely, source=(SOURCE,))
    assert item.confidence is Confidence.PROVEN
    (item,) = merged_with(likely, finding("runtime", 4, message="drew"), source=(unsure,))
    assert (item.confidence, item.verdict, item.message) == (Confidence.PROVEN, "proven", SOURCE.message)
    unproven = replace(finding("runtime", 4), confidence=Confidence.LIKELY)
    (item,) = merged_with(unproven, source=(unsure,))
    assert (item.confidence, item.verdict) == (Confidence.LIKELY, "")


def test_a_run_that_shows_the_opposite_makes_it_information() -> None:
    refutation = Refutation(("DRP101", "DRP102"), "a.py", 4, "the mask was all ones in eval mode")
    (item,) = merged_with(source=(SOURCE,), refuted=(refutation,))
    assert (item.severity, item.verdict) == (Severity.INFO, "refuted")
    assert item.evidence == "the mask was all ones in eval mode"
    for other in (
        replace(refutation, line=6),
        replace(refutation, path="b.py"),
        replace(refutation, codes=("DRP102",)),
    ):
        assert merged_with(source=(SOURCE,), refuted=(other,)) == [SOURCE]


def test_what_one_run_proves_no_other_refutes() -> None:
    refutation = Refutation(("DRP101",), "a.py", 3, "not in this model")
    (item,) = merged_with(finding("runtime", 3), source=(SOURCE,), refuted=(refutation,))
    assert (item.verdict, item.severity) == ("proven", Severity.WARNING)
    graph = finding("graph", 3)
    assert merged_with(graph, refuted=(refutation,)) == [graph]


def test_one_module_of_one_model_is_one_finding_wherever_it_is_seen() -> None:
    called, built = finding("graph", 9, modules=("d",)), finding("runtime", 3, message="measured", modules=("d",))
    (item,) = of_one_model([built, called])
    assert (item.span.line, item.engines, item.evidence) == (9, ("graph", "runtime"), "measured")
    assert len(of_one_model([called, replace(built, modules=("e",))])) == 2
    assert len(of_one_model([called, replace(built, code="DRP102")])) == 2
    (proven,) = merged_with(item, source=(finding("source", 9),))
    assert (proven.engines, proven.verdict, proven.evidence) == (("source", "graph", "runtime"), "proven", "measured")


def test_findings_survive_json() -> None:
    item = replace(SOURCE, engines=("graph",), modules=("a.b",), evidence="seen", severity=Severity.INFO)
    item = replace(item, confidence=Confidence.LIKELY)
    least = Diagnostic("DRP101", "a.py", item.span, "m", Severity.ERROR, engines=("runtime",))
    refuted = Refutation(("DRP101",), "a.py", 3, "it never drew")
    found = ModelFindings((item, least), (refuted,), (Remark("note", "seen", "a"),), ("b",), "execution")
    assert decode(ModelFindings, encode(found)) == found


SEEN = {
    "found in the traced model; `a`": replace(finding("graph", 1), modules=("a",)),
    "found in the source and the traced model; `a`, and 2 more": replace(
        finding("source", 1), engines=("source", "graph"), modules=("a", "b", "c")
    ),
    "proven by running the model: it moved; `a`": replace(
        finding("source", 1), engines=("source", "runtime"), verdict="proven", evidence="it moved", modules=("a",)
    ),
    "refuted by running the model: it did not": replace(finding("source", 1), verdict="refuted", evidence="it did not"),
}


@pytest.mark.parametrize("words", SEEN)
def test_every_report_says_who_saw_it(words: str) -> None:
    def shown(format: str, item: Diagnostic) -> str:
        return render(Found((item,)), format, sources=lambda _: "drop(x)\n", color=False, summary=Summary(quiet=True))

    item = SEEN[words]
    assert f"\n  = note: {words}\n" in shown("full", item)
    assert shown("concise", item) == f"a.py:1:5: DRP101 stays on ({words})\n"
    assert shown("github", item).endswith(f"DRP101 stays on ({words})\n")
    (entry,) = json.loads(shown("json", item))
    assert entry["engines"] == list(item.engines)
    assert entry["modules"] == list(item.modules)
    assert (entry["verdict"], entry["evidence"]) == (item.verdict or None, item.evidence or None)
    assert "note" not in shown("full", finding("source", 1))
