"""Collects ModelClass and ClassHeader facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dropout_lint.facts import ClassHeader, ModelClass, RateWrite, UnreadParameter
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.instances import has_own_mode
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.source.sites.weight_writes import weight_writes
from dropout_lint.syntax.parsing import dotted, number_of, walk
from dropout_lint.torch_api.signatures import DROPOUT_MODULES
from dropout_lint.vocabulary import NO_RATE_WORDS, means_drop, words

_MODE = re.compile(r"\btraining\b|\bdef (?:train|eval)\b")
_INSTANCE_READ = re.compile(r"self(?<!\wself)\.(\w+)")
"""Begins with a literal, because a search for a word boundary is far slower."""
_OPAQUE = {"children", "named_children", "_modules", "__dict__", "vars"}
"""Ways to apply layers without their names. Not ``modules()``, which is used to initialize weights."""


def model_classes(module: SourceModule) -> Iterator[ModelClass]:
    """The classes whose definitions were visited: those that may contain something to report."""
    for block in module.scopes.blocks.values():
        if block.kind == "class" and isinstance(block.node, ast.ClassDef):
            yield _model_class(module, block, block.node)


def headers(module: SourceModule) -> dict[str, ClassHeader]:
    """A header for each top-level class, also those not visited."""
    found = {}
    for statement in module.tree.body:
        if isinstance(statement, ast.ClassDef):
            found[statement.name] = _header(module, statement)
    return found


def _bases(module: SourceModule, node: ast.ClassDef, block: Block) -> tuple[str, ...]:
    return tuple(module.scopes.resolve(b, block) or f"?{dotted(b)}" for b in node.bases)


def _header(module: SourceModule, node: ast.ClassDef) -> ClassHeader:
    text = module.lines.block(node.lineno, node.end_lineno or node.lineno)
    return ClassHeader(
        name=node.name,
        bases=_bases(module, node, module.scopes.module),
        methods=frozenset(s.name for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))),
        attributes=frozenset(_INSTANCE_READ.findall(text)),
        constants=_constants(node),
        texts=_texts(node),
        opaque=("children" in text or "_modules" in text or "__dict__" in text)
        and bool(re.search(r"\bself\.(?:named_children|children|_modules|__dict__)\b", text)),
        own_mode=bool(_MODE.search(text)) and has_own_mode(node),
    )


def _constants(node: ast.ClassDef) -> dict[str, float]:
    """Numbers that the class body or constructor binds to names, as in a configuration class."""
    found: dict[str, float] = {}
    statements = list(node.body)
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            statements += statement.body
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        if not isinstance(value, ast.Constant) or isinstance(value.value, bool):
            continue
        for target in targets:
            name = getattr(target, "id", getattr(target, "attr", ""))
            if name and isinstance(value.value, (int, float)):
                found[name] = number_of(value.value)
    return found


def _texts(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in node.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Constant):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name) and isinstance(statement.value.value, str):
                found[target.id] = statement.value.value
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            names = [*statement.args.posonlyargs, *statement.args.args]
            for name, default in zip(reversed(names), reversed(statement.args.defaults), strict=False):
                if isinstance(default, ast.Constant) and isinstance(default.value, str):
                    found[name.arg] = default.value
    return found


def _model_class(module: SourceModule, block: Block, node: ast.ClassDef) -> ModelClass:
    reads = set(block.reads)
    opaque = bool(reads & _OPAQUE)
    for call, home in module.scopes.calls:
        if home.enclosing_class is block and isinstance(call.func, ast.Name) and call.func.id in {"getattr", "vars"}:
            key = call.args[1] if len(call.args) > 1 else None
            if isinstance(key, ast.Constant):
                reads.add(str(key.value))
            elif call.args and isinstance(call.args[0], ast.Name) and call.args[0].id == home.instance:
                opaque = True
    return ModelClass(
        name=block.qualname,
        span=module.lines.span(node),
        bases=_bases(module, node, block.parent or block),
        methods=frozenset(block.blocks),
        read=frozenset(reads),
        opaque=opaque,
        torch_attributes=any(
            isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block).startswith("torch.nn.")
            for bindings in block.attributes.values()
            for b in bindings
        ),
        rate_writes=tuple(_rate_writes(module, block)),
        weight_writes=tuple(weight_writes(module, block)),
        unread_parameters=tuple(_unread_parameters(module, block)),
        abstract=_is_abstract(block, node),
    )


def _is_abstract(block: Block, node: ast.ClassDef) -> bool:
    """True for a protocol and for a class with abstract methods. Subclasses use what it builds."""
    decorators = (d for m in block.blocks.values() for d in getattr(m.node, "decorator_list", ()))
    return any("abstract" in dotted(d) for d in decorators) or any("Protocol" in dotted(b) for b in node.bases)


def _rate_writes(module: SourceModule, owner: Block) -> Iterator[RateWrite]:
    """Assignments to the rate of a dropout in methods."""
    found = []
    for node, block in module.scopes.assignments:
        method = block.method
        if block.enclosing_class is not owner or method is None or not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            text = dotted(target)
            if text.startswith(f"{block.instance}.") and _is_rate(module, owner, text.split(".")[1:]):
                found.append((text, node, block))
    for text, node, block in found:
        writes = [f for f in found if f[0] == text and f[2] is block]
        constant = node.value
        yield RateWrite(
            target=text,
            span=module.lines.span(node),
            scope=scope_of(block),
            under_mode_test=module.guards.guarded(node, block, follow_callers=False) and not constant.value
            if isinstance(constant, ast.Constant)
            else False,
            in_forward_branch=isinstance(constant, ast.Constant)
            and block.name == "forward"
            and isinstance(module.scopes.parents[node], ast.If),
            restored=len(writes) > 1,
        )


def _is_rate(module: SourceModule, owner: Block, path: list[str]) -> bool:
    if len(path) == 2 and path[1] == "p":
        bindings = owner.attributes.get(path[0], [])
        return any(
            isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block) in DROPOUT_MODULES
            for b in bindings
        )
    if len(path) != 1 or len(owner.attributes.get(path[0], [])) < 2:
        return False
    return means_drop(path[0]) or path[0] in module.functional_rates


def _unread_parameters(module: SourceModule, owner: Block) -> Iterator[UnreadParameter]:
    init = owner.blocks.get("__init__")
    if init is None or not isinstance(init.node, ast.FunctionDef) or init.node.decorator_list:
        return
    inside = list(walk(init.node))
    names = {n.id for n in inside if isinstance(n, ast.Name)}
    if "locals" in names or any(isinstance(n, ast.Attribute) and n.attr == "save_hyperparameters" for n in inside):
        return
    arguments = init.node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        rate = means_drop(argument.arg) and not words(argument.arg) & NO_RATE_WORDS
        if rate and argument.arg not in names:
            yield UnreadParameter(argument.arg, module.lines.span(argument))
