"""The mode flows and classes of a file for linking, each built on first use."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
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
        self._built: dict[str, list[ModeFlow]] = {}
        self._texts: dict[str, str] = {}
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
            self._built[name] = builder.flows
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
        return self.mentioning(lambda *_: True)

    def mentioning(self, test: Callable[[str, str, str], bool]) -> tuple[str, ...]:
        """The functions whose name, class and text pass a test, with those inside of them.

        Functions inside of others are tested as a part of those. The flows of the others are not built.
        """
        passed = (name for name, (_, owner) in self._nodes.items() if test(name, owner, self._text(name)))
        return tuple(dict.fromkeys(f.name for name in passed for f in self._inside(name)))

    def may_mention(self, name: str, word: str) -> bool:
        """Whether the text of a function may contain a word."""
        return name not in self._nodes or word in self._text(name)

    def _text(self, name: str) -> str:
        """The source of a method or top-level function, with its decorators and without its docstring."""
        if name not in self._texts:
            node, _ = self._nodes[name]
            block, last = self._module.lines.block, node.end_lineno or node.lineno
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            top = node.body[0]
            if len(node.body) > 1 and isinstance(top, ast.Expr) and isinstance(top.value, ast.Constant):
                self._texts[name] = block(first, max(top.lineno - 1, node.lineno)) + block(node.body[1].lineno, last)
            else:
                self._texts[name] = block(first, last)
        return self._texts[name]

    def _inside(self, name: str) -> list[ModeFlow]:
        """The flows of a method or top-level function, and of those in it."""
        self._build(name)
        return self._built.get(name, [])

    def mode_class(self, name: str) -> ModeClass | None:
        """A class by its qualified name."""
        if name not in self._classes and name in self._class_nodes:
            self._classes[name] = mode_class(self._module, self._class_nodes[name], name)
        return self._classes.get(name)

    @property
    def classes(self) -> tuple[str, ...]:
        """The qualified names of all classes."""
        return tuple(self._class_nodes)
