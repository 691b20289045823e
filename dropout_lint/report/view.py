"""Shared by the output formats: the input of ``render``, the summary, failures, marks and colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dropout_lint.diagnostic import Applicability, Diagnostic, Failure, Severity, place, visible

_ENGINES = {"source": "source", "graph": "traced model", "runtime": "running model"}

Sources = Callable[[str], str | None]
"""Returns the text of a file, or of a notebook cell (``path:cell 2``); None if it is gone."""


class Result(Protocol):
    """The result of a run."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]: ...

    @property
    def failures(self) -> tuple[Failure, ...]: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """Data for the summary. ``unsafe_fixes``: ``--fix`` would apply unsafe fixes too."""

    fixed: int = 0
    statistics: bool = False
    quiet: bool = False
    unsafe_fixes: bool = False
    left_out: tuple[str, ...] = ()
    """Findings that are not reported, such as ``3 known problems``."""
    not_checked: int = 0
    """Parts of models that were not checked."""


@dataclass(frozen=True, slots=True)
class View:
    """What a format gets besides the result."""

    sources: Sources
    color: bool
    summary: Summary
    columns: int | None = None
    """Width of the terminal; None if the report does not go to one."""


def render_failures(failures: Sequence[Failure], color: bool) -> str:
    """One line for each Failure, for stderr."""
    lines = []
    for failure in failures:
        rule = f"{failure.code}: " if failure.code and failure.code not in failure.reason else ""
        reason = " ".join(failure.reason.split())
        lines.append(f"{paint('error', 'red', color)}: {visible(failure.path)}: {rule}{visible(reason)}\n")
    return "".join(lines)


def render_summary(result: Result, color: bool, summary: Summary) -> str:
    """The lines below the findings: how many, how many are fixable, what was not checked."""
    if summary.quiet:
        return ""
    lines = [f"Fixed {_count(summary.fixed, 'problem')}."] if summary.fixed else []
    found = result.diagnostics
    if found:
        numbers = [(sum(d.severity is s for d in found), s) for s in Severity]
        kinds = ", ".join(f"{n} info" if s is Severity.INFO else _count(n, s.value) for n, s in numbers if n)
        lines.append(f"Found {_count(len(found), 'problem')} ({kinds}).")
        fixable = sum(is_fixable(d, unsafe_fixes=summary.unsafe_fixes) for d in found)
        unsafe = sum(is_fixable(d, unsafe_fixes=True) for d in found) - fixable
        if fixable:
            more = f" ({unsafe} more with `--unsafe-fixes`)" if unsafe else ""
            lines.append(f"{fixable_mark(color)} {fixable} fixable with `--fix`{more}.")
        elif unsafe:
            lines.append(f"{unsafe} fixable with `--fix --unsafe-fixes`.")
    if result.failures:
        failed = Counter(kind for kind, _ in {(f.kind, f.path) for f in result.failures})
        counts = " and ".join(_count(number, kind) for kind, number in sorted(failed.items()))
        lines.append(f"{counts} could not be checked.")
    elif not found and not summary.fixed:
        lines.append(_nothing_found(summary))
    if summary.left_out:
        lines.append(f"Left out: {', '.join(summary.left_out)}.")
    return "".join(f"{line}\n" for line in lines)


def _nothing_found(summary: Summary) -> str:
    if summary.not_checked:
        return f"No problems found, but {_count(summary.not_checked, 'part')} could not be checked."
    return "No new problems." if summary.left_out else "All checks passed!"


def run_note(diagnostic: Diagnostic) -> str:
    """What running the model adds: "proven by running the model; `encoder.drop`". "" for a finding in source alone."""
    parts = []
    if diagnostic.verdict:
        parts.append(f"{diagnostic.verdict} by running the model: {diagnostic.evidence}".removesuffix(": "))
    elif diagnostic.engines != ("source",):
        parts.append(f"found in the {' and the '.join(_ENGINES[engine] for engine in diagnostic.engines)}")
    if diagnostic.modules:
        first, more = diagnostic.modules[0], len(diagnostic.modules) - 1
        parts.append(f"`{first}`" + (f", and {more} more" if more else ""))
    return "; ".join(parts)


def related_notes(diagnostic: Diagnostic) -> list[str]:
    """A line for each related place: "net.py:3: constructed here". Several are numbered."""
    notes = [f"{one_line(place(one))}:{one.span.line}: {one_line(one.message)}" for one in diagnostic.related]
    return notes if len(notes) < 2 else [f"{number}. {note}" for number, note in enumerate(notes, 1)]


def is_fixable(diagnostic: Diagnostic, *, unsafe_fixes: bool) -> bool:
    """True if ``--fix`` would fix this."""
    fix = diagnostic.fix
    if fix is None or not fix.edits or fix.applicability is Applicability.DISPLAY:
        return False
    return fix.applicability is Applicability.SAFE or unsafe_fixes


def fixable_mark(color: bool) -> str:
    """The mark of a fixable finding: ``[*]``."""
    return f"[{paint('*', 'cyan', color)}]"


def paint(text: str, style: str, color: bool) -> str:
    """Text in a colour for terminals: ``red``, ``yellow``, ``cyan``, ``blue`` or ``bold``."""
    if not color:
        return text
    code = {"red": "1;31", "yellow": "1;33", "cyan": "36", "blue": "1;34", "bold": "1"}[style]
    return f"\x1b[{code}m{text}\x1b[0m"


def severity_style(severity: Severity) -> str:
    """The colour of a severity."""
    return {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}[severity]


def one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces."""
    return "".join(c if c.isprintable() else " " for c in text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
