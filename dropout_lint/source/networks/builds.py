"""Evaluates expressions that build layers: constructors, lists of them, and functions of the file that return them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dropout_lint.facts import Given, Passed
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.arguments import Arguments
from dropout_lint.source.networks.layers import (
    CONFIGURED,
    UNKNOWN,
    Either,
    Env,
    Followed,
    Item,
    Known,
    Layer,
    LayerSequence,
    Locals,
    Repeated,
    member,
    placed,
    sliced,
)
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.torch_api.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, DROP_PATH_NAMES, DROP_PATHS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES

_CHOSEN = ACTIVATIONS.keys() | BATCH_NORMS | DROPOUT_MODULES.keys()
"""Classes of which a parameter may be the default."""
MAX_CALLS = 3
"""The number of nested helper functions that are followed."""


class Builder:
    """Evaluates expressions of one file; ``follow`` runs the body of a function."""

    def __init__(self, arguments: Arguments, follow: Callable[[list[ast.stmt], Locals], Followed]) -> None:
        self._module = arguments.module
        self._arguments = arguments
        self._bound = arguments.bound
        self._follow = follow

    def items(self, node: ast.expr, local: Locals) -> tuple[Item, ...]:
        """The members of the list that an expression builds; one member for anything else."""
        value = self.value(node, local)
        return value.items if isinstance(value, LayerSequence) else (value,)

    def value(self, node: ast.expr, local: Locals) -> Item:
        """The item that an expression builds."""
        match node:
            case ast.Call():
                return self._call(node, local)
            case ast.Name() | ast.Attribute():
                return local.items.get(self._arguments.key(node, local.block)) or self._function(node, local)
            case ast.Constant() if self._bound:
                return Known(self._arguments.given(node, local.block, local.items))
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return LayerSequence(self._elements(elements, node, "list", local))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.DictComp(value=element):
                return LayerSequence((Repeated((self.value(element, local),)),))
            case ast.Dict(values=values):
                return LayerSequence(tuple(self.value(v, local) for v in values))
            case ast.BinOp():
                return self._joined(node, local)
            case ast.BoolOp(op=ast.Or(), values=[first, second]) if self._bound:
                goes = self._decided(first, local)
                return UNKNOWN if goes is None else self.value(first if goes else second, local)
            case ast.IfExp():
                return self._conditional(node, local)
            case ast.NamedExpr(target=target, value=value):
                item = self.value(value, local)
                local.items[self._arguments.key(target, local.block)] = item
                return item
            case ast.Subscript():
                return self._subscript(node, local)
        return UNKNOWN

    def _joined(self, node: ast.BinOp, local: Locals) -> Item:
        """Lists that are added, or a list that is repeated."""
        match node:
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return LayerSequence((*self.items(left, local), *self.items(right, local)))
            case ast.BinOp(op=ast.Mult(), left=ast.List() as left):
                return LayerSequence((Repeated(self.items(left, local)),))
        return UNKNOWN

    def _conditional(self, node: ast.IfExp, local: Locals) -> Item:
        goes = self._decided(node.test, local) if self._bound else None
        if goes is not None:
            return self.value(node.body if goes else node.orelse, local)
        return Either(((self.value(node.body, local),), (self.value(node.orelse, local),)))

    def _subscript(self, node: ast.Subscript, local: Locals) -> Item:
        if isinstance(node.value, ast.Name) and node.value.id == "ACT2FN":
            return self._configured_activation(node.slice)
        value = self.value(node.value, local)
        return sliced(value, node.slice) if isinstance(node.slice, ast.Slice) else member(value)

    def _decided(self, test: ast.expr, local: Locals) -> bool | None:
        return self._arguments.decided(test, local.block, local.items)

    def _function(self, node: ast.expr, local: Locals) -> Item:
        """An activation as a function, also as the default of a parameter."""
        block = local.block
        default = _default(node, block)
        made = isinstance(default, ast.Call)
        named = default.func if isinstance(default, ast.Call) else default
        name = self._module.scopes.resolve(named or node, block)
        parameter = self._parameter(node, block)
        if name in (ACTIVATIONS if made else FUNCTIONAL_ACTIVATIONS):
            return Layer(name, None, None, chosen_by=parameter)
        if parameter:
            return Layer("", None, None, chosen_by=parameter)
        given = self._arguments.given(node, block, local.items) if self._bound else Given()
        return Known(given) if given.kind != "unknown" else UNKNOWN

    def _parameter(self, node: ast.expr, block: Block) -> str:
        """The name of an expression that is a parameter of a constructor and is not bound again."""
        name = node.id if isinstance(node, ast.Name) and block.name == "__init__" and not self._bound else ""
        return name if name in block.parameters and name not in block.bindings and name != block.self_name else ""

    @staticmethod
    def _configured_activation(key: ast.expr) -> Item:
        """An activation that a configuration names, as in transformers. ``project`` finds out which one it is."""
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return Layer(f"{CONFIGURED}={key.value}", None, None)
        name = dotted(key).rpartition(".")[2]
        return Layer(f"{CONFIGURED}:{name}", None, None) if name else UNKNOWN

    def _elements(self, nodes: list[ast.expr], container: ast.AST, form: str, local: Locals) -> tuple[Item, ...]:
        found: list[Item] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += self.items(node.value, local)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
                found.append(placed(self.value(node.elts[1], local), "named", node, container, node.elts[1]))
            else:
                found.append(placed(self.value(node, local), form, node, container, node))
        return tuple(found)

    def _call(self, call: ast.Call, local: Locals) -> Item:
        block, env = local.block, local.items
        chosen = env.get(self._arguments.key(call.func, block)) if self._bound else None
        known: Env = {k: v for k, v in env.items() if isinstance(v, Known)} if self._bound else {}
        name = self._module.scopes.resolve(call.func, block)
        if chosen is not None:
            name = chosen.given.name if isinstance(chosen, Known) else ""
        if name == "torch.nn.Sequential":
            return LayerSequence(self._sequential(call, local), chained=True)
        if name in {"torch.nn.ModuleList", "torch.nn.ModuleDict", "collections.OrderedDict"} or (
            isinstance(call.func, ast.Name) and call.func.id in {"list", "tuple", "OrderedDict"}
        ):
            return LayerSequence(self.items(call.args[0], local) if call.args else ())
        if name.startswith("torch.nn.") and not name.startswith("torch.nn.functional."):
            return Layer(name, call, block, known=known, assumed=local.assumed)
        if name in DROP_PATHS or name in BATCH_NORMS:
            return Layer(name, call, block, known=known, assumed=local.assumed)
        if name.rpartition(".")[2] in DROP_PATH_NAMES:
            return Layer("timm.layers.DropPath", call, block, known=known, assumed=local.assumed)
        default = _default(call.func, block) if chosen is None else None
        named = self._module.scopes.resolve(default, block) if default is not None else ""
        parameter = self._parameter(call.func, block)
        if named in _CHOSEN:
            return Layer(named, call, block, known=known, assumed=local.assumed, chosen_by=parameter)
        if parameter:
            return Layer("", call, block, known=known, assumed=local.assumed, chosen_by=parameter)
        called = self._arguments.local(name)
        if called is not None and local.depth > 0:
            built = self._called(called, call, local)
            return built if built is not UNKNOWN else Layer("", call, block, known=known, assumed=local.assumed)
        return Layer("", call, block, known=known, assumed=local.assumed)

    def _called(self, called: Block, call: ast.Call, local: Locals) -> Item:
        """The item that a call of a function, or of a subclass of nn.Sequential, in this file builds."""
        passed = self._arguments.passed(call, local.block, local.items) if self._bound else None
        if not isinstance(called.node, ast.FunctionDef):
            return self.built_by(called, local.depth - 1, passed) or UNKNOWN
        env = self._arguments.frame(called, passed) if passed is not None else {}
        if env is None:
            return UNKNOWN
        if called.self_name:
            env.update((k, v) for k, v in local.items.items() if k.startswith("self."))
        return self._follow(called.node.body, Locals(called, env, local.depth - 1)).returned or UNKNOWN

    def built_by(self, owner: Block, depth: int = MAX_CALLS, passed: Passed | None = None) -> LayerSequence | None:
        """The layers that a subclass of nn.Sequential passes to its base constructor."""
        bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
        init = owner.blocks.get("__init__")
        if all(self._module.scopes.resolve(b, owner.parent or owner) != "torch.nn.Sequential" for b in bases):
            return None
        env = self._arguments.frame(init, passed) if init is not None and passed is not None else {}
        if init is None or env is None or not isinstance(init.node, ast.FunctionDef):
            return None
        for call in walk(init.node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
                end = self._follow(init.node.body, Locals(init, env, depth)).end
                return LayerSequence(self._sequential(call, end), chained=True) if end is not None else None
        return None

    def _sequential(self, call: ast.Call, local: Locals) -> tuple[Item, ...]:
        first = call.args[0] if len(call.args) == 1 else None
        if isinstance(first, ast.Call) and dotted(first.func).endswith("OrderedDict"):
            return self.items(first.args[0], local) if first.args else ()
        return self._elements(call.args, call, "positional", local)


def _default(node: ast.expr, block: Block) -> ast.expr | None:
    """The default of a parameter, if an expression is one."""
    function = block.node
    if not isinstance(node, ast.Name) or not isinstance(function, ast.FunctionDef):
        return None
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    pairs = [*zip(reversed(positional), reversed(given.defaults), strict=False)]
    pairs += [(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None]
    return next((default for parameter, default in pairs if parameter.arg == node.id), None)
