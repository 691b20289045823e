"""The report about a model: findings, what was checked and what was not, and the measured tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from dropout_lint.diagnostic import Diagnostic, Severity, hedged
from dropout_lint.facts.observations import Remark
from dropout_lint.linting.merging import Refutation


@dataclass(slots=True)
class Report:
    """True if nothing at or above "warning" was found, so that ``assert check(model, x)`` reads as it should."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    observations: list[Remark] = field(default_factory=list)
    """Sentences about the run that are not findings, such as what was not checked."""
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuted: list[Refutation] = field(default_factory=list)

    def __bool__(self) -> bool:
        return all(d.severity is Severity.INFO for d in self.diagnostics)

    def remark(self, kind: str, text: str) -> None:
        """Add a remark about the whole model."""
        self.observations.append(Remark(kind, text))

    @property
    def table(self) -> str:
        """Findings and remarks as aligned text, the most severe first."""
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
        """Everything as plain values that can be dumped as JSON."""
        return {
            "diagnostics": [asdict(d) for d in self.diagnostics],
            "observations": [asdict(o) for o in self.observations],
            "tables": self.tables,
            "refuted": [asdict(r) for r in self.refuted],
        }


def _with_modules(diagnostic: Diagnostic) -> str:
    if not diagnostic.modules:
        return hedged(diagnostic)
    more = len(diagnostic.modules) - 1
    return f"{hedged(diagnostic)} (`{diagnostic.modules[0]}`{f', and {more} more' if more else ''})"
