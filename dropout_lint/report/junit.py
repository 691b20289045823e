"""JUnit XML, which most CI services read: a suite for each file, a failed test case for each finding."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree

from dropout_lint.diagnostic import Diagnostic, Failure, file_span, hedged, place
from dropout_lint.report.view import Result, View, one_line, related_notes

_TOOL = "dropout-lint"


def render(result: Result, _view: View) -> str:
    """The document. A Failure is an error; a run without findings is one test case that passed."""
    suites = ElementTree.Element("testsuites", name=_TOOL)
    for path, group in groupby(result.diagnostics, key=lambda d: d.path):
        found = list(group)
        suite = _suite(suites, path, failures=len(found))
        for diagnostic in found:
            _add_finding(suite, diagnostic)
    for path, problems in groupby(result.failures, key=lambda f: f.path):
        failed = list(problems)
        suite = _suite(suites, path, errors=len(failed))
        for failure in failed:
            _add_failure(suite, failure)
    if not len(suites):
        _case(_suite(suites, _TOOL, passed=1), "All checks passed", _TOOL)
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _suite(
    suites: ElementTree.Element, path: str, *, failures: int = 0, errors: int = 0, passed: int = 0
) -> ElementTree.Element:
    counts = {"tests": str(failures + errors + passed), "failures": str(failures), "errors": str(errors)}
    return ElementTree.SubElement(suites, "testsuite", {"name": one_line(path), "package": _TOOL, **counts})


def _case(suite: ElementTree.Element, name: str, path: str, **place: str) -> ElementTree.Element:
    module = one_line(path).removesuffix(".py")
    return ElementTree.SubElement(suite, "testcase", {"name": name, "classname": module, **place})


def _add_finding(suite: ElementTree.Element, diagnostic: Diagnostic) -> None:
    span = diagnostic.span
    case = _case(
        suite, diagnostic.code, diagnostic.path, file=one_line(diagnostic.path), line=str(file_span(diagnostic).line)
    )
    message = one_line(hedged(diagnostic))
    failure = ElementTree.SubElement(case, "failure", message=message, type=str(diagnostic.severity))
    where = f"{one_line(place(diagnostic))}:{span.line}:{span.column}"
    failure.text = "\n".join((where, *related_notes(diagnostic)))


def _add_failure(suite: ElementTree.Element, failure: Failure) -> None:
    case = _case(suite, failure.code or "not checked", failure.path, file=one_line(failure.path))
    ElementTree.SubElement(case, "error", message=one_line(failure.reason))
