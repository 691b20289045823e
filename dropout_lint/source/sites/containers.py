"""Finds modules that are kept where nn.Module does not register them: in a list, a dict, a class body, a global."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.collections_made import (
    DISPLAYS,
    Kind,
    collection_of,
    holds_modules_only,
    is_construction,
    kind_of,
    maker,
    once,
)
from dropout_lint.source.sites.container_uses import ContainerUses
from dropout_lint.syntax.parsing import dotted

_FILLS = {"append", "insert", "extend", "add", "setdefault", "update"}
"""Methods that put their argument into a list, a set or a dict."""
_RETURN_SELF = {"to", "cuda", "cpu", "float", "double", "half"}
"""Methods of a module that return the module."""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A container that nn.Module does not register, as a list, dict or global: ``eval()`` misses a module in it."""

    kind: Kind
    span: Span
    """What a ModuleList or ModuleDict would wrap."""
    attribute: str
    modules_only: bool = False
    """Every member is a constructor call (the keys are strings), so a ModuleList or ModuleDict can replace it."""
    reader: str = ""
    """For a global, the class whose method calls it."""


NOT_KEPT = Unregistered("", Span(0, 0, 0, 0), "")


class Containers:
    """The containers of one file."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._parents = module.scopes.parents
        self._uses = ContainerUses(module)

    def may_hold(self, call: ast.Call) -> bool:
        """Whether a call stands where a container may get its result: a quick test.

        A list of one is not meant: what it holds may be hidden from its parent on purpose.
        """
        parent = self._parents[call]
        match parent:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return len(elements) > 1
            case ast.ListComp() | ast.DictComp() | ast.Dict():
                return True
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in _FILLS
            case ast.Assign(targets=[ast.Subscript()]):
                return True
        return False

    def kept(self, call: ast.Call, block: Block) -> Unregistered:
        """The unregistered container that holds a constructed module; NOT_KEPT if none is proven."""
        return self._of(call, block, held=False)

    def _of(self, node: ast.AST, block: Block, *, held: bool) -> Unregistered:
        """The container of an expression: a module, or (``held``) a collection of modules."""
        while True:
            parent = self._parents[node]
            match parent:
                case ast.arguments():
                    method = self._parents[parent]
                    inside = self._module.scopes.blocks[method].method is not None
                    return Unregistered("default", self._span(node), "") if inside else NOT_KEPT
                case ast.stmt():
                    return self._stored(parent, node, block, held=held)
                case ast.Call(func=ast.Attribute(value=filled, attr=name)) if (
                    name in _FILLS and node is not parent.func
                ):
                    return self._in_target(filled, block)
                case ast.Call() if held or not self._passes_on(parent, node, block):
                    if not maker(parent):
                        return NOT_KEPT
                    held = True
                case _ if not self._passes(parent, held=held):
                    return NOT_KEPT
            held = held or isinstance(parent, DISPLAYS)
            node = parent

    def _passes(self, parent: ast.AST, *, held: bool) -> bool:
        """Whether an expression other than a call still holds the module in it."""
        match parent:
            case ast.Attribute(attr=name):
                return not held and name in _RETURN_SELF
            case ast.GeneratorExp():
                return bool(maker(self._parents[parent]))
        return not isinstance(parent, ast.Starred)

    def _passes_on(self, call: ast.Call, node: ast.AST, block: Block) -> bool:
        """Whether a call of a module's method returns the module, or makes a layer of torch around it."""
        return call.func is node or self._module.resolve_call(call, block).startswith("torch.nn.")

    def _stored(self, statement: ast.stmt, node: ast.AST, block: Block, *, held: bool) -> Unregistered:
        """The container of a value that a statement binds."""
        match statement:
            case ast.AugAssign(target=target, op=ast.Add()) if held:
                return self._in_target(target, block)
            case ast.Assign(targets=[ast.Subscript(value=filled)], value=value) if value is node:
                return self._in_target(filled, block)
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                if isinstance(target, ast.Name) and block.kind == "function" and not held:
                    return self._through_name(target.id, block)
                if isinstance(target, ast.Name) and block.kind != "function" and not held:
                    return self._shared(target.id, block, node)
                return self._in_target(target, block) if held else NOT_KEPT
        return NOT_KEPT

    def _in_target(self, target: ast.expr, block: Block) -> Unregistered:
        """The container that a name or attribute holds, if it is bound once, to a list, tuple, set or dict."""
        if isinstance(target, ast.Name):
            if block.kind == "function":
                return self._local(target.id, block)
            made = collection_of(block.bindings.get(target.id, []))
            return self._shared(target.id, block, made) if made is not None else NOT_KEPT
        owner = block.enclosing_class
        if owner is None or not isinstance(target, ast.Attribute) or not _is_own(target, block):
            return NOT_KEPT
        made = collection_of(owner.attributes.get(target.attr, []))
        return self._attribute(owner, target.attr, made, made) if made is not None else NOT_KEPT

    def _attribute(self, owner: Block, name: str, shown: ast.expr, made: ast.expr) -> Unregistered:
        """The container bound to an attribute by the expression ``shown``; ``made`` shows its kind."""
        if len(once(owner.attributes.get(name, []))) != 1 or not self._uses.computes(owner, name):
            return NOT_KEPT
        modules = holds_modules_only(shown) and self._uses.filled_with(owner, name, is_construction)
        return Unregistered(kind_of(made), self._span(shown), name, modules)

    def _shared(self, name: str, block: Block, value: ast.AST) -> Unregistered:
        """The container of a module in a class body, or at the top level of the file."""
        if block.kind == "class":
            known = self._uses.computes(block, name)
            return Unregistered("class", self._span(value), name) if known else NOT_KEPT
        reader = self._uses.caller_of_global(name)
        return Unregistered("global", self._span(value), name, reader=reader) if reader else NOT_KEPT

    def _through_name(self, name: str, block: Block) -> Unregistered:
        """The container of a module that a local name holds, where nothing but one statement uses the name."""
        uses = self._uses.loads(name, block)
        if len(block.bindings.get(name, [])) != 1 or len(uses) != 1:
            return NOT_KEPT
        parent = self._parents[uses[0]]
        if isinstance(parent, ast.Call) and parent.func is uses[0]:
            return NOT_KEPT
        if isinstance(parent, ast.Assign) and not isinstance(parent.targets[0], ast.Subscript):
            return NOT_KEPT
        return self._of(uses[0], block, held=False)

    def _local(self, name: str, block: Block) -> Unregistered:
        """The container of a list that a local name holds, where one attribute of the instance is bound to it."""
        made = collection_of(block.bindings.get(name, []))
        owner = block.enclosing_class
        stored: list[ast.Attribute] = []
        for use in self._uses.loads(name, block):
            parent = self._parents[use]
            if maker(parent):
                parent = self._parents[parent]
            match parent:
                case ast.Assign(targets=[ast.Attribute() as target]) if _is_own(target, block):
                    stored.append(target)
                case ast.Attribute(attr=method) if method in _FILLS:
                    pass
                case ast.Subscript(ctx=ast.Store()):
                    pass
                case _:
                    return NOT_KEPT
        if made is None or owner is None or len(stored) != 1:
            return NOT_KEPT
        target = stored[0]
        statement = self._parents[target]
        assert isinstance(statement, ast.Assign)
        return self._attribute(owner, target.attr, statement.value, made)

    def _span(self, node: ast.AST) -> Span:
        return self._module.lines.span(node)  # type: ignore[arg-type]


def _is_own(target: ast.Attribute, block: Block) -> bool:
    """Whether a target is an attribute of the instance."""
    return bool(block.instance) and dotted(target.value) == block.instance
