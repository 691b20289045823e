"""How a file uses a container of modules: computes with its members, registers them, switches their mode."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted, walk

_REGISTERS = {"add_module", "register_module", "setattr", "ModuleList", "ModuleDict", "Sequential"}
_SWITCHES = {"train", "eval"}
"""Methods that set the mode of a module, and overrides of them."""
_LOOPS = (ast.For, ast.AsyncFor, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


class ContainerUses:
    """Answers about the attributes, names and globals of one file that hold modules."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._parents = module.scopes.parents
        self._callers: dict[str, str] = {}

    def loads(self, name: str, block: Block) -> list[ast.Name]:
        """The places in a function that read a local name."""
        return [n for n in walk(block.node) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]

    def computes(self, owner: Block, attribute: str) -> bool:
        """Whether a method other than the constructor reads an attribute, and none registers or switches them."""
        found = False
        for node in owner.reads.get(attribute, []):
            method = self._module.scopes.block_of(node).method
            if self._is_looked_after(node) or (method is not None and method.name in _SWITCHES):
                return False
            found = found or (method is not None and method.name != "__init__")
        return found

    def _is_looked_after(self, node: ast.AST) -> bool:
        """Whether the statement around a read, or the body of the loop over it, registers modules or sets a mode."""
        current = node
        while current in self._parents and not isinstance(current, ast.stmt):
            current = self._parents[current]
            if isinstance(current, ast.Call) and self._registers(current):
                return True
            if isinstance(current, _LOOPS) and any(self._looks_after(n) for n in walk(current)):
                return True
        return False

    def _looks_after(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        return self._registers(node) or (isinstance(node.func, ast.Attribute) and node.func.attr in _SWITCHES)

    def _registers(self, call: ast.Call) -> bool:
        name = self._module.scopes.resolve(call.func, self._module.scopes.block_of(call))
        last = getattr(call.func, "attr", getattr(call.func, "id", ""))
        return name.startswith("torch.nn.Module") or name == "torch.nn.Sequential" or last in _REGISTERS

    def filled_with(self, owner: Block, attribute: str, fits: Callable[[ast.expr], bool]) -> bool:
        """Whether everything that is added to an attribute's container later fits."""
        for node in owner.reads.get(attribute, []):
            parent = self._parents[node]
            if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store):
                return False
            if not isinstance(parent, ast.Attribute):
                continue
            call = self._parents[parent]
            added = call.args if isinstance(call, ast.Call) else []
            if parent.attr in {"append", "insert", "extend"} and not all(map(fits, added[-1:])):
                return False
        return not any(isinstance(b.node, ast.AugAssign) for b in owner.attributes.get(attribute, []))

    def caller_of_global(self, name: str) -> str:
        """The class with a method that calls a module-level name, or a member of it, directly or through a function."""
        if name not in self._callers:
            self._callers[name] = "" if self._is_switched(name) else self._caller_of_global(name)
        return self._callers[name]

    def _caller_of_global(self, name: str) -> str:
        for call, block in self._module.scopes.calls:
            func = call.func.value if isinstance(call.func, ast.Subscript) else call.func
            if not isinstance(func, ast.Name) or func.id != name or not self._is_global(name, block):
                continue
            owner = block.enclosing_class if block.method is not None else None
            if owner is not None:
                return owner.qualname
            callers = self._module.guards.callers(block) if block.kind == "function" else []
            around = [self._module.scopes.block_of(c).enclosing_class for c in callers]
            found = next((one for one in around if one is not None), None)
            if found is not None:
                return found.qualname
        return ""

    def _is_global(self, name: str, block: Block) -> bool:
        found = self._module.scopes.lookup(name, block)
        return found is not None and found[0] is self._module.scopes.module

    def _is_switched(self, name: str) -> bool:
        """Whether the file sets the mode of a module-level name, as ``drop.eval()``."""
        calls = (call.func for call, _ in self._module.scopes.calls if isinstance(call.func, ast.Attribute))
        return any(func.attr in _SWITCHES and dotted(func.value) == name for func in calls)
