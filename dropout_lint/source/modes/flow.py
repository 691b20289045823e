"""The mode flows and classes of a file for linking, each built on first use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from dropout_lint.facts import ModeClass, ModeFlow
from dropout_lint.source.modes.classes import classes_of, mode_class
from dropout_lint.source.modes.functions import FlowBuilder, FunctionNode
from dropout_lint.source.module.source_module import SourceModule

_ACCESSORS = {"setter", "deleter"}


class FlowReader:
    """Reads the mode flow of each function of a file, and its classes."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._nodes: dict[str, tuple[FunctionNode, str]] = {}
        self._flows: dict[str, ModeFlow] = {}
        self._classes: dict[str, ModeClass] = {}
        self._class_nodes = dict(classes_of(module.tree.body))
        self._index(module.tree.body, "")

    def _index(self, body: list[ast.stmt], owner: str) -> None:
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if any(isinstance(d, ast.Attribute) and d.attr in _ACCESSORS for d in statement.decorator_list):
                    continue  # the getter has the same name, and is what a read calls
                self._nodes[f"{owner}.{statement.name}".lstrip(".")] = (statement, owner)
            elif isinstance(statement, ast.ClassDef):
                self._index(statement.body, f"{owner}.{statement.name}".lstrip("."))
            elif not owner:
                for name in ("body", "orelse", "finalbody"):
                    self._index(getattr(statement, name, []), "")

    @cached_property
    def top(self) -> ModeFlow:
        """The flow of the module body."""
        return FlowBuilder(self._module.lines, self._module.imports.package).top(self._module.tree)

    def flow(self, name: str) -> ModeFlow | None:
        """The flow of a function, by its qualified name."""
        if name not in self._flows:
            outer = name
            while outer and outer not in self._nodes:
                outer = outer.rpartition(".")[0]
            self._build(outer)
        return self._flows.get(name)

    def _build(self, name: str) -> None:
        if name in self._nodes and name not in self._flows:
            node, owner = self._nodes[name]
            builder = FlowBuilder(self._module.lines, self._module.imports.package)
            builder.function(node, owner, owner)
            self._flows.update((f.name, f) for f in builder.flows)

    def within(self, definition: str) -> Iterator[ModeFlow]:
        """The flows of a function or class, with those inside."""
        inside = f"{definition}."
        for name in self._nodes:
            if name == definition or name.startswith(inside):
                self._build(name)
        yield from [f for name, f in self._flows.items() if name == definition or name.startswith(inside)]

    def names(self) -> tuple[str, ...]:
        """The qualified names of all functions, with those inside of others."""
        for name in list(self._nodes):
            self._build(name)
        return tuple(self._flows)

    def mode_class(self, name: str) -> ModeClass | None:
        """A class by its qualified name."""
        if name not in self._classes and name in self._class_nodes:
            self._classes[name] = mode_class(self._module, self._class_nodes[name], name)
        return self._classes.get(name)

    @property
    def classes(self) -> tuple[str, ...]:
        """The qualified names of all classes."""
        return tuple(self._class_nodes)
