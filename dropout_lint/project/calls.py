"""Finds the calls of a class or function in the project, and what they pass for one of its parameters."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dropout_lint.facts import FileFacts, Value
from dropout_lint.project.files import Files
from dropout_lint.project.name_search import words
from dropout_lint.project.usages import Usages
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.module.triage import DEFINITIONS
from dropout_lint.source.names.place import place_of
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse, walk
from dropout_lint.syntax.text import UnreadableSource

_MOST_FILES = 60
"""Files that are parsed for the calls of one function; where more mention it, nothing is known."""
_DEPTH = 2
"""Number of functions that are followed, each of which passes its own parameter on."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the calls of a function give one of its parameters."""

    numbers: frozenset[float] = frozenset()
    """Numbers that calls pass, or leave at the default."""
    names: frozenset[str] = frozenset()
    """Canonical names that calls pass, as ``torch.nn.SELU``."""
    calls: int = 0
    defaults: bool = False
    """Some call leaves it at the default."""
    unknown: bool = False
    """Some call passes a value that is not known."""
    opaque: bool = False
    """Some call unpacks arguments, or code refers to the function without calling it."""

    def __or__(self, other: Given) -> Given:
        return Given(
            self.numbers | other.numbers,
            self.names | other.names,
            self.calls + other.calls,
            self.defaults or other.defaults,
            self.unknown or other.unknown,
            self.opaque or other.opaque,
        )

    @property
    def complete(self) -> bool:
        """Whether all calls are seen with what they pass."""
        return not self.unknown and not self.opaque


_UNKNOWN = Given(unknown=True)


class Calls:
    """Answers about calls, from the files below the roots that mention the callee."""

    def __init__(self, files: Files, usages: Usages) -> None:
        self._files = files
        self._usages = usages
        self._modules: dict[Path, SourceModule | None] = {}
        self._known: dict[tuple[str, str, str], Given] = {}
        self._used: dict[Path, dict[str, list[ast.AST]]] = {}

    def given(self, home: FileFacts, function: str, parameter: str) -> Given:
        """What the project passes for a parameter of a function of ``home``, by its qualified name."""
        return self._given(home, function, parameter, _DEPTH)

    def _given(self, home: FileFacts, function: str, parameter: str, depth: int) -> Given:
        key = (home.path, function, parameter)
        if key not in self._known:
            self._known[key] = _UNKNOWN  # a function that calls itself
            self._known[key] = self._found(home, function, parameter, depth)
        return self._known[key]

    def _found(self, home: FileFacts, function: str, parameter: str, depth: int) -> Given:
        summary = home.functions.get(function)
        if summary is None or parameter not in summary.parameters or depth <= 0:
            return _UNKNOWN
        owner, _, last = function.rpartition(".")
        name = owner.rpartition(".")[2] if last == "__init__" else last
        at = summary.parameters.index(parameter)
        found = Given()
        paths = self._mentioning.get(name.encode(), [])
        if len(paths) > _MOST_FILES:
            return _UNKNOWN
        for path in paths:
            module = self._module(path)
            if module is None:
                found |= Given(opaque=True)
                continue
            for use in self._uses(path, module).get(name, ()):
                found |= self._of_use(module, path, use, (parameter, at), depth)
                if found.unknown:
                    return found
        return found

    def _of_use(self, module: SourceModule, path: Path, use: ast.AST, wanted: tuple[str, int], depth: int) -> Given:
        value = _argument(use, *wanted) if isinstance(use, ast.Call) else None
        if value is None:
            return Given(opaque=True)
        if value is use:
            return Given(calls=1, defaults=True)
        block = _block(module, use)
        if block is None:
            return _UNKNOWN
        made = isinstance(value, ast.Call) and not value.args and not value.keywords
        name = module.scopes.resolve(value.func if made else value, block)  # type: ignore[attr-defined]
        if name and not name.endswith("()"):
            return Given(names=frozenset({f"{name}()" if made else name}), calls=1)
        return self._of_value(module.values.evaluate(value, block), path, block.qualname, depth)

    def _of_value(self, value: Value, path: Path, function: str, depth: int) -> Given:
        if value.number is None or value.kind not in {"number", "bool"}:
            return _UNKNOWN
        if not value.default:
            return Given(frozenset({value.number}), calls=1)
        home = self._files.facts(path)
        if not value.parameter or home is None:
            return _UNKNOWN
        outer = self._given(home, function, value.parameter, depth - 1)
        left = {value.number} if outer.defaults or not outer.calls else set()
        return Given(outer.numbers | left, outer.names, max(outer.calls, 1), unknown=outer.unknown, opaque=outer.opaque)

    @cached_property
    def _mentioning(self) -> dict[bytes, list[Path]]:
        """By word, the files that have it, up to one more than are read."""
        found: dict[bytes, list[Path]] = {}
        for path in self._usages.python_files():
            for word in words(self._files.data(path)):
                files = found.setdefault(word, [])
                if len(files) <= _MOST_FILES:
                    files.append(path)
        return found

    def _uses(self, path: Path, module: SourceModule) -> dict[str, list[ast.AST]]:
        if path not in self._used:
            self._used[path] = _uses(module.tree)
        return self._used[path]

    def _module(self, path: Path) -> SourceModule | None:
        if path not in self._modules:
            try:
                text = self._files.source(path)
                self._modules[path] = SourceModule(text, parse(text), place_of(path, self._files.disk))
            except (OSError, UnreadableSource, SourceSyntaxError, NotParsed, RecursionError):
                self._modules[path] = None
        return self._modules[path]


def _uses(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """By name, the calls of it, the classes that have it as a base, and other places that read it."""
    found: defaultdict[str, list[ast.AST]] = defaultdict(list)
    done: set[ast.AST] = set()
    for node in walk(tree):
        if isinstance(node, ast.Call):
            name = _last(node.func)
            found[name].append(node)
            done.add(node.func)
            if name in {"isinstance", "super"}:
                done.update(node.args)
        elif isinstance(node, ast.ClassDef):
            for name in {_last(base) for base in node.bases}:
                found[name].append(node)
            done.update(node.bases)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and node not in done:
            found[_last(node)].append(node)
    return found


def _block(module: SourceModule, node: ast.AST) -> Block | None:
    """The block around a node, also in a definition that was not visited; None if it cannot be visited."""
    if node not in module.scopes.parents:
        line = getattr(node, "lineno", 0)
        for statement in module.tree.body:
            if isinstance(statement, DEFINITIONS) and statement.lineno <= line <= (statement.end_lineno or line):
                module.scopes.unfold(statement.name)
    return module.scopes.block_of(node) if node in module.scopes.parents else None


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _argument(call: ast.Call, parameter: str, at: int) -> ast.expr | None:
    """What a call passes for a parameter; the call itself if nothing, None if that is not known."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    named = next((k.value for k in call.keywords if k.arg == parameter), None)
    return named if named is not None else call.args[at] if at < len(call.args) else call
