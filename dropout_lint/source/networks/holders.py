"""Whether a container of layers is only ever called."""

from __future__ import annotations

import ast

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.syntax.parsing import dotted, walk


def only_called(module: SourceModule, container: ast.AST) -> bool:
    """Whether the ``nn.Sequential`` around a container is bound to one name that the file only calls.

    Nobody in the file can then tell in which order its layers are: none indexes, slices or walks over them.
    """
    parents = module.scopes.parents
    node = container
    while isinstance(parents.get(node), (ast.Call, ast.List, ast.Tuple, ast.Starred, ast.keyword)):
        node = parents[node]
    statement = parents.get(node)
    if not isinstance(node, ast.Call) or not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    target, block = statement.targets[0], module.scopes.block_of(statement)
    if module.scopes.resolve(node.func, block) != "torch.nn.Sequential":
        return False
    if isinstance(target, ast.Attribute) and dotted(target.value) == block.instance:
        home: ast.AST = module.tree  # the attribute may be reached from anywhere
    elif isinstance(target, ast.Name) and block.kind == "function":
        home = block.node
    else:
        return False
    name = _last(target)
    used = [n for n in walk(home) if n is not target and isinstance(n, type(target)) and _last(n) == name]
    return all(isinstance(parent := parents.get(n), ast.Call) and parent.func is n for n in used)


def _last(node: ast.AST) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))
