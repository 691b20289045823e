"""Diagnostics: what every engine reports and every output format prints.

All types are frozen and picklable, without syntax nodes, graph nodes or tensors, so that they can be sent to other
processes and written as JSON. Lines and columns are 1-based and count characters, as in ruff's JSON output.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

Engine = Literal["source", "graph", "runtime"]
"""What was analysed: the source code, the traced layers of a model, or a run of the model."""
Verdict = Literal["", "proven", "refuted"]


def visible(text: str, kept: str = "") -> str:
    """A text with its control characters written as escapes, so that they command no terminal and no CI system."""
    return "".join(
        c if c.isprintable() or c in kept or c == "\u00a0" else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text
    )


class Severity(StrEnum):
    """How harmful a diagnostic is; only ``info`` never fails a run by default."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Higher is worse: info 0, warning 1, error 2."""
        return ("info", "warning", "error").index(self.value)


class Confidence(StrEnum):
    """How sure it is that a diagnostic is right, before a user looks at it."""

    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """Higher is surer: possible 0, likely 1, proven 2."""
        return ("possible", "likely", "proven").index(self.value)

    def limit(self, severity: Severity) -> Severity:
        """The severity of a finding that has ``severity`` if it is proven: likely is no error, possible is info."""
        highest = (Severity.INFO, Severity.WARNING, Severity.ERROR)[self.rank]
        return min(severity, highest, key=lambda one: one.rank)


class Applicability(StrEnum):
    """Whether ``--fix`` may apply a fix: alone, with ``--unsafe-fixes``, or never (the text is advice)."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of source text: 1-based lines, 1-based columns counted in characters."""

    line: int
    column: int
    end_line: int
    end_column: int

    def within(self, outer: Span) -> bool:
        """Whether this range lies in another."""
        first, last = (outer.line, outer.column), (outer.end_line, outer.end_column)
        return first <= (self.line, self.column) and (self.end_line, self.end_column) <= last


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A span in a file; ``path`` is "" where there is no file, as in an interactive session."""

    path: str
    span: Span


NO_PLACE = CodePlace("", Span(1, 1, 1, 1))


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of ``span`` by ``replacement``; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One change of the code, as data. Its kinds are in ``rewrites``."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend one diagnostic, all or nothing.

    A check gives ``rewrites``, and the linter makes ``edits`` of them. ``imports`` are statements such as
    ``import torch.nn.functional as F`` that the edited code needs; they are added only when the fix is applied.
    A fix without edits is advice: its message is shown and nothing is applied.
    """

    message: str
    applicability: Applicability
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    """Empty once there are edits."""
    otherwise: str = ""
    """The advice where the rewrites cannot be made; without it, no fix is shown."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to the proof, such as where a value comes from. Several are shown in this order."""

    path: str
    span: Span
    message: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: which rule, where, one sentence of reason, and what to do."""

    code: str
    path: str
    span: Span
    message: str
    severity: Severity
    fix: Fix | None = None
    confidence: Confidence = Confidence.PROVEN
    engines: tuple[Engine, ...] = ("source",)
    related: tuple[Related, ...] = ()
    modules: tuple[str, ...] = ()
    """Paths of the modules, in the models that were run, that this is about (``blocks.3.mlp.drop``)."""
    verdict: Verdict = ""
    """Whether a run proves or refutes a finding of the source engine; ``evidence`` is the reason."""
    evidence: str = ""
    cell: int | None = None
    """In a report about a notebook, the cell that ``span`` counts the lines of; counted from 1, as ruff does."""

    @property
    def sort_key(self) -> tuple[str, Span, str]:
        """Order of output: by file, place and code."""
        return (self.path, self.span, self.code)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be checked, and why, in one line. Any failure makes the run exit with 2."""

    path: str
    reason: str
    code: str = ""
    """The rule that crashed, where one did."""
    kind: Literal["file", "model"] = "file"
    """What ``path`` names."""


def surer(first: Diagnostic, second: Diagnostic) -> Diagnostic:
    """The one of higher confidence; the first of two that are alike."""
    return max(first, second, key=lambda item: item.confidence.rank)


def hedged(found: Diagnostic) -> str:
    """The message, followed by the confidence unless that is "proven": ``... [likely]``."""
    return found.message if found.confidence is Confidence.PROVEN else f"{found.message} [{found.confidence}]"


def place(found: Diagnostic | Related) -> str:
    """``path``, or ``path:cell 2`` in a notebook: what is printed before the line."""
    return found.path if found.cell is None else f"{found.path}:cell {found.cell}"


def file_span(found: Diagnostic | Related) -> Span:
    """The span for a service that counts the lines of a notebook's JSON: there, the start of the file."""
    return found.span if found.cell is None else Span(1, 1, 1, 1)


def located(found: Diagnostic | Related) -> str:
    """The message as ``hedged``; in a notebook, after cell, line and column, which ``file_span`` does not have."""
    message = hedged(found) if isinstance(found, Diagnostic) else found.message
    if found.cell is None:
        return message
    return f"cell {found.cell}:{found.span.line}:{found.span.column}: {message}"


def relative_posix(path: str, folder: Path) -> str:
    """The path relative to a folder; absolute if it is on another drive."""
    absolute = os.path.abspath(path)
    try:
        return Path(os.path.relpath(absolute, folder)).as_posix()
    except ValueError:
        return Path(absolute).as_posix()
