"""The signs that a call of a model is an evaluation, or is none. Each function finds one kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.evaluations.program import Program, paths_in
from dropout_lint.evaluations.summary import Call, Place, Summary, path_of
from dropout_lint.evaluations.trails import Trail, location
from dropout_lint.facts import Location, Term
from dropout_lint.facts.evaluations import Sign
from dropout_lint.mode.libraries import library
from dropout_lint.mode.program.terms import within
from dropout_lint.vocabulary import (
    EVALUATION_WORDS,
    GENERATIVE,
    HELD_OUT_WORDS,
    METRIC_WORDS,
    NOT_AN_EVALUATION,
    OUTPUT_CALLS,
    PLAIN_CALLS,
    PREDICTION_CALLS,
    ROLLOUT_WORDS,
    TRAINING_WORDS,
    USE_WORDS,
    words,
)


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a model in a function."""

    summary: Summary
    call: Call
    path: str
    """The model."""


def local_signs(site: Site) -> Iterator[Sign]:
    """What the function says by itself."""
    summary, call = site.summary, site.call
    if call.place.grad is False:
        region = call.place.region
        yield Sign("no-grad", Location(summary.home.path, region) if region is not None else None)
    elif call.place.grad is None:
        yield Sign("grad-by-value")
    yield from _named(summary)
    yield from _data(site)
    yield from _arms(site)


def _named(summary: Summary) -> Iterator[Sign]:
    parts = summary.flow.name.split(".")
    function, around = words(parts[-1]), set[str]().union(*map(words, parts[:-1]))
    stem = words(Path(summary.home.path).stem)
    if function & TRAINING_WORDS:
        yield Sign("function-trains")
    elif function & EVALUATION_WORDS:
        yield Sign("function-evaluates")
    elif function & USE_WORDS:
        yield Sign("function-uses")
    if NOT_AN_EVALUATION.search(parts[-1]):
        yield Sign("function-not-evaluation")
    if function & ROLLOUT_WORDS:
        yield Sign("function-acts")
    if around & EVALUATION_WORDS:
        yield Sign("class-evaluates")
    if stem & EVALUATION_WORDS and not stem & TRAINING_WORDS:
        yield Sign("file-evaluates")
    elif stem & USE_WORDS and not stem & TRAINING_WORDS:
        yield Sign("file-uses")
    if stem & TRAINING_WORDS:
        yield Sign("file-trains")


def _data(site: Site) -> Iterator[Sign]:
    """What the loops around run over, and the names of the arguments."""
    summary = site.summary
    for number in site.call.place.loops:
        loop = summary.loops.get(number)
        if loop is None:
            continue
        found = _words_in(loop.source)
        if found & HELD_OUT_WORDS and not found & {"train", "training"}:
            yield Sign("held-out-data", None)
            break
        if found & {"train", "training"}:
            yield Sign("training-data")
            break
    given = set[str]().union(*(words(p) for p in paths_in(site.call.term.parts[1:])))
    if given & HELD_OUT_WORDS and not given & {"train", "training"}:
        yield Sign("held-out-input")
    if site.call.term.parts[1:] and _is_random(site, site.call.term.parts[1]):
        yield Sign("random-input")


def _words_in(term: Term) -> set[str]:
    return set[str]().union(*(words(t.text) | words(str(t.constant or "")) for t in within(term) if t.text or t.constant))


def _is_random(site: Site, given: Term) -> bool:
    """Whether an input is drawn at random, as to try shapes."""
    pending, depth = [given], 0
    for term in pending:
        called = {t.parts[0].text for t in within(term) if t.kind == "call"}
        if called & {name.rpartition(".")[2] for name in library.RANDOM}:
            return True
        depth += 1
        if depth < 3 and term.kind == "name":
            pending += [b.value for b in site.summary.binds if term.text in b.targets][-1:]
    return False


def _arms(site: Site) -> Iterator[Sign]:
    """The conditions around: ``if phase == "val"``, ``if not training``."""
    for number, _ in site.call.place.arms:
        test = site.summary.tests.get(number)
        if test is not None and _words_in(test) & (EVALUATION_WORDS | {"phase", "split", "mode"}):
            yield Sign("condition-on-phase")
            return


# What becomes of the result


