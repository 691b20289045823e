"""Finds the operation whose result is dropped: one step back, through a name, a nested call or nn.Sequential."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.call_uses import siblings
from dropout_lint.syntax.parsing import walk
from dropout_lint.torch_api.signatures import SAVES_ITS_OUTPUT, SAVES_ITS_OUTPUT_METHODS

_NEW = re.compile(r"torch\.nn\.(?:Lazy)?(?:\w*Conv\w*d|\w*Norm\w*|Linear|Embedding|\w*Pool\w*d)$")
"""Layers whose output is a new tensor, not a view of the input."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Produced:
    """The canonical name of the operation, "" if not proven, and whether it works in place."""

    api: str = ""
    inplace: bool = False
    owned: bool = False
    """The tensor is new, and only the dropout reads it."""


NOT_KNOWN = Produced()


class Producers:
    """Answers for one file."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._parents = module.scopes.parents

    def of_expression(self, node: ast.expr, block: Block) -> Produced:
        """The operation whose result an expression is."""
        if isinstance(node, ast.Name):
            value = self._last_assigned(node)
            made = self._made(value, block) if value is not None else NOT_KNOWN
            return made if made.owned and self._is_read_once(node, block) else replace(made, owned=False)
        return self._made(node, block)

    def _made(self, node: ast.expr, block: Block) -> Produced:
        if isinstance(node, ast.Call):
            return self._of_call(node, block)
        return Produced(owned=True) if isinstance(node, ast.BinOp) else NOT_KNOWN

    def _is_read_once(self, name: ast.Name, block: Block) -> bool:
        """Whether only the last statement of a name reads it: one that returns it or binds it again."""
        statement: ast.AST = name
        while not isinstance(statement, ast.stmt):
            statement = self._parents[statement]
        again = isinstance(statement, ast.Assign) and [getattr(t, "id", "") for t in statement.targets] == [name.id]
        value = getattr(statement, "value", None)
        if not (again or isinstance(statement, ast.Return)) or value is None:
            return False
        uses = [n for n in walk(value) if isinstance(n, ast.Name) and n.id == name.id]
        inside = [n for n in walk(block.node) if n is not block.node and isinstance(n, (*_FUNCTIONS, ast.Try))]
        captured = (n for f in inside for n in walk(f) if isinstance(n, ast.Name) and n.id == name.id)
        return len(uses) == 1 and not any(captured)

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
            inplace = name.endswith("_") or self._inplace(call, block)
            kept = inplace or any(k.arg in {"out", None} for k in call.keywords)
            return Produced(name, inplace, not kept and name in SAVES_ITS_OUTPUT)
        made = self._module.constructor_of(call.func, block)
        if made is not None:
            return self._constructed(made[1], made[2])
        if isinstance(call.func, ast.Call):
            return self._constructed(call.func, block)
        if isinstance(call.func, ast.Attribute) and call.func.attr in SAVES_ITS_OUTPUT_METHODS:
            inplace = call.func.attr.endswith("_")
            return Produced(f"torch.{call.func.attr}", inplace, not inplace)
        return NOT_KNOWN

    def _constructed(self, call: ast.Call, block: Block) -> Produced:
        name = self._module.scopes.resolve(call.func, block)
        if not name.startswith("torch.nn."):
            return NOT_KNOWN
        inplace = self._inplace(call, block)
        return Produced(name, inplace, not inplace and (name in SAVES_ITS_OUTPUT or bool(_NEW.match(name))))

    def _inplace(self, call: ast.Call, block: Block) -> bool:
        value = next((k.value for k in call.keywords if k.arg == "inplace"), None)
        if value is None and len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
            value = call.args[0] if call.args[0].value is True else None
        return value is not None and self._module.values.evaluate(value, block).number == 1.0

    def _last_assigned(self, name: ast.Name) -> ast.expr | None:
        """The value that the statements before a name bound it to; None if a branch may have changed it."""
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
