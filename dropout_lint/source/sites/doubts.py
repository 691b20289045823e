"""Finds what code of a file may notice of a fix: see ``dropout_lint.facts.doubts``."""

from __future__ import annotations

import ast

from dropout_lint.facts.doubts import ANY, Doubts
from dropout_lint.source.module.source_module import HARMLESS, SourceModule
from dropout_lint.source.sites.instances import has_own_mode, unsure_methods
from dropout_lint.source.sites.walks import walked_settings
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.vocabulary import OPTION_OBJECTS

_BY_NAME = {"getattr", "hasattr", "setattr", "delattr", "__getattr__", "__setattr__", "get_submodule", "attrgetter"}
_BY_NAME_OF_SELF = {"get", "pop", "__getitem__", "__setitem__", "update", "add_module", "register_module"}
_DICTS = {"_modules", "__dict__"}
_NAMESPACES = {"globals", "vars", "locals"}
_TESTS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.If, ast.IfExp, ast.While, ast.Assert)


def doubts(module: SourceModule) -> Doubts:
    """The doubts about a file."""
    nodes = list(walk(module.tree))
    parents = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
    classes = [_Class(node) for node in nodes if isinstance(node, ast.ClassDef)]
    bound = {name for one in classes for name in one.attributes}
    uses = _Uses(module, bound, {name for one in classes for name in one.instances})
    for node in nodes:
        uses.see(node, parents)
    return Doubts(
        dynamic=any(_binds_names(n, parents) for n in nodes),
        methods=unsure_methods(module, nodes),
        modes=frozenset(n.name for n in nodes if isinstance(n, ast.ClassDef) and has_own_mode(n)),
        loose=frozenset(uses.loose | _replaced(classes)),
        opened=frozenset(uses.opened),
        called_elsewhere=frozenset(uses.called),
        walked=frozenset(name for node in nodes for name in walked_settings(node, parents)),
        tests_result=any(_tests_result(n, parents) for n in nodes),
    )


class _Uses:
    """How a file uses the attributes that its classes bind."""

    def __init__(self, module: SourceModule, bound: set[str], instances: set[str]) -> None:
        self._module = module
        self._bound = bound
        self._instances = instances
        self.loose: set[str] = set()
        self.opened: set[str] = set()
        self.called: set[str] = set()

    def see(self, node: ast.AST, parents: dict[ast.AST, ast.AST]) -> None:
        """Note one node."""
        if isinstance(node, ast.Attribute) and (node.attr in self._bound or node.attr == "train"):
            if node.attr in self._bound or isinstance(node.ctx, ast.Store):
                self._attribute(node, parents[node])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = node.value.partition(".")[0]
            if (named in self._bound or named == "train") and _names_attribute(node, parents):
                self.loose.add(named)
        elif isinstance(node, ast.Call) and self._computes_a_name(node):
            self.loose.add(ANY)

    def _computes_a_name(self, call: ast.Call) -> bool:
        if dotted(call.func) not in {"getattr", "setattr"} or len(call.args) < 2:
            return False
        return not isinstance(call.args[1], ast.Constant) and dotted(call.args[0]) in self._instances

    def _attribute(self, node: ast.Attribute, parent: ast.AST) -> None:
        own = isinstance(node.value, ast.Name) and node.value.id in self._instances
        if own and isinstance(node.ctx, ast.Store):
            return
        if not own and self._is_of_torch(node.value):
            return
        if isinstance(parent, ast.Call) and parent.func is node:
            if not own:
                self.called.add(node.attr)
        elif isinstance(parent, ast.Attribute):
            if parent.attr not in HARMLESS and not (parent.attr == "p" and isinstance(parent.ctx, ast.Load)):
                self.opened.add(node.attr)
            if parent.attr in _DICTS:
                self.loose.add(node.attr)
        elif dotted(node.value).rpartition(".")[2].lower() not in OPTION_OBJECTS:
            self.loose.add(node.attr)

    def _is_of_torch(self, node: ast.expr) -> bool:
        """Whether an expression is a module of torch, as the ``F`` of ``F.dropout``."""
        return self._module.scopes.resolve(node, self._module.scopes.module).startswith("torch")


class _Class:
    """A class: the attributes that it binds on its instances, or in its body."""

    def __init__(self, node: ast.ClassDef) -> None:
        methods = [s for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
        self.name = node.name
        self.bases = [dotted(base).rpartition(".")[2] for base in node.bases]
        self.instances = {m.args.args[0].arg for m in methods if m.args.args} | {"self"}
        self.attributes = {
            n.attr
            for m in methods
            for n in walk(m)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and dotted(n.value) in self.instances
        }
        own = [s for s in node.body if isinstance(s, (ast.Assign, ast.AnnAssign))]
        targets = [t for s in own for t in (s.targets if isinstance(s, ast.Assign) else [s.target])]
        self.attributes |= {n.id for t in targets for n in walk(t) if isinstance(n, ast.Name)}


def _replaced(classes: list[_Class]) -> set[str]:
    """The attributes that a class binds and a base of it in the file as well."""
    by_name = {one.name: one for one in classes}
    found = set()
    for one in classes:
        pending, seen = list(one.bases), {one.name}
        while pending:
            base = by_name.get(pending.pop())
            if base is not None and base.name not in seen:
                seen.add(base.name)
                found |= one.attributes & base.attributes
                pending += base.bases
    return found


def _names_attribute(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a string is the name of an attribute: ``getattr(x, "drop")``, ``self._modules["drop"]``."""
    parent = parents[node]
    if isinstance(parent, ast.Call):
        name = dotted(parent.func).rpartition(".")[2] or getattr(parent.func, "attr", "")
        if name in _BY_NAME:
            return True
        inside = getattr(parent.func, "value", None)
        return name in _BY_NAME_OF_SELF and inside is not None and (_is_dict(inside) or "." in str(node.value))
    if isinstance(parent, ast.Subscript):
        return _is_dict(parent.value) or "." in str(node.value)
    return (
        isinstance(parent, ast.Dict)
        and isinstance(parents[parent], ast.Call)
        and _is_dict(
            getattr(parents[parent].func, "value", parent)  # type: ignore[attr-defined]
        )
    )


def _is_dict(node: ast.AST) -> bool:
    """Whether an expression may be the dictionary of an object, or of its modules."""
    if isinstance(node, ast.Attribute):
        return node.attr in _DICTS
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"vars", "dict"}


def _binds_names(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a node binds names of the file that no statement shows: ``exec(...)``, ``globals()["F"] = ...``."""
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func)
    if name == "exec":
        return True
    if name not in _NAMESPACES or (name == "vars" and node.args):
        return False
    around = parents[node]
    if isinstance(around, ast.Subscript):
        return not isinstance(around.ctx, ast.Load)
    return isinstance(around, ast.Attribute) and around.attr in {"update", "setdefault", "pop", "__setitem__", "clear"}


def _tests_result(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a test asks for the result of ``train()`` or ``eval()``."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if node.func.attr not in {"train", "eval"}:
        return False
    around = parents[node]
    return isinstance(around, _TESTS) and getattr(around, "test", node) is node
