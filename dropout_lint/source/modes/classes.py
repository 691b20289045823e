"""Finds overrides of ``train`` and ``eval`` in classes, and methods that depend on the mode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from dropout_lint.facts import ModeClass, ModeOverride
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.rebinding import stored_at
from dropout_lint.source.values import intent
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.torch_api.signatures import FUNCTIONALS
from dropout_lint.vocabulary import NO_COMPUTATION, TRAINING_DATA

_FUNCTIONAL = {name.rpartition(".")[2] for name in FUNCTIONALS}
_OVERRIDES = re.compile(r"def\s+(?:train|eval)\b|\.(?:train|eval)\s*[:=]")
_SETTERS = {"__init__", "train", "eval", "set_training", "extra_repr"}


def mode_overrides(module: SourceModule) -> tuple[ModeOverride, ...]:
    """Methods and attributes of classes that override ``train`` or ``eval``."""
    found: list[ModeOverride] = []
    for name, node in classes_of(module.tree.body) if _OVERRIDES.search(module.lines.text) else ():
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name in {"train", "eval"}:
                found.append(_override(module, name, statement))
            if isinstance(statement, ast.FunctionDef):
                found += _attribute_overrides(module, name, statement)
    return tuple(found)


def _attribute_overrides(module: SourceModule, owner: str, method: ast.FunctionDef) -> Iterator[ModeOverride]:
    """Assignments such as ``self.train = True``."""
    if not method.args.args:
        return
    instance = method.args.args[0].arg
    inner = {s.name for s in method.body if isinstance(s, ast.FunctionDef)}
    for node in method.body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in inner):
            continue  # a function is assigned, which replaces the method on purpose
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            name = dotted(target)
            if name in {f"{instance}.train", f"{instance}.eval"}:
                span, attribute = module.lines.span(node), name.rpartition(".")[2]
                yield ModeOverride(owner, attribute, span, kind="attribute", instance=instance)


def classes_of(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """The classes of a file with their qualified names."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = f"{prefix}{statement.name}"
            yield name, statement
            yield from classes_of(statement.body, name + ".")
        elif isinstance(statement, (ast.If, ast.Try)):
            yield from classes_of(statement.body, prefix)


