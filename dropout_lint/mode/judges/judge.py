"""Reads the events of a run and says what they prove, one kind of mistake after the other."""

from __future__ import annotations

from dropout_lint.mode.judges.evaluations import evaluations
from dropout_lint.mode.judges.evidence import Findings
from dropout_lint.mode.judges.explicit_train import explicit_train
from dropout_lint.mode.judges.exported import exports
from dropout_lint.mode.judges.frozen import frozen_parts
from dropout_lint.mode.judges.history import History
from dropout_lint.mode.judges.left_in_eval import left_in_eval
from dropout_lint.mode.judges.sampling import samplings
from dropout_lint.mode.judges.single_events import single_events
from dropout_lint.mode.program.machine import Machine


def judged(machine: Machine) -> Findings:
    """What a run that came to its end proves."""
    history, findings = History(machine.events), Findings()
    for ask in (left_in_eval, evaluations, explicit_train, single_events):
        ask(history, findings)
    for look in (exports, frozen_parts, samplings):
        look(machine, findings)
    return findings
