"""Binds the targets of loops in ``forward``: each layer in turn if they are known, else any element."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

from dropout_lint.source.networks.calls import Expressions
from dropout_lint.source.networks.layers import Either, Env, Item, LayerSequence, Repeated, member
from dropout_lint.source.networks.operands import NOTHING, Meaning, State, flat
from dropout_lint.syntax.parsing import dotted, walk

MAX_TURNS = 24


class LoopTargets:
    """Binds the targets of loops and comprehensions."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions

    def turns(self, target: ast.expr, iterable: ast.expr, state: State) -> list[Callable[[State], None]] | None:
        """Functions that bind the target, one for each turn of a loop over known layers; None for other loops."""
        return [partial(_bind_layers, turn) for turn in self._turns(target, iterable, state)] or None

    def _turns(self, target: ast.expr, iterated: ast.expr, state: State) -> list[Env]:
        """The values of the names of a loop over layers, for each turn; empty if not known."""
        name = dotted(iterated.func) if isinstance(iterated, ast.Call) else ""
        if isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple) and name in {"enumerate", "zip"}:
            sources = iterated.args[:1] if name == "enumerate" else iterated.args
            names = target.elts[-1:] if name == "enumerate" else target.elts
            found = [self._turns(t, s, state) for t, s in zip(names, sources, strict=False)]
            if not found or not all(found):
                return []
            return [{k: v for one in turn for k, v in one.items()} for turn in zip(*found, strict=False)]
        layers = self._expressions.layers(iterated, state)
        if not isinstance(layers, LayerSequence) or not isinstance(target, ast.Name):
            return []
        items = [i for item in layers.items for i in (item.items * 2 if isinstance(item, Repeated) else (item,))]
        if not all(_is_one_member(i) for i in items):
            return []  # how many turns there are depends on a test
        return [{target.id: item} for item in items] if len(items) <= MAX_TURNS else []

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: State) -> Callable[[State], None]:
        """A function that binds the target to any element."""
        bound = list(self._elements(target, iterable, state))

        def bind(inner: State) -> None:
            for path, element in bound:
                if element.layers is not None:
                    inner.layers[path] = element.layers
                else:
                    inner.layers.pop(path, None)
                    inner.values[path] = element.value

        return bind

    def _elements(self, target: ast.expr, iterated: ast.expr, state: State) -> Iterator[tuple[str, Meaning]]:
        """The names that a loop binds, each to any layer or value; follows ``zip``, ``enumerate``, ``items``."""
        name = dotted(iterated.func) if isinstance(iterated, ast.Call) else ""
        if name == "enumerate" and isinstance(iterated, ast.Call) and iterated.args and isinstance(target, ast.Tuple):
            yield from self._elements(target.elts[-1], iterated.args[0], state)
            return
        if name == "zip" and isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple):
            for one, source in zip(target.elts, iterated.args, strict=False):
                yield from self._elements(one, source, state)
            return
        method = iterated.func if isinstance(iterated, ast.Call) else None
        if isinstance(method, ast.Attribute) and name.endswith((".values", ".children", ".items")):
            iterated = method.value
        layers = self._expressions.layers(iterated, state)
        if isinstance(layers, LayerSequence) and dotted(target):
            yield dotted(target), Meaning(NOTHING, member(layers))
            return
        value = flat(self._expressions.value(iterated, state))
        for part in walk(target):
            if isinstance(part, ast.Name):
                yield part.id, Meaning(value)


def _bind_layers(turn: Env, state: State) -> None:
    state.layers.update(turn)


def _is_one_member(item: Item) -> bool:
    """Whether an item of a list of layers is one layer, whichever way a test goes."""
    if isinstance(item, Either):
        return all(len(arm) == 1 and _is_one_member(arm[0]) for arm in item.arms)
    return not isinstance(item, Repeated)
