"""Follow a model back from a place: through callers, attributes and builders, to where it was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from dropout_lint.evaluations.effects import NO_EFFECT, Effect, Effects
from dropout_lint.evaluations.origins import Made, Makers
from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.summary import Bind, Call, Place, Summary, arguments_of, covers, path_of
from dropout_lint.facts import Location, Term
from dropout_lint.mode.program.values import Class

_DEPTH = 7
_MOST_TRAILS = 16


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


@dataclass(frozen=True, slots=True)
class _Way:
    """The way back so far: the functions on it, what happens to the model there, and how far it may still lead."""

    frames: tuple[tuple[Summary, Place], ...] = ()
    effect: Effect = NO_EFFECT
    depth: int = _DEPTH
    seen: frozenset[tuple[str, str, str]] = frozenset()

    def on(self) -> _Way:
        """The way one step further back."""
        return replace(self, depth=self.depth - 1)

    def end(self, ends: str, made: Sequence[Made] = ()) -> Trail:
        """The trail that ends here."""
        return Trail(_start(made).then(self.effect), self.frames, tuple(made), ends)


class Trails:
    """Finds trails."""

    def __init__(self, program: Program, effects: Effects, makers: Makers) -> None:
        self._program = program
        self._effects = effects
        self._makers = makers

    def of(self, summary: Summary, path: str, at: Place) -> tuple[Trail, ...]:
        """The trails of the model at a place."""
        return tuple(islice(self._back(summary, path, at, _Way()), _MOST_TRAILS))

    def _back(self, summary: Summary, path: str, at: Place, way: _Way) -> Iterator[Trail]:
        key = (summary.home.path, summary.flow.name, f"{path}@{at.order}")
        if key in way.seen:
            return
        names = summary.same(path)
        loops = [summary.loops[number] for number in at.loops if number in summary.loops]
        if any(path.partition(".")[0] in loop.targets for loop in loops):
            names -= {path}  # the loop binds it: what had this name before is another
        here = self._effects.before(summary, names, at)
        evaluated = here.mode == "eval" and way.effect.mode == "none"
        way = replace(way, frames=(*way.frames, (summary, at)), effect=here.then(way.effect), seen=way.seen | {key})
        if evaluated or way.depth <= 0:
            yield way.end("unknown" if way.depth <= 0 else "made")
            return
        bind = self._last_bind(summary, names, at)
        if bind is not None:
            yield from self._from_value(summary, path, bind, way)
            return
        yield from self._outside(summary, names, way)

    def _last_bind(self, summary: Summary, names: frozenset[str], at: Place) -> Bind | None:
        """The assignment that made the model, before a place. Those that keep it (``net = net.to(device)``) do not."""
        found = None
        for bind in summary.binds:
            if bind.place.order >= at.order:
                break
            whole = any(covers(target, name) for target in bind.targets for name in names)
            if whole and path_of(bind.value) not in names and not _keeps(bind.value, names):
                found = bind
        return found

    def _from_value(self, summary: Summary, path: str, bind: Bind, way: _Way) -> Iterator[Trail]:
        """A model that an assignment made."""
        source, names = path_of(bind.value), summary.same(path)
        if source and source not in names:
            target = next((t for t in bind.targets if covers(t, path)), "")
            rest = path[len(target) :] if target else ""
            yield from self._back(summary, source + rest, bind.place, replace(way, frames=way.frames[:-1]).on())
            return
        rests = (n[len(t) :] for t in bind.targets for n in names if n != t and covers(t, n))
        held = next(rests, "")
        if held:
            yield from self._held(summary, bind, held, way)
            return
        index = next((i for i, t in enumerate(bind.targets) if t in names), 0)
        yield way.end("made", self._makers.of(summary, bind.value, index if len(bind.targets) > 1 else None))

    def _held(self, summary: Summary, bind: Bind, rest: str, way: _Way) -> Iterator[Trail]:
        """``trainer.net`` where ``trainer = Trainer(...)``: the constructor made it."""
        target = self._program.value(summary, bind.value.parts[0]) if bind.value.kind == "call" else None
        if not isinstance(target, Class):
            yield way.end("unknown")
            return
        call = next((c for c in summary.calls if c.term is bind.value), None)
        calls = ((summary, call),) if call is not None else ()
        yield from self._constructed(target, rest, way.on(), calls)

    def _constructed(
        self, owner: Class, rest: str, way: _Way, calls: tuple[tuple[Summary, Call], ...] | None = None
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
        way = replace(way, effect=start.then(way.effect))
        followed = False
        if given is not None and way.effect.mode != "eval" and way.depth > 0:
            for trail in self._passed(*given, way, calls):
                followed = True
                yield trail
        if made or not followed:
            yield way.end("made" if made else "instance", made)

    def _passed(
        self, init: Summary, source: str, way: _Way, calls: tuple[tuple[Summary, Call], ...] | None
    ) -> Iterator[Trail]:
        """A model that a constructor gets as an argument."""
        head = source.partition(".")[0]
        for caller, call in self._program.callers(init) if calls is None else calls:
            given = arguments_of(call, init.flow, bound=True).get(head)
            if given is not None:
                yield from self._argument(caller, call, given, source[len(head) :], way)

    def _argument(self, caller: Summary, call: Call, given: Term, rest: str, way: _Way) -> Iterator[Trail]:
        """A model that a call passes, or that the argument holds as ``rest``."""
        path = path_of(given)
        if path:
            yield from self._back(caller, path + rest, call.place, way.on())
        else:
            way = replace(way, frames=(*way.frames, (caller, call.place)))
            yield way.end("made", self._makers.of(caller, given, None))

    # Outside of the function

    def _outside(self, summary: Summary, names: frozenset[str], way: _Way) -> Iterator[Trail]:
        """A model that comes from outside: a parameter, an attribute of the instance, a global."""
        for name in sorted(names):
            head = name.partition(".")[0].removesuffix("[]")
            if head and head == summary.receiver:
                yield from self._of_instance(summary, name[len(head) :], way)
                return
            if head in summary.flow.parameters:
                yield from self._of_parameter(summary, head, name[len(head) :], way)
                return
        outer = self._program.around(summary) if names else None
        if outer is None:
            yield way.end("unknown")
            return
        calls = [c.place for c in outer.calls if c.method == summary.flow.name.rpartition(".")[2]]
        yield from self._back(outer, min(names), calls[-1] if calls else _end(outer), way.on())

    def _of_parameter(self, summary: Summary, head: str, rest: str, way: _Way) -> Iterator[Trail]:
        """What the callers pass."""
        called = False
        for caller, call in self._program.callers(summary):
            given = arguments_of(call, summary.flow, bound=bool(summary.receiver)).get(head)
            if given is not None:
                called = True
                yield from self._argument(caller, call, given, rest, way)
        if not called:
            yield way.end("parameter")

    def _of_instance(self, summary: Summary, rest: str, way: _Way) -> Iterator[Trail]:
        """``self.net``: what the callers of the method did to it before, and the constructor."""
        owner, called = Class(summary.home, summary.flow.owner), False
        for caller, call in self._program.callers(summary):
            if call.receiver:
                called = True
                yield from self._from_caller(owner, caller, call, rest, way)
        if called:
            return
        if not rest:
            yield replace(way.end("instance"), made=(Made("class", owner.home, owner.name),))
            return
        for trail in self._constructed(owner, rest, way):
            yield replace(trail, ends="instance" if trail.ends == "made" else trail.ends)

    def _from_caller(self, owner: Class, caller: Summary, call: Call, rest: str, way: _Way) -> Iterator[Trail]:
        for trail in self._back(caller, call.receiver + rest, call.place, way.on()):
            if trail.made or trail.effect.mode == "eval" or not rest:
                yield trail
                continue
            yield from self._constructed(owner, rest, replace(way.on(), frames=trail.frames, effect=trail.effect))


def _start(made: Sequence[Made]) -> Effect:
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
