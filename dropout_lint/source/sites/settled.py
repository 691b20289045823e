"""Whether the arguments of a constructor have the same values where the module is called.

A fix that turns ``nn.Dropout(p)(x)`` into ``F.dropout(x, p)`` needs that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from dropout_lint.facts.sites import Settled
from dropout_lint.facts.values import CONSTRUCTORS
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.rebinding import is_dynamic, stored_at, stores
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.call_uses import siblings
from dropout_lint.syntax.parsing import dotted, walk

_WRITES_ATTRIBUTES = {"setattr", "delattr", "__setattr__", "__dict__", "vars"}
_PLAIN = (ast.Name, ast.Attribute, ast.Constant)
_RUNS_CODE = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


def settled(module: SourceModule, call: ast.Call, uses: Sequence[ast.Call], block: Block) -> Settled:
    """Whether the arguments of a constructor keep their values up to the uses: "proven", "open" or "no"."""
    if not uses:
        return "no"
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    alias = module.functional_alias(block) or "F"
    if any(is_computed(n, block) for a in arguments for n in walk(a)):
        return "open"
    if any(_differs(module, name, block, use, alias) for use in uses for name in (*_names(arguments), block.instance)):
        return "no"
    if uses[0].func is call:
        return _settled_at_once(module, arguments, uses[0], block)
    return _settled_by_name(module, arguments, module.scopes.parents[call], uses, block)


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.id for node in nodes for n in walk(node) if isinstance(n, ast.Name)}


def _differs(module: SourceModule, name: str, block: Block, use: ast.Call, alias: str) -> bool:
    """Whether a name, or the alias of torch.nn.functional, resolves differently where the module is called."""
    home = module.scopes.block_of(use)
    here, there = module.scopes.lookup(name, block), module.scopes.lookup(name, home)
    functional = module.scopes.lookup(alias, home)
    if functional is not None and functional[0] is not module.scopes.module:
        return True
    return (here and here[0]) is not (there and there[0])


def _settled_at_once(module: SourceModule, arguments: list[ast.expr], use: ast.Call, block: Block) -> Settled:
    """For ``nn.Dropout(p)(x)``. The fix evaluates ``x`` before ``p``, so ``x`` may not change ``p``."""
    operand = use.args[0] if use.args else use
    if isinstance(operand, _PLAIN) or all(isinstance(a, ast.Constant) for a in arguments):
        return "proven"
    if _names(arguments) & {n.target.id for n in walk(operand) if isinstance(n, ast.NamedExpr)}:
        return "no"
    if any(isinstance(n, _RUNS_CODE) for a in arguments for n in walk(a)):
        return "open"
    return "proven" if all(_is_stable(module, a, block, [operand]) for a in arguments) else "open"


def _settled_by_name(
    module: SourceModule, arguments: list[ast.expr], statement: ast.AST, uses: Sequence[ast.Call], block: Block
) -> Settled:
    assert isinstance(statement, ast.Assign)
    names = _names([*arguments, *statement.targets]) | {block.instance}
    if any(isinstance(n, (*_RUNS_CODE, ast.Lambda)) for a in arguments for n in walk(a)):
        return "no"
    place = (statement.lineno, statement.col_offset)
    later = [n for n in walk(block.node) if (getattr(n, "lineno", 0), getattr(n, "col_offset", 0)) > place]
    target = statement.targets[0]
    for name, node in stores(block.node):
        if name in names and node is not target and (node in later or isinstance(node, (ast.Global, ast.Nonlocal))):
            return "no"
    if any(_root(n) in names for n in later if _is_write(n)):
        return "no"
    if len(stored_at(block.node, target.id if isinstance(target, ast.Name) else "")) != 1 or is_dynamic(block.node):
        return "open"
    if not all(_follows(module, statement, use) for use in uses):
        return "open"
    if all(isinstance(a, ast.Constant) for a in arguments):
        return "proven"
    if any(module.scopes.block_of(use) is not block for use in uses):
        return "open"  # a function inside may run later
    between = [n for n in later if n not in uses]
    outer = all(_is_constant_around(module, name, block) for name in names)
    return "proven" if outer and all(_is_stable(module, a, block, between) for a in arguments) else "open"


def _is_write(node: ast.AST) -> bool:
    return isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del))


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _follows(module: SourceModule, statement: ast.stmt, use: ast.Call) -> bool:
    """Whether a use comes after a statement in the same run of the statement's block."""
    body, index = siblings(module.scopes.parents, statement)
    node: ast.AST = use
    while node in module.scopes.parents and node not in body:
        node = module.scopes.parents[node]
    return node in body[index + 1 :]


def _is_constant_around(module: SourceModule, name: str, block: Block) -> bool:
    """Whether a name from outside the function is bound once, and by no function."""
    found = module.scopes.lookup(name, block)
    if found is None or found[0] is block:
        return True
    owner = found[0]
    bound = stored_at(owner.node, name)
    return len(bound) + (name in owner.parameters) <= 1 and not any(
        isinstance(n, (ast.Global, ast.Nonlocal)) for n in bound
    )


def _is_stable(module: SourceModule, argument: ast.expr, block: Block, between: Iterable[ast.AST]) -> bool:
    """Whether the code between cannot change attributes and items that an expression reads."""
    reads = [n for n in walk(argument) if isinstance(n, (ast.Attribute, ast.Subscript))]
    nodes = [n for node in between for n in walk(node)]
    if all(_set_by_constructor(module, n, block) for n in reads) and not any(_gets(n, block.instance) for n in nodes):
        return True
    return not any(_may_write(module, n) for n in nodes)


def _gets(node: ast.AST, name: str) -> bool:
    """Whether a call or a collection gets an object, so that code out of sight may change it."""
    parts = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
    return any(isinstance(part, ast.Name) and part.id == name for part in parts)


def is_computed(node: ast.AST, block: Block) -> bool:
    """Whether an expression is an attribute of the instance that code of its class computes: by a property, say."""
    owner = block.enclosing_class
    if owner is None or not isinstance(node, ast.Attribute) or dotted(node.value) != block.instance:
        return False
    method = owner.blocks.get(node.attr)
    if method is not None or "__getattribute__" in owner.blocks:
        return True
    return "__getattr__" in owner.blocks and node.attr not in owner.attributes


def _may_write(module: SourceModule, node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return not module.resolve_call(node, module.scopes.block_of(node)).startswith("torch.")
    return isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.Delete, ast.AugAssign)) or _is_write(node)


def _set_by_constructor(module: SourceModule, node: ast.expr, block: Block) -> bool:
    """Whether an expression is ``self.name``, which only the constructor binds."""
    owner = block.enclosing_class
    if owner is None or not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    bindings = owner.attributes.get(node.attr, [])
    if node.value.id != block.instance or not bindings or node.attr in owner.blocks:
        return False
    if node.attr in module.set_from_outside:
        return False
    if not all(b.block.method is not None and b.block.method.name in CONSTRUCTORS for b in bindings):
        return False
    return not any(
        (isinstance(n, ast.Name) and n.id in _WRITES_ATTRIBUTES)
        or (isinstance(n, ast.Attribute) and n.attr in _WRITES_ATTRIBUTES)
        for n in walk(owner.node)
    )
