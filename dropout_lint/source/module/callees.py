"""The function that a call reaches: through an alias, an attribute of the instance, a choice or a ``partial``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dropout_lint.source.names.scopes import MAX_DEPTH, Binding, Block, Scopes
from dropout_lint.torch_api.signatures import ATTENTION, FUNCTIONALS

_PARTIAL = {"functools.partial", "torch.functools.partial"}


def attribute_bindings(node: ast.expr, block: Block) -> list[Binding]:
    """The bindings of ``self.name`` if ``node`` is that; else an empty list."""
    owner = block.enclosing_class
    if owner is None or not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return []
    return owner.attributes.get(node.attr, []) if node.value.id == block.instance else []


def is_partial(call: ast.Call, block: Block, scopes: Scopes) -> bool:
    """Whether a call makes a ``functools.partial``."""
    return scopes.resolve(call.func, block) in _PARTIAL


class Callees:
    """Resolves the callees of one file."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def name(self, call: ast.Call, block: Block) -> str:
        """The canonical name of the callee; "" if not proven.

        Where the file chooses between dropout functions, the first by name, so that the order of the branches does not
        matter.
        """
        partial = self.partial(call, block)
        if partial is not None:
            home = block if partial is call.func else self._scopes.block_of(partial)
            return self._scopes.resolve(partial.args[0], home) if partial.args else ""
        name = self._scopes.resolve(call.func, block)
        if name:
            return name
        names = set(self._functions(call.func, block, MAX_DEPTH))
        known = sorted(name for name in names if name in ATTENTION or name in FUNCTIONALS)
        return known[0] if known and len(names) == len(known) else ""

    def partial(self, call: ast.Call, block: Block) -> ast.Call | None:
        """The ``functools.partial(...)`` call that made the callee; None if there is none or several."""
        if isinstance(call.func, ast.Call):
            return call.func if is_partial(call.func, block, self._scopes) else None
        bindings = self._bindings(call.func, block)
        if len(bindings) != 1 or not isinstance(bindings[0].value, ast.Call):
            return None
        made = bindings[0].value
        return made if is_partial(made, bindings[0].block, self._scopes) else None

    def _bindings(self, node: ast.expr, block: Block) -> Sequence[Binding]:
        if not isinstance(node, ast.Name):
            return attribute_bindings(node, block)
        found = self._scopes.lookup(node.id, block)
        return found[1] if found is not None and node.id not in found[0].parameters else []

    def _functions(self, node: ast.expr, block: Block, depth: int) -> Iterator[str]:
        """The functions that an expression may be; "" for one that is not known."""
        if isinstance(node, ast.IfExp):
            yield from self._functions(node.body, block, depth)
            yield from self._functions(node.orelse, block, depth)
            return
        name = self._scopes.resolve(node, block)
        inner = self._static(node, block)
        if name and inner is None:
            yield name
            return
        bindings = self._bindings(node, block) if depth > 0 else []
        if inner is not None:
            yield from self._functions(inner, block, depth - 1)
        elif not bindings:
            yield ""
        for binding in bindings:
            if binding.value is None:
                yield ""
            else:
                yield from self._functions(binding.value, binding.block, depth - 1)

    def _static(self, node: ast.expr, block: Block) -> ast.expr | None:
        """``f`` of ``staticmethod(f)``."""
        if (
            not isinstance(node, ast.Call)
            or len(node.args) != 1
            or self._scopes.lookup("staticmethod", block) is not None
        ):
            return None
        return node.args[0] if isinstance(node.func, ast.Name) and node.func.id == "staticmethod" else None
