"""Finds parameters that are overwritten with a dropped copy of themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import WeightWrite
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.torch_api.signatures import FUNCTIONALS

_SAME = {"contiguous", "clone", "detach", "to", "cuda"}


def weight_writes(module: SourceModule, owner: Block) -> Iterator[WeightWrite]:
    """``w.data = F.dropout(w.data, ...)`` and its forms in a loop over the parameters of a class."""
    for node, block in module.scopes.others:
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
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _SAME:
        value = value.func.value
    if not isinstance(value, ast.Call) or not value.args or module.resolve_call(value, block) not in FUNCTIONALS:
        return False
    source = value.args[0]
    if isinstance(source, ast.Attribute) and source.attr == "data":
        source = source.value
    whole = target.value if target.attr == "data" else target
    if module.lines.code(whole) == module.lines.code(source):
        return target.attr == "data" or _is_parameter(module, owner, target)
    return target.attr == "data" and _by_name(module, whole, source)


def _by_name(module: SourceModule, whole: ast.expr, source: ast.expr) -> bool:
    """``getattr(owner, name)`` where a loop over ``owner.named_parameters()`` binds the name and the source."""
    if not isinstance(whole, ast.Call) or not isinstance(whole.func, ast.Name) or whole.func.id != "getattr":
        return False
    if len(whole.args) != 2 or not isinstance(source, ast.Name):
        return False
    wanted = [module.lines.code(whole.args[1]), source.id]
    current: ast.AST = whole
    while current in module.scopes.parents:
        current = module.scopes.parents[current]
        if (
            isinstance(current, ast.For)
            and isinstance(current.target, ast.Tuple)
            and isinstance(current.iter, ast.Call)
        ):
            names = [n.id for n in current.target.elts if isinstance(n, ast.Name)]
            if names == wanted:
                return module.lines.code(current.iter.func) == f"{module.lines.code(whole.args[0])}.named_parameters"
    return False


def _is_parameter(module: SourceModule, owner: Block, target: ast.Attribute) -> bool:
    return any(
        isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block) == "torch.nn.Parameter"
        for b in owner.attributes.get(target.attr, [])
    )
