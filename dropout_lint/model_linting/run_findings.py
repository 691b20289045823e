"""Run the checks on the observations of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dropout_lint.checks import checks_of, refuting
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, surer
from dropout_lint.facts.observations import Observation, SwitchedOffCall
from dropout_lint.linting.merging import Refutation


def check_observations(observations: Iterable[Observation]) -> list[Diagnostic]:
    """The findings about a run, in the order of its observations, merged by ``add_findings``."""
    found: list[Diagnostic] = []
    for observation in observations:
        add_findings(found, observation)
    return found


def add_findings(known: list[Diagnostic], observation: Observation) -> list[Diagnostic]:
    """Add the findings about one observation to ``known``, and return those that are new.

    A finding of the same rule at the same place is not new: its modules are added to the known finding. Findings
    without a place are compared by their message.
    """
    new = []
    for code, check in checks_of(type(observation)).items():
        for found in check(observation, ObservedContext(code)):
            index = next((i for i, old in enumerate(known) if _same(old, found)), None)
            if index is None:
                known.append(found)
                new.append(found)
            else:
                modules = tuple(dict.fromkeys((*known[index].modules, *found.modules)))
                known[index] = replace(surer(known[index], found), modules=modules)
    return new


def _same(a: Diagnostic, b: Diagnostic) -> bool:
    return (a.code, a.path, a.span) == (b.code, b.path, b.span) and (bool(b.path) or a.message == b.message)


def refutations(observations: Iterable[Observation]) -> list[Refutation]:
    """The lines where a run proves source findings wrong: a dropout call there was off in eval mode."""
    found = []
    for observation in observations:
        if not isinstance(observation, SwitchedOffCall):
            continue
        codes_by_reason: dict[str, list[str]] = {}
        for code, refute in refuting(SwitchedOffCall).items():
            codes_by_reason.setdefault(refute(observation), []).append(code)
        place = observation.place
        found += [
            Refutation(tuple(codes), place.path, place.span.line, reason) for reason, codes in codes_by_reason.items()
        ]
    return found
