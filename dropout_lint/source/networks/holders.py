"""Whether a container of layers is only ever called."""

from __future__ import annotations

import ast

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.syntax.parsing import dotted


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
        return target.attr not in module.used_as_values
    return isinstance(target, ast.Name) and block.kind == "function" and target.id not in module.used_as_values
