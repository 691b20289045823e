"""Reads the events of a run and says what they prove, one kind of mistake after the other."""

from __future__ import annotations

from dropout_lint.mode.evaluations import evaluations
from dropout_lint.mode.evidence import Findings
from dropout_lint.mode.explicit_train import explicit_train
from dropout_lint.mode.exported import exports
from dropout_lint.mode.frozen import frozen_parts
from dropout_lint.mode.history import History
from dropout_lint.mode.left_in_eval import left_in_eval
from dropout_lint.mode.machine import Machine
from dropout_lint.mode.sampling import samplings
from dropout_lint.mode.single_events import single_events


def judged(machine: Machine) -> Findings:
    """What a run that came to its end proves."""
    history, findings = History(machine.events), Findings()
    for ask in (left_in_eval, evaluations, explicit_train, single_events):
        ask(history, findings)
    for look in (exports, frozen_parts, samplings):
        look(machine, findings)
    return findings
