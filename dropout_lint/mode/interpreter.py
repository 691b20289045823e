"""Expressions for the abstract machine: names, attributes, operators and assignments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from dropout_lint.facts import FileFacts, ModeClass, ModeFlow, Term
from dropout_lint.mode.machine import OPEN, Machine
from dropout_lint.mode.uses import Uses
from dropout_lint.mode.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Group,
    Lambda,
    Table,
    Thing,
    Value,
    choices,
    either,
    things,
)
from dropout_lint.project import Project


@dataclass(slots=True)
class Memory:
    """What the runs of one link share: answers that depend on the files alone."""

    lineages: dict[tuple[str, str], list[tuple[FileFacts, ModeClass]]] = field(default_factory=dict)
    relevant: dict[tuple[str, str], bool] = field(default_factory=dict)
    computing: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    uses: dict[tuple[str, str], Uses | None] = field(default_factory=dict)


class Interpreter(Machine):
    """Knows the project; ``calls.Caller`` adds what calls do."""

    project: Project
    memory: Memory

    def flow(self, home: FileFacts, name: str) -> ModeFlow | None:
        """A function of a file by its qualified name."""
        reader = self.project.flows(home)
        return reader.flow(name) if reader is not None else None

    def within(self, home: FileFacts, name: str) -> Iterable[ModeFlow]:
        """All functions in a class of a file."""
        reader = self.project.flows(home)
        return reader.within(name) if reader is not None else ()

    def mode_class(self, home: FileFacts, name: str) -> ModeClass | None:
        """What a class of a file says about modes."""
        reader = self.project.flows(home)
        return reader.mode_class(name) if reader is not None else None

    def lineage(self, home: FileFacts, name: str) -> list[tuple[FileFacts, ModeClass]]:
        """A class and its bases in the project, nearest first."""
        key = (home.path, name)
        if key in self.memory.lineages:
            return self.memory.lineages[key]
        found: list[tuple[FileFacts, ModeClass]] = []
        self.memory.lineages[key] = found
        pending, seen = [(home, name)], set()
        while pending and len(found) < 12:
            current, qualname = pending.pop(0)
            if (current.path, qualname) in seen:
                continue
            seen.add((current.path, qualname))
            known = self.mode_class(current, qualname)
            if known is None:
                continue
            found.append((current, known))
            located = [self.base(current, base) for base in known.bases]
            pending += [one for one in located if one is not None]
        return found

    def base(self, home: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """A base class in the project, also one that a star import brings."""
        located = self.project.find(home, name)
        bare = name.removeprefix("?")
        for star in home.stars if located is None and bare != name else ():
            found = self.project.find(home, f"{star}.{bare}")
            if found is not None and found[1] == bare:
                return found
        return located

    def method(self, home: FileFacts, name: str, method: str) -> tuple[FileFacts, ModeFlow] | None:
        """A method of a class, also of its bases in the project."""
        for current, known in self.lineage(home, name):
            if method in known.methods:
                flow = self.flow(current, f"{known.name}.{method}")
                return (current, flow) if flow is not None else None
        return None

    def matters(self, home: FileFacts, name: str) -> bool:
        """Whether an object of a class that is no module may set modes, train or evaluate."""
        key = (home.path, name)
        if key not in self.memory.relevant:
            self.memory.relevant[key] = any(
                (flow := self.flow(current, f"{known.name}.{method}")) is not None and flow.relevant
                for current, known in self.lineage(home, name)
                for method in known.methods
            )
        return self.memory.relevant[key]

    def fresh(self, label: str = "") -> Thing:
        """An object about which nothing is known."""
        return Thing(self.number(), label=label)

    # Expressions

    def evaluate(self, term: Term, frame: Frame) -> Value:
        match term.kind:
            case "name":
                return self._name(term.text, frame)
            case "attribute":
                return self._attribute(self.evaluate(term.parts[0], frame), term.text, frame)
            case "call":
                return self.call(term, frame)
            case "constant":
                return Constant(term.constant) if term.constant != "?" else UNKNOWN
            case "tuple":
                return self._tuple(term, frame)
            case "dict":
                return Table({k: self.evaluate(v, frame) for k, v in term.keywords})
            case "each":
                return self._each(term, frame)
            case "choice":
                return self._choice(term, frame)
            case "compare":
                return self._compare(term, frame)
            case "not":
                held = self.truth(term.parts[0], frame)
                return UNKNOWN if held is None else Constant(not held)
            case "item":
                return self._item(self.evaluate(term.parts[0], frame), self.evaluate(term.parts[1], frame))
            case "star":
                return self.evaluate(term.parts[0], frame)
            case "lambda":
                return Lambda(term, frame)
            case "import":
                return External(term.text, frame.home)
        for part in term.parts:
            self.evaluate(part, frame)
        return UNKNOWN

    def call(self, term: Term, frame: Frame) -> Value:
        """What a call gives."""
        raise NotImplementedError

    def _name(self, name: str, frame: Frame) -> Value:
        current: Frame | None = frame
        while current is not None:
            if name in current.names and not (current is frame and name in frame.foreign):
                return current.names[name]
            current = current.outer
        if name == "__name__":
            return Constant("__main__") if frame.home is self.root else UNKNOWN
        return self.top_level(name, frame.home)

    def top_level(self, name: str, home: FileFacts) -> Value:
        """What a name stands for at the top level of a file."""
        if home is self.root and name in self.globals.names:
            return self.globals.names[name]
        if name in home.headers:
            return Class(home, name)
        if name in home.defined:
            flow = self.flow(home, name)
            return Function(home, flow) if flow is not None else UNKNOWN
        if name in home.imports:
            return External(home.imports[name], home)
        for star in home.stars:
            found = self.project.find(home, f"{star}.{name}")
            if found is not None and found[1] == name:
                return self.top_level(name, found[0]) if found[0] is not home else UNKNOWN
            if star.startswith("torch"):
                return External(f"{star}.{name}", home)
        return External(f"builtins.{name}", home)

    @property
    def globals(self) -> Frame:
        """The top level of the root."""
        return self.top

    top: Frame

    def _attribute(self, base: Value, name: str, frame: Frame) -> Value:
        found = [self.attribute_of(one, name, frame) for one in choices(base)]
        return found[0] if len(found) == 1 else either(found)

    def attribute_of(self, base: Value, name: str, frame: Frame) -> Value:
        """An attribute of one object."""
        if isinstance(base, External):
            return External(f"{base.name}.{name}", base.home)
        if isinstance(base, Class):
            found = self.method(base.home, base.name, name)
            return Function(found[0], found[1]) if found is not None else UNKNOWN
        if name in self.undropped and not (isinstance(base, Thing) and (base.home is not None or base.module)):
            return Constant(0)
        if not isinstance(base, Thing):
            return UNKNOWN
        if name in base.attributes:
            return base.attributes[name]
        if base.home is not None:
            found = self.method(base.home, base.name, name)
            if found is not None:
                names = {d.text for d in found[1].decorators}
                if names & {"property", "cached_property"}:
                    return UNKNOWN
                return Function(found[0], found[1], None if "staticmethod" in names else base)
        if name in {"module", "_orig_mod"} and base.module is not False:
            return base
        if name in {"training", "device", "shape", "data", "grad", "__class__", "config", "dtype"}:
            return UNKNOWN
        part = self.fresh(name)
        if base.module or base.part_of is not None:
            part.part_of = base
            self.modes[part.number] = self.modes.get(base.number, OPEN)
        base.attributes[name] = part
        return part

    def _tuple(self, term: Term, frame: Frame) -> Group:
        items: list[Value] = []
        exact = True
        for part in term.parts:
            value = self.evaluate(part, frame)
            if part.kind == "star":
                exact = exact and isinstance(value, Group) and value.exact
                items += value.items if isinstance(value, Group) else [value]
            else:
                items.append(value)
        return Group(items, exact)

    def _each(self, term: Term, frame: Frame) -> Value:
        source = self.evaluate(term.parts[0], frame)
        sources = source.items if isinstance(source, Group) and source.exact and len(source.items) <= 8 else None
        held = frame.names.get(term.text)
        results: list[Value] = []
        for element in sources if sources is not None else [self.element(source)]:
            if term.text:
                frame.names[term.text] = element
            results.append(self.evaluate(term.parts[1], frame))
        if term.text:
            frame.names.pop(term.text, None)
            if held is not None:
                frame.names[term.text] = held
        return Group(results, sources is not None)

    def _choice(self, term: Term, frame: Frame) -> Value:
        if len(term.parts) == 3 and term.parts[0].kind != "group":
            held = self.truth(term.parts[0], frame)
            if held is not None:
                return self.evaluate(term.parts[1 if held else 2], frame)
        elif term.parts[0].kind == "group":
            self.evaluate(term.parts[0], frame)
        modes = dict(self.modes)
        found = []
        for part in term.parts[1:]:
            found.append(self.evaluate(part, frame))
        for number, before in modes.items():
            if self.modes.get(number, before) != before:
                self.modes[number] = self.modes[number] | before
        return UNKNOWN if any(isinstance(f, Constant) for f in found) and len(found) > 1 else either(found)

    def _compare(self, term: Term, frame: Frame) -> Value:
        left, right = (self.evaluate(p, frame) for p in term.parts)
        if isinstance(left, Constant) and isinstance(right, Constant):
            if term.text in {"==", "is"}:
                return Constant(left.value == right.value)
            return Constant(left.value != right.value) if term.text in {"!=", "is not"} else UNKNOWN
        if term.text in {"is", "is not"} and right == Constant(None):
            made = isinstance(left, (Thing, Function, Class, Group)) and not (isinstance(left, Thing) and left.opaque)
            return Constant(term.text == "is not") if made else UNKNOWN
        listed = isinstance(right, Group) and right.exact and all(isinstance(i, Constant) for i in right.items)
        if term.text == "in" and isinstance(left, Constant) and isinstance(right, Group) and listed:
            return Constant(left in right.items)
        return UNKNOWN

    def _item(self, base: Value, key: Value) -> Value:
        found: list[Value] = []
        for one in choices(base):
            if isinstance(one, Table) and isinstance(key, Constant):
                found.append(one.items.get(str(key.value), UNKNOWN))
            elif isinstance(one, Table):
                found += list(one.items.values())
            elif isinstance(one, Group):
                index = key.value if isinstance(key, Constant) else None
                if one.exact and isinstance(index, int) and -len(one.items) <= index < len(one.items):
                    found.append(one.items[index])
                else:
                    found += one.items
            elif isinstance(one, Thing):
                name = f"[{key.value}]" if isinstance(key, Constant) else "[]"
                members = self.inner(one)
                found += members or [self.attribute_of(one, name, self.top)]
        return either(found)

    # Assignments

    def bind(self, target: Term, value: Value, frame: Frame) -> None:
        match target.kind:
            case "name":
                self._bind_name(target.text, value, frame)
            case "attribute":
                for base in choices(self.evaluate(target.parts[0], frame)):
                    if isinstance(base, Thing):
                        self._set(base, target.text, value)
            case "tuple":
                items: list[Value] = [UNKNOWN] * len(target.parts)
                if isinstance(value, Group) and value.exact and len(value.items) == len(target.parts):
                    items = value.items
                elif isinstance(value, Group):
                    items = [either(value.items)] * len(target.parts)
                elif isinstance(value, Thing) and value.opaque:
                    items = [self.attribute_of(value, f"[{n}]", frame) for n in range(len(target.parts))]
                for part, item in zip(target.parts, items, strict=True):
                    self.bind(part, item, frame)
            case "item":
                base = self.evaluate(target.parts[0], frame)
                key = self.evaluate(target.parts[1], frame)
                if isinstance(base, Table) and isinstance(key, Constant):
                    base.items[str(key.value)] = value
                elif isinstance(base, Group):
                    base.exact = False
                    base.items.append(value)

    def _bind_name(self, name: str, value: Value, frame: Frame) -> None:
        for thing in things(value, 1):
            if (thing.opaque and not thing.label) or not thing.label:
                thing.label = name
        if name in frame.foreign:
            outer = frame.outer
            while outer is not None and name not in outer.names:
                outer = outer.outer
            if outer is None and frame.home is self.root:
                outer = self.top
            if outer is not None:
                held = outer.names.get(name)
                outer.names[name] = value if held is None or not self.branches else either([held, value])
            return
        frame.names[name] = value

    def _set(self, base: Thing, name: str, value: Value) -> None:
        held = base.attributes.get(name)
        placeholder = isinstance(held, Thing) and held.opaque
        keep = held is not None and self.branches and not placeholder and not isinstance(value, Constant)
        base.attributes[name] = either([held, value]) if keep and held is not None else value
        for thing in things(value, 1):
            thing.label = thing.label or name

    # Context managers

    def enter(self, item: Term, frame: Frame) -> bool | Literal["same"] | None:
        manager, target = item.parts
        value = self.evaluate(manager, frame)
        if target.kind != "group":
            self.bind(target, value if isinstance(value, Thing) else UNKNOWN, frame)
        return self.gradient(manager, frame)

    def gradient(self, manager: Term, frame: Frame) -> bool | Literal["same"] | None:
        """What a decorator or context manager does to gradients."""
        func = manager.parts[0] if manager.kind == "call" else manager
        if func.kind not in {"name", "attribute"}:
            return "same"
        callee = self.evaluate(func, frame)
        name = callee.name if isinstance(callee, External) else ""
        last = name.rpartition(".")[2]
        if not name.startswith("torch"):
            return "same"
        if last in {"no_grad", "inference_mode"}:
            return False
        if last == "enable_grad":
            return True
        if last == "set_grad_enabled":
            on = self.evaluate(manager.parts[1], frame) if len(manager.parts) > 1 else UNKNOWN
            return bool(on.value) if isinstance(on, Constant) else None
        return "same"
