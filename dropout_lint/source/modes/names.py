"""Finds statements such as ``model.eval`` that name a mode method but do not call it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dropout_lint.facts import UncalledModeMethod
from dropout_lint.source.modes.classes import classes_of
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.syntax.parsing import dotted, walk

_AT_THE_END = re.compile(r"\.(?:eval|train)[ \t]*(?:$|#|;|\r)", re.MULTILINE)
_OF_MODULES = {
    *("parameters", "state_dict", "load_state_dict", "zero_grad", "train", "eval", "named_parameters", "forward"),
    *("cuda", "cpu", "to", "half", "requires_grad_"),
}


def uncalled_mode_methods(module: SourceModule) -> Iterator[UncalledModeMethod]:
    """The uncalled mode methods of a file, with the evidence that the object is a model."""
    if not _AT_THE_END.search(module.lines.text):
        return
    nodes = list(walk(module.tree))
    models = {_receiver(n) for n in nodes if isinstance(n, ast.Call)} - {""}
    owners = _instances(module.tree)
    for node in nodes:
        statement = node.value if isinstance(node, ast.Expr) else None
        if isinstance(statement, ast.Attribute) and statement.attr in {"eval", "train"}:
            name = dotted(statement.value)
            if name:
                owner = owners.get(id(node), {}).get(name, "")
                yield UncalledModeMethod(name, statement.attr, module.lines.span(statement), name in models, owner)


def _instances(tree: ast.Module) -> dict[int, dict[str, str]]:
    """For each statement of a method, the name of the instance and its class."""
    found: dict[int, dict[str, str]] = {}
    for qualname, node in classes_of(tree.body):
        for method in node.body:
            if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.args.args:
                for inner in walk(method):
                    found[id(inner)] = {method.args.args[0].arg: qualname}
    return found


def _receiver(call: ast.Call) -> str:
    """The name that a call uses as a model: ``net(x)``, or a method of nn.Module as ``net.parameters()``."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_MODULES:
        return dotted(call.func.value)
    return dotted(call.func)
