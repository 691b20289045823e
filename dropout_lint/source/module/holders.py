"""What holds a container of layers, and whether it is only ever called."""

from __future__ import annotations

import ast

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.syntax.parsing import dotted


def only_called(module: SourceModule, container: ast.AST) -> bool:
    """Whether the ``nn.Sequential`` around a container is bound to one name that the file only calls.

    Nobody in the file can then tell in which order its layers are: none indexes, slices or walks over them.
    """
    target = _target(module, container)
    if target is None:
        return False
    name = target.attr if isinstance(target, ast.Attribute) else target.id
    return name not in module.used_as_values


def holder(module: SourceModule, container: ast.AST) -> str:
    """The attribute of the instance that the ``nn.Sequential`` around a container is bound to, or ""."""
    target = _target(module, container)
    return target.attr if isinstance(target, ast.Attribute) else ""


def _target(module: SourceModule, container: ast.AST) -> ast.Attribute | ast.Name | None:
    parents = module.scopes.parents
    node = container
    while isinstance(parents.get(node), (ast.Call, ast.List, ast.Tuple, ast.Starred, ast.keyword)):
        node = parents[node]
    statement = parents.get(node)
    if not isinstance(node, ast.Call) or not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, block = statement.targets[0], module.scopes.block_of(statement)
    if module.scopes.resolve(node.func, block) != "torch.nn.Sequential":
        return None
    if isinstance(target, ast.Attribute) and dotted(target.value) == block.instance:
        return target
    return target if isinstance(target, ast.Name) and block.kind == "function" else None
