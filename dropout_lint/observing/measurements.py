"""The result of measuring a model: observations, remarks and tables, in the order in which they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dropout_lint.facts.observations import Observation, Remark


@dataclass(slots=True)
class Measurements:
    """Collects the results about one model."""

    observations: list[Observation] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, observation: Observation) -> None:
        """Add an observation."""
        self.observations.append(observation)

    def remark(self, kind: str, text: str, module: str = "") -> None:
        """Add a remark, unless the same one is there."""
        remark = Remark(kind, text, module)
        if remark not in self.remarks:
            self.remarks.append(remark)
