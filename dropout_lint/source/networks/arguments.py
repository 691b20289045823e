"""Proven values of the arguments of a call, and the tests that they decide."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dropout_lint.facts import Given, Passed, Value
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.conditions import Conditions
from dropout_lint.source.networks.layers import Env, Item, Known, Layer
from dropout_lint.syntax.parsing import dotted, number_of
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS
from dropout_lint.vocabulary import RATE_NAME

_COMPARES: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_OBJECT = re.compile(r"^torch\.|(?:^|\.)[A-Z]\w*[a-z]\w*$")
NOT_GIVEN = Known(Given())


class Arguments:
    """Answers for one file. ``bound`` if functions are run for one call, with its arguments known."""

    def __init__(self, module: SourceModule, *, bound: bool = False) -> None:
        self.module = module
        self.bound = bound
        self.conditions = Conditions(module)

    def key(self, target: ast.AST, block: Block) -> str:
        """The key of a name or of an attribute of the instance in an ``Env``."""
        text = dotted(target)
        instance = block.instance
        return f"self.{text[len(instance) + 1 :]}" if instance and text.startswith(f"{instance}.") else text

    def local(self, name: str) -> Block | None:
        """The function or class of this file behind a resolved name."""
        own = f"{self.module.place.module}."
        name = name[len(own) - 1 :] if self.module.place.module and name.startswith(own) else name
        if not name.startswith("."):
            return None
        first, *rest = name[1:].split(".")
        block = self.module.scopes.unfold(first)
        for part in rest:
            block = block.blocks.get(part) if block is not None else None
        return block

    def given(self, node: ast.expr, block: Block, env: Env, keyword: str = "") -> Given:
        """The proven value of an expression."""
        text = dotted(node)
        known = env.get(self.key(node, block)) if text else None
        if known is not None:
            return known.given if isinstance(known, Known) else Given(text=text)
        if isinstance(node, ast.Constant):
            plain = isinstance(node.value, (str, int, float, bool, type(None)))
            return Given("constant", node.value) if plain else Given()  # type: ignore[arg-type]
        if isinstance(node, ast.Call):
            return self._partial(node, block)
        if text:
            name = self.module.scopes.resolve(node, block)
            if name and name != "?" and not name.endswith("()"):
                return Given("name", name=f"{self.module.place.module}{name}" if name.startswith(".") else name)
        if not RATE_NAME.search(keyword or self.module.lines.code(node)):
            return Given(text=text)
        value = self.module.values.evaluate(node, block)
        return Given(value=replace(value, number=None) if self.bound and value.default else value, text=text)

    def _partial(self, call: ast.Call, block: Block) -> Given:
        """The class of a layer in ``functools.partial``, unless the bound arguments matter to a rule."""
        if self.module.scopes.resolve(call.func, block) != "functools.partial" or not call.args:
            return Given()
        name = self.module.scopes.resolve(call.args[0], block)
        matters = not name.startswith("torch.nn.") or name in DROPOUT_MODULES or name in FUNCTIONALS
        return Given() if matters else Given("name", name=name)

    def passed(self, call: ast.Call, block: Block, env: Env) -> Passed:
        """The arguments of a call."""
        found = [("", self.given(a, block, env)) for a in call.args if not isinstance(a, ast.Starred)]
        found += [(k.arg, self.given(k.value, block, env, k.arg)) for k in call.keywords if k.arg]
        starred = any(isinstance(a, ast.Starred) for a in call.args)
        return Passed(
            tuple(found) if not starred else tuple(f for f in found if f[0]),
            starred or any(k.arg is None for k in call.keywords),
        )

    def frame(self, function: Block, passed: Passed) -> Env | None:
        """The values of the parameters of a function in a call; None if the call does not fit."""
        node = function.node
        if not isinstance(node, ast.FunctionDef):
            return None
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg != function.self_name]
        env: Env = {}
        for keyword, given in passed.arguments:
            if keyword and keyword not in function.parameters and node.args.kwarg is None:
                return None
            if not keyword and len(env) >= len(names):
                if node.args.vararg is None:
                    return None
                continue
            env[keyword or names[len(env)]] = Known(given)
        for name, default in function.parameters.items():
            if name in env or name == function.self_name:
                continue
            known = default is not None and not passed.unpacked
            env[name] = Known(self.given(default, function.parent or function, {})) if known and default else NOT_GIVEN
        return env

    def setting(self, node: ast.expr, layer: Layer) -> Value:
        """The value of a setting of a layer, as a rate or a size, in the call that is run."""
        assert layer.block is not None
        if not self.bound:
            return self.module.values.evaluate(node, layer.block)
        given = self.given(node, layer.block, layer.known, "rate")
        if given.kind == "constant" and isinstance(given.constant, (int, float)):
            kind = "bool" if isinstance(given.constant, bool) else "number"
            return Value(kind=kind, number=number_of(given.constant), literal=True)  # type: ignore[arg-type]
        return given.value

    def decided(self, test: ast.expr, block: Block, env: Env) -> bool | None:
        """The proven result of a test; None if it is not proven."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.decided(operand, block, env)
                return None if inner is None else not inner
            case ast.BoolOp(op=op, values=values):
                found = [self.decided(v, block, env) for v in values]
                settles = isinstance(op, ast.Or)
                return settles if settles in found else None if None in found else not settles
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]):
                is_none = self._is_none(self._item(left, block, env))
                return None if is_none is None else is_none == isinstance(op, ast.Is)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARES:
                one, other = (self._item(side, block, env) for side in (left, right))
                if isinstance(one, Known) and isinstance(other, Known):
                    return _compared(type(op), one.given, other.given)
                return None
        item = self._item(test, block, env)
        if isinstance(item, Known) and item.given.kind != "unknown":
            return bool(item.given.constant) if item.given.kind == "constant" else _is_object(item.given) or None
        return True if isinstance(item, Layer) and item.kind and item.call is not None else None

    def _item(self, node: ast.expr, block: Block, env: Env) -> Item | None:
        if isinstance(node, ast.Constant):
            return Known(self.given(node, block, env))
        return env.get(self.key(node, block)) if dotted(node) else None

    @staticmethod
    def _is_none(item: Item | None) -> bool | None:
        if isinstance(item, Known):
            given = item.given
            return given.constant is None if given.kind == "constant" else False if _is_object(given) else None
        return False if isinstance(item, Layer) and item.call is not None else None


def _is_object(given: Given) -> bool:
    """Whether a name is a class or function of torch, and not an imported constant."""
    return given.kind == "name" and bool(_OBJECT.search(given.name))


def _compared(op: type[ast.cmpop], one: Given, other: Given) -> bool | None:
    if one.kind != "constant" or other.kind != "constant":
        return None
    try:
        return bool(_COMPARES[op](one.constant, other.constant))
    except TypeError:
        return None
