"""Follows constructors: what a class binds to its instance, and what functions that build layers return."""

from __future__ import annotations

import ast

from dropout_lint.facts import Passed
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.builds import MAX_CALLS, Builder
from dropout_lint.source.networks.layers import Either, Env, Item, Repeated, Sequence, merge, standing
from dropout_lint.syntax.parsing import walk


class Construction(Builder):
    """Follows the constructors of one file."""

    def attributes(self, owner: Block, passed: Passed | None = None) -> Env:
        """What a class binds to its instance, by name behind ``self.``; base classes of the same file come first.

        ``passed`` are the arguments of its constructor, where one call of it is followed.
        """
        env: Env = {}
        self._construct(owner, env, set(), passed)
        return env

    def _construct(self, owner: Block, env: Env, seen: set[Block], passed: Passed | None) -> None:
        if owner in seen or not isinstance(owner.node, ast.ClassDef):
            return
        seen.add(owner)
        init = owner.blocks.get("__init__")
        local = self.frame(init, passed) if init is not None and passed is not None else {}
        above = self.passed_up(init, local or {}) if init is not None and passed is not None else passed
        for base in owner.node.bases:
            parent = self.local(self.module.scopes.resolve(base, owner.parent or owner))
            if parent is not None and parent.kind == "class":
                self._construct(parent, env, seen, above)
        if init is not None and local is not None and isinstance(init.node, ast.FunctionDef):
            local.update((name, value) for name, value in env.items() if name.startswith("self."))
            self.run(init.node.body, init, local, MAX_CALLS)
            env.update({name: value for name, value in local.items() if name.startswith("self.")})

    def passed_up(self, init: Block, env: Env) -> Passed:
        """What a constructor passes to the one of its base class."""
        for call in walk(init.node):
            if isinstance(call, ast.Call) and _is_super(call):
                return self.passed(call, init, env)
        return Passed(unpacked=True)

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
                    self._extend(self.key(target, block), self.items(value, block, env, depth), env)
                case ast.Expr(value=ast.Call() as call):
                    self._statement(statement, call, block, env, depth)
                case ast.If(test=test, body=body, orelse=orelse):
                    goes = self.decided(test, block, env) if self.bound else None
                    if goes is None:
                        result = self._branch(statement, block, env, depth) or result
                        continue
                    arm = body if goes else orelse
                    result = self.run(arm, block, env, depth) or result
                    if arm and isinstance(arm[-1], (ast.Return, ast.Raise)):
                        return result
                case ast.For(body=inner) | ast.While(body=inner):
                    self._loop(inner, block, env, depth)
                case ast.With(body=inner):
                    result = self.run(inner, block, env, depth) or result
                case ast.Return(value=ast.expr() as value):
                    returned = self.value(value, block, env, depth)
                    return Either(((result,), (returned,))) if result is not None and self.bound else returned
        return result

    def _bind(self, target: ast.expr, value: Item, block: Block, env: Env) -> None:
        key = self.key(target, block)
        if key:
            env[key] = value

    def _extend(self, key: str, items: tuple[Item, ...], env: Env) -> None:
        known = env.get(key)
        if isinstance(known, Sequence):
            env[key] = Sequence((*known.items, *items), known.chained)

    def _statement(self, statement: ast.stmt, call: ast.Call, block: Block, env: Env, depth: int) -> None:
        if not isinstance(call.func, ast.Attribute):
            return
        key, name = self.key(call.func.value, block), call.func.attr
        if name == "append" and len(call.args) == 1:
            item = standing(self.value(call.args[0], block, env, depth), "append", statement, statement, call.args[0])
            self._extend(key, (item,), env)
        elif name == "extend" and len(call.args) == 1:
            self._extend(key, self.items(call.args[0], block, env, depth), env)
        elif name in {"add_module", "register_module"} and len(call.args) == 2:
            item = standing(self.value(call.args[1], block, env, depth), "append", statement, statement, call.args[1])
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
                env[key] = Sequence(merge(one.items, other.items), one.chained)
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


def _is_super(node: ast.AST) -> bool:
    """Whether a node is ``super().__init__(...)``."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "__init__" and isinstance(called.value, ast.Call)
