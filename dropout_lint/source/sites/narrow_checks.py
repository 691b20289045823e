"""Finds loops that switch dropout on, or set its rate, but only for one of the dropout classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import NarrowDropoutCheck
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.syntax.parsing import dotted, walk

_WALKS = {"modules", "named_modules", "children", "named_children"}
_OTHERS = ("Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "_DropoutNd")


def narrow_checks(module: SourceModule) -> Iterator[NarrowDropoutCheck]:
    """``isinstance(m, nn.Dropout)`` and ``type(m).__name__.startswith("Dropout")`` where no other is named."""
    text = module.lines.text
    if not any(w in text for w in _WALKS) or ("isinstance(" not in text and ".startswith(" not in text):
        return
    for node in module.tree.body:
        functions = [node, *(node.body if isinstance(node, ast.ClassDef) else ())]
        for function in functions:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                block = module.lines.block(function.lineno, function.end_lineno or function.lineno)
                if "Dropout" in block and not any(name in block for name in _OTHERS):
                    yield from _in_function(module, function)


def _in_function(module: SourceModule, function: ast.AST) -> Iterator[NarrowDropoutCheck]:
    for loop in walk(function):
        if not isinstance(loop, ast.For) or not _is_walk(loop.iter):
            continue
        variables = {n.id for n in walk(loop.target) if isinstance(n, ast.Name)}
        for branch in (b for s in loop.body for b in walk(s) if isinstance(b, ast.If)):
            for test in (t for t in walk(branch.test) if isinstance(t, ast.Call)):
                found = _narrow(module, test)
                if found is not None and _subject(test) in variables & _switched(branch):
                    yield found


def _is_walk(node: ast.expr) -> bool:
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in _WALKS for n in walk(node)
    )


def _switched(branch: ast.If) -> set[str]:
    """The variables whose mode or rate a block sets."""
    found = set()
    for statement in branch.body:
        if isinstance(statement, ast.Assign):
            targets = [t for t in statement.targets if isinstance(t, ast.Attribute) and t.attr in {"p", "training"}]
            found |= {dotted(t.value) for t in targets}
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            receiver, _, method = dotted(statement.value.func).rpartition(".")
            found |= {receiver} if method in {"train", "eval"} else set()
    return found


def _subject(test: ast.Call) -> str:
    """The variable that a test checks the class of."""
    names = [n.id for n in walk(test) if isinstance(n, ast.Name) and n.id not in {"isinstance", "type"}]
    return names[0] if names else ""


def _narrow(module: SourceModule, test: ast.Call) -> NarrowDropoutCheck | None:
    span = module.lines.span(test)
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(), asked]):
            if module.scopes.resolve(asked, module.scopes.module) == "torch.nn.Dropout":
                return NarrowDropoutCheck(span, module.lines.span(asked), dotted(asked).rpartition(".")[0])
        case ast.Call(func=ast.Attribute(value=named, attr="startswith"), args=[ast.Constant(value="Dropout")]):
            if isinstance(named, ast.Attribute) and named.attr == "__name__":
                return NarrowDropoutCheck(span)
    return None
