"""Whether the first parameter of a method is the instance, and ``training`` the mode that nn.Module keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted, walk

_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PROPERTY_PARTS = {"setter", "getter", "deleter"}


def unsure_methods(module: SourceModule, nodes: Sequence[ast.AST]) -> frozenset[str]:
    """The methods whose first parameter may be something else than the instance, as ``Net.noise``.

    ``nodes`` are all nodes of the file, in source order.
    """
    classes = [b for b in list(module.scopes.blocks.values()) if b.kind == "class"]
    methods = {(c.qualname, m.name): m for c in classes for m in c.blocks.values() if m.self_name}
    found = {key for key, m in methods.items() if not _is_sure_in_class(module, m)}
    called = set(_called_on_classes(module, nodes, methods))
    early = {c.qualname for c in classes if _runs_before_base(c)}
    return frozenset(f"{c}.{name}" for c, name in methods if (c, name) in found or name in called or c in early)


def _is_sure_in_class(module: SourceModule, method: Block) -> bool:
    """Whether the class body uses a function only as a method."""
    owner = method.parent
    if owner is None or any(not isinstance(b.node, _METHODS) for b in owner.bindings.get(method.name, [])):
        return False
    for statement in owner.node.body:  # type: ignore[attr-defined]
        inside = statement.decorator_list if isinstance(statement, _METHODS) else [statement]
        if isinstance(statement, ast.ClassDef):
            continue
        for node in (n for part in inside for n in walk(part)):
            if isinstance(node, ast.Name) and node.id == method.name and isinstance(node.ctx, ast.Load):
                around = module.scopes.parents.get(node)
                if not (isinstance(around, ast.Attribute) and around.attr in _PROPERTY_PARTS):
                    return False
    decorators = getattr(method.node, "decorator_list", [])
    return all(_keeps_instance(module, decorator, owner) for decorator in decorators)


def _keeps_instance(module: SourceModule, decorator: ast.expr, owner: Block) -> bool:
    """Whether a decorator passes the instance on; one from another file is taken to do so."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    name = module.scopes.resolve(decorator, owner)
    if not isinstance(decorator, ast.Name) or not name.startswith("."):
        found = module.scopes.lookup(decorator.id, owner) if isinstance(decorator, ast.Name) else None
        return found is None or not any(isinstance(b.value, (ast.Name, ast.Lambda)) for b in found[1])
    functions = [s for s in module.tree.body if isinstance(s, _METHODS) and f".{s.name}" == name]
    return bool(functions) and all(any(_hands_on(n, f) for n in walk(f)) for f in functions)


def _hands_on(node: ast.AST, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a node of a decorator calls a function with all arguments, or returns what it got."""
    if isinstance(node, ast.Call):
        return any(isinstance(a, ast.Starred) for a in node.args)
    names = {a.arg for a in (*function.args.posonlyargs, *function.args.args)}
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id in names


def _called_on_classes(
    module: SourceModule, nodes: Sequence[ast.AST], methods: dict[tuple[str, str], Block]
) -> Iterator[str]:
    """Names of methods that are called, or read, as functions of their class."""
    names = {name for _, name in methods}
    longest = {name: max(_positional(m) for (_, n), m in methods.items() if n == name) for name in names}
    calls = {id(n.func): n for n in nodes if isinstance(n, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in names:
            call = calls.get(id(node))
            if _is_class(module, node.value):
                if call is None or not _passes_instance(module, call):
                    yield node.attr
            elif call is not None and not _is_super(node.value) and len(call.args) > longest[node.attr]:
                yield node.attr
        elif isinstance(node, ast.Call) and dotted(node.func) == "getattr" and len(node.args) > 1:
            key = node.args[1]
            if isinstance(key, ast.Constant) and key.value in names and _is_class(module, node.args[0]):
                yield str(key.value)


def _positional(method: Block) -> int:
    """The number of positional arguments that a call on an instance can pass."""
    arguments = method.node.args  # type: ignore[attr-defined]
    return 10**6 if arguments.vararg is not None else len(arguments.posonlyargs) + len(arguments.args) - 1


def _is_class(module: SourceModule, node: ast.expr) -> bool:
    """Whether an expression is a class of the file, or the class of some object."""
    if isinstance(node, ast.Call):
        return dotted(node.func) == "type"
    if isinstance(node, ast.Attribute) and node.attr == "__class__":
        return True
    name = module.scopes.resolve(node, module.scopes.module)
    return name.startswith(".") and not name.endswith("()") and name[1:] in module.class_names


def _passes_instance(module: SourceModule, call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.Name) or call not in module.scopes.parents:
        return False
    return first.id == module.scopes.block_of(call).instance


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) == "super"


def _runs_before_base(owner: Block) -> bool:
    """Whether the constructor calls methods of the instance before the constructor of nn.Module has set the mode."""
    constructor = owner.blocks.get("__init__")
    body = getattr(constructor.node, "body", []) if constructor is not None else []
    if constructor is None or not constructor.self_name:
        return False
    for statement in body:
        calls = [n for n in walk(statement) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        if any(c.func.attr == "__init__" for c in calls):  # type: ignore[attr-defined]
            return False
        if any(dotted(c.func).startswith(f"{constructor.self_name}.") for c in calls):
            return True
    return False


def has_own_mode(node: ast.ClassDef) -> bool:
    """Whether a class binds ``training`` otherwise than nn.Module, or switches modes in its own way."""
    for statement in node.body:
        if isinstance(statement, _METHODS):
            if statement.name == "training" or (statement.name in {"train", "eval"} and not _passes_mode(statement)):
                return True
            if statement.name not in {"train", "eval"} and _binds_mode(statement):
                return True
        elif _binds_mode(statement) and not (isinstance(statement, ast.AnnAssign) and statement.value is None):
            return True
    return False


def _binds_mode(statement: ast.stmt) -> bool:
    """Whether a statement of a class body binds ``training``, of the class or of an object."""
    of_class = not isinstance(statement, _METHODS)
    return any(_is_mode_bound(node, of_class=of_class) for node in walk(statement))


def _is_mode_bound(node: ast.AST, *, of_class: bool) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "training" and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Name):
        return of_class and node.id == "training" and not isinstance(node.ctx, ast.Load)
    sets = isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"setattr", "__setattr__"}
    return sets and any(isinstance(a, ast.Constant) and a.value == "training" for a in node.args)  # type: ignore[attr-defined]


def _passes_mode(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether an override of ``train`` or ``eval`` gives its mode to the base class, or sets it itself."""
    names = [a.arg for a in (*method.args.posonlyargs, *method.args.args)]
    if any("staticmethod" in dotted(d) for d in method.decorator_list):
        return False
    return bool(names) and any(_hands_mode_on(node, method.name, names) for node in walk(method))


def _hands_mode_on(node: ast.AST, method: str, names: list[str]) -> bool:
    """Whether a node is ``super().train(mode)`` or ``self.training = mode``; ``names`` are the parameters."""
    if isinstance(node, ast.Assign):
        return dotted(node.targets[0]) == f"{names[0]}.training" and dotted(node.value) in names[1:]
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if node.func.attr not in {"train", "eval"}:
        return False
    of_base = _is_super(node.func.value) or bool(node.args and dotted(node.args[0]) == names[0])
    other = dotted(node.func.value) == names[0] and node.func.attr != method
    given = {dotted(a) for a in (*node.args, *(k.value for k in node.keywords))}
    passes = method == "eval" or bool(given & set(names[1:])) or "*" in ast.unparse(node)
    return (of_base or other) and passes
