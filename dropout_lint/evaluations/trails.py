"""Follow a model back from a place: through callers, attributes and builders, to where it was made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from dropout_lint.evaluations.effects import NO_EFFECT, Effect, Effects
from dropout_lint.evaluations.origins import Made, Makers
from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.summary import Bind, Call, Place, Summary, arguments_of, path_of
from dropout_lint.facts import Location, Term
from dropout_lint.mode.program.values import Class

_DEPTH = 7
MOST_TRAILS = 16


@dataclass(frozen=True, slots=True)
class Trail:
    """One way in which a model reaches a place."""

    effect: Effect
    """What happens to it on the way."""
    frames: tuple[tuple[Summary, Place], ...]
    """The functions on the way, innermost first, each with the place there."""
    made: tuple[Made, ...]
    """Where it may come from."""
    ends: str
    """Why it ends: ``made``, ``parameter`` (no caller), ``instance`` (nothing makes its object), ``unknown``."""


class Trails:
    """Finds trails."""

    def __init__(self, program: Program, effects: Effects, makers: Makers) -> None:
        self._program = program
        self._effects = effects
        self._makers = makers

    def of(self, summary: Summary, path: str, at: Place) -> tuple[Trail, ...]:
        """The trails of the model at a place."""
        seen: set[tuple[str, str, str]] = set()
        return tuple(islice(self._back(summary, path, at, (), NO_EFFECT, _DEPTH, seen), MOST_TRAILS))

    def _back(
        self,
        summary: Summary,
        path: str,
        at: Place,
        frames: tuple[tuple[Summary, Place], ...],
        later: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        key = (summary.home.path, summary.flow.name, f"{path}@{at.order}")
        if key in seen:
            return
        seen = seen | {key}
        names = summary.same(path)
        loops = [summary.loops[number] for number in at.loops if number in summary.loops]
        if any(path.partition(".")[0] in loop.targets for loop in loops):
            names -= {path}  # the loop binds it: what had this name before is another
        here = self._effects.before(summary, names, at)
        effect = here.then(later)
        frames = (*frames, (summary, at))
        if (here.mode == "eval" and later.mode == "none") or depth <= 0:
            yield Trail(effect, frames, (), "unknown" if depth <= 0 else "made")
            return
        bind = self._last_bind(summary, names, at)
        if bind is not None:
            yield from self._from_value(summary, path, bind, frames, effect, depth, seen)
            return
        yield from self._outside(summary, names, frames, effect, depth, seen)

    def _last_bind(self, summary: Summary, names: frozenset[str], at: Place) -> Bind | None:
        """The assignment that made the model, before a place. Those that keep it (``net = net.to(device)``) do not."""
        found = None
        for bind in summary.binds:
            if bind.place.order >= at.order:
                break
            whole = any(name == t or name.startswith((f"{t}.", f"{t}[]")) for t in bind.targets for name in names)
            if whole and path_of(bind.value) not in names and not _keeps(bind.value, names):
                found = bind
        return found

    def _from_value(
        self,
        summary: Summary,
        path: str,
        bind: Bind,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        """A model that an assignment made."""
        source = path_of(bind.value)
        if source and source not in summary.same(path):
            target = next((t for t in bind.targets if path == t or path.startswith((f"{t}.", f"{t}[]"))), "")
            rest = path[len(target) :] if target else ""
            yield from self._back(summary, source + rest, bind.place, frames[:-1], effect, depth - 1, seen)
            return
        target = next((t for t in bind.targets for n in summary.same(path) if n.startswith((f"{t}.", f"{t}[]"))), "")
        held = next((n for n in summary.same(path) if target and n.startswith((f"{target}.", f"{target}[]"))), "")
        if held:
            yield from self._held(summary, bind, held[len(target) :], frames, effect, depth, seen)
            return
        index = next((i for i, t in enumerate(bind.targets) if t in summary.same(path)), 0)
        made = self._makers.of(summary, bind.value, index if len(bind.targets) > 1 else None)
        start = _start(made)
        yield Trail(start.then(effect), frames, tuple(made), "made")

    def _held(
        self,
        summary: Summary,
        bind: Bind,
        rest: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        """``trainer.net`` where ``trainer = Trainer(...)``: the constructor made it."""
        target = self._program.value(summary, bind.value.parts[0]) if bind.value.kind == "call" else None
        if not isinstance(target, Class):
            yield Trail(effect, frames, (), "unknown")
            return
        call = next((c for c in summary.calls if c.term is bind.value), None)
        calls = ((summary, call),) if call is not None else ()
        yield from self._constructed(target, rest, frames, effect, depth - 1, seen, calls)

    def _constructed(
        self,
        owner: Class,
        rest: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
        calls: tuple[tuple[Summary, Call], ...] | None,
    ) -> Iterator[Trail]:
        """An attribute as the constructor of a class leaves it; ``calls`` are those of the class, None for all."""
        getter = self._program.getter(owner, rest[1:])
        source = next((path_of(r.value) for r in getter.returns), "") if getter is not None else ""
        if getter is not None and source.startswith(f"{getter.receiver}."):
            rest = source[len(getter.receiver) :]
        made: list[Made] = []
        start = NO_EFFECT
        given: tuple[Summary, str] | None = None
        for method in self._program.methods(owner.home, owner.name):
            if not method.receiver:
                continue
            path, builds = f"{method.receiver}{rest}", method.flow.name.endswith("__init__")
            for bind in method.binds:
                if path not in bind.targets:
                    continue
                source = path_of(bind.value)
                if builds and source.partition(".")[0] in method.flow.parameters[1:]:
                    given = method, source
                    continue
                index = bind.targets.index(path) if len(bind.targets) > 1 else None
                made += self._makers.of(method, bind.value, index)
            if builds:
                start = start.then(self._effects.inside(method, path))
        effect = start.then(effect)
        followed = False
        if given is not None and effect.mode != "eval" and depth > 0:
            for trail in self._passed(*given, frames, effect, depth, seen, calls):
                followed = True
                yield trail
        if made or not followed:
            yield Trail(_start(made).then(effect), frames, tuple(made), "made" if made else "instance")

    def _passed(
        self,
        init: Summary,
        source: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
        calls: tuple[tuple[Summary, Call], ...] | None,
    ) -> Iterator[Trail]:
        """A model that a constructor gets as an argument."""
        head = source.partition(".")[0]
        for caller, call in self._program.callers(init) if calls is None else calls:
            given = arguments_of(call, init.flow, bound=True).get(head)
            path = path_of(given) if given is not None else ""
            if path:
                yield from self._back(caller, path + source[len(head) :], call.place, frames, effect, depth - 1, seen)
            elif given is not None:
                made = self._makers.of(caller, given, None)
                yield Trail(_start(made).then(effect), (*frames, (caller, call.place)), tuple(made), "made")

    # Outside of the function

    def _outside(
        self,
        summary: Summary,
        names: frozenset[str],
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        """A model that comes from outside: a parameter, an attribute of the instance, a global."""
        receiver = summary.receiver
        for name in sorted(names):
            head = name.partition(".")[0].removesuffix("[]")
            if receiver and head == receiver:
                yield from self._of_instance(summary, name, frames, effect, depth, seen)
                return
            if head in summary.flow.parameters:
                yield from self._of_parameter(summary, name, head, frames, effect, depth, seen)
                return
        outer = self._program.around(summary) if names else None
        if outer is None:
            yield Trail(effect, frames, (), "unknown")
            return
        name = min(names)
        calls = [c.place for c in outer.calls if c.method == summary.flow.name.rpartition(".")[2]]
        at = calls[-1] if calls else _end(outer)
        yield from self._back(outer, name, at, frames, effect, depth - 1, seen)

    def _of_parameter(
        self,
        summary: Summary,
        name: str,
        head: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        rest, flow = name[len(head) :], summary.flow
        called = False
        for caller, call in self._program.callers(summary):
            given = arguments_of(call, flow, bound=bool(summary.receiver)).get(head)
            if given is None:
                continue
            called = True
            path = path_of(given)
            if path:
                yield from self._back(caller, path + rest, call.place, frames, effect, depth - 1, seen)
            else:
                made = self._makers.of(caller, given, None)
                yield Trail(_start(made).then(effect), (*frames, (caller, call.place)), tuple(made), "made")
        if not called:
            yield Trail(effect, frames, (), "parameter")

    def _of_instance(
        self,
        summary: Summary,
        name: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        """``self.net``: what the callers of the method did to it before, and the constructor."""
        rest = name[len(summary.receiver) :]
        called = False
        for caller, call in self._program.callers(summary):
            path = f"{call.receiver}{rest}" if call.receiver else ""
            if not path:
                continue
            called = True
            yield from self._from_caller(summary, caller, call, path, frames, effect, depth, seen)
        if called:
            return
        owner = Class(summary.home, summary.flow.owner)
        if rest:
            yield from (
                replace(t, ends="instance" if t.ends == "made" else t.ends)
                for t in self._constructed(owner, rest, frames, effect, depth, seen, None)
            )
        else:
            yield Trail(effect, frames, (Made("class", owner.home, owner.name),), "instance")

    def _from_caller(
        self,
        summary: Summary,
        caller: Summary,
        call: Call,
        path: str,
        frames: tuple[tuple[Summary, Place], ...],
        effect: Effect,
        depth: int,
        seen: set[tuple[str, str, str]],
    ) -> Iterator[Trail]:
        owner = Class(summary.home, summary.flow.owner)
        rest = name_after(path, call.receiver)
        for trail in self._back(caller, path, call.place, frames, effect, depth - 1, seen):
            if trail.made or trail.effect.mode == "eval" or not rest:
                yield trail
                continue
            yield from self._constructed(owner, rest, trail.frames, trail.effect, depth - 1, seen, None)


def name_after(path: str, whole: str) -> str:
    """``.net`` of ``self.net``."""
    return path[len(whole) :]


def _start(made: list[Made]) -> Effect:
    """The mode in which a model is made."""
    modes = {m.mode for m in made}
    loaded = next((m.loaded for m in made if m.loaded is not None), None)
    place = next((m.place for m in made if m.mode == "eval"), None)
    if modes == {"eval"}:
        return Effect("eval", place, loaded)
    return Effect("maybe", place, loaded) if "eval" in modes else Effect(loaded=loaded)


def _keeps(value: Term, names: frozenset[str]) -> bool:
    """Whether a value is a wrapper around the model: ``net = Wrapper(net)``, ``net, opt = prepare(net, opt)``."""
    return value.kind == "call" and any(path_of(a) in names for a in value.parts[1:])


def _end(summary: Summary) -> Place:
    last = max([c.place.order for c in summary.calls] + [b.place.order for b in summary.binds], default=0) + 1
    return Place(last, summary.flow.span, summary.flow.span, (), (), grad=True, region=None)


def location(summary: Summary, place: Place) -> Location:
    """A place as a location."""
    return Location(summary.home.path, place.span)
