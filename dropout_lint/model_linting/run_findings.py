"""The checks at work on what a run showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dropout_lint.checks import checks_of, refuting
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts.observations import Observation, SwitchedOffCall
from dropout_lint.linting.merging import Refutation


def check_observations(observations: Iterable[Observation]) -> list[Diagnostic]:
    """What the rules report about a run, in the order of its observations."""
    found: list[Diagnostic] = []
    for one in observations:
        add_findings(found, one)
    return found


def add_findings(known: list[Diagnostic], observation: Observation) -> list[Diagnostic]:
    """Add what the rules report about an observation, and return what is new.

    A finding of the same rule at the same place only adds its modules to the known one; so does one without a place
    that has the same message.
    """
    new = []
    for code, check in checks_of(type(observation)).items():
        for found in check(observation, ObservedContext(code)):
            at = next((index for index, old in enumerate(known) if _same(old, found)), None)
            if at is None:
                known.append(found)
                new.append(found)
            else:
                modules = tuple(dict.fromkeys((*known[at].modules, *found.modules)))
                known[at] = replace(known[at], modules=modules)
    return new


def _same(a: Diagnostic, b: Diagnostic) -> bool:
    return (a.code, a.path, a.span) == (b.code, b.path, b.span) and (bool(b.path) or a.message == b.message)


def refutations(observations: Iterable[Observation]) -> list[Refutation]:
    """The calls of a run that did the opposite of what some rules read in their source."""
    found = []
    for one in observations:
        reasons: dict[str, list[str]] = {}
        if isinstance(one, SwitchedOffCall):
            for code, refute in refuting(SwitchedOffCall).items():
                reasons.setdefault(refute(one), []).append(code)
        line = one.place.span.line
        found += [Refutation(tuple(codes), one.place.path, line, reason) for reason, codes in reasons.items()]
    return found
