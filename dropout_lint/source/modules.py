"""What constructors build: layers, sequences of layers, and choices between them, by following ``__init__``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from dropout_lint.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS
from dropout_lint.layer_facts import BATCH_NORMS, DROP_PATH_NAMES, DROP_PATHS
from dropout_lint.source.module import SourceModule
from dropout_lint.source.scopes import Block
from dropout_lint.source.syntax import dotted

CONFIGURED = "configured-activation"
MAX_CALLS = 3
"""How deep helper functions that build layers are followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One constructed layer; ``kind`` is "" where its class is unknown.

    ``written`` is the expression that puts it into a container, ``whole`` that with its name or its statement.
    """

    kind: str
    call: ast.Call | None
    block: Block | None
    form: Literal["positional", "named", "list", "append", ""] = ""
    whole: ast.AST | None = None
    container: ast.AST | None = None
    written: ast.AST | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """Layers in order; ``chained`` if they are applied one after the other, as nn.Sequential does."""

    items: tuple[Item, ...]
    chained: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several sequences, by a test."""

    arms: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Layers added in a loop."""

    items: tuple[Item, ...]


Item = Layer | Sequence | Either | Repeated
UNKNOWN = Layer("", None, None)
Env = dict[str, Item]


class Construction:
    """Follows the constructors of one file."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module

    def attributes(self, owner: Block) -> Env:
        """What a class binds to its instance, by name behind ``self.``; base classes of the same file come first."""
        env: Env = {}
        self._construct(owner, env, set())
        return env

    def _construct(self, owner: Block, env: Env, seen: set[Block]) -> None:
        if owner in seen or not isinstance(owner.node, ast.ClassDef):
            return
        seen.add(owner)
        for base in owner.node.bases:
            above = self._local(self._module.scopes.resolve(base, owner.parent or owner))
            if above is not None and above.kind == "class":
                self._construct(above, env, seen)
        init = owner.blocks.get("__init__")
        if init is not None and isinstance(init.node, ast.FunctionDef):
            local: Env = {name: value for name, value in env.items() if name.startswith("self.")}
            self.run(init.node.body, init, local, MAX_CALLS)
            env.update({name: value for name, value in local.items() if name.startswith("self.")})

    def _local(self, name: str) -> Block | None:
        block: Block | None = self._module.scopes.module
        for part in name[1:].split(".") if name.startswith(".") else [""]:
            block = block.blocks.get(part) if block is not None else None
        return block

    def run(self, body: list[ast.stmt], block: Block, env: Env, depth: int) -> Item | None:
        """Follow statements; gives what they return, if that is known to be layers."""
        result: Item | None = None
        for statement in body:
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, self.value(value, block, env, depth), block, env)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._bind(target, self.value(value, block, env, depth), block, env)
                case ast.AugAssign(target=target, op=ast.Add(), value=value):
                    self._extend(self._key(target, block), self._items(value, block, env, depth), env)
                case ast.Expr(value=ast.Call() as call):
                    self._statement(statement, call, block, env, depth)
                case ast.If():
                    result = self._branch(statement, block, env, depth) or result
                case ast.For(body=inner) | ast.While(body=inner):
                    self._loop(inner, block, env, depth)
                case ast.With(body=inner):
                    result = self.run(inner, block, env, depth) or result
                case ast.Return(value=ast.expr() as value):
                    return self.value(value, block, env, depth)
        return result

    def _key(self, target: ast.AST, block: Block) -> str:
        text = dotted(target)
        instance = block.instance
        return f"self.{text[len(instance) + 1 :]}" if instance and text.startswith(f"{instance}.") else text

    def _bind(self, target: ast.expr, value: Item, block: Block, env: Env) -> None:
        key = self._key(target, block)
        if key:
            env[key] = value

    def _extend(self, key: str, items: tuple[Item, ...], env: Env) -> None:
        known = env.get(key)
        if isinstance(known, Sequence):
            env[key] = Sequence((*known.items, *items), known.chained)

    def _statement(self, statement: ast.stmt, call: ast.Call, block: Block, env: Env, depth: int) -> None:
        if not isinstance(call.func, ast.Attribute):
            return
        key, name = self._key(call.func.value, block), call.func.attr
        if name == "append" and len(call.args) == 1:
            item = _standing(self.value(call.args[0], block, env, depth), "append", statement, statement, call.args[0])
            self._extend(key, (item,), env)
        elif name == "extend" and len(call.args) == 1:
            self._extend(key, self._items(call.args[0], block, env, depth), env)
        elif name in {"add_module", "register_module"} and len(call.args) == 2:
            item = _standing(self.value(call.args[1], block, env, depth), "append", statement, statement, call.args[1])
            label = call.args[0]
            if key and key == block.instance and isinstance(label, ast.Constant):
                env[f"self.{label.value!s}"] = item
            elif isinstance(env.get(key), Sequence):
                self._extend(key, (item,), env)

    def _branch(self, statement: ast.If, block: Block, env: Env, depth: int) -> Item | None:
        first, second = dict(env), dict(env)
        results = [self.run(statement.body, block, first, depth), self.run(statement.orelse, block, second, depth)]
        for key in {*first, *second}:
            one, other = first.get(key), second.get(key)
            if one is other and one is not None:
                env[key] = one
            elif isinstance(one, Sequence) and isinstance(other, Sequence) and one.chained == other.chained:
                env[key] = Sequence(_merge(one.items, other.items), one.chained)
            else:
                arms = tuple((value,) for value in (one, other) if value is not None)
                env[key] = Either(arms) if len(arms) > 1 else arms[0][0]
        returned = tuple((r,) for r in results if r is not None)
        return Either(returned) if len(returned) > 1 else returned[0][0] if returned else None

    def _loop(self, body: list[ast.stmt], block: Block, env: Env, depth: int) -> None:
        inner = dict(env)
        self.run(body, block, inner, depth)
        for key, after in inner.items():
            before = env.get(key)
            if isinstance(after, Sequence) and isinstance(before, Sequence):
                added = after.items[len(before.items) :]
                if added:
                    env[key] = Sequence((*before.items, Repeated(added)), before.chained)
            elif after is not before:
                env[key] = after

    def _items(self, node: ast.expr, block: Block, env: Env, depth: int) -> tuple[Item, ...]:
        value = self.value(node, block, env, depth)
        return value.items if isinstance(value, Sequence) else (value,)

    def value(self, node: ast.expr, block: Block, env: Env, depth: int) -> Item:
        """What an expression builds."""
        match node:
            case ast.Call():
                return self._call(node, block, env, depth)
            case ast.Name() | ast.Attribute():
                return env.get(self._key(node, block)) or self._function(node, block)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return Sequence(self._elements(elements, node, "list", block, env, depth))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return Sequence((Repeated((self.value(element, block, env, depth),)),))
            case ast.DictComp(value=element):
                return Sequence((Repeated((self.value(element, block, env, depth),)),))
            case ast.Dict(values=values):
                return Sequence(tuple(self.value(v, block, env, depth) for v in values))
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return Sequence((*self._items(left, block, env, depth), *self._items(right, block, env, depth)))
            case ast.BinOp(op=ast.Mult(), left=ast.List() as left):
                return Sequence((Repeated(self._items(left, block, env, depth)),))
            case ast.IfExp(body=body, orelse=orelse):
                return Either(((self.value(body, block, env, depth),), (self.value(orelse, block, env, depth),)))
            case ast.Subscript(value=ast.Name(id="ACT2FN"), slice=key):
                return self._configured_activation(key)
            case ast.Subscript(value=value, slice=ast.Slice() as part):
                return _sliced(self.value(value, block, env, depth), part)
            case ast.Subscript(value=value):
                return member(self.value(value, block, env, depth))
        return UNKNOWN

    def _function(self, node: ast.expr, block: Block) -> Item:
        """An activation as a function, also as the default of a parameter."""
        name = self._module.scopes.resolve(_default(node, block) or node, block)
        return Layer(name, None, None) if name in FUNCTIONAL_ACTIVATIONS else UNKNOWN

    @staticmethod
    def _configured_activation(key: ast.expr) -> Item:
        """An activation that a configuration names, as transformers does; which one is for the project to say."""
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return Layer(f"{CONFIGURED}={key.value}", None, None)
        name = dotted(key).rpartition(".")[2]
        return Layer(f"{CONFIGURED}:{name}", None, None) if name else UNKNOWN

    def _elements(
        self, nodes: list[ast.expr], container: ast.AST, form: str, block: Block, env: Env, depth: int
    ) -> tuple[Item, ...]:
        found: list[Item] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += self._items(node.value, block, env, depth)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
                found.append(
                    _standing(self.value(node.elts[1], block, env, depth), "named", node, container, node.elts[1])
                )
            else:
                found.append(_standing(self.value(node, block, env, depth), form, node, container, node))
        return tuple(found)

    def _call(self, call: ast.Call, block: Block, env: Env, depth: int) -> Item:
        name = self._module.scopes.resolve(call.func, block)
        if name == "torch.nn.Sequential":
            return Sequence(self._sequential(call, block, env, depth), chained=True)
        if name in {"torch.nn.ModuleList", "torch.nn.ModuleDict", "collections.OrderedDict"} or (
            isinstance(call.func, ast.Name) and call.func.id in {"list", "tuple", "OrderedDict"}
        ):
            return Sequence(self._items(call.args[0], block, env, depth) if call.args else ())
        if name.startswith("torch.nn.") and not name.startswith("torch.nn.functional."):
            return Layer(name, call, block)
        if name in DROP_PATHS or name in BATCH_NORMS:
            return Layer(name, call, block)
        if name.rpartition(".")[2] in DROP_PATH_NAMES:
            return Layer("timm.layers.DropPath", call, block)
        default = _default(call.func, block)
        chosen = self._module.scopes.resolve(default, block) if default is not None else ""
        if chosen in ACTIVATIONS:
            return Layer(chosen, call, block)
        called = self._local(name)
        if called is not None and depth > 0:
            built = self._called(called, block, env, depth)
            return built if built is not UNKNOWN else Layer("", call, block)
        return Layer("", call, block)

    def _called(self, called: Block, block: Block, env: Env, depth: int) -> Item:
        if isinstance(called.node, ast.FunctionDef):
            local: Env = {k: v for k, v in env.items() if k.startswith("self.")} if called.self_name else {}
            return self.run(called.node.body, called, local, depth - 1) or UNKNOWN
        return self.built_by(called, depth - 1) or UNKNOWN

    def built_by(self, owner: Block, depth: int = MAX_CALLS) -> Sequence | None:
        """What a subclass of nn.Sequential gives to its constructor."""
        bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
        if all(self._module.scopes.resolve(b, owner.parent or owner) != "torch.nn.Sequential" for b in bases):
            return None
        for call, home in self._module.scopes.calls:
            is_init = isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
            if is_init and home.enclosing_class is owner:
                return Sequence(self._sequential(call, home, {}, depth), chained=True)
        return None

    def _sequential(self, call: ast.Call, block: Block, env: Env, depth: int) -> tuple[Item, ...]:
        first = call.args[0] if len(call.args) == 1 else None
        if isinstance(first, ast.Call) and dotted(first.func).endswith("OrderedDict"):
            return self._items(first.args[0], block, env, depth) if first.args else ()
        return self._elements(call.args, call, "positional", block, env, depth)


