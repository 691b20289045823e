"""What calls do to the mode of a model: in one function, and in the functions that it calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from dropout_lint.evaluations.program import Program, is_harmless, paths_in
from dropout_lint.evaluations.summary import Call, Place, Summary, arguments_of, covers, is_super, path_of
from dropout_lint.facts import Location
from dropout_lint.mode.program.values import Class, External, Function
from dropout_lint.vocabulary import EVALUATION_WORDS, words

Mode = Literal["eval", "train", "maybe", "none"]
"""The last mode call: ``maybe`` is an ``eval()`` on some paths or with an unknown value, ``none`` is no call."""
_DEPTH = 4
_LOADS = ("load_state_dict", "load_weights", "load_checkpoint", "load_model", "load_params", "load_pretrained")


@dataclass(frozen=True, slots=True)
class Effect:
    """What some calls did to a model."""

    mode: Mode = "none"
    place: Location | None = None
    """The mode call."""
    loaded: Location | None = None
    """Weights were loaded."""
    trained: Location | None = None
    """A backward pass ran."""
    escaped: bool = False
    """A function that cannot be followed got the model."""

    def then(self, later: Effect) -> Effect:
        """Both, one after the other."""
        return Effect(
            later.mode if later.mode != "none" else self.mode,
            later.place if later.mode != "none" else self.place,
            later.loaded or self.loaded,
            self.trained or later.trained,
            self.escaped or later.escaped,
        )


NO_EFFECT = Effect()


class Effects:
    """Answers about calls, kept by function and path."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._inside: dict[tuple[str, str, str], Effect] = {}

    def before(self, summary: Summary, names: frozenset[str], at: Place | None, depth: int = _DEPTH) -> Effect:
        """The effect of the calls before a place, or of all, on the model of some paths."""
        effect = NO_EFFECT
        for call in summary.calls:
            if at is not None and call.place.order >= at.order:
                break
            if at is not None and _excludes(call.place, at):
                continue
            one = self.of(summary, call, names, depth)
            if one is NO_EFFECT:
                continue
            if one.mode != "none" and _is_conditional(call.place, at):
                one = _perhaps(one, effect)
            effect = effect.then(one)
        for path, place in summary.flags:
            if (at is None or place.order < at.order) and any(covers(path, name) for name in names):
                effect = replace(effect, mode="maybe")
        return effect

    def of(self, summary: Summary, call: Call, names: frozenset[str], depth: int) -> Effect:
        """The effect of one call on a model."""
        place = Location(summary.home.path, call.place.span)
        method, receivers = call.method, summary.same(call.receiver) if call.receiver else frozenset()
        if method == "backward":
            return Effect(trained=place)
        of_model = any(covers(receiver, name) for receiver in receivers for name in names)
        target = self._program.target(summary, call)
        followed = isinstance(target, Function)
        if of_model and method in {"eval", "train"} and not (followed and not self._program.is_of_module(target)):
            return _asked(call, place, method)
        if method == "eval" and any({f"{name}.*", f"{name}[]"} & receivers for name in names):
            return Effect("maybe", place)
        if method == "freeze" and receivers & names and not followed:
            return Effect("maybe", place)  # that of Lightning calls eval()
        if method == "apply" and receivers & names and self._sets_modes(summary, call):
            return Effect("maybe", place)
        if receivers & names and method in _LOADS:
            return Effect(loaded=place)
        if depth <= 0:
            return NO_EFFECT
        if isinstance(target, (Function, Class)):
            effect = self._followed(summary, call, target, names, depth)
            switches = of_model and method in {"eval", "train"} and effect.mode == "none"
            asked = _asked(call, place, method) if switches else NO_EFFECT
            return replace(effect, mode="maybe", place=place) if asked.mode in {"eval", "maybe"} else effect
        passed = any(path_of(a) in names for a in (*call.term.parts[1:], *(v for _, v in call.term.keywords)))
        if passed and "load" in method.lower() and "loader" not in method.lower():
            return Effect(loaded=place)
        unseen = isinstance(target, External) and not is_harmless(target.name)
        unknown = target is None and call.subject.partition(".")[0] != "?" and call.subject not in names
        if passed and (unseen or unknown):
            return Effect("maybe", place) if _may_set_the_mode(call) else Effect(escaped=True)
        return NO_EFFECT

    def _sets_modes(self, summary: Summary, call: Call) -> bool:
        """Whether the function that ``apply`` runs on each part sets modes, or cannot be seen."""
        given = self._program.value(summary, call.term.parts[1]) if len(call.term.parts) > 1 else None
        inner = self._program.summary(given.home, given.flow.name) if isinstance(given, Function) else None
        return inner is None or bool(inner.flags) or any(c.method in {"eval", "train"} for c in inner.calls)

    def _followed(
        self, summary: Summary, call: Call, target: Function | Class, names: frozenset[str], depth: int
    ) -> Effect:
        """The effect of a function of the project on a model that it gets, or that its instance holds."""
        if isinstance(target, Class):
            found = self._program.definitions.method(target.home, target.name, "__init__")
            if found is None:
                return NO_EFFECT
            target = Function(*found)
            held: frozenset[str] = frozenset()
        else:
            receiver = summary.receiver if call.receiver == "?" and is_super(call.term.parts[0]) else call.receiver
            held = summary.same(receiver) if receiver and target.flow.owner else frozenset()
        inner = self._program.summary(target.home, target.flow.name)
        if inner is None:
            return NO_EFFECT
        bound = bool(inner.receiver)
        wanted: list[str] = []
        for parameter, given in arguments_of(call, target.flow, bound=bound).items():
            path = path_of(given)
            wanted += [f"{parameter}{n[len(path) :]}" for n in names if path and covers(path, n)]
        if bound:
            wanted += [f"{inner.receiver}{n[len(h) :]}" for h in held for n in names if covers(h, n)]
        if not summary.flow.name and target.home is summary.home:  # the names of the top level
            used = {path.partition(".")[0] for c in inner.calls for path in paths_in([c.term])}
            wanted += [n for n in names if n.partition(".")[0] in used - set(inner.flow.parameters)]
        effect = NO_EFFECT
        for path in dict.fromkeys(wanted):
            effect = effect.then(self.inside(inner, path, depth - 1))
        if effect.trained is not None or effect.mode != "none":
            here = Location(summary.home.path, call.place.span)
            return replace(effect, trained=here if effect.trained else None)
        return effect

    def inside(self, summary: Summary, path: str, depth: int = _DEPTH) -> Effect:
        """The effect of a whole function on a model."""
        key = (summary.home.path, summary.flow.name, path)
        if key not in self._inside:
            self._inside[key] = NO_EFFECT  # while functions that call one another are looked at
            self._inside[key] = self.before(summary, summary.same(path), None, depth)
        return self._inside[key]


