"""How the file uses the classes of the project that it builds: whether each call of an instance asks for the mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import walk

_TRANSPARENT = (ast.IfExp, ast.NamedExpr)


def gated_classes(module: SourceModule) -> dict[str, bool]:
    """Whether all calls of all instances stand under a test of the mode, for each class that the file builds.

    An instance that is put into a container or passed on may be called anywhere.
    """
    found: dict[str, bool] = {}
    reads = _Reads()
    for call, block in _calls(module):
        if isinstance(call.func, ast.Attribute) and not call.func.attr[:1].isupper():
            continue  # the resolved name ends with it
        name = module.scopes.resolve(call.func, block)
        if name.rpartition(".")[2][:1].isupper() and not name.startswith("torch.") and "()" not in name:
            found[name] = found.get(name, True) and _is_gated(module, call, block, reads)
    return found


def _calls(module: SourceModule) -> Iterator[tuple[ast.Call, Block]]:
    """The calls of the file, also those in definitions that only build the classes with something to report."""
    yield from list(module.scopes.calls)
    words = [f"{s.name}(" for s in module.relevant if isinstance(s, ast.ClassDef)]
    for statement in module.tree.body:
        if not isinstance(statement, (ast.ClassDef, ast.FunctionDef)) or statement in module.relevant:
            continue
        text = module.lines.block(statement.lineno, statement.end_lineno or statement.lineno)
        if any(word in text for word in words) and module.scopes.unfold(statement.name) is not None:
            for node in walk(statement):
                if isinstance(node, ast.Call) and node in module.scopes.parents:
                    yield node, module.scopes.block_of(node)


def _is_gated(module: SourceModule, call: ast.Call, block: Block, reads: _Reads) -> bool:
    node: ast.AST = call
    while isinstance(module.scopes.parents[node], _TRANSPARENT):
        node = module.scopes.parents[node]
    statement = module.scopes.parents[node]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    target, uses = statement.targets[0], list[ast.expr]()
    owner = block.enclosing_class
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and owner is not None:
        uses = list(owner.reads.get(target.attr, [])) if target.value.id == block.instance else []
    elif isinstance(target, ast.Name):
        uses = reads.of(block, target.id)
    return bool(uses) and all(_is_gated_call(module, use) for use in uses)


class _Reads:
    """The places that read a name, by block. Each block is walked once."""

    def __init__(self) -> None:
        self._known: dict[ast.AST, dict[str, list[ast.expr]]] = {}

    def of(self, block: Block, name: str) -> list[ast.expr]:
        """Where a block, or one inside, reads a name."""
        if block.node not in self._known:
            found = self._known[block.node] = {}
            for node in walk(block.node):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    found.setdefault(node.id, []).append(node)
        return self._known[block.node].get(name, [])


def _is_gated_call(module: SourceModule, use: ast.expr) -> bool:
    parent = module.scopes.parents.get(use)  # None in a definition that was not visited
    called = isinstance(parent, ast.Call) and parent.func is use
    return parent is not None and called and module.guards.guarded(parent, module.scopes.block_of(parent))
