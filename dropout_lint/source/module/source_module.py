"""A parsed file: its names, guards and values, and what its calls resolve to. Every collector of facts starts here."""

from __future__ import annotations

import ast
from functools import cached_property

from dropout_lint.source.module import triage
from dropout_lint.source.module.callees import Callees, attribute_bindings, is_partial
from dropout_lint.source.names.import_table import ImportTable, import_statements
from dropout_lint.source.names.place import ModulePlace
from dropout_lint.source.names.scopes import Binding, Block, Scopes
from dropout_lint.source.values import intent
from dropout_lint.source.values.guards import Guards
from dropout_lint.source.values.options import Options
from dropout_lint.source.values.values import Values
from dropout_lint.syntax.parsing import walk
from dropout_lint.syntax.positions import Lines
from dropout_lint.torch_api.signatures import FUNCTIONALS, LAST_NAMES
from dropout_lint.vocabulary import names_dropout_layer

HARMLESS = frozenset(
    {
        "cpu",
        "cuda",
        "double",
        "eval",
        "float",
        "half",
        "named_parameters",
        "parameters",
        "requires_grad_",
        "to",
        "train",
    }
)
"""Methods of nn.Module that tell nothing about the settings and the order of layers."""


class SourceModule:
    """Scopes, guards and values of one file, each built on first use.

    ``shallow`` visits no top-level function or class until ``scopes.unfold`` asks for one: for files that are read only
    because others use them.
    """

    def __init__(self, text: str, tree: ast.Module, place: ModulePlace, *, shallow: bool = False) -> None:
        self.place = place
        self.tree = tree
        self.lines = Lines(text)
        self.imports = ImportTable(place.package)
        for statement in import_statements(tree.body):
            self.imports.add(statement)
        self.relevant = frozenset() if shallow else _relevant(tree, self.lines)

    @cached_property
    def scopes(self) -> Scopes:
        """Names and blocks of the top level, and of the definitions that may contain something to report."""
        return Scopes(self.tree, self.imports, self.relevant)

    @cached_property
    def guards(self) -> Guards:
        """Tests that guard a node."""
        return Guards(self.scopes)

    @cached_property
    def callees(self) -> Callees:
        """The functions that calls reach."""
        return Callees(self.scopes)

    @cached_property
    def values(self) -> Values:
        """Values of expressions."""
        return Values(self.scopes, self.guards, Options(self.scopes))

    @cached_property
    def functional_rates(self) -> frozenset[str]:
        """Attributes that are passed as rate: "p" for ``F.dropout(x, self.p)``."""
        return frozenset(
            call.args[1].attr
            for call, block in self.scopes.calls
            if len(call.args) > 1
            and isinstance(call.args[1], ast.Attribute)
            and self.resolve_call(call, block) in FUNCTIONALS
        )

    @cached_property
    def class_names(self) -> frozenset[str]:
        """The qualified names of the classes of the file."""
        visited = {b.qualname for b in self.scopes.blocks.values() if b.kind == "class"}
        return frozenset(visited | {s.name for s in self.tree.body if isinstance(s, ast.ClassDef)})

    @cached_property
    def set_from_outside(self) -> frozenset[str]:
        """Attributes that the file sets or deletes on something else than ``self``."""
        return frozenset(
            node.attr
            for node in walk(self.tree)
            if isinstance(node, ast.Attribute)
            and not isinstance(node.ctx, ast.Load)
            and not (isinstance(node.value, ast.Name) and node.value.id == "self")
        )

    @cached_property
    def used_as_values(self) -> frozenset[str]:
        """Names and attributes that the file uses other than by calling or assigning them, as ``f(self.layers)``."""
        called: set[ast.AST] = set()
        found: set[str] = set()
        for node in walk(self.tree):
            if isinstance(node, ast.Call):
                called.add(node.func)
            elif isinstance(node, ast.Attribute) and node.attr in HARMLESS:
                called.add(node.value)
            elif node in called or isinstance(getattr(node, "ctx", None), ast.Store):
                continue
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Name):
                found.add(node.id)
        return frozenset(found)

    def can_matter(self, call: ast.Call, block: Block) -> bool:
        """Whether a call may apply dropout or pass a rate to a helper. A quick test, before names are resolved."""
        func = call.func
        if names_dropout_layer(func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")):
            return True
        if isinstance(func, ast.Attribute):
            if func.attr in LAST_NAMES:
                return True
            if isinstance(func.value, ast.Name) and func.value.id == block.instance:
                owner = block.enclosing_class
                bindings = owner.attributes.get(func.attr, []) if owner is not None else []
                if any(isinstance(b.value, (ast.Name, ast.Attribute, ast.Call, ast.IfExp)) for b in bindings):
                    return True
        elif isinstance(func, ast.Name):
            if func.id in LAST_NAMES or self.imports.names.get(func.id, "").rpartition(".")[2] in LAST_NAMES:
                return True
            found = self.scopes.lookup(func.id, block)
            if found is not None and any(b.value is not None for b in found[1]):
                return True
        elif isinstance(func, ast.Call) and is_partial(func, block, self.scopes):
            return True
        elif not isinstance(func, (ast.Call, ast.Subscript)):
            return False
        return any("drop" in (k.arg or "") for k in call.keywords) or any(
            "drop" in self.lines.code(a).lower()
            for a in [*call.args, *(k.value for k in call.keywords)]
            if isinstance(a, (ast.Name, ast.Attribute, ast.IfExp, ast.BinOp))
        )

    def resolve_call(self, call: ast.Call, block: Block) -> str:
        """See ``Callees.name``."""
        return self.callees.name(call, block)

    def attribute_bindings(self, node: ast.expr, block: Block) -> list[Binding]:
        """The bindings of ``self.name`` if ``node`` is that; else an empty list."""
        return attribute_bindings(node, block)

    def partial_of(self, call: ast.Call, block: Block) -> ast.Call | None:
        """See ``Callees.partial``."""
        return self.callees.partial(call, block)

    def constructor_of(self, node: ast.expr, block: Block) -> tuple[str, ast.Call, Block] | None:
        """The call that a name or attribute is bound to, if only once: its resolved callee, itself and its block."""
        bindings = self.attribute_bindings(node, block)
        if isinstance(node, ast.Name):
            found = self.scopes.lookup(node.id, block)
            bindings = found[1] if found is not None and node.id not in found[0].parameters else []
        if len(bindings) != 1 or not isinstance(bindings[0].value, ast.Call):
            return None
        call, home = bindings[0].value, bindings[0].block
        name = self.scopes.resolve(call.func, home)
        return (name, call, home) if name else None

    def function_named(self, name: str) -> Block | None:
        """The function or method of this file with a resolved name, as ``.Net.forward``."""
        if not name.startswith("."):
            return None
        block: Block | None = self.scopes.module
        for part in name[1:].split("."):
            block = block.blocks.get(part) if block is not None else None
        return block if block is not None and block.kind == "function" else None

    def parameters_of(self, name: str) -> tuple[str, ...]:
        """Positional parameters of a function or method of this file, without the instance."""
        block = self.function_named(name.removesuffix("()"))
        if block is None or not isinstance(block.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return ()
        arguments = block.node.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        return tuple(names[1:] if block.self_name else names)

    def intent(self, node: ast.AST, block: Block) -> str:
        """See ``intent.inference_intent``."""
        return intent.inference_intent(node, block, self.scopes, self.lines)

    @cached_property
    def _imported_at_once(self) -> dict[str, str]:
        """What the imports of the top level bind that no ``if`` or ``try`` decides about."""
        table = ImportTable(self.place.package)
        for statement in self.tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                table.add(statement)
        return table.names

    def functional_alias(self, block: Block) -> str:
        """The name in a block for torch.nn.functional, as ``F``; "" if no import binds one."""
        for name, target in self._imported_at_once.items():
            if target == "torch.nn.functional":
                found = self.scopes.lookup(name, block)
                means = self.scopes.resolve(ast.Name(name), block)
                if found is not None and found[0] is self.scopes.module and means == target:
                    return name
        return ""


def _relevant(tree: ast.Module, lines: Lines) -> frozenset[ast.stmt]:
    """The definitions that contain a word about dropout, or call a network that the top level builds."""
    matters = triage.Relevance(lines)
    networks = [
        f"{target.id.lower()}("
        for s in tree.body
        if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call) and matters(s)
        for target in s.targets
        if isinstance(target, ast.Name)
    ]
    return frozenset(s for s in tree.body if isinstance(s, triage.DEFINITIONS) and matters(s, networks))
