"""Signs in how a model comes to a call: what is done to it on the way, what makes it, and who calls the function."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.signs.around import Site
from dropout_lint.evaluations.summary import Summary
from dropout_lint.evaluations.trails import Trail
from dropout_lint.facts.evaluations import Sign
from dropout_lint.vocabulary import EVALUATION_WORDS, GENERATIVE, TRAINING_WORDS, words

_ENDS = {"made": "made-in-sight", "parameter": "no-caller", "instance": "no-instance", "unknown": "origin-unknown"}


def signs_of_ways(site: Site, trails: tuple[Trail, ...], bad: tuple[Trail, ...], program: Program) -> Iterator[Sign]:
    """``bad`` are the trails without ``eval()``; the first is the most telling."""
    yield from _effects(bad[0])
    if len(bad) < len(trails):
        yield Sign("other-paths-call-eval")
        if any(t.effect.mode == "maybe" for t in trails):
            yield Sign("eval-by-condition")
    for end, name in _ENDS.items():
        if all(trail.ends == end for trail in bad):
            yield Sign(name)
    if _is_passed_on(site.summary, program):
        yield Sign("function-passed-on")
    yield from _callers(bad[0])
    yield from _kinds(bad[0])
    if GENERATIVE.search(site.path.rpartition(".")[2]):
        yield Sign("generative-name")
    if site.path == site.summary.receiver:
        yield Sign("own-method")


def _effects(trail: Trail) -> Iterator[Sign]:
    effect = trail.effect
    loaded = effect.loaded or next((m.loaded for m in trail.made if m.loaded is not None), None)
    if loaded is not None:
        yield Sign("weights-loaded", loaded)
    if effect.trained is not None:
        yield Sign("trained-before", effect.trained)
    if loaded is not None or effect.trained is not None:
        yield Sign("ready")
    if effect.mode == "train":
        yield Sign("train-called-last", effect.place)
    if effect.escaped:
        yield Sign("escaped")


def _callers(trail: Trail) -> Iterator[Sign]:
    frames = trail.frames[1:]
    names = set[str]().union(*(words(s.flow.name.rpartition(".")[2]) for s, _ in frames))
    if names & EVALUATION_WORDS:
        yield Sign("caller-evaluates")
    if any(place.grad is False for _, place in frames):
        yield Sign("caller-no-grad")
    if any(words(s.flow.name) & TRAINING_WORDS for s, _ in frames):
        yield Sign("caller-trains")


def _kinds(trail: Trail) -> Iterator[Sign]:
    kinds = {made.what for made in trail.made}
    if "pickled" in kinds:
        yield Sign("pickled")
    if "library" in kinds:
        yield Sign("library-model")


def _is_passed_on(summary: Summary, program: Program) -> bool:
    """Whether a function is used as a value: what calls it is not seen."""
    return program.is_passed_on(summary.home, summary.flow.name.rpartition(".")[2])
