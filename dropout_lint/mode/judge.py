"""Reads the events of a run and says what they prove, one kind of mistake after the other."""

from __future__ import annotations

from dropout_lint.mode.evaluations import evaluations
from dropout_lint.mode.evidence import Findings
from dropout_lint.mode.explicit_train import explicit_train
from dropout_lint.mode.history import History
from dropout_lint.mode.left_in_eval import left_in_eval
from dropout_lint.mode.machine import Machine
from dropout_lint.mode.single_events import single_events


class Judge:
    """One run, judged."""

    def __init__(self, machine: Machine, findings: Findings) -> None:
        self._history = History(machine.events)
        self._findings = findings

    def run(self) -> None:
        """Add what is proven to the findings."""
        for judge in (left_in_eval, evaluations, explicit_train, single_events):
            judge(self._history, self._findings)
