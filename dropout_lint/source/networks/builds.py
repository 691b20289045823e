"""Which layers an expression builds: constructors, lists of them, and functions of the file that return them."""

from __future__ import annotations

import ast

from dropout_lint.facts import Given, Passed
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.arguments import Arguments
from dropout_lint.source.networks.layers import (
    CONFIGURED,
    UNKNOWN,
    Either,
    Env,
    Item,
    Known,
    Layer,
    Repeated,
    Sequence,
    member,
    sliced,
    standing,
)
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.torch_api.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, DROP_PATH_NAMES, DROP_PATHS

MAX_CALLS = 3
"""How deep helper functions that build layers are followed."""


class Builder(Arguments):
    """Expressions of one file that build layers; following functions is left to a subclass."""

    def run(self, body: list[ast.stmt], block: Block, env: Env, depth: int) -> Item | None:
        """Follow statements."""
        raise NotImplementedError

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
                return env.get(self.key(node, block)) or self._function(node, block, env)
            case ast.Constant() if self.bound:
                return Known(self.given(node, block, env))
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
            case ast.BoolOp(op=ast.Or(), values=[first, second]) if self.bound:
                goes = self.decided(first, block, env)
                return UNKNOWN if goes is None else self.value(first if goes else second, block, env, depth)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                goes = self.decided(test, block, env) if self.bound else None
                if goes is not None:
                    return self.value(body if goes else orelse, block, env, depth)
                return Either(((self.value(body, block, env, depth),), (self.value(orelse, block, env, depth),)))
            case ast.Subscript(value=ast.Name(id="ACT2FN"), slice=key):
                return self._configured_activation(key)
            case ast.Subscript(value=value, slice=ast.Slice() as part):
                return sliced(self.value(value, block, env, depth), part)
            case ast.Subscript(value=value):
                return member(self.value(value, block, env, depth))
        return UNKNOWN

    def _function(self, node: ast.expr, block: Block, env: Env) -> Item:
        """An activation as a function, also as the default of a parameter."""
        name = self.module.scopes.resolve(_default(node, block) or node, block)
        if name in FUNCTIONAL_ACTIVATIONS:
            return Layer(name, None, None)
        given = self.given(node, block, env) if self.bound else Given()
        return Known(given) if given.kind != "unknown" else UNKNOWN

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
        chosen = env.get(self.key(call.func, block)) if self.bound else None
        known: Env = {k: v for k, v in env.items() if isinstance(v, Known)} if self.bound else {}
        name = self.module.scopes.resolve(call.func, block)
        if chosen is not None:
            name = chosen.given.name if isinstance(chosen, Known) else ""
        if name == "torch.nn.Sequential":
            return Sequence(self._sequential(call, block, env, depth), chained=True)
        if name in {"torch.nn.ModuleList", "torch.nn.ModuleDict", "collections.OrderedDict"} or (
            isinstance(call.func, ast.Name) and call.func.id in {"list", "tuple", "OrderedDict"}
        ):
            return Sequence(self.items(call.args[0], block, env, depth) if call.args else ())
        if name.startswith("torch.nn.") and not name.startswith("torch.nn.functional."):
            return Layer(name, call, block, known=known)
        if name in DROP_PATHS or name in BATCH_NORMS:
            return Layer(name, call, block, known=known)
        if name.rpartition(".")[2] in DROP_PATH_NAMES:
            return Layer("timm.layers.DropPath", call, block, known=known)
        default = _default(call.func, block) if chosen is None else None
        named = self.module.scopes.resolve(default, block) if default is not None else ""
        if named in ACTIVATIONS:
            return Layer(named, call, block, known=known)
        called = self.local(name)
        if called is not None and depth > 0:
            built = self._called(called, call, block, env, depth)
            return built if built is not UNKNOWN else Layer("", call, block, known=known)
        return Layer("", call, block, known=known)

    def _called(self, called: Block, call: ast.Call, block: Block, env: Env, depth: int) -> Item:
        passed = self.passed(call, block, env) if self.bound else None
        if not isinstance(called.node, ast.FunctionDef):
            return self.built_by(called, depth - 1, passed) or UNKNOWN
        local = self.frame(called, passed) if passed is not None else {}
        if local is None:
            return UNKNOWN
        if called.self_name:
            local.update((k, v) for k, v in env.items() if k.startswith("self."))
        return self.run(called.node.body, called, local, depth - 1) or UNKNOWN

    def built_by(self, owner: Block, depth: int = MAX_CALLS, passed: Passed | None = None) -> Sequence | None:
        """What a subclass of nn.Sequential gives to its constructor."""
        bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
        init = owner.blocks.get("__init__")
        if all(self.module.scopes.resolve(b, owner.parent or owner) != "torch.nn.Sequential" for b in bases):
            return None
        env = self.frame(init, passed) if init is not None and passed is not None else {}
        if init is None or env is None or not isinstance(init.node, ast.FunctionDef):
            return None
        for call in walk(init.node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
                self.run(init.node.body, init, env, depth)
                return Sequence(self._sequential(call, init, env, depth), chained=True)
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