def mode_class(module: SourceModule, node: ast.ClassDef, name: str) -> ModeClass:
    """The facts about a class for linking: bases, methods, and what depends on the mode."""
    methods = [s for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
    reads, rates = False, []
    for method in methods:
        if method.name in _SETTERS:
            continue
        text = module.lines.block(method.lineno, method.end_lineno or method.lineno)
        if ".training" not in text and "drop" not in text:
            continue
        inside_drop: set[int] = set()
        for part in walk(method):
            if isinstance(part, ast.Call) and dotted(part.func).rpartition(".")[2] in _FUNCTIONAL:
                inside_drop |= {id(n) for n in walk(part)}
                if "self.training" in ast.unparse(part):
                    rates.append(_rate(part))
            elif isinstance(part, ast.Attribute) and part.attr == "training" and id(part) not in inside_drop:
                own = isinstance(part.value, ast.Name) and part.value.id == "self"
                reads = reads or (own and not NO_COMPUTATION.search(module.lines.line(part.lineno)))
    scope = module.scopes.module
    return ModeClass(
        name,
        tuple(module.scopes.resolve(b, scope) or f"?{dotted(b)}" for b in node.bases),
        frozenset(m.name for m in methods),
        reads,
        tuple(dict.fromkeys(r for r in rates if r)),
    )


def _rate(call: ast.Call) -> str:
    given = next((k.value for k in call.keywords if k.arg == "p"), call.args[1] if len(call.args) > 1 else None)
    if isinstance(given, ast.Constant):
        return "" if given.value == 0 else "?"
    text = dotted(given) if given is not None else ""
    return text.removeprefix("self.") if text.startswith("self.") and text.count(".") == 1 else "?"


def _override(module: SourceModule, owner: str, node: ast.FunctionDef) -> ModeOverride:
    arguments, body = node.args, node.body
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    static = any(dotted(d) in {"staticmethod", "classmethod"} for d in node.decorator_list)
    parameters = names if static else names[1:]
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and len(body) > 1
    nodes = list(walk(node))
    callees = [n.func for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    called = {callee.attr for callee in callees}
    switches = [callee for callee in callees if callee.attr in {"train", "eval"}]
    of_class = [n.func for n in nodes if isinstance(n, ast.Call) and n.func in switches and _is_of_class(n, names)]
    text = module.lines.block(node.lineno, node.end_lineno or node.lineno)
    return ModeOverride(
        owner,
        node.name,
        module.lines.span(node),
        kind="property" if any("property" in dotted(d) for d in node.decorator_list) else "method",
        instance="" if static or not names else names[0],
        static=static,
        required=max(0, len(parameters) - len(arguments.defaults)) + sum(d is None for d in arguments.kw_defaults),
        first=parameters[0] if parameters else "",
        keywords=arguments.kwarg is not None or arguments.vararg is not None,
        trains=not called.isdisjoint({"backward", "zero_grad"})
        or any(callee.attr == "step" and "opt" in dotted(callee).lower() for callee in callees)
        or any(isinstance(n, ast.For) and TRAINING_DATA.search(ast.unparse(n.iter)) for n in nodes),
        backward="backward" in called,
        forwards=any(_is_super(callee.value) for callee in switches) or bool(of_class),
        recurses=any(
            callee.attr in {"train", "eval", "apply"} and not _is_super(callee.value) and callee not in of_class
            for callee in callees
        ),
        sets=any(isinstance(n, ast.Attribute) and n.attr == "training" and isinstance(n.ctx, ast.Store) for n in nodes),
        extra=len(body) > 1 + documented + any(isinstance(s, ast.Return) for s in body),
        rebinds=bool(names and stored_at(node, names[0]))
        or any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in nodes),
        returns=any(isinstance(n, ast.Return) and n.value is not None for n in nodes),
        delegates=any(isinstance(n, ast.Call) and _gets(n, names) for n in nodes),
        acts=not all(_is_empty(statement) for statement in body),
        speaks_of_dropout="drop" in text.lower() or bool(intent.train_mode_intent(node, module.lines)),
        woken=next(filter(None, (_woken(statement, names) for statement in body)), ""),
        body=module.lines.span(body[1] if documented else body[0]),
        end=module.lines.span(body[-1]),
        one_line=body[0].lineno == node.lineno,
    )


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _is_of_class(call: ast.Call, names: Sequence[str]) -> bool:
    """Whether a call is that of a method of a class on the instance: ``Base.train(self, mode)``."""
    return bool(call.args) and bool(names) and isinstance(call.args[0], ast.Name) and call.args[0].id == names[0]


def _gets(call: ast.Call, names: Sequence[str]) -> bool:
    """Whether a call gets the mode or the instance, or is one of another method of the instance."""
    given = {n.id for a in (*call.args, *(k.value for k in call.keywords)) for n in walk(a) if isinstance(n, ast.Name)}
    callee = dotted(call.func)
    own = bool(names) and callee.count(".") == 1 and callee.startswith(f"{names[0]}.")
    return own or not given.isdisjoint(names[:2])


def _is_empty(statement: ast.stmt) -> bool:
    """A docstring, ``...``, ``pass``, ``return`` or ``raise``."""
    text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return text or isinstance(statement, (ast.Pass, ast.Return, ast.Raise))


def _woken(statement: ast.stmt, names: Sequence[str]) -> str:
    """The attribute ``self.part`` in a statement ``self.part.train()``."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or call.args or call.keywords or not isinstance(call.func, ast.Attribute):
        return ""
    part = dotted(call.func.value)
    return part if call.func.attr == "train" and names and part.startswith(f"{names[0]}.") else ""
