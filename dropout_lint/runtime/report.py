"""What a run of the checks says: findings, what was looked at and what was not, and the measured tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dropout_lint.diagnostic import Diagnostic, Severity
from dropout_lint.rulebook import rules
from dropout_lint.runtime.places import Place


@dataclass(frozen=True, slots=True)
class Observation:
    """A sentence that is no finding. ``kind`` is "checked", "not checked", "note" or "noise"."""

    kind: str
    text: str
    module: str = ""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A place at which the run saw the opposite of what the source suggests for these codes."""

    codes: tuple[str, ...]
    path: str
    line: int
    reason: str


@dataclass(slots=True)
class Report:
    """True if nothing at or above "warning" was found, so that ``assert check(model, x)`` reads as it should."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuted: list[Refutation] = field(default_factory=list)

    def __bool__(self) -> bool:
        return all(d.severity is Severity.INFO for d in self.diagnostics)

    def find(
        self, code: str, place: Place, message: str, modules: tuple[str, ...] = (), severity: Severity | None = None
    ) -> None:
        """Add a finding; one of the same code at the same place takes in its modules. A full stop is added."""
        message += "."
        for index, old in enumerate(self.diagnostics):
            if (old.code, old.path, old.span) == (code, place.path, place.span) and (
                place.path or old.message == message
            ):
                names = tuple(dict.fromkeys((*old.modules, *modules)))
                self.diagnostics[index] = replace(old, modules=names)
                return
        level = severity or rules()[code].severity
        self.diagnostics.append(
            Diagnostic(code, place.path, place.span, message, level, engines=("runtime",), modules=modules)
        )

    def say(self, kind: str, text: str, module: str = "") -> None:
        """Add an observation once."""
        observation = Observation(kind, text, module)
        if observation not in self.observations:
            self.observations.append(observation)

    @property
    def table(self) -> str:
        """Findings and observations as aligned text, the most severe first."""
        rows = [
            (d.severity.value, d.code, f"{d.path}:{d.span.line}" if d.path else "-", _with_modules(d))
            for d in sorted(self.diagnostics, key=lambda d: (-d.severity.rank, *d.sort_key))
        ]
        rows += [(o.kind, "", o.module or "-", o.text) for o in self.observations]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        return "\n".join("  ".join((*map(str.ljust, row, widths), row[3])).rstrip() for row in rows)

    def __str__(self) -> str:
        return self.table or "nothing to report"

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values that turn into JSON."""
        return {
            "diagnostics": [asdict(d) for d in self.diagnostics],
            "observations": [asdict(o) for o in self.observations],
            "tables": self.tables,
            "refuted": [asdict(r) for r in self.refuted],
        }


def _with_modules(diagnostic: Diagnostic) -> str:
    if not diagnostic.modules:
        return diagnostic.message
    more = len(diagnostic.modules) - 1
    return f"{diagnostic.message} (`{diagnostic.modules[0]}`{f', and {more} more' if more else ''})"
