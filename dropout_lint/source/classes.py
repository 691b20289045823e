"""What each class of a file says about itself, as ModelClass facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dropout_lint.facts import CONSTRUCTORS, ClassHeader, FlagUse, ModelClass, RateWrite, UnreadParameter, WeightWrite
from dropout_lint.source.module import SourceModule
from dropout_lint.source.scopes import Block
from dropout_lint.source.sites import scope_of
from dropout_lint.source.syntax import dotted, walk
from dropout_lint.source.values import polarity_of
from dropout_lint.torch_facts import DROPOUT_MODULES, FUNCTIONALS

_INSTANCE_READ = re.compile(r"\bself\.(\w+)")
_OPAQUE = {"children", "named_children", "modules", "named_modules", "_modules", "__dict__", "vars"}
_FLAG = {"training", "is_training", "train_mode", "is_train", "training_mode", "istraining"}


def model_classes(module: SourceModule) -> Iterator[ModelClass]:
    """The classes of the definitions that were walked."""
    for block in module.scopes.blocks.values():
        if block.kind == "class" and isinstance(block.node, ast.ClassDef):
            yield _model_class(module, block, block.node)


def headers(module: SourceModule) -> dict[str, ClassHeader]:
    """All top-level classes, walked or not."""
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
        opaque=bool(re.search(r"\b(?:named_)?(?:children|modules)\(|__dict__|getattr\(\s*self", text)),
    )


def _constants(node: ast.ClassDef) -> dict[str, float]:
    """Numbers that the class body or the constructor binds to names, as configuration classes do."""
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
                found[name] = float(value.value)
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
        assigned=frozenset(block.attributes),
        read=frozenset(reads),
        opaque=opaque,
        torch_attributes=any(
            isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block).startswith("torch.nn.")
            for bindings in block.attributes.values()
            for b in bindings
        ),
        flags=tuple(_flags(module, block)),
        rate_writes=tuple(_rate_writes(module, block)),
        weight_writes=tuple(_weight_writes(module, block)),
        unread_parameters=tuple(_unread_parameters(module, block)),
        constants=_constants(node),
        abstract=any("abstract" in module.lines.line(m.node.lineno - 1) for m in block.blocks.values() if _line(m) > 1)
        or any("Protocol" in module.lines.code(b) or b == "ABC" for b in node.bases),
    )


def _line(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))


def _methods(block: Block) -> Iterator[Block]:
    for method in block.blocks.values():
        if method.kind == "function":
            yield method


def _flags(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    yield from _bound_method_tests(module, owner)
    for name, bindings in owner.attributes.items():
        if len(bindings) != 1 or name == "training" or bindings[0].value is None:
            continue
        binding = bindings[0]
        method = binding.block.method
        if method is None or method.name != "__init__" or not isinstance(binding.node, (ast.Assign, ast.AnnAssign)):
            continue
        copies = isinstance(binding.value, ast.Attribute) and binding.value.attr == "training"
        copies = copies and dotted(binding.value) == f"{binding.block.instance}.training"
        fixed = isinstance(binding.value, ast.Constant) and binding.value.value is True and name.lower() in _FLAG
        if not (copies or fixed):
            continue
        for read in owner.reads.get(name, []):
            home = module.scopes.block_of(read)
            if home.method is not None and home.method.name not in CONSTRUCTORS and _decides_dropout(module, read):
                definition = module.lines.span(binding.node)
                kind = "captured" if copies else "constant"
                yield FlagUse(kind, name, module.lines.span(read), scope_of(module, home, read), definition)  # type: ignore[arg-type]
    yield from _captured_in_calls(module, owner)


def _captured_in_calls(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    """``partial(F.dropout, training=self.training)`` or ``nn.Dropout(p if self.training else 0)`` in a constructor."""
    for call, block in module.scopes.calls:
        method = block.method
        if block.enclosing_class is not owner or method is None or method.name != "__init__":
            continue
        name = module.scopes.resolve(call.func, block)
        partial = name == "functools.partial" and call.args and module.scopes.resolve(call.args[0], block) in FUNCTIONALS
        if not partial and name not in DROPOUT_MODULES:
            continue
        for node in (n for a in [*call.args, *(k.value for k in call.keywords)] for n in walk(a)):
            if dotted(node) == f"{block.instance}.training":
                span = module.lines.span(node)  # type: ignore[arg-type]
                yield FlagUse("captured", "training", span, scope_of(module, block, call), module.lines.span(call))


def _decides_dropout(module: SourceModule, read: ast.Attribute) -> bool:
    """The flag is the mode argument of a dropout, or the test around one."""
    current: ast.AST = read
    while current in module.scopes.parents:
        parent = module.scopes.parents[current]
        if isinstance(parent, ast.keyword) and parent.arg in {"training", "train"}:
            return True
        if isinstance(parent, ast.Call) and current in parent.args:
            name = module.scopes.resolve(parent.func, module.scopes.block_of(parent))
            return name in FUNCTIONALS and parent.args.index(current) == 2
        if isinstance(parent, (ast.If, ast.IfExp)):
            return parent.test is current and "drop" in module.lines.text[
                module.lines.offset(parent.lineno, 1) : module.lines.offset(parent.end_lineno or parent.lineno, 1) + 200
            ].lower()
        if isinstance(parent, ast.stmt):
            return False
        current = parent
    return False


def _bound_method_tests(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    if "train" in owner.attributes or any(b.is_property for n, b in owner.blocks.items() if n == "train"):
        return
    for read in owner.reads.get("train", []):
        parent = module.scopes.parents[read]
        tested = (
            (isinstance(parent, (ast.If, ast.IfExp, ast.While)) and parent.test is read)
            or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))
            or isinstance(parent, ast.BoolOp)
        )
        if tested:
            home = module.scopes.block_of(read)
            yield FlagUse("method", "train", module.lines.span(read), scope_of(module, home, read))


def _rate_writes(module: SourceModule, owner: Block) -> Iterator[RateWrite]:
    """Assignments to a rate in methods that compute."""
    found = []
    for node, block in module.scopes.others:
        method = block.method
        if block.enclosing_class is not owner or method is None or not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            text = dotted(target)
            if text.startswith(f"{block.instance}.") and _is_rate(module, owner, text.split(".")[1:]):
                found.append((text, node, block))
    for text, node, block in found:
        writes = [f for f in found if f[0] == text and f[2] is block]
        yield RateWrite(
            target=text,
            span=module.lines.span(node),
            scope=scope_of(module, block, node),
            under_mode_test=module.guards.guarded(node, block, follow_callers=False),
            restored=len(writes) > 1,
            zero=isinstance(node.value, ast.Constant) and node.value.value in (0, 0.0),
        )


def _is_rate(module: SourceModule, owner: Block, path: list[str]) -> bool:
    if len(path) == 2 and path[1] == "p":
        bindings = owner.attributes.get(path[0], [])
        return any(
            isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block) in DROPOUT_MODULES
            for b in bindings
        )
    return len(path) == 1 and polarity_of(path[0]) == "drop" and len(owner.attributes.get(path[0], [])) > 1


def _weight_writes(module: SourceModule, owner: Block) -> Iterator[WeightWrite]:
    """``w.data = F.dropout(w.data, ...)`` or ``setattr``: the dropped copy replaces the weight."""
    for node, block in module.scopes.others:
        if block.enclosing_class is not owner or not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if not isinstance(target, ast.Attribute) or not isinstance(node.value, ast.Call) or not node.value.args:
            continue
        weight = module.lines.code(target).removesuffix(".data")
        source = module.lines.code(node.value.args[0]).removesuffix(".data")
        if weight == source and module.resolve_call(node.value, block) in FUNCTIONALS and (
            target.attr == "data" or _is_parameter(module, owner, target)
        ):
            yield WeightWrite(weight, module.lines.span(node), scope_of(module, block, node))


def _is_parameter(module: SourceModule, owner: Block, target: ast.Attribute) -> bool:
    return any(
        isinstance(b.value, ast.Call) and module.scopes.resolve(b.value.func, b.block) == "torch.nn.Parameter"
        for b in owner.attributes.get(target.attr, [])
    )


def _unread_parameters(module: SourceModule, owner: Block) -> Iterator[UnreadParameter]:
    init = owner.blocks.get("__init__")
    if init is None or not isinstance(init.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    names = {n.id for n in walk(init.node) if isinstance(n, ast.Name)}
    if "locals" in names:
        return
    arguments = init.node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if polarity_of(argument.arg) == "drop" and argument.arg not in names:
            yield UnreadParameter(argument.arg, module.lines.span(argument))
