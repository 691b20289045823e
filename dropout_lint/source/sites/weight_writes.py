"""Finds parameters that are overwritten with a dropped copy of themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import WeightWrite
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.torch_api.signatures import FUNCTIONALS

_KEEP_VALUES = {"contiguous", "clone", "detach", "to", "cuda"}
"""Tensor methods that return the same numbers."""


def weight_writes(module: SourceModule, owner: Block) -> Iterator[WeightWrite]:
    """The writes of a class such as ``w.data = F.dropout(w.data)`` or ``w.data.copy_(F.dropout(w))``."""
    for node, block in module.scopes.assignments:
        if block.enclosing_class is not owner or not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if isinstance(target, ast.Attribute) and _writes_back(module, owner, target, node.value, block):
            weight = module.lines.code(target).removesuffix(".data")
            yield WeightWrite(weight, module.lines.span(node), scope_of(block))
    for call, block in module.scopes.calls:
        if block.enclosing_class is not owner or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
            continue
        target = call.func.value
        copied = call.func.attr == "copy_" and isinstance(target, ast.Attribute) and target.attr == "data"
        if copied and _writes_back(module, owner, target, call.args[0], block):  # type: ignore[arg-type]
            weight = module.lines.code(target).removesuffix(".data")
            yield WeightWrite(weight, module.lines.span(call), scope_of(block))


def _writes_back(module: SourceModule, owner: Block, target: ast.Attribute, value: ast.expr, block: Block) -> bool:
    """Whether ``value`` is a dropout of the parameter that ``target`` assigns."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _KEEP_VALUES:
        value = value.func.value
    if not isinstance(value, ast.Call) or not value.args or module.resolve_call(value, block) not in FUNCTIONALS:
        return False
    source = value.args[0]
    if isinstance(source, ast.Attribute) and source.attr == "data":
        source = source.value
    parameter = target.value if target.attr == "data" else target
    if module.lines.code(parameter) == module.lines.code(source):
        return target.attr == "data" or _is_parameter(module, owner, target)
    return target.attr == "data" and _by_name(module, parameter, source)


def _by_name(module: SourceModule, written: ast.expr, source: ast.expr) -> bool:
    """``getattr(owner, name)`` where a loop over ``owner.named_parameters()`` binds the name and the source."""
    if not isinstance(written, ast.Call) or not isinstance(written.func, ast.Name) or written.func.id != "getattr":
        return False
    if len(written.args) != 2 or not isinstance(source, ast.Name):
        return False
    wanted = [module.lines.code(written.args[1]), source.id]
    current: ast.AST = written
    while current in module.scopes.parents:
        current = module.scopes.parents[current]
        if (
            isinstance(current, ast.For)
            and isinstance(current.target, ast.Tuple)
            and isinstance(current.iter, ast.Call)
        ):
            names = [n.id for n in current.target.elts if isinstance(n, ast.Name)]
            if names == wanted:
                return module.lines.code(current.iter.func) == f"{module.lines.code(written.args[0])}.named_parameters"
    return False


def _is_parameter(module: SourceModule, owner: Block, target: ast.Attribute) -> bool:
    return any(
        isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block) == "torch.nn.Parameter"
        for b in owner.attributes.get(target.attr, [])
    )
