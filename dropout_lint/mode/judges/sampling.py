"""Monte Carlo dropout by ``train()``, which puts batch norm into train mode too (DRP214)."""

from __future__ import annotations

from dropout_lint.diagnostic import Related
from dropout_lint.facts import Step, Term
from dropout_lint.mode.judges.evidence import Evidence, Findings
from dropout_lint.mode.judges.naming import layer, names, spelt
from dropout_lint.mode.program.events import TRAIN, Event
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import terms, within

REPEATED, INTENDED = "repeated", "intended"


def samplings(machine: Machine, findings: Findings) -> None:
    """Forwards after such a ``train()``; ``extra`` says what shows that they are samples, "" for nothing but a name."""
    for forward in machine.events:
        cause, thing = forward.cause, forward.thing
        if forward.kind != "forward" or thing is None or cause is None or forward.frame.home.is_test:
            continue
        if cause.kind != "mode" or cause.frame not in set(forward.frame.chain()) or not _all_in_train(forward, cause):
            continue
        norm = next((p for p, modes in forward.live if modes == TRAIN and "BatchNorm" in p.name), None)
        drop = next((p for p, modes in forward.live if modes == TRAIN and "Norm" not in p.name), None)
        trains = any(e.kind == "backward" and cause.frame in set(e.frame.chain()) for e in machine.events)
        if norm is None or drop is None or trains:
            continue
        flow = forward.frame.flow
        shown = INTENDED if flow.intent else REPEATED if _repeated(flow.steps, forward) else ""
        related = [Related(forward.place.path, forward.place.span, "and draws here")]
        if norm.place is not None:
            related.append(Related(norm.place.path, norm.place.span, "is in train mode then as well"))
        findings.add(
            Evidence(
                "DRP214",
                cause.place.path,
                cause.place.span,
                spelt(cause.frame, thing) or thing.label,
                layer(norm),
                names(forward.frame),
                tuple(related),
                extra=shown,
            )
        )


def _all_in_train(forward: Event, cause: Event) -> bool:
    return forward.grad is not None and forward.modes == TRAIN and cause.modes == TRAIN


def _repeated(steps: tuple[Step, ...], forward: Event) -> bool:
    """Whether a loop over a range runs the model on one input again and again."""
    for term in terms(steps):
        if term.kind == "each" and _over_a_range(term.parts[0]) and _calls(term.parts[1], forward, term.text):
            return True
    for step in steps:
        target = step.targets[0].text if step.targets else ""
        if step.kind == "loop" and step.value is not None and _over_a_range(step.value):
            return any(_calls(t, forward, target) for t in terms(step.arms[0]))
        if any(_repeated(arm, forward) for arm in step.arms):
            return True
    return False


def _over_a_range(term: Term) -> bool:
    return term.kind == "call" and term.parts[0] == Term("name", "range")


def _calls(term: Term, forward: Event, variable: str) -> bool:
    """Whether a term holds the very call, with arguments that the loop does not change."""
    return any(
        one.kind == "call" and one.span == forward.place.span and Term("name", variable) not in set(within(one))
        for one in within(term)
    )
