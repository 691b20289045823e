"""Recognizes a recurrent layer whose class a name chooses: ``getattr(nn, cell)(...)`` and ``CELLS[cell](...)``."""

from __future__ import annotations

import ast

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted
from dropout_lint.torch_api.signatures import RNNS

CHOSEN = "torch.nn.RNN"
"""The layer assumed where the class is chosen at run time: all recurrent layers have the same parameters."""
_NAMES = ("rnn", "cell", "lstm", "gru")


def is_chosen_rnn(module: SourceModule, call: ast.Call, block: Block) -> bool:
    """Whether a call constructs one of torch's recurrent layers, chosen by a name."""
    if not any(k.arg == "dropout" for k in call.keywords) and len(call.args) <= RNNS[CHOSEN].parameters.index(
        "dropout"
    ):
        return False
    return _chooses(module, call.func, block)


def _chooses(module: SourceModule, node: ast.expr, block: Block) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, name, *_]):
            in_torch = module.scopes.resolve(owner, block) == "torch.nn"
            return in_torch and any(word in module.lines.code(name).lower() for word in _NAMES)
        case ast.Subscript(value=table):
            return _holds_rnns(module, table, block)
        case ast.Name() | ast.Attribute():
            value, home = _bound(module, node, block)
            return isinstance(value, (ast.Call, ast.Subscript)) and _chooses(module, value, home)
    return False


def _holds_rnns(module: SourceModule, table: ast.expr, block: Block) -> bool:
    """Whether a dictionary holds nothing but recurrent layers."""
    if isinstance(table, (ast.Name, ast.Attribute)):
        value, block = _bound(module, table, block)
    else:
        value = table
    values = value.values if isinstance(value, ast.Dict) else []
    return bool(values) and all(module.scopes.resolve(v, block) in RNNS for v in values)


def _bound(module: SourceModule, node: ast.expr, block: Block) -> tuple[ast.expr | None, Block]:
    """The only value that a name or attribute of the instance is bound to, and the block of that."""
    bindings = module.attribute_bindings(node, block)
    if isinstance(node, ast.Name):
        found = module.scopes.lookup(node.id, block)
        bindings = found[1] if found is not None and dotted(node) not in found[0].parameters else []
    return (bindings[0].value, bindings[0].block) if len(bindings) == 1 else (None, block)
