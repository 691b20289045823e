"""Signs in the function of a call: its name, gradients, data and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.evaluations.program import paths_in
from dropout_lint.evaluations.summary import Call, Summary
from dropout_lint.facts import Location, Term
from dropout_lint.facts.evaluations import Sign
from dropout_lint.mode.libraries import library
from dropout_lint.mode.program.terms import within
from dropout_lint.vocabulary import (
    EVALUATION_WORDS,
    HELD_OUT_WORDS,
    NOT_AN_EVALUATION,
    ROLLOUT_WORDS,
    TRAINING_WORDS,
    USE_WORDS,
    words,
)

_DRAWS = {name.rpartition(".")[2] for name in library.RANDOM}
_MOST_STEPS = 3
"""Assignments that are followed back to where an input is drawn."""
EVALUATING_METHODS = {"generate", "predict", "sample", "infer", "inference", "predict_proba", "p_sample_loop"}
"""Methods that only make sense of a trained model; ``encode`` and ``decode`` are called in training too."""
PHASE_WORDS = EVALUATION_WORDS | {"phase", "split", "mode"}


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a model in a function."""

    summary: Summary
    call: Call
    path: str
    """The model."""


def signs_around(site: Site) -> Iterator[Sign]:
    """What the function says by itself."""
    yield from _gradients(site)
    yield from signs_of_function(site.summary)
    if site.call.method in EVALUATING_METHODS and site.call.receiver == site.path:
        yield Sign("method-evaluates")
    yield from _data(site)
    tests = (site.summary.tests.get(number) for number, _ in site.call.place.arms)
    if any(test is not None and words_in(test) & PHASE_WORDS for test in tests):
        yield Sign("condition-on-phase")


def signs_of_function(summary: Summary) -> Iterator[Sign]:
    """What the names of the function, its class and its file say."""
    yield from _function(summary)
    yield from _class_and_file(summary)


def _gradients(site: Site) -> Iterator[Sign]:
    place = site.call.place
    if place.grad is False:
        yield Sign("no-grad", Location(site.summary.home.path, place.region) if place.region is not None else None)
    elif place.grad is None:
        yield Sign("grad-by-value")


def _function(summary: Summary) -> Iterator[Sign]:
    name = summary.flow.name.rpartition(".")[2]
    found = words(name)
    yield from _purpose("function", found)
    if NOT_AN_EVALUATION.search(name):
        yield Sign("function-not-evaluation")
    if found & ROLLOUT_WORDS:
        yield Sign("function-acts")


def _class_and_file(summary: Summary) -> Iterator[Sign]:
    if words(summary.flow.name.rpartition(".")[0]) & EVALUATION_WORDS:
        yield Sign("class-evaluates")
    yield from _purpose("file", words(Path(summary.home.path).stem))


def _purpose(named: str, found: set[str]) -> Iterator[Sign]:
    """What the words in the name of a function or a file say that it is for."""
    if found & TRAINING_WORDS:
        yield Sign(f"{named}-trains")
    elif found & EVALUATION_WORDS:
        yield Sign(f"{named}-evaluates")
    elif found & USE_WORDS:
        yield Sign(f"{named}-uses")


def _data(site: Site) -> Iterator[Sign]:
    """What the loops around run over, and what the model gets."""
    for number in site.call.place.loops:
        loop = site.summary.loops.get(number)
        found = words_in(loop.source) if loop is not None else set[str]()
        if found & {"train", "training"}:
            yield Sign("training-data")
            break
        if found & HELD_OUT_WORDS:
            yield Sign("held-out-data")
            break
    inputs = site.call.term.parts[1:]
    given = set[str]().union(*map(words, paths_in(inputs)))
    if given & HELD_OUT_WORDS and not given & {"train", "training"}:
        yield Sign("held-out-input")
    if inputs and _is_drawn(site.summary, inputs[0]):
        yield Sign("random-input")


def words_in(term: Term) -> set[str]:
    """The words of the names and texts in an expression."""
    return set[str]().union(
        *(words(t.text) | words(str(t.constant or "")) for t in within(term) if t.text or t.constant)
    )


def _is_drawn(summary: Summary, given: Term) -> bool:
    """Whether an input is drawn at random, as to try shapes."""
    term = given
    for _ in range(_MOST_STEPS):
        if any(t.kind == "call" and t.parts[0].text in _DRAWS for t in within(term)):
            return True
        bound = [b.value for b in summary.binds if term.kind == "name" and term.text in b.targets]
        if not bound:
            return False
        term = bound[-1]
    return False
