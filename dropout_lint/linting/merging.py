"""Merge the findings of several engines. A run may prove or refute a finding of the source engine.

Two findings are the same if they have the same rule and file, and one begins on a line of the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dropout_lint.diagnostic import Confidence, Diagnostic, Engine, Severity, surer

ORDER: tuple[Engine, ...] = ("source", "graph", "runtime")
"""Precedence when findings are merged: the source engine knows the exact place and the fix."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A run showed at a line the opposite of what these rules report there."""

    codes: tuple[str, ...]
    path: str
    line: int
    reason: str


class Findings:
    """Findings by file, merged as they are added. Paths that lead to the same file are the same."""

    def __init__(
        self,
        diagnostics: Iterable[Diagnostic] = (),
        refutations: Sequence[Refutation] = (),
        *,
        complete: bool = True,
    ) -> None:
        """``complete``: no model failed to run."""
        self.complete = complete
        self._by_file: dict[str, list[Diagnostic]] = {}
        self._refutations = refutations
        for item in sorted(diagnostics, key=_precedence):
            _add(self._by_file.setdefault(os.path.realpath(item.path), []), item)

    def merged_with(self, path: str, source: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings of one file merged with those of the source engine, which keep their messages."""
        file = os.path.realpath(path)
        merged = list(source)
        for item in self._by_file.get(file, ()):
            _add(merged, item)
        refuted = [one for one in self._refutations if os.path.realpath(one.path) == file]
        return [_against(item, refuted) for item in merged]

    @property
    def paths(self) -> tuple[str, ...]:
        """A path for each file with findings, sorted: that of its first finding."""
        return tuple(sorted(found[0].path for found in self._by_file.values()))


def of_one_model(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Merge findings of several engines about one model: one for each rule and module.

    One engine may point at the line that builds a module, and another at the line that calls it.
    """
    merged: list[Diagnostic] = []
    for item in sorted(diagnostics, key=_precedence):
        for at, known in enumerate(merged):
            apart = not set(known.engines) & set(item.engines)
            if apart and known.code == item.code and set(known.modules) & set(item.modules):
                merged[at] = _merged(known, item)
                break
        else:
            merged.append(item)
    return merged


def _precedence(item: Diagnostic) -> tuple[int, str, int, int]:
    return (min(map(ORDER.index, item.engines)), item.path, item.span.line, item.span.column)


def _add(merged: list[Diagnostic], item: Diagnostic) -> None:
    same = [i for i, known in enumerate(merged) if _same(known, item)]
    if same:
        # Of several on the line, the one that starts where this does.
        at = min(same, key=lambda i: _start(merged[i]) != _start(item))
        merged[at] = _merged(merged[at], item)
    else:
        merged.append(item)


def _same(known: Diagnostic, item: Diagnostic) -> bool:
    if known.code != item.code:
        return False
    if set(known.engines) & set(item.engines):
        return _start(known) == _start(item)
    return known.span.line <= item.span.line <= known.span.end_line


def _start(item: Diagnostic) -> tuple[int, int]:
    return (item.span.line, item.span.column)


def _merged(known: Diagnostic, item: Diagnostic) -> Diagnostic:
    engines = tuple(engine for engine in ORDER if engine in known.engines + item.engines)
    confidence = surer(known, item).confidence
    proven = "source" in engines and "runtime" in engines and confidence is Confidence.PROVEN
    measured = item.message if item.engines == ("runtime",) and item.message != known.message else ""
    return replace(
        known,
        severity=max(known.severity, item.severity, key=lambda severity: severity.rank),
        fix=known.fix or item.fix,
        confidence=confidence,
        engines=engines,
        related=tuple(dict.fromkeys(known.related + item.related)),
        modules=tuple(dict.fromkeys(known.modules + item.modules)),
        verdict="proven" if proven else "",
        evidence=known.evidence or item.evidence or measured,
    )


def _against(item: Diagnostic, refutations: Sequence[Refutation]) -> Diagnostic:
    """Lower a source finding to ``info`` if a run refutes it and none proves it."""
    if item.engines[0] == "source" and not item.verdict:
        for one in refutations:
            if item.code in one.codes and item.span.line <= one.line <= item.span.end_line:
                return replace(item, severity=Severity.INFO, verdict="refuted", evidence=one.reason)
    return item