def result_signs(site: Site, trails: tuple[Trail, ...], program: Program) -> Iterator[Sign]:
    """What the function does with the output, and its caller with what it returns."""
    sinks, places, returned = _sinks(site.summary, site.call)
    if returned:
        yield Sign("returned")
        for caller, place in {id(t.frames[1][0]): t.frames[1] for t in trails if len(t.frames) > 1}.values():
            call = next((c for c in caller.calls if c.place is place or c.place.order == place.order), None)
            if call is not None:
                outer, outer_places, _ = _sinks(caller, call)
                if "backward" in outer:
                    yield Sign("caller-trains-with-result")
                    if _steps(caller):
                        yield Sign("training-step")
                sinks |= outer - {"backward"}
                places |= outer_places
    if "backward" in sinks:
        yield Sign("result-reaches-backward")
        if _steps(site.summary):
            yield Sign("training-step")
    for name, meant in (("prediction", PREDICTION_CALLS), ("output", OUTPUT_CALLS), ("plain", PLAIN_CALLS)):
        hit = sorted(sinks & meant)
        if hit:
            yield Sign(f"result-{name}", places.get(hit[0]))
    measured = sorted(s for s in sinks if words(s) & METRIC_WORDS)
    if measured:
        yield Sign("result-metric", places.get(measured[0]))
    telling = {s for s in sinks if s not in PLAIN_CALLS and s not in _SHAPE_CALLS}
    if not telling and not returned and sinks & {"print", "size"} and _asks_for_shape(site):
        yield Sign("result-shape")
    if any(t.startswith(f"{site.summary.receiver}.") for t in site.call.targets if site.summary.receiver):
        yield Sign("result-kept")
    if site.call.unused:
        yield Sign("unused")
    if any("loss" in s.lower() or "criterion" in s.lower() for s in sinks):
        yield Sign("result-loss")


_SHAPE_CALLS = frozenset({"size", "format", "dim", "str", "len", "info", "type"})


def _asks_for_shape(site: Site) -> bool:
    """Whether the function only asks the output for its shape: ``print(net(x).shape)``."""
    tainted = set(site.call.targets)
    for call in site.summary.calls:
        for term in within(call.term):
            whole = term.parts[0] if term.parts else None
            if term.kind == "attribute" and term.text in {"shape", "size"} and whole is not None:
                if path_of(whole) in tainted or any(t is site.call.term for t in within(whole)):
                    return True
    return False


def _steps(summary: Summary) -> bool:
    """Whether a function steps an optimizer: a backward pass alone may be for attribution."""
    return any(c.method in {"step", "minimize", "zero_grad"} and c.receiver for c in summary.calls)


def _sinks(summary: Summary, call: Call) -> tuple[set[str], dict[str, Location], bool]:
    """The calls that get the output of a call, directly or through variables."""
    tainted = {t for t in call.targets if t}
    sinks: set[str] = set()
    places: dict[str, Location] = {}
    events: list[tuple[int, int, object]] = [(c.place.order, 0, c) for c in summary.calls if c is not call]
    events += [(b.place.order, 1, b) for b in summary.binds]
    for order, kind, event in sorted(events, key=lambda e: e[:2]):
        if kind == 0 and isinstance(event, Call):
            inside = any(t is call.term for t in within(event.term))
            given = order > call.place.order and bool(paths_in(event.term.parts) & tainted)
            if inside or given:
                sinks.add(event.method)
                places.setdefault(event.method, location(summary, event.place))
        elif order > call.place.order and not isinstance(event, Call):
            value = event.value  # type: ignore[attr-defined]
            if paths_in([value]) & tainted:
                tainted |= set(event.targets)  # type: ignore[attr-defined]
    returned = any(
        paths_in([r.value]) & tainted or any(t is call.term for t in within(r.value)) for r in summary.returns
    )
    return sinks, places, returned


# How the model comes there