def _sliced(item: Item, part: ast.Slice) -> Item:
    """Some layers of a sequence, where it is certain which."""
    if not isinstance(item, Sequence) or any(isinstance(i, (Either, Repeated)) for i in item.items):
        return UNKNOWN
    try:
        bounds = [ast.literal_eval(b) if b is not None else None for b in (part.lower, part.upper, part.step)]
        return Sequence(item.items[slice(*bounds)], item.chained)
    except (ValueError, TypeError):
        return UNKNOWN


def _default(node: ast.expr, block: Block) -> ast.expr | None:
    """The default of the parameter that an expression is."""
    function = block.node
    if not isinstance(node, ast.Name) or not isinstance(function, ast.FunctionDef):
        return None
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    pairs = [*zip(reversed(positional), reversed(given.defaults), strict=False)]
    pairs += [(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None]
    return next((default for parameter, default in pairs if parameter.arg == node.id), None)


def unrolled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The members of a list of layers, without regard to loops and choices."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, Repeated):
            found += unrolled(item.items)
        elif isinstance(item, Either):
            found += [i for arm in item.arms for i in unrolled(arm)]
        else:
            found.append(item)
    return tuple(found)


def member(item: Item) -> Item:
    """What an index into a list of layers may give."""
    lists = [item] if isinstance(item, Sequence) else []
    if isinstance(item, Either):
        lists = [i for arm in item.arms for i in arm if isinstance(i, Sequence)]
    found = tuple((i,) for one in lists for i in unrolled(one.items))
    return Either(found) if len(found) > 1 else found[0][0] if found else UNKNOWN


def _standing(item: Item, form: str, whole: ast.AST, container: ast.AST, written: ast.AST) -> Item:
    if isinstance(item, Layer):
        return Layer(item.kind, item.call, item.block, form, whole, container, written)  # type: ignore[arg-type]
    return item


def _merge(one: tuple[Item, ...], other: tuple[Item, ...]) -> tuple[Item, ...]:
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] is other[shared]:
        shared += 1
    arms = (one[shared:], other[shared:])
    return (*one[:shared], Either(arms)) if any(arms) else one
