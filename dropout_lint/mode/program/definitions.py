"""Look up the functions and classes of a project, and find what their methods do to modes."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.diagnostic import Span
from dropout_lint.facts import FileFacts, ModeClass, ModeFlow, OwnerClass, Term
from dropout_lint.mode.libraries import library
from dropout_lint.mode.program.call_sites import CallSites, call_sites
from dropout_lint.mode.program.samples import samples
from dropout_lint.mode.program.terms import assignments, attribute_called, is_mode_call, terms, within
from dropout_lint.mode.program.uses import Uses, layer_uses
from dropout_lint.mode.program.values import Class, Function
from dropout_lint.project.project import Project
from dropout_lint.torch_api.signatures import FUNCTIONALS
from dropout_lint.vocabulary import SAMPLING_WORDS, words

_MOST_BASES = 12
_DROPOUTS = {name.rpartition(".")[2] for name in FUNCTIONALS}
_RANDOM = {
    *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli"),
    *("multinomial", "uniform", "exponential", "sample", "rsample", "gumbel_softmax", "choice", "shuffle", "random"),
}
_GRADIENT_SWITCHES = {"requires_grad", "requires_grad_"}


class Memory:
    """Answers that all runs of one link share: they depend on the files alone."""

    def __init__(self) -> None:
        self.lineages: dict[tuple[str, str], list[tuple[FileFacts, ModeClass]]] = {}
        self.acting: dict[tuple[str, str], bool] = {}
        self.leading: dict[tuple[str, str], bool] = {}
        self.computing: dict[tuple[str, str, str], bool] = {}
        self.uses: dict[tuple[str, str], Uses | None] = {}
        self.switched: dict[tuple[str, str], frozenset[str]] = {}
        self.assigned: dict[tuple[str, str], tuple[ModeFlow, Term] | None] = {}
        self.call_sites: dict[tuple[str, str], CallSites] = {}
        self.samples: dict[tuple[str, str], dict[Span, Span]] = {}
        self.drawing: dict[tuple[str, str], bool] = {}
        self.owners: dict[tuple[str, str], OwnerClass] = {}
        self.freezing: dict[tuple[str, str], bool] = {}


class Definitions:
    """Functions and classes of a project, by file and qualified name."""

    def __init__(self, project: Project, memory: Memory) -> None:
        self._project = project
        self._memory = memory
        self.owners = memory.owners
        """Descriptions of classes, by file and name."""

    def flow(self, home: FileFacts, name: str) -> ModeFlow | None:
        """A function."""
        reader = self._project.files.flows(home)
        return reader.flow(name) if reader is not None else None

    def mode_class(self, home: FileFacts, name: str) -> ModeClass | None:
        """What a class does with modes."""
        reader = self._project.files.flows(home)
        return reader.mode_class(name) if reader is not None else None

    def value(self, home: FileFacts, name: str) -> Class | Function | None:
        """The class or function of a name."""
        if not name:
            return None
        if name in home.headers or self.mode_class(home, name) is not None:
            return Class(home, name)
        flow = self.flow(home, name)
        return Function(home, flow) if flow is not None else None

    def assigned(self, home: FileFacts, name: str) -> tuple[ModeFlow, Term] | None:
        """The dictionary or number that the top level of a file assigns to a name, if that is its only assignment."""
        key = (home.path, name)
        if key not in self._memory.assigned:
            reader = self._project.files.flows(home)
            found = list(assignments(reader.top.steps, name)) if reader is not None else []
            term = found[0] if len(found) == 1 else None
            known = reader is not None and term is not None and _is_known(term)
            self._memory.assigned[key] = (reader.top, term) if reader is not None and term and known else None
        return self._memory.assigned[key]

    def call_sites(self, home: FileFacts, flow: ModeFlow) -> CallSites:
        """The calls in a function."""
        key = (home.path, flow.name)
        if key not in self._memory.call_sites:
            self._memory.call_sites[key] = call_sites(flow.steps)
        return self._memory.call_sites[key]

    def samples(self, home: FileFacts, flow: ModeFlow) -> dict[Span, Span]:
        """The calls in a function that are samples, each with the loop around it."""
        key = (home.path, flow.name)
        if key not in self._memory.samples:
            named = bool(words(flow.name.rpartition(".")[2]) & SAMPLING_WORDS)
            self._memory.samples[key] = samples(flow.steps, named=named)
        return self._memory.samples[key]

    def models(self, home: FileFacts) -> list[Class]:
        """The modules of a file that can be called."""
        reader = self._project.files.flows(home)
        return [
            Class(home, name)
            for name in (reader.classes if reader is not None else ())
            if (known := self.mode_class(home, name)) is not None
            and self._project.classes.is_module(home, "." + name)
            and "forward" in known.methods
        ]

    # Classes

    def lineage(self, home: FileFacts, name: str) -> list[tuple[FileFacts, ModeClass]]:
        """A class and its bases in the project, nearest first."""
        key = (home.path, name)
        if key in self._memory.lineages:
            return self._memory.lineages[key]
        found: list[tuple[FileFacts, ModeClass]] = []
        self._memory.lineages[key] = found
        pending, seen = [(home, name)], set()
        while pending and len(found) < _MOST_BASES:
            current, qualname = pending.pop(0)
            if (current.path, qualname) in seen:
                continue
            seen.add((current.path, qualname))
            known = self.mode_class(current, qualname)
            if known is None:
                continue
            found.append((current, known))
            located = [self._base(current, base) for base in known.bases]
            pending += [one for one in located if one is not None]
        return found

    def _base(self, home: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """A base class in the project, also one that a star import brings."""
        located = self._project.names.find(home, name)
        bare = name.removeprefix("?")
        for star in home.stars if located is None and bare != name else ():
            found = self._project.names.find(home, f"{star}.{bare}")
            if found is not None and found[1] == bare:
                return found
        return located

    def inherits_unseen(self, home: FileFacts, name: str) -> bool:
        """Whether a class has a base that cannot be found, whose methods may set any mode."""
        return any(
            not library.is_plain_base(base) and self._base(current, base) is None
            for current, known in self.lineage(home, name)
            for base in known.bases
        )

    def loads_as_transformers(self, made: Class) -> bool:
        """Whether a class inherits its ``from_pretrained()`` from a model class of Transformers."""
        bases = [base for _, known in self.lineage(made.home, made.name) for base in known.bases]
        inherits = any(base.startswith("transformers.") and base.endswith("PreTrainedModel") for base in bases)
        return inherits and self.method(made.home, made.name, "from_pretrained") is None

    # Methods

    def method(self, home: FileFacts, name: str, method: str) -> tuple[FileFacts, ModeFlow] | None:
        """A method of a class, also of its bases in the project."""
        for current, known in self.lineage(home, name):
            if method in known.methods:
                flow = self.flow(current, f"{known.name}.{method}")
                return (current, flow) if flow is not None else None
        return None

    def acts(self, home: FileFacts, name: str) -> bool:
        """Whether an object of a class that is no module may set modes, train or evaluate."""
        key = (home.path, name)
        if key not in self._memory.acting:
            self._memory.acting[key] = any(
                (flow := self.flow(current, f"{known.name}.{method}")) is not None and flow.relevant
                for current, known in self.lineage(home, name)
                for method in known.methods
            )
        return self._memory.acting[key]

    def draws(self, home: FileFacts, name: str) -> bool:
        """Whether methods of a class draw random numbers other than by layers, or drop in a mode of their own."""
        key = (home.path, name)
        if key not in self._memory.drawing:
            self._memory.drawing[key] = any(
                _draws(term)
                for current, known in self.lineage(home, name)
                for flow in self._within(current, known.name)
                if not flow.name.endswith("__init__")
                for term in terms(flow.steps)
            )
        return self._memory.drawing[key]

    def leads_on(self, home: FileFacts, name: str, flow: ModeFlow) -> bool:
        """Whether a method of a module calls another one that changes the mode or trains, at any distance."""
        key = (home.path, f"{name}.{flow.name}")
        known = self._memory.leading.get(key)
        if known is None:
            self._memory.leading[key] = False  # while methods that call one another are looked at
            receiver = flow.parameters[0] if flow.parameters else ""
            called = {attribute_called(t, receiver) for t in terms(flow.steps)} - {"", "forward"}
            found = [m for m in (self.method(home, name, one) for one in sorted(called)) if m is not None]
            known = any(inner.relevant or self.leads_on(home, name, inner) for _, inner in found)
            self._memory.leading[key] = known
        return known

    def freezes(self, home: FileFacts, flow: ModeFlow) -> bool:
        """Whether a function switches the gradients of parameters."""
        key = (home.path, flow.name)
        if key not in self._memory.freezing:
            self._memory.freezing[key] = any(t.text in _GRADIENT_SWITCHES for t in terms(flow.steps))
        return self._memory.freezing[key]

    def computes(self, home: FileFacts, name: str, flow: ModeFlow) -> bool:
        """Whether a method of a module calls the module itself, or a layer of it."""
        key = (home.path, name, flow.name)
        if key not in self._memory.computing:
            receiver = Term("name", flow.parameters[0] if flow.parameters else "")
            others = {m for _, c in self.lineage(home, name) for m in c.methods} - {"forward"}
            silent = others | library.NEUTRAL | library.SAME
            self._memory.computing[key] = any(_calls_layer(t, receiver, silent) for t in terms(flow.steps))
        return self._memory.computing[key]

    def switched(self, home: FileFacts, name: str) -> frozenset[str]:
        """The parts of a module whose mode its own forward pass sets, "" for the module as a whole."""
        key = (home.path, name)
        if key not in self._memory.switched:
            found = self.method(home, name, "forward")
            receiver = found[1].parameters[0] if found is not None and found[1].parameters else ""
            inside = terms(found[1].steps) if found is not None else ()
            self._memory.switched[key] = frozenset(p for t in inside if (p := _switched(t, receiver)) is not None)
        return self._memory.switched[key]

    def uses(self, home: FileFacts, name: str) -> Uses | None:
        """The layers that the methods of a class mention; None if any layer may be reached."""
        key = (home.path, name)
        if key not in self._memory.uses:
            self._memory.uses[key] = None
            forward = self.method(home, name, "forward")
            if forward is not None and forward[1].parameters and not self.inherits_unseen(home, name):
                flows = [
                    flow
                    for current, known in self.lineage(home, name)
                    for flow in self._within(current, known.name)
                    if flow.name != f"{known.name}.__init__"
                ]
                self._memory.uses[key] = layer_uses(flows, forward[1].parameters[0])
        return self._memory.uses[key]

    def _within(self, home: FileFacts, name: str) -> Iterable[ModeFlow]:
        """All functions in a class."""
        reader = self._project.files.flows(home)
        return reader.within(name) if reader is not None else ()


def _draws(term: Term) -> bool:
    """``torch.randn_like(x)``, ``normal.rsample()``, and ``F.dropout(x)`` without ``self.training``."""
    if term.kind != "call" or term.parts[0].kind not in {"attribute", "name"}:
        return False
    name = term.parts[0].text
    if name in _DROPOUTS:
        return not any(t.kind == "attribute" and t.text == "training" for t in within(term))
    return name.removesuffix("_") in _RANDOM


def _calls_layer(term: Term, receiver: Term, silent: set[str]) -> bool:
    """Whether a term is a call of an instance, or of one of its attributes beside the silent ones."""
    if term.kind != "call":
        return False
    func = term.parts[0]
    return func == receiver or (func.kind == "attribute" and func.parts[0] == receiver and func.text not in silent)


def _switched(term: Term, receiver: str) -> str | None:
    """The attribute of an instance on which a term calls ``train`` or ``eval``, "" for the instance."""
    if not is_mode_call(term):
        return None
    instance, called = Term("name", receiver), term.parts[0].parts[0]
    if called == instance:
        return ""
    return called.text if called.kind == "attribute" and called.parts[0] == instance else None


def _is_known(term: Term) -> bool:
    """Whether an assigned value stays the same: a registry of classes, or a number. Other constants are switches."""
    number = isinstance(term.constant, (int, float)) and not isinstance(term.constant, bool)
    return term.kind == "dict" or (term.kind == "constant" and number)