def trail_signs(site: Site, trails: tuple[Trail, ...], bad: tuple[Trail, ...], program: Program) -> Iterator[Sign]:
    """How the model comes there."""
    first = bad[0]
    if first.effect.mode == "train":
        yield Sign("train-called-last", first.effect.place)
    if first.effect.trained is not None:
        yield Sign("trained-before", first.effect.trained)
    loaded = first.effect.loaded or next((m.loaded for m in first.made if m.loaded is not None), None)
    if loaded is not None:
        yield Sign("weights-loaded", loaded)
    if loaded is not None or first.effect.trained is not None:
        yield Sign("ready")
    if first.effect.escaped:
        yield Sign("escaped")
    if len(bad) < len(trails):
        yield Sign("other-paths-call-eval")
    if _is_passed_on(site.summary, program):
        yield Sign("function-passed-on")
    if all(t.ends == "made" for t in bad):
        yield Sign("made-in-sight")
    if all(t.ends == "parameter" for t in bad):
        yield Sign("no-caller")
    if all(t.ends == "instance" for t in bad):
        yield Sign("no-instance")
    if all(t.ends == "unknown" for t in bad):
        yield Sign("origin-unknown")
    frames = [frame for t in bad[:1] for frame in t.frames[1:]]
    names = set[str]().union(*(words(s.flow.name.rpartition(".")[2]) for s, _ in frames))
    if names & EVALUATION_WORDS:
        yield Sign("caller-evaluates")
    if any(p.grad is False for _, p in frames):
        yield Sign("caller-no-grad")
    if any(words(s.flow.name) & TRAINING_WORDS for s, _ in frames):
        yield Sign("caller-trains")
    if first.made and any(m.what == "pickled" for m in first.made):
        yield Sign("pickled")
    if first.made and any(m.what == "library" for m in first.made):
        yield Sign("library-model")
    if GENERATIVE.search(site.path.rpartition(".")[2]):
        yield Sign("generative-name")


def _is_passed_on(summary: Summary, program: Program) -> bool:
    """Whether a function is used as a value: what calls it is not seen."""
    name = summary.flow.name.rpartition(".")[2]
    terms = [a for s in program.functions(summary.home) for c in s.calls for a in c.term.parts[1:]]
    terms += [v for s in program.functions(summary.home) for c in s.calls for _, v in c.term.keywords]
    terms += [b.value for s in program.functions(summary.home) for b in s.binds]
    return any(p == name or p.endswith(f".{name}") for p in map(path_of, terms) if p)


# Modes elsewhere


def mode_signs(site: Site, bad: tuple[Trail, ...], program: Program) -> Iterator[Sign]:
    """Whether the function, its class, its file or its program calls ``eval()`` on anything, trains, or calls ``train()``."""
    summary = site.summary
    own = _mode_calls([summary])
    siblings = list(program.methods(summary.home, summary.flow.owner)) if summary.flow.owner else []
    here = _mode_calls(program.functions(summary.home))
    files = {s.home.path: s.home for t in bad for s, _ in t.frames}
    everywhere = [s for home in files.values() for s in program.functions(home)]
    program_calls = _mode_calls(everywhere)
    if own[0]:
        yield Sign("eval-in-function")
    if summary.flow.owner and program.trains(summary.home, summary.flow.owner):
        yield Sign("class-trains")
    if siblings and _mode_calls(siblings)[0]:
        yield Sign("eval-in-class")
    if here[0]:
        yield Sign("eval-in-file")
    if program_calls[0]:
        yield Sign("eval-in-program")
    else:
        yield Sign("no-eval-in-program")
    evaluated = program.evaluated_names(summary.home)
    if not evaluated:
        yield Sign("no-eval-in-project")
    if site.path.removesuffix("[]").rpartition(".")[2] in evaluated:
        yield Sign("eval-of-same-name")
    if program_calls[1]:
        yield Sign("train-in-program")
    if _backward(program.functions(summary.home)):
        yield Sign("file-has-backward")
    if not _backward(everywhere):
        yield Sign("program-never-trains")
    if _backward([summary]):
        yield Sign("function-has-backward")


def _mode_calls(summaries: object) -> tuple[bool, bool]:
    """Whether functions call ``eval()``, and whether they call ``train()``."""
    evals = trains = False
    for summary in summaries:  # type: ignore[attr-defined]
        for call in summary.calls:
            if call.method == "eval" and not call.term.parts[1:]:
                evals = True
            elif call.method == "train" and call.receiver:
                given = call.term.parts[1:]
                evals = evals or (len(given) == 1 and given[0].constant is not True)
                trains = trains or not given or given[0].constant is True
    return evals, trains


def _backward(summaries: object) -> bool:
    return any(c.method == "backward" for s in summaries for c in s.calls)  # type: ignore[attr-defined]


def place_of(frame: tuple[Summary, Place]) -> Location:
    """A frame as a location."""
    return location(*frame)
