"""Which operation made the tensor that is dropped: one step back through names, nesting or nn.Sequential."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.flow import siblings
from dropout_lint.syntax.parsing import walk
from dropout_lint.torch_api.signatures import SAVES_ITS_OUTPUT_METHODS


@dataclass(frozen=True, slots=True)
class Produced:
    """Canonical name of the operation and whether it works in place; the name is "" where it is not proven."""

    api: str = ""
    inplace: bool = False


NOT_KNOWN = Produced()


class Producers:
    """Answers for one file."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._parents = module.scopes.parents

    def of_expression(self, node: ast.expr, block: Block) -> Produced:
        """The operation behind an expression."""
        if isinstance(node, ast.Call):
            return self._of_call(node, block)
        if isinstance(node, ast.Name):
            value = self._last_assigned(node)
            return self._of_call(value, block) if isinstance(value, ast.Call) else NOT_KNOWN
        return NOT_KNOWN

    def of_layer(self, call: ast.Call, block: Block) -> Produced:
        """The layer before a constructed one in the arguments of ``nn.Sequential``."""
        parent = self._parents[call]
        if not isinstance(parent, ast.Call) or call not in parent.args:
            return NOT_KNOWN
        if self._module.scopes.resolve(parent.func, block) != "torch.nn.Sequential":
            return NOT_KNOWN
        index = parent.args.index(call)
        before = parent.args[index - 1] if index else None
        return self._constructed(before, block) if isinstance(before, ast.Call) else NOT_KNOWN

    def _of_call(self, call: ast.Call, block: Block) -> Produced:
        name = self._module.scopes.resolve(call.func, block)
        if name.startswith("torch."):
            return Produced(name, name.endswith("_") or self._inplace(call, block))
        made = self._module.constructor_of(call.func, block)
        if made is not None:
            return self._constructed(made[1], made[2])
        if isinstance(call.func, ast.Call):
            return self._constructed(call.func, block)
        if isinstance(call.func, ast.Attribute) and call.func.attr in SAVES_ITS_OUTPUT_METHODS:
            return Produced(f"torch.{call.func.attr}", call.func.attr.endswith("_"))
        return NOT_KNOWN

    def _constructed(self, call: ast.Call, block: Block) -> Produced:
        name = self._module.scopes.resolve(call.func, block)
        return Produced(name, self._inplace(call, block)) if name.startswith("torch.nn.") else NOT_KNOWN

    def _inplace(self, call: ast.Call, block: Block) -> bool:
        value = next((k.value for k in call.keywords if k.arg == "inplace"), None)
        if value is None and len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
            value = call.args[0] if call.args[0].value is True else None
        return value is not None and self._module.values.evaluate(value, block).number == 1.0

    def _last_assigned(self, name: ast.Name) -> ast.expr | None:
        """What a name was bound to by the statements before it; None if a branch may have changed it."""
        statement: ast.AST = name
        while not isinstance(statement, ast.stmt):
            statement = self._parents[statement]
        body, index = siblings(self._parents, statement)
        for earlier in reversed(body[:index]):
            if isinstance(earlier, ast.Assign) and len(earlier.targets) == 1:
                target = earlier.targets[0]
                if isinstance(target, ast.Name) and target.id == name.id:
                    return earlier.value
            if any(isinstance(n, ast.Name) and n.id == name.id for n in walk(earlier)):
                return None
        return None
