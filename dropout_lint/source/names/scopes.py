"""Name resolution: the blocks of a file (module, classes, functions), their bindings, and the meaning of names."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.syntax.parsing import children, dotted
from dropout_lint.torch_api.names import canonical, star_names
from dropout_lint.torch_api.signatures import DROPOUT_MODULES

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
MAX_DEPTH = 6
"""The number of steps that a value or an alias is followed."""

_BINDERS = frozenset(
    {
        *(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Call, ast.Assign, ast.AnnAssign),
        *(ast.AugAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem, ast.Import),
        *(ast.ImportFrom, ast.Attribute, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
        *(ast.Global, ast.Nonlocal),
    }
)
"""Nodes that open a block, bind a name or are collected."""


_IMPLICIT_CLASS_METHODS = {"__init_subclass__", "__class_getitem__"}
"""Class methods that need no decorator: their first parameter is not the instance."""
_SETTINGS = {"p", "dropout", "inplace"}
"""Attributes of a layer that hold its configuration, as ``drop.p``."""


@dataclass(slots=True, eq=False)
class Binding:
    """One assignment to a name or an attribute; ``value`` is None if it is not a single expression."""

    value: ast.expr | None
    node: ast.AST
    block: Block


@dataclass(slots=True, eq=False)
class Block:
    """A module, a class or a function."""

    kind: Literal["module", "class", "function"]
    node: ast.AST
    parent: Block | None
    name: str
    qualname: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    parameters: dict[str, ast.expr | None] = field(default_factory=dict)
    """Names with their defaults."""
    imports: ImportTable | None = None
    blocks: dict[str, Block] = field(default_factory=dict)
    """Classes and functions defined directly inside, by name."""
    has_inner: bool = False
    """Whether a class, a function or a lambda is directly inside."""
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    """Of a class: attributes that its methods assign to the instance, and names of its body."""
    reads: dict[str, list[ast.Attribute]] = field(default_factory=dict)
    """Of a class: attributes of the instance that are read."""
    self_name: str = ""
    is_property: bool = False
    homes: dict[str, Block] = field(default_factory=dict)
    """The blocks of names that are declared ``global`` or ``nonlocal`` here."""

    @property
    def enclosing_class(self) -> Block | None:
        """The innermost class around this block whose instance is accessible in it."""
        block: Block | None = self
        while block is not None:
            if block.kind == "class":
                return block
            block = block.parent
        return None

    @property
    def method(self) -> Block | None:
        """The method around this block: the outermost function directly inside its class."""
        block: Block | None = self
        while block is not None and block.parent is not None:
            if block.kind == "function" and block.parent.kind == "class":
                return block
            block = block.parent
        return None

    @property
    def instance(self) -> str:
        """The name of the instance in this block (``self``); "" if there is none."""
        method = self.method
        if method is None or not method.self_name:
            return ""
        block: Block | None = self
        while block is not None and block is not method:
            if method.self_name in block.parameters:
                return ""
            block = block.parent
        return method.self_name


class Scopes:
    """The blocks of a file, and the parents of its syntax nodes."""

    def __init__(self, tree: ast.Module, imports: ImportTable, relevant: Collection[ast.stmt]) -> None:
        self.module = Block("module", tree, None, "", "", imports=imports)
        self._not_visited: dict[str, ast.stmt] = {}
        """Top-level definitions that are not relevant, until ``unfold`` visits them."""
        self.parents: dict[ast.AST, ast.AST] = {}
        self.blocks: dict[ast.AST, Block] = {tree: self.module}
        self.calls: list[tuple[ast.Call, Block]] = []
        self.assignments: list[tuple[ast.AST, Block]] = []
        """Plain and augmented assignments, in source order."""
        self.foreign_reads: set[str] = set()
        """Attributes used as a module on something other than the instance: "drop" for ``net.drop(x)``."""
        self.setting_reads: set[str] = set()
        """Settings of layers that are read, as ``drop.p`` and ``rnn.dropout``."""
        self.foreign_writes: list[tuple[ast.Attribute, Block]] = []
        """Attributes that are assigned on something other than the instance, as ``model.drop = ...``."""
        self.train_reads: list[tuple[ast.Attribute, Block]] = []
        """``x.train`` where ``x`` is not the instance."""
        for statement in tree.body:
            self.parents[statement] = tree
            if statement in relevant or not isinstance(
                statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            ):
                self._visit(statement, self.module)
            else:
                self._bind(self.module, statement.name, None, statement)
                self._not_visited[statement.name] = statement

    def unfold(self, name: str) -> Block | None:
        """The block of a top-level definition; visits a definition that triage skipped.

        Does not add to the collected calls and statements: such a definition has nothing to report.
        """
        statement = self._not_visited.pop(name, None)
        if statement is not None:
            collected = self.calls, self.assignments, self.foreign_reads, self.train_reads
            self.calls, self.assignments, self.foreign_reads, self.train_reads = [], [], set(), []
            bound = len(self.module.bindings[name])
            self._visit(statement, self.module)
            del self.module.bindings[name][bound:]
            self.calls, self.assignments, self.foreign_reads, self.train_reads = collected
        return self.module.blocks.get(name)

    def block_of(self, node: ast.AST) -> Block:
        """The innermost block around a node."""
        current: ast.AST = node
        while True:
            current = self.parents[current]
            block = self.blocks.get(current)
            if block is not None:
                return block

    def _bind(self, block: Block, name: str, value: ast.expr | None, node: ast.AST) -> None:
        block.homes.get(name, block).bindings.setdefault(name, []).append(Binding(value, node, block))

    def _visit(self, node: ast.AST, block: Block) -> None:
        inner = block
        if node.__class__ not in _BINDERS:
            parents = self.parents
            for child in children(node):
                parents[child] = node
                self._visit(child, block)
            return
        if isinstance(node, ast.ClassDef):
            inner = self._enter("class", node, block, node.name)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = self._enter("function", node, block, node.name)
            self._parameters(inner, node)
            self._decorators(inner, node)
        elif isinstance(node, ast.Lambda):
            inner = self._enter("function", node, block, "<lambda>")
            self._parameters(inner, node)
        else:
            self._record(node, block)
        for child in children(node):
            self.parents[child] = node
            outside = inner is not block and (
                child in getattr(node, "decorator_list", ()) or isinstance(child, ast.arguments)
            )
            self._visit(child, block if outside else inner)

    def _enter(self, kind: Literal["class", "function"], node: ast.AST, block: Block, name: str) -> Block:
        qualname = f"{block.qualname}.{name}" if block.qualname else name
        inner = Block(kind, node, block, name, qualname)
        self.blocks[node] = inner
        block.has_inner = True
        if name != "<lambda>":
            block.blocks[name] = inner
            self._bind(block, name, None, node)
        return inner

    def _parameters(self, block: Block, node: FunctionNode) -> None:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        for argument, default in zip(positional, [*defaults, *arguments.defaults], strict=True):
            block.parameters[argument.arg] = default
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            block.parameters[argument.arg] = default
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                block.parameters[extra.arg] = None

    def _decorators(self, block: Block, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        names = {dotted(d.func if isinstance(d, ast.Call) else d).rpartition(".")[2] for d in node.decorator_list}
        block.is_property = bool(names & {"property", "cached_property"})
        parent = block.parent
        if parent is not None and parent.kind == "class" and not names & {"staticmethod", "classmethod"}:
            if node.name in _IMPLICIT_CLASS_METHODS:
                return
            positional = [*node.args.posonlyargs, *node.args.args]
            block.self_name = positional[0].arg if positional else ""

    def _record(self, node: ast.AST, block: Block) -> None:
        match node:
            case ast.Call():
                self.calls.append((node, block))
            case ast.Attribute(ctx=ctx):
                if not isinstance(ctx, ast.Store):
                    self._read(node, block)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._target(target, value, node, block)
                self.assignments.append((node, block))
            case ast.AnnAssign(target=target, value=value):
                self._target(target, value, node, block)
            case ast.AugAssign(target=target):
                self._target(target, None, node, block)
                self.assignments.append((node, block))
            case ast.NamedExpr(target=target, value=value):
                self._target(target, value, node, block)
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                self._target(target, None, node, block)
            case ast.withitem(optional_vars=ast.expr() as target):
                self._target(target, None, node, block)
            case _:
                self._declare(node, block)

    def _declare(self, node: ast.AST, block: Block) -> None:
        match node:
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                self._bind(block, name, None, node)
            case ast.Global(names=names):
                block.homes.update(dict.fromkeys(names, self.module))
            case ast.Nonlocal(names=names):
                block.homes.update({name: self._function_of(name, block) for name in names})
            case ast.Import() | ast.ImportFrom():
                if block is not self.module:
                    if block.imports is None:
                        block.imports = ImportTable(self.module.imports.package if self.module.imports else "")
                    block.imports.add(node)

    @staticmethod
    def _function_of(name: str, block: Block) -> Block:
        """The function around a block that binds a name; the nearest one if the binding is still to come."""
        around = []
        outer = block.parent
        while outer is not None:
            if outer.kind == "function":
                around.append(outer)
            outer = outer.parent
        binding = (one for one in around if name in one.parameters or name in one.bindings)
        return next(binding, around[0] if around else block)

    def _target(self, target: ast.expr, value: ast.expr | None, node: ast.AST, block: Block) -> None:
        if isinstance(target, ast.Name):
            self._bind(block, target.id, value, node)
            if block.kind == "class":
                block.attributes.setdefault(target.id, []).append(Binding(value, node, block))
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            paired = len(values) == len(target.elts) and not any(isinstance(v, ast.Starred) for v in values)
            for i, item in enumerate(target.elts):
                self._target(item, values[i] if paired else None, node, block)
        elif isinstance(target, ast.Starred):
            self._target(target.value, None, node, block)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner = block.enclosing_class
            if owner is not None and target.value.id == block.instance:
                owner.attributes.setdefault(target.attr, []).append(Binding(value, node, block))
            else:
                self.foreign_writes.append((target, block))
        elif isinstance(target, ast.Attribute):
            self.foreign_writes.append((target, block))

    def _read(self, node: ast.Attribute, block: Block) -> None:
        owner = block.enclosing_class
        if node.attr in _SETTINGS:
            layer = getattr(node.value, "attr", getattr(node.value, "id", ""))
            self.setting_reads.add(f"{layer}.{node.attr}")
        if owner is not None and isinstance(node.value, ast.Name) and node.value.id == block.instance:
            owner.reads.setdefault(node.attr, []).append(node)
        else:
            parent = self.parents[node]
            # ``config.dropout`` reads an option; ``layer.dropout(x)`` and ``layer.dropout.p`` use a module.
            if isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node):
                self.foreign_reads.add(node.attr)
            if node.attr == "train":
                self.train_reads.append((node, block))

    def lookup(self, name: str, block: Block) -> tuple[Block, list[Binding]] | None:
        """The block that binds a name for ``block``, and the bindings; None if no block binds it."""
        current: Block | None = block
        while current is not None:
            current = current.homes.get(name, current)
            visible = current.kind != "class" or current is block
            if visible and (name in current.parameters or name in current.bindings or self._imported(name, current)):
                return current, current.bindings.get(name, [])
            current = current.parent
        return None

    @staticmethod
    def _imported(name: str, block: Block) -> bool:
        return block.imports is not None and name in block.imports.names

    def resolve(self, node: ast.AST, block: Block, depth: int = MAX_DEPTH) -> str:
        """The canonical dotted name of an expression; "" if it is not proven.

        ``F.relu`` gives ``torch.nn.functional.relu``. A definition of the same file is a dot and its qualified name:
        ``.Net.forward``. The result of a call ends in ``()``: ``torch.nn.ReLU()``.
        """
        if depth <= 0:
            return ""
        if isinstance(node, ast.Name):
            return self._resolve_name(node.id, block, depth)
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == block.instance:
                return self._resolve_attribute(node.attr, block, depth)
            base = self.resolve(node.value, block, depth - 1)
            name = canonical(f"{base}.{node.attr}") if base and base != "?" else ""
            return name if name not in self._replaced else ""
        if isinstance(node, ast.Call) and depth < MAX_DEPTH:
            called = self.resolve(node.func, block, depth - 1)
            return f"{called}()" if called else ""
        return ""

    @cached_property
    def _replaced(self) -> frozenset[str]:
        """Functions and classes of torch that the file replaces: ``nn.Dropout = MyDropout``."""
        self.__dict__["_replaced"] = frozenset()  # to resolve the targets themselves
        found = [self.resolve(target, block) for target, block in self.foreign_writes]
        for call, block in self.calls:
            if len(call.args) == 3 and dotted(call.func) == "setattr" and isinstance(call.args[1], ast.Constant):
                found.append(canonical(f"{self.resolve(call.args[0], block)}.{call.args[1].value!s}"))
        changed = {name for name in found if name.startswith("torch.")}
        if any(name.startswith(f"{dropout}.") for name in changed for dropout in DROPOUT_MODULES):
            changed |= DROPOUT_MODULES.keys()  # they share a constructor
        return frozenset(changed)

    def _resolve_name(self, name: str, block: Block, depth: int) -> str:
        found = self.lookup(name, block)
        if found is None:
            return self._resolve_star(name)
        owner, bindings = found
        if owner.imports is not None and name in owner.imports.names:
            target = owner.imports.names[name]
            known = "" if target == "?" else canonical(target)
            return known if all(self._resolve_binding(name, b, depth) == known for b in bindings) else ""
        if name in owner.parameters:
            return ""
        names = {self._resolve_binding(name, b, depth) for b in bindings}
        return names.pop() if len(names) == 1 else ""

    def _resolve_binding(self, name: str, binding: Binding, depth: int) -> str:
        if isinstance(binding.node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            prefix = binding.block.qualname
            return f".{prefix}.{name}" if prefix else f".{name}"
        return self.resolve(binding.value, binding.block, depth - 1) if binding.value is not None else ""

    def _resolve_attribute(self, attribute: str, block: Block, depth: int) -> str:
        owner = block.enclosing_class
        if owner is None:
            return ""
        bindings = owner.attributes.get(attribute, [])
        if not bindings and attribute in owner.blocks:
            return f".{owner.qualname}.{attribute}"
        names = {self.resolve(b.value, b.block, depth - 1) if b.value is not None else "" for b in bindings}
        return names.pop() if len(names) == 1 else ""

    def _resolve_star(self, name: str) -> str:
        table = self.module.imports
        for module in table.stars if table is not None else ():
            if name in star_names(module):
                return canonical(f"{module}.{name}")
        return ""