def _asked(call: Call, place: Location, method: str) -> Effect:
    """The mode that a call of ``eval`` or ``train`` sets."""
    if method == "eval":
        return Effect("eval", place)
    given = call.term.parts[1] if len(call.term.parts) > 1 else dict(call.term.keywords).get("mode")
    if given is None:
        return Effect("train", place)
    if isinstance(given.constant, bool):
        return Effect("train" if given.constant else "eval", place)
    return Effect("maybe", place)


def _may_set_the_mode(call: Call) -> bool:
    """Whether a function out of sight may well call ``eval()`` on a model that it gets.

    It evaluates by its name, as ``create_evaluator(model)``; or it gets the model alone and nothing uses its result, as
    ``prepare(model)``, so that it does something to the model.
    """
    if words(call.subject.rpartition(".")[2]) & EVALUATION_WORDS:
        return True
    return call.unused and len(call.term.parts) == 2 and not call.term.keywords


def _excludes(place: Place, at: Place) -> bool:
    """Whether two places are in different arms of a branch."""
    arms = dict(at.arms)
    return any(number in arms and arms[number] != arm for number, arm in place.arms)


def _is_conditional(place: Place, at: Place | None) -> bool:
    """Whether a branch may skip a place on the way to another."""
    return any(arm not in (at.arms if at is not None else ()) for arm in place.arms)


def _perhaps(one: Effect, before: Effect) -> Effect:
    """A mode call that may be skipped."""
    if one.mode == "train" and before.mode in {"none", "train"}:
        return replace(one, mode=before.mode, place=before.place)
    return replace(one, mode="maybe")
