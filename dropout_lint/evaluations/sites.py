"""Find calls of models that may be evaluations in train mode, and collect the evidence for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dropout_lint.diagnostic import Span
from dropout_lint.evaluations.effects import Effects
from dropout_lint.evaluations.hints import COMPUTES, MODEL_CALLS, WEAK, Hints, names_model, searched, speaks_by_itself
from dropout_lint.evaluations.liveness import Liveness, Livenesses
from dropout_lint.evaluations.origins import Made, Makers
from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.signs.around import Site, signs_around
from dropout_lint.evaluations.signs.modes import signs_of_modes
from dropout_lint.evaluations.signs.results import is_for_training, signs_of_results
from dropout_lint.evaluations.signs.ways import signs_of_ways
from dropout_lint.evaluations.summary import Call, Summary
from dropout_lint.evaluations.trails import Trail, Trails, location
from dropout_lint.facts import EVAL, FileFacts, Location, ModeRun, RunEvent
from dropout_lint.facts.evaluations import EvaluationSite, Sign
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.program.bindings import setters_of, statements_with_value
from dropout_lint.mode.program.values import Function
from dropout_lint.project.project import Project
from dropout_lint.vocabulary import (
    EVALUATION_WORDS,
    MODEL_WORDS,
    NOISE_WORDS,
    NOT_MODEL_WORDS,
    TRAINING_WORDS,
    USE_WORDS,
    words,
)

_KEEPS_MODEL = library.SAME | library.NEUTRAL | library.WRAPPERS | frameworks.PREPARES | {"eval", "train", "deepcopy"}
_MOST_SITES = 60
_APART = {"no-grad", "held-out-data", "grad-by-value", "condition-on-phase", "held-out-input", "method-evaluates"}
"""In a function that trains as well, these set an evaluation apart."""

_TELLING = ("yes", "rate", "unknown")
"""Kinds of liveness, the most telling first."""
_MAY_TRAIN = {
    "train-in-program",
    "train-called-last",
    "function-trains",
    "class-trains",
    "file-trains",
    "caller-trains",
    "training-data",
}
"""Signs of training without a backward pass in sight: after an ``eval()`` it would go on in eval mode."""


class Evaluations:
    """The sites of files, with the project around them."""

    def __init__(self, project: Project, managed: tuple[str, ...] = (), neighbours: Neighbours | None = None) -> None:
        self._program = Program(project, neighbours or Neighbours(project.files))
        effects = Effects(self._program)
        makers = Makers(self._program, effects)
        self._trails = Trails(self._program, effects, makers)
        self._liveness = Livenesses(self._program)
        self._managed = frameworks.MANAGED_BASES.union(managed)
        self._models: dict[tuple[str, str, str], bool] = {}
        self._managed_classes: dict[tuple[str, str], bool] = {}
        self._hints = Hints(self._program, self._is_framework_method)

    def of(self, facts: FileFacts) -> Iterator[EvaluationSite]:
        """The sites of a file."""
        if facts.is_test:
            return
        found = 0
        for summary in self._hints.functions(facts):
            if self._is_outside(summary):
                continue
            seen: set[str] = set()
            for site in self._candidates(summary):
                if site.path in seen or found >= _MOST_SITES:
                    continue
                evaluation = self._judge(site)
                if evaluation is not None:
                    seen.add(site.path)
                    found += 1
                    yield evaluation

    def _is_outside(self, summary: Summary) -> bool:
        """Whether a framework calls the function, or it asks for dropout, or it is part of a forward pass."""
        flow, home = summary.flow, summary.home
        asks = bool(flow.intent) or words(flow.name) & NOISE_WORDS or "dropout" in flow.name.rpartition(".")[2].lower()
        return bool(asks) or self._is_framework_method(home, flow.owner, flow.name)

    def _is_framework_method(self, home: FileFacts, owner: str, name: str) -> bool:
        """Whether a framework, or a base out of sight, may call a method in a mode that it sets."""
        if not owner:
            return False
        if self._program.is_module(home, owner):
            return name.rpartition(".")[2] in {"__init__", "forward", "__call__"} or self._is_managed(home, owner)
        return self._is_managed(home, owner) or self._program.definitions.inherits_unseen(home, owner)

    def _is_managed(self, home: FileFacts, owner: str) -> bool:
        key = (home.path, owner)
        if key not in self._managed_classes:
            lineage = self._program.definitions.lineage(home, owner)
            self._managed_classes[key] = any(base in self._managed for _, known in lineage for base in known.bases)
        return self._managed_classes[key]

    # Candidates

    def _candidates(self, summary: Summary) -> Iterator[Site]:
        own = bool(summary.flow.owner) and self._program.is_module(summary.home, summary.flow.owner)
        own = own and not self._program.trains(summary.home, summary.flow.owner)
        by_function = speaks_by_itself(self._program, summary)
        for call in summary.calls:
            if not by_function and not self._may_evaluate(Site(summary, call, call.receiver)):
                continue
            if not (self._may_be_model(summary, call.subject) or self._may_be_model(summary, call.receiver)):
                continue
            if any(name in library.MODE_ARGUMENTS for name, _ in call.term.keywords):
                continue  # the caller says which mode it wants
            path = self._model_path(summary, call, own=own)
            if not path or (not call.term.parts[1:] and not call.term.keywords):
                continue
            site = Site(summary, call, path)
            if self._may_evaluate(site) and self._is_model(site):
                yield site

    def _model_path(self, summary: Summary, call: Call, *, own: bool) -> str:
        """The model that a call runs: ``net(x)``, ``net.generate(x)``, ``self(x)``; "" if it is none."""
        path = call.subject
        if call.method in _KEEPS_MODEL:
            return ""
        if call.receiver and (call.method in COMPUTES or self._computes(summary, call)):
            path = call.receiver
        head = path.partition(".")[0]
        if not path or head in {"?", "super"} or head in summary.home.imports:
            return ""
        if own and head == summary.receiver:
            return path if path == summary.receiver else ""
        return path

    def _computes(self, summary: Summary, call: Call) -> bool:
        """Whether a method runs its module: by its class, or, where that is unknown, by its name."""
        target = self._program.target(summary, call)
        if isinstance(target, Function):
            return self._program.is_of_module(target) and self._only_computes(target)
        last = call.receiver.removesuffix("[]").rpartition(".")[2]
        method = words(call.method)
        named = method & (USE_WORDS | EVALUATION_WORDS) and not method & (TRAINING_WORDS | NOT_MODEL_WORDS)
        return target is None and bool(named) and bool(words(last) & MODEL_WORDS)

    def _only_computes(self, target: Function) -> bool:
        """Whether a method of a module runs it, and does not train it: ``net.predict(x)``, not ``net.fit(x)``."""
        inner = self._program.summary(target.home, target.flow.name)
        if inner is not None and any(c.method == "backward" for c in inner.calls):
            return False
        return bool(self._program.definitions.computes(target.home, target.flow.owner, target.flow))

    def _is_model(self, site: Site) -> bool:
        """Whether a call runs a model."""
        summary, call = site.summary, site.call
        if site.path == summary.receiver:
            return not self._program.callers(summary)
        target = self._program.target(summary, call)
        return (target is None or self._program.is_of_module(target)) and self._may_be_model(summary, site.path)

    def _may_be_model(self, summary: Summary, path: str) -> bool:
        """Whether a path is that of a model, by its name or the methods called on it."""
        if not path or path == summary.receiver:
            return bool(path)
        key = (summary.home.path, summary.flow.name, path)
        if key not in self._models:
            self._models[key] = self._named_or_used_as_model(summary, path)
        return self._models[key]

    def _named_or_used_as_model(self, summary: Summary, path: str) -> bool:
        last = path.removesuffix("[]").rpartition(".")[2]
        if last[:1].isupper() and any(letter.islower() for letter in last):
            return False  # a class
        if words(last) & NOT_MODEL_WORDS:
            return False
        if names_model(last):
            return True
        names = summary.same(path)
        peers = self._program.methods(summary.home, summary.flow.owner) if path.startswith("self.") else (summary,)
        return any(c.method in MODEL_CALLS and c.receiver and c.receiver in names for peer in peers for c in peer.calls)

    def _may_evaluate(self, site: Site) -> bool:
        """A quick look: something in the function or the name of its file speaks for an evaluation."""
        summary = site.summary
        found = {s.name for s in signs_around(site)} - WEAK
        if not found and not self._program.is_inference(summary.home):
            return False
        trains = any(c.method == "backward" for c in summary.calls)
        return not trains or bool(found & _APART)

    # Evidence

    def _judge(self, site: Site) -> EvaluationSite | None:
        trails = self._trails.of(site.summary, site.path, site.call.place)
        around = tuple(signs_around(site))
        bad = tuple(t for t in trails if t.effect.mode in {"none", "train"} and not _is_other(t.made))
        if site.call.place.grad is not False or not any(s.name == "held-out-data" for s in around):
            bad = tuple(t for t in bad if not is_for_training(site, t, self._program))
        bad = tuple(t for t in bad if not any(map(self._switches_itself, t.made)))
        if not bad or self._evaluates_itself(site, bad):
            return None
        judged = [(trail, live) for trail in bad if (live := self._live(trail)).kind != "no"]
        if not judged:
            return None
        judged.sort(key=lambda one: (_TELLING.index(one[1].kind), one[0].effect.mode != "train"))
        bad, one = tuple(trail for trail, _ in judged), judged[0][1]
        signs = [
            *signs_of_ways(site, trails, bad, self._program),
            Sign(f"live-{one.kind}", one.place),
            *around,
            *signs_of_modes(site, bad, self._program),
            *signs_of_results(site, trails, repeated=site.call.place.span in self._repeated(site.summary)),
        ]
        if _is_excused({s.name for s in signs}):
            return None
        here, forward = self._where(site, trails, bad), location(site.summary, site.call.place)
        names = tuple(s.flow.name for s, _ in bad[0].frames)
        return EvaluationSite(
            here,
            forward,
            site.summary.flow.name,
            site.path,
            one.layer,
            tuple(signs),
            names,
            _insertion(self._program, site, signs) if here == forward else None,
        )

    def _switches_itself(self, made: Made) -> bool:
        """Whether the forward pass of a class sets modes, or a base out of sight may; that of a framework does not."""
        if made.what != "class" or made.home is None:
            return False
        definitions = self._program.definitions
        if definitions.switched(made.home, made.name):
            return True
        return definitions.inherits_unseen(made.home, made.name) and not self._is_managed(made.home, made.name)

    def _evaluates_itself(self, site: Site, trails: tuple[Trail, ...]) -> bool:
        """Whether the method that is called puts its module into eval mode: ``net.predict(x)``."""
        if site.call.receiver != site.path:
            return False
        target = self._program.target(site.summary, site.call)
        found = [(target.home, target.flow)] if isinstance(target, Function) else []
        for made in (m for t in trails for m in t.made if m.what == "class"):
            method = made.home and self._program.definitions.method(made.home, made.name, site.call.method)
            found += [method] if method else []
        inner = [self._program.summary(home, flow.name) for home, flow in found]
        return any(
            c.method == "eval" and c.receiver == one.receiver for one in inner if one is not None for c in one.calls
        )

    def _repeated(self, summary: Summary) -> frozenset[Span]:
        """The calls that a loop makes on the same input."""
        return self._program.definitions.call_sites(summary.home, summary.flow).repeated

    def _live(self, trail: Trail) -> Liveness:
        """Whether the modes of a model differ: of the most telling class that it can be."""
        found = [self._liveness_of(m) for m in trail.made]
        kinds = [f.kind for f in found]
        if found and all(k == "no" for k in kinds):
            return Liveness("no")
        for kind in ("yes", "rate"):
            one = next((f for f in found if f.kind == kind), None)
            if one is not None:
                return one
        return Liveness("unknown")

    def _liveness_of(self, made: Made) -> Liveness:
        if made.what == "class" and made.home is not None:
            return self._liveness.of(made.home, made.name)
        if made.what == "library" and made.live is not None:
            return Liveness("yes" if made.live else "no", made.name.rpartition(".")[2])
        return Liveness("unknown")

    def _where(self, site: Site, trails: tuple[Trail, ...], bad: tuple[Trail, ...]) -> Location:
        """The call to report: the innermost that no path with ``eval()`` shares."""
        good = {(s.home.path, p.order, s.flow.name) for t in trails if t not in bad for s, p in t.frames}
        for summary, place in bad[0].frames:
            if (summary.home.path, place.order, summary.flow.name) not in good:
                return location(summary, place)
        return location(site.summary, site.call.place)


def _is_excused(signs: set[str]) -> bool:
    """Whether a call is part of a training step, or only tries shapes."""
    if {"result-shape", "unused", "monte-carlo"} & signs:
        return True
    if "function-acts" in signs and "caller-evaluates" not in signs:
        return True
    return "random-input" in signs and "ready" not in signs


def _insertion(program: Program, site: Site, signs: list[Sign]) -> Span | None:
    """The statement before which ``eval()`` helps: of a program that never trains, where the model has its name.

    It is the outermost loop, or the statement without gradients. There is none where something, such as a framework,
    may train the model after all.
    """
    names = {sign.name for sign in signs}
    if "program-never-trains" not in names or names & _MAY_TRAIN or "[]" in site.path or _is_one_of_several(site):
        return None
    summary, place = site.summary, site.call.place
    reader = program.project.files.flows(summary.home)
    inside = reader.within(summary.flow.owner) if reader is not None and summary.flow.owner else iter(())
    around = statements_with_value(summary.flow, site.path, place.span, setters_of(inside, site.path))
    chosen = next((s.span for s in around if s.kind == "loop" or s.span == place.region), None)
    return chosen or (around[-1].span if around else None)


def _is_one_of_several(site: Site) -> bool:
    """``(first if simple else second)(x)``: ``eval()`` on one of them is not enough."""
    return site.call.term.parts[0].kind == "choice"


def _is_other(made: tuple[Made, ...]) -> bool:
    """Whether it is no model, or one whose mode is saved with it."""
    return bool(made) and all(m.what in {"other", "scripted"} for m in made)


def evaluations(
    project: Project,
    files: Sequence[FileFacts],
    runs: Iterable[ModeRun],
    managed: tuple[str, ...] = (),
    neighbours: Neighbours | None = None,
) -> Iterator[EvaluationSite]:
    """The sites in some files. A site that every run through it reaches in eval mode is none.

    The call of a model that a site reports may be in a file that another one imports, so those are searched too.
    """
    neighbours = neighbours or Neighbours(project.files)
    engine = Evaluations(project, managed, neighbours)
    settled = _settled(runs)
    wanted = {f.path for f in files}
    for facts in searched(project, neighbours, files):
        for site in engine.of(facts):
            if site.location.path in wanted and site.forward not in settled:
                yield site


def _settled(runs: Iterable[ModeRun]) -> frozenset[Location]:
    """The calls of models that all runs reach in eval mode, or with a model whose modes do not differ."""
    settled: dict[Location, bool] = {}
    for run in runs:
        for event in run.events:
            if event.kind == "forward":
                harmless = event.modes == EVAL or _is_alike(run, event)
                settled[event.location] = settled.get(event.location, True) and harmless
    return frozenset(location for location, found in settled.items() if found)


def _is_alike(run: ModeRun, event: RunEvent) -> bool:
    """Whether a run has built the model, knows all its parts, and none of them differs between the modes."""
    if event.model is None or event.live or not run.models[event.model].in_project:
        return False
    below = [run.models[part] for part in run.below(event.model)]
    arguments = {part for model in below if model.name.startswith("torch.nn.") for part in model.parts}
    return all(run.models[part].name or part in arguments for part in run.below(event.model))
