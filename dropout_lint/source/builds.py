"""Which layers an expression builds: constructors, lists of them, and functions of the file that return them."""

from __future__ import annotations

import ast

from dropout_lint.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS
from dropout_lint.layer_facts import BATCH_NORMS, DROP_PATH_NAMES, DROP_PATHS
from dropout_lint.source.layers import (
    CONFIGURED,
    UNKNOWN,
    Either,
    Env,
    Item,
    Layer,
    Repeated,
    Sequence,
    member,
    sliced,
    standing,
)
from dropout_lint.source.module import SourceModule
from dropout_lint.source.scopes import Block
from dropout_lint.source.syntax import dotted

MAX_CALLS = 3
"""How deep helper functions that build layers are followed."""


class Builder:
    """Expressions of one file that build layers; following functions is left to a subclass."""

    def __init__(self, module: SourceModule) -> None:
        self.module = module

    def run(self, body: list[ast.stmt], block: Block, env: Env, depth: int) -> Item | None:
        """Follow statements."""
        raise NotImplementedError

    def local(self, name: str) -> Block | None:
        """The function or class of this file behind a resolved name."""
        block: Block | None = self.module.scopes.module
        for part in name[1:].split(".") if name.startswith(".") else [""]:
            block = block.blocks.get(part) if block is not None else None
        return block

    def key(self, target: ast.AST, block: Block) -> str:
        """What an environment calls a name or an attribute of the instance."""
        text = dotted(target)
        instance = block.instance
        return f"self.{text[len(instance) + 1 :]}" if instance and text.startswith(f"{instance}.") else text

    def items(self, node: ast.expr, block: Block, env: Env, depth: int) -> tuple[Item, ...]:
        """The members of what an expression builds."""
        value = self.value(node, block, env, depth)
        return value.items if isinstance(value, Sequence) else (value,)

    def value(self, node: ast.expr, block: Block, env: Env, depth: int) -> Item:
        """What an expression builds."""
        match node:
            case ast.Call():
                return self._call(node, block, env, depth)
            case ast.Name() | ast.Attribute():
                return env.get(self.key(node, block)) or self._function(node, block)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return Sequence(self._elements(elements, node, "list", block, env, depth))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return Sequence((Repeated((self.value(element, block, env, depth),)),))
            case ast.DictComp(value=element):
                return Sequence((Repeated((self.value(element, block, env, depth),)),))
            case ast.Dict(values=values):
                return Sequence(tuple(self.value(v, block, env, depth) for v in values))
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return Sequence((*self.items(left, block, env, depth), *self.items(right, block, env, depth)))
            case ast.BinOp(op=ast.Mult(), left=ast.List() as left):
                return Sequence((Repeated(self.items(left, block, env, depth)),))
            case ast.IfExp(body=body, orelse=orelse):
                return Either(((self.value(body, block, env, depth),), (self.value(orelse, block, env, depth),)))
            case ast.Subscript(value=ast.Name(id="ACT2FN"), slice=key):
                return self._configured_activation(key)
            case ast.Subscript(value=value, slice=ast.Slice() as part):
                return sliced(self.value(value, block, env, depth), part)
            case ast.Subscript(value=value):
                return member(self.value(value, block, env, depth))
        return UNKNOWN

    def _function(self, node: ast.expr, block: Block) -> Item:
        """An activation as a function, also as the default of a parameter."""
        name = self.module.scopes.resolve(_default(node, block) or node, block)
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
                found += self.items(node.value, block, env, depth)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
                found.append(
                    standing(self.value(node.elts[1], block, env, depth), "named", node, container, node.elts[1])
                )
            else:
                found.append(standing(self.value(node, block, env, depth), form, node, container, node))
        return tuple(found)

    def _call(self, call: ast.Call, block: Block, env: Env, depth: int) -> Item:
        name = self.module.scopes.resolve(call.func, block)
        if name == "torch.nn.Sequential":
            return Sequence(self._sequential(call, block, env, depth), chained=True)
        if name in {"torch.nn.ModuleList", "torch.nn.ModuleDict", "collections.OrderedDict"} or (
            isinstance(call.func, ast.Name) and call.func.id in {"list", "tuple", "OrderedDict"}
        ):
            return Sequence(self.items(call.args[0], block, env, depth) if call.args else ())
        if name.startswith("torch.nn.") and not name.startswith("torch.nn.functional."):
            return Layer(name, call, block)
        if name in DROP_PATHS or name in BATCH_NORMS:
            return Layer(name, call, block)
        if name.rpartition(".")[2] in DROP_PATH_NAMES:
            return Layer("timm.layers.DropPath", call, block)
        default = _default(call.func, block)
        chosen = self.module.scopes.resolve(default, block) if default is not None else ""
        if chosen in ACTIVATIONS:
            return Layer(chosen, call, block)
        called = self.local(name)
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
        if all(self.module.scopes.resolve(b, owner.parent or owner) != "torch.nn.Sequential" for b in bases):
            return None
        for call, home in self.module.scopes.calls:
            is_init = isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
            if is_init and home.enclosing_class is owner:
                return Sequence(self._sequential(call, home, {}, depth), chained=True)
        return None

    def _sequential(self, call: ast.Call, block: Block, env: Env, depth: int) -> tuple[Item, ...]:
        first = call.args[0] if len(call.args) == 1 else None
        if isinstance(first, ast.Call) and dotted(first.func).endswith("OrderedDict"):
            return self.items(first.args[0], block, env, depth) if first.args else ()
        return self._elements(call.args, call, "positional", block, env, depth)


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
