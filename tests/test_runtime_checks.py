"""What the rules make of observations; no model is run, and torch is not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dropout_lint import checks
from dropout_lint.cache.codec import decode, encode
from dropout_lint.checks.support.scaling import scaling_of
from dropout_lint.diagnostic import NO_PLACE, CodePlace, Severity, Span
from dropout_lint.facts.observations import (
    EvalDraw,
    MaskReading,
    ModesMixed,
    Moments,
    Observation,
    ProbedDropout,
    SwitchedOffCall,
    UnreachedDropout,
)
from dropout_lint.model_linting.run_findings import add_findings, check_observations, refutations

HERE = CodePlace("net.py", Span(3, 5, 3, 20))
P = 0.2


def probed(dropped: float, scale: float, **fields: Any) -> ProbedDropout:
    """A module at rate 0.2 that drops this share of 100,000 units, and scales the rest by ``scale``."""
    mask = MaskReading(round(dropped * 100_000), 100_000, (), scale, scale)
    plain = ProbedDropout(HERE, ("drop",), "Hand", "p", P, (64, 256), mask, 1.0, draws_in_eval=False, alpha=1e-7)
    return replace(plain, **fields)


PROBES = {
    "right": (probed(P, 1 / (1 - P)), []),
    "keeps the dropped": (probed(1 - P, 1 / (1 - P)), ["DRP503"]),
    "rate is the kept share": (probed(1 - P, 1 / P), ["DRP401"]),
    "scaled twice": (probed(P, 1 / (1 - P), eval_factor=1 - P), ["DRP504"]),
    "unscaled": (probed(P, 1.0), ["DRP502"]),
    "scaled for the configured rate": (probed(0.3, 1 / (1 - P)), ["DRP503"]),
    "scaled for another rate": (probed(0.3, 1 / 0.7), ["DRP590"]),
    "scaled wrongly": (probed(P, 1.6), ["DRP503"]),
    "unexplained": (probed(0.3, 1.9), ["DRP590"]),
    "varying": (probed(P, 1.0, mask=MaskReading(20_000, 100_000, (), 1.0, 2.0)), []),
    "untested": (probed(P, 1.0, mask=MaskReading(20_000, 100_000, (), 1.0, 1.0, blocks=True)), []),
}


@pytest.mark.parametrize("name", PROBES)
def test_each_combination_of_rate_and_scale_has_one_name_and_at_most_one_rule(name: str) -> None:
    probe, codes = PROBES[name]
    assert scaling_of(probe) == name
    assert [d.code for d in check_observations([probe])] == codes


@pytest.mark.parametrize(
    ("probe", "codes"),
    [
        (probed(0.3, 1.0), ["DRP502", "DRP590"]),
        (probed(P, 1.0, eval_factor=1 - P), []),
        (probed(P, 1.0, drops_paths=True, shape=(64, 1)), []),
        (probed(P, 1.0, scaling_off=True), []),
        (probed(P, 1.0, draws_in_eval=True), ["DRP501"]),
        (probed(P, 1.25, drops_paths=True), ["DRP508"]),
        (probed(P, 1.25, class_name="Dropout2d", shape=(64, 8, 4, 4)), ["DRP308"]),
        (probed(P, 1.25, mask=None), []),
        (probed(P, 1.25, moments=Moments(0.5, 1.0, 10_000)), ["DRP503"]),
        (probed(P, 1.25, moments=Moments(0.0, 1.0, 10_000)), []),
    ],
)
def test_what_else_a_probe_shows(probe: ProbedDropout, codes: list[str]) -> None:
    assert [d.code for d in check_observations([probe])] == codes


DRAWS = {
    "DRP101": EvalDraw(HERE, (), "dropout", "function", mode=""),
    "DRP102": EvalDraw(HERE, (), "scaled_dot_product_attention", "attention"),
    "DRP103": EvalDraw(HERE, (), "dropout", "module", "Dropout", "temporary"),
    "DRP104": EvalDraw(HERE, (), "dropout", "module", "Dropout", "unregistered"),
    "DRP105": EvalDraw(HERE, (), "dropout", "function", mode="True"),
    "DRP106": EvalDraw(HERE, (), "dropout", "function", mode="self.flag"),
    "DRP190": EvalDraw(HERE, (), "dropout", "function"),
    "DRP501": EvalDraw(HERE, (), "rand_like", "mask"),
}


@pytest.mark.parametrize("code", DRAWS)
def test_each_draw_in_eval_mode_has_one_rule(code: str) -> None:
    (found,) = check_observations([DRAWS[code]])
    assert (found.code, found.path, found.span, found.engines) == (code, "net.py", HERE.span, ("runtime",))
    assert found.message.endswith(".")
    (probe,) = check_observations([replace(DRAWS[code], probed_rate=0.37)])
    assert probe.message == f"{found.message[:-1]} (probed with a rate of 0.37 where 0 is configured)."


@pytest.mark.parametrize("home", ["registered", "container"])
def test_a_draw_that_another_observation_explains_is_left_to_that(home: str) -> None:
    assert check_observations([EvalDraw(HERE, (), "dropout", "module", "Dropout", home)]) == []  # type: ignore[arg-type]


def test_severity_follows_the_evidence() -> None:
    noise = EvalDraw(HERE, (), "randn_like", "noise")
    path = UnreachedDropout(HERE, ("path",), "DropPath", 0.1, drops_paths=True)
    assert [d.severity for d in check_observations([noise, path])] == [Severity.INFO, Severity.INFO]
    (plain,) = check_observations([replace(path, drops_paths=False)])
    assert plain.severity is not Severity.INFO


def test_the_same_finding_again_only_adds_its_modules() -> None:
    first, second = (ModesMixed(HERE, (name,), "Dropout", model_trains=True) for name in ("a", "b"))
    known = check_observations([first])
    assert add_findings(known, second) == []
    assert [d.modules for d in known] == [("a", "b")]
    elsewhere = replace(second, place=CodePlace("net.py", Span(9, 1, 9, 5)))
    assert [d.span.line for d in add_findings(known, elsewhere)] == [9]


def test_without_a_place_findings_differ_by_their_message() -> None:
    here, there = (ModesMixed(NO_PLACE, ("a",), "Dropout", trains) for trains in (True, False))
    assert len(check_observations([here, there, here])) == 2


def test_a_call_that_was_off_refutes_what_expects_it_on() -> None:
    (refuted,) = refutations([SwitchedOffCall(HERE, ())])
    assert refuted.codes == ("DRP101", "DRP102", "DRP105", "DRP106", "DRP107")
    assert (refuted.path, refuted.line) == ("net.py", 3)
    assert check_observations([SwitchedOffCall(HERE, ())]) == []


@pytest.mark.parametrize("observation", [PROBES["right"][0], DRAWS["DRP101"]], ids=["probe", "draw"])
def test_observations_survive_json(observation: Observation) -> None:
    assert decode(type(observation), encode(observation)) == observation


def test_a_check_of_runs_must_read_an_observation() -> None:
    def check_wrong(fact: Span, context: object) -> None: ...

    assert checks._reads(test_observations_survive_json) == "Observation"
    with pytest.raises(checks.CheckError, match="check_wrong: its first parameter must be an observation"):
        checks._reads(check_wrong)
