"""Runs constructors and functions that build layers, with the layers that each name may refer to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from dropout_lint.facts import Passed
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.arguments import Arguments
from dropout_lint.source.networks.builds import MAX_CALLS, Builder
from dropout_lint.source.networks.conditions import MOST
from dropout_lint.source.networks.layers import (
    UNKNOWN,
    Env,
    Followed,
    Item,
    LayerSequence,
    Locals,
    Repeated,
    either,
    parts,
    placed,
)
from dropout_lint.source.walking.interpreter import Interpreter
from dropout_lint.syntax.parsing import walk

_YIELDED = "yield"


class Construction(Interpreter[Locals, Item]):
    """Runs the constructors of one file. ``bound`` if each is run for one call, with its arguments known."""

    stops_anywhere = False
    loops_may_skip = False  # ``Repeated`` says so

    def __init__(self, module: SourceModule, *, bound: bool = False) -> None:
        super().__init__()
        self.module = module
        self.arguments = Arguments(module, bound=bound)
        self.builder = Builder(self.arguments, self.follow)
        self._returned: list[Item] = []

    def attributes(self, owner: Block, passed: Passed | None = None) -> Env:
        """The attributes that a class sets on its instance, by ``self.name``; base classes of the file run first.

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
        local = self.arguments.frame(init, passed) if init is not None and passed is not None else {}
        above = self.passed_up(init, local or {}) if init is not None and passed is not None else passed
        for base in owner.node.bases:
            parent = self.arguments.local(self.module.scopes.resolve(base, owner.parent or owner))
            if parent is not None and parent.kind == "class":
                self._construct(parent, env, seen, above)
        if init is not None and local is not None and isinstance(init.node, ast.FunctionDef):
            local.update(env)
            end = self.follow(init.node.body, Locals(init, local, MAX_CALLS)).end
            if end is not None:
                env.update((name, item) for name, item in end.items.items() if name.startswith("self."))

    def passed_up(self, init: Block, env: Env) -> Passed:
        """The arguments that a constructor passes to that of its base class."""
        for call in walk(init.node):
            if isinstance(call, ast.Call) and _is_super(call):
                return self.arguments.passed(call, init, env)
        return Passed(unpacked=True)

    def follow(self, body: list[ast.stmt], local: Locals) -> Followed:
        """Run the body of a function."""
        outer, self._returned = self._returned, []
        local.items[_YIELDED] = LayerSequence(())
        end = self.function(body, local)
        yielded = end.items.pop(_YIELDED, None) if end is not None else None
        if isinstance(yielded, LayerSequence) and yielded.items:
            self._returned = [yielded]
        result = either(self._returned) if self._returned else None
        self._returned = outer
        return Followed(end, result)

    def copy(self, state: Locals) -> Locals:
        return Locals(state.block, dict(state.items), state.depth, state.assumed)

    def join(self, states: list[Locals], at: ast.stmt) -> Locals:
        """A name that only some paths bind keeps its value, since code that uses it ran after one of these."""
        first = states[0]
        for name in dict.fromkeys(name for state in states for name in state.items):
            found = [state.items[name] for state in states if name in state.items]
            if len(found) < len(states) and name in first.block.parameters:
                found.append(UNKNOWN)
            first.items[name] = either(found)
        first.assumed = tuple(c for c in first.assumed if all(c in state.assumed for state in states))
        return first

    def evaluate(self, node: ast.expr, state: Locals) -> Item:
        return self.builder.value(node, state)

    def bind(self, target: ast.expr, value: Item, state: Locals) -> None:
        if key := self.arguments.key(target, state.block):
            state.items[key] = value

    def forget(self, path: str, at: ast.AST, state: Locals) -> None:
        instance = state.block.instance
        own = instance and path.startswith(f"{instance}.")
        state.items.pop(f"self.{path[len(instance) + 1 :]}" if own else path, None)

    def unpack(self, value: Item, targets: Sequence[ast.expr], state: Locals) -> list[Item] | None:
        return None if any(isinstance(t, ast.Starred) for t in targets) else parts(value, len(targets))

    def decides(self, test: ast.expr, state: Locals) -> bool | None:
        return self.arguments.decided(test, state.block, state.items) if self.arguments.bound else None

    def assume(self, test: ast.expr | None, state: Locals, *, holds: bool) -> None:
        if not self.arguments.bound:
            called = state.depth < MAX_CALLS
            found = self.arguments.conditions.of(test, state.block, holds=holds, called=called)
            state.assumed = (*state.assumed[:MOST], *found[-MOST:])

    def turned(self, before: Locals, after: Locals) -> None:
        after.assumed = before.assumed

    def condition(self, test: ast.expr, state: Locals) -> None:
        self._name_walrus(test, state)

    def _name_walrus(self, node: ast.expr, state: Locals) -> None:
        for inner in walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.bind(inner.target, self.evaluate(inner.value, state), state)

    def returned(self, value: ast.expr | None, state: Locals) -> None:
        if value is not None:
            self._returned.append(self.evaluate(value, state))

    def repeated(self, before: Locals, after: Locals) -> Locals:
        """Layers that one turn adds to a list become ``Repeated``."""
        for name, item in after.items.items():
            known = before.items.get(name)
            if isinstance(item, LayerSequence) and isinstance(known, LayerSequence):
                added = item.items[len(known.items) :]
                after.items[name] = LayerSequence((*known.items, Repeated(added)), known.chained) if added else known
        return after

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: Locals) -> Callable[[Locals], None]:
        return lambda inner: self.forget_all(target, inner)

    def augment(self, statement: ast.AugAssign, state: Locals) -> Locals:
        if isinstance(statement.op, ast.Add):
            self._extend(self.arguments.key(statement.target, state.block), statement.value, state)
        return state

    def effect(self, statement: ast.Expr, state: Locals) -> Locals:
        match statement.value:
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments):
                key = self.arguments.key(owner, state.block)
                self._called(statement, key, name, arguments, state)
            case ast.Yield(value=ast.expr() as value):
                self._append(_YIELDED, self.evaluate(value, state), state)
            case ast.YieldFrom(value=value):
                self._extend(_YIELDED, value, state)
        return state

    def _called(self, statement: ast.Expr, key: str, name: str, arguments: list[ast.expr], state: Locals) -> None:
        """Run a method that adds layers to a list or a module, as ``append`` and ``add_module``."""
        if name == "extend" and len(arguments) == 1:
            self._extend(key, arguments[0], state)
        elif (name == "append" and len(arguments) == 1) or (
            name in {"add_module", "register_module"} and len(arguments) == 2
        ):
            value, label = arguments[-1], arguments[0]
            item = placed(self.evaluate(value, state), "append", statement, statement, value)
            if name != "append" and key and key == state.block.instance and isinstance(label, ast.Constant):
                state.items[f"self.{label.value!s}"] = item
            else:
                self._append(key, item, state)

    def _append(self, key: str, item: Item, state: Locals) -> None:
        known = state.items.get(key)
        if isinstance(known, LayerSequence):
            state.items[key] = LayerSequence((*known.items, item), known.chained)

    def _extend(self, key: str, value: ast.expr, state: Locals) -> None:
        known = state.items.get(key)
        if isinstance(known, LayerSequence):
            items = self.builder.items(value, state)
            state.items[key] = LayerSequence((*known.items, *items), known.chained)


def _is_super(node: ast.AST) -> bool:
    """Whether a node is ``super().__init__(...)``."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "__init__" and isinstance(called.value, ast.Call)
