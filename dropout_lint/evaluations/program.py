"""Find the functions of a project: what a call calls, and who calls a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dropout_lint.evaluations.summary import Bind, Call, Summary, is_super, path_of, summarize
from dropout_lint.facts import FileFacts, ModeFlow, Term
from dropout_lint.mode.libraries import library
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.program.definitions import Definitions, Memory
from dropout_lint.mode.program.values import Class, External, Function
from dropout_lint.project.project import Project

_EVALUATED = re.compile(rb"(\w*)[\])]*\Z")
_NEAR = 200
"""Number of bytes before ``.eval()`` that are searched for a name."""
Target = Function | Class | External
_MOST_FUNCTIONS = 1_500


class Program:
    """The functions of the files around a site. Answers are kept: they depend on the files alone."""

    def __init__(self, project: Project, neighbours: Neighbours) -> None:
        self.project = project
        self.definitions = Definitions(project, Memory())
        self._neighbours = neighbours
        self._mentioning: dict[tuple[str, str], tuple[Summary, ...]] = {}
        self._summaries: dict[tuple[str, str], Summary | None] = {}
        self._callers: dict[tuple[str, str], tuple[tuple[Summary, Call], ...]] = {}
        self._inference: dict[str, bool] = {}
        self._evaluated: dict[str, frozenset[str]] = {}
        self._training: dict[tuple[str, str], bool] = {}
        self._targets: dict[int, tuple[Call, Target | None]] = {}

    # Functions

    def summary(self, home: FileFacts, name: str) -> Summary | None:
        """The summary of a function, "" for the top level."""
        key = (home.path, name)
        if key not in self._summaries:
            reader = self.project.files.flows(home)
            flow = None if reader is None else reader.flow(name) if name else reader.top
            self._summaries[key] = summarize(home, flow) if flow is not None else None
        return self._summaries[key]

    def functions(self, home: FileFacts, test: Callable[[str, str, str], bool]) -> tuple[Summary, ...]:
        """The functions of a file whose name, class and text pass a test, those inside of them, and its top level."""
        reader = self.project.files.flows(home)
        names = reader.mentioning(test) if reader is not None else ()
        found = [self.summary(home, name) for name in ("", *names[:_MOST_FUNCTIONS])]
        return tuple(s for s in found if s is not None)

    def mentioning(self, home: FileFacts, word: str) -> tuple[Summary, ...]:
        """The functions of a file whose text contains a name as a whole word, and its top level."""
        key = (home.path, word)
        if key not in self._mentioning:
            whole = re.compile(rf"{word}(?<!\w{word})\b")  # begins with letters: that is far faster
            self._mentioning[key] = self.functions(home, lambda _name, _owner, text: whole.search(text) is not None)
        return self._mentioning[key]

    def users(self, home: FileFacts, word: str) -> Iterator[FileFacts]:
        """The file, and those that import it and contain a word that ends with a name."""
        yield home
        whole = re.compile(rb"%s\b" % word.encode())  # in a notebook, "\n" may stand before it
        for path in self._neighbours.callers(Path(home.path).resolve()):
            facts = self.project.files.facts(path) if whole.search(self.project.files.data(path)) else None
            if facts is not None and not facts.is_test:
                yield facts

    def _contains(self, path: Path, word: str) -> bool:
        return word.encode() in self.project.files.data(path)

    def is_passed_on(self, home: FileFacts, name: str) -> bool:
        """Whether a file passes a name to a call or binds it to another, as it does with a function."""
        functions = self.mentioning(home, name)
        calls = [c.term for s in functions for c in s.calls]
        given = [a for term in calls for a in (*term.parts[1:], *(v for _, v in term.keywords))]
        given += [b.value for s in functions for b in s.binds]
        return any(path_of(a).rpartition(".")[2] == name for a in given)

    def evaluated_names(self, home: FileFacts) -> frozenset[str]:
        """What some file of the project calls ``eval()`` on, by its last name: ``net`` of ``self.net.eval()``."""
        files = self._neighbours.around(Path(home.path).resolve())
        key = str(files[0]) if files else home.path
        if key not in self._evaluated:
            texts = (self.project.files.data(path) for path in files)
            found = {name.decode() for text in texts for name in _evaluated(text)}
            self._evaluated[key] = frozenset(found)
        return self._evaluated[key]

    def methods(self, home: FileFacts, owner: str, word: str = "") -> Iterator[Summary]:
        """The methods of a class and of its bases in the project whose text contains a word."""
        for current, known in self.definitions.lineage(home, owner):
            reader = self.project.files.flows(current)
            names = [f"{known.name}.{method}" for method in sorted(known.methods)]
            for name in names:
                summary = self.summary(current, name) if reader and reader.may_mention(name, word) else None
                if summary is not None:
                    yield summary

    # What a call calls

    def target(self, summary: Summary, call: Call) -> Target | None:
        """The function or class that a call calls; an External for one outside of the project; None if unknown."""
        if id(call) not in self._targets:
            self._targets[id(call)] = call, self._target(summary, call.term.parts[0], 3)
        return self._targets[id(call)][1]

    def value(self, summary: Summary, term: Term) -> Target | None:
        """The function or class that an expression names."""
        return self._target(summary, term, 3)

    def _target(self, summary: Summary, func: Term, depth: int) -> Target | None:
        home = summary.home
        if func.kind == "name":
            return self._named(summary, func.text, depth)
        if func.kind == "import":
            return self._imported(home, func.text)
        if func.kind != "attribute":
            return None
        base = func.parts[0]
        if is_super(func) and summary.flow.owner:
            return self._inherited(summary, func.text)
        path = path_of(base)
        if path and path == summary.receiver:
            return self._method(home, summary.flow.owner, func.text)
        owner = self._target(summary, base, depth - 1) if base.kind in {"name", "attribute"} and depth > 0 else None
        if isinstance(owner, External):
            return self._imported(owner.home, f"{owner.name}.{func.text}")
        if isinstance(owner, Class):
            return self._method(owner.home, owner.name, func.text)
        for made in self.instances(summary, path, depth - 1) if path and depth > 0 else ():
            if isinstance(made, Class):
                return self._method(made.home, made.name, func.text)
            return None
        return None

    def _named(self, summary: Summary, name: str, depth: int) -> Target | None:
        home = summary.home
        nested = self.definitions.flow(home, f"{summary.flow.name}.{name}") if summary.flow.name else None
        if nested is not None:
            return Function(home, nested)
        bound = [b for b in summary.binds if name in b.targets]
        if bound:
            found = self._target(summary, bound[-1].value, depth - 1) if depth > 0 else None
            return found if isinstance(found, (Class, External)) or bound[-1].value.kind == "import" else None
        if name in summary.flow.parameters:
            return None
        top = self.summary(home, "")
        assigned = [b for b in top.binds if name in b.targets] if top is not None and top is not summary else []
        if top is not None and assigned and name not in home.imports:
            found = self._target(top, assigned[-1].value, depth - 1) if depth > 0 else None
            return found if isinstance(found, (Class, External)) else None
        return self._global(home, name)

    def _global(self, home: FileFacts, name: str) -> Target | None:
        if name in home.headers:
            return Class(home, name)
        if name in home.defined:
            flow = self.definitions.flow(home, name)
            return Function(home, flow) if flow is not None else None
        if name in home.imports:
            return self._imported(home, home.imports[name])
        for star in home.stars:
            found = self.project.names.find(home, f"{star}.{name}")
            value = self.definitions.value(*found) if found is not None and found[1] == name else None
            if value is not None:
                return value
            if star.startswith("torch"):
                return External(f"{star}.{name}", home)
        return External(f"builtins.{name}", home)

    def _imported(self, home: FileFacts, name: str) -> Target | None:
        if not name.startswith(("torch.", "builtins.")):
            found = self.project.names.find(home, name)
            if found is not None:
                return self.definitions.value(*found) or (External(name, home) if not found[1] else None)
        return External(name, home)

    def _method(self, home: FileFacts, owner: str, name: str) -> Function | None:
        found = self.definitions.method(home, owner, name) if owner else None
        return Function(*found) if found is not None and not _is_property(found[1]) else None

    def _inherited(self, summary: Summary, name: str) -> Function | None:
        lineage = self.definitions.lineage(summary.home, summary.flow.owner)
        for home, known in lineage[1:]:
            flow = self.definitions.flow(home, f"{known.name}.{name}") if name in known.methods else None
            if flow is not None:
                return Function(home, flow)
        return None

    # What a path is an instance of

    def instances(self, summary: Summary, path: str, depth: int) -> Iterator[Target]:
        """The classes of the project that a path is made from, in a function or in the class around it."""
        for one in summary.same(path):
            for maker, bind in self.bindings(summary, one):
                value = bind.value
                if value.kind == "call":
                    found = self._target(maker, value.parts[0], depth)
                    if isinstance(found, Class):
                        yield found

    def bindings(self, summary: Summary, path: str) -> list[tuple[Summary, Bind]]:
        """The assignments to a path: in the function, in the methods of its class, or at the top level."""
        here = [(summary, b) for b in summary.binds if path in b.targets]
        if here:
            return here
        receiver = summary.receiver
        if receiver and path.startswith(f"{receiver}."):
            rest = path.removeprefix(f"{receiver}.")
            getter = self.getter(Class(summary.home, summary.flow.owner), rest)
            if getter is not None:
                return [(getter, bind) for bind in getter.returns]
            return [
                (method, bind)
                for method in self.methods(summary.home, summary.flow.owner, _last(rest))
                for bind in method.binds
                if f"{method.receiver}.{rest}" in bind.targets
            ]
        if summary.flow.name and path.partition(".")[0] not in summary.flow.parameters:
            outer = self.around(summary)
            return self.bindings(outer, path) if outer is not None else []
        return []

    def is_module(self, home: FileFacts, owner: str) -> bool:
        """Whether a class is an ``nn.Module`` for sure."""
        return bool(self.project.classes.is_module(home, f".{owner}"))

    def is_of_module(self, target: Target | None) -> bool:
        """Whether what is called is a method of an ``nn.Module``."""
        return (
            isinstance(target, Function) and bool(target.flow.owner) and self.is_module(target.home, target.flow.owner)
        )

    def getter(self, owner: Class, name: str) -> Summary | None:
        """The property of a name in a class."""
        found = self.definitions.method(owner.home, owner.name, name) if owner.name and "." not in name else None
        return self.summary(found[0], found[1].name) if found is not None and _is_property(found[1]) else None

    def is_inference(self, home: FileFacts) -> bool:
        """Whether a file loads weights and runs no backward pass."""
        if home.path not in self._inference:
            loads = self._has_call(home, "load_state_dict") or self._has_call(home, "load")
            self._inference[home.path] = loads and not self._has_call(home, "backward")
        return self._inference[home.path]

    def trains(self, home: FileFacts, owner: str) -> bool:
        """Whether a method of a class runs a backward pass."""
        key = (home.path, owner)
        if key not in self._training:
            methods = self.methods(home, owner, "backward")
            self._training[key] = any(c.method == "backward" for m in methods for c in m.calls)
        return self._training[key]

    def _has_call(self, home: FileFacts, method: str) -> bool:
        """Whether a file calls a function or method of a name."""
        if not self._contains(Path(home.path), method):
            return False
        return any(c.method == method for s in self.mentioning(home, method) for c in s.calls)

    def around(self, summary: Summary) -> Summary | None:
        """The function around a nested one, else the top level."""
        name = summary.flow.name.rpartition(".")[0]
        while name:
            if self.definitions.flow(summary.home, name) is not None:
                return self.summary(summary.home, name)
            name = name.rpartition(".")[0]
        return self.summary(summary.home, "")

    # Who calls a function

    def callers(self, summary: Summary) -> tuple[tuple[Summary, Call], ...]:
        """The calls of a function in its file and in those that import it."""
        key = (summary.home.path, summary.flow.name)
        if key not in self._callers:
            self._callers[key] = ()  # while functions that call one another are looked at
            self._callers[key] = tuple(self._find_callers(summary))
        return self._callers[key]

    def _find_callers(self, summary: Summary) -> Iterator[tuple[Summary, Call]]:
        name = summary.flow.name.rpartition(".")[2]
        if name == "__init__":
            name = summary.flow.owner.rpartition(".")[2]
        for file in self.users(summary.home, name):
            for caller in self.mentioning(file, name):
                for call in caller.calls:
                    if call.method == name and caller is not summary and self._calls(caller, call, summary):
                        yield caller, call

    def _calls(self, caller: Summary, call: Call, summary: Summary) -> bool:
        target = self.target(caller, call)
        flow = summary.flow
        if isinstance(target, Function):
            if target.flow is flow:
                return True
            same_name = target.flow.name.rpartition(".")[2] == flow.name.rpartition(".")[2]
            return same_name and call.receiver == caller.receiver != "" and self._inherits(caller, summary)
        if isinstance(target, Class):
            return flow.name == f"{target.name}.__init__" and target.home is summary.home
        if target is None and flow.owner and call.receiver:
            return flow.name.rpartition(".")[2] not in _COMMON
        return False

    def _inherits(self, caller: Summary, summary: Summary) -> bool:
        """``self.build()`` in a base class calls the method of a subclass."""
        lineage = self.definitions.lineage(summary.home, summary.flow.owner)
        return any(home is caller.home and known.name == caller.flow.owner for home, known in lineage)


def _last(path: str) -> str:
    """``net`` of ``models.net[]``."""
    return path.removesuffix("[]").rpartition(".")[2]


def _evaluated(text: bytes) -> Iterator[bytes]:
    """The last names of what a file calls ``eval()`` on."""
    at = text.find(b".eval()")
    while at >= 0:
        found = _EVALUATED.search(text, max(0, at - _NEAR), at)
        yield found[1] if found is not None else b""
        at = text.find(b".eval()", at + 1)


def _is_property(flow: ModeFlow) -> bool:
    return any("property" in decorator.text for decorator in flow.decorators)


_COMMON = {
    *("forward", "get", "update", "run", "step", "close", "load", "save", "fit", "train", "eval", "items", "keys"),
    *("append", "add", "__call__", "__init__", "sample", "encode", "decode", "reset", "to", "copy", "test", "predict"),
}
"""Methods of so many classes that their name alone does not say whose they are."""


def is_harmless(name: str) -> bool:
    """Whether a function outside of the project does nothing to the mode of a model passed to it."""
    last = name.rpartition(".")[2]
    return (
        (name.startswith("builtins.") and last in library.HARMLESS | library.PLAIN)
        or last in library.HARMLESS_METHODS
        or name.startswith(library.HARMLESS_PREFIXES)
        or last in library.WRAPPERS
    )


def paths_in(terms: Sequence[Term]) -> frozenset[str]:
    """All paths in some expressions."""
    found: set[str] = set()
    pending = list(terms)
    while pending:
        term = pending.pop()
        path = path_of(term)
        if path:
            found.add(path)
        pending += [*term.parts, *(v for _, v in term.keywords)]
    return frozenset(found)
