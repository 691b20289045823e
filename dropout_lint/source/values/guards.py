"""Does a test of the train/eval mode decide whether a piece of code runs, or what a value is?

The answer errs on the side of "yes": a test that might depend on the mode silences a rule.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from dropout_lint.facts import CONSTRUCTORS
from dropout_lint.source.names.scopes import Binding, Block, Scopes
from dropout_lint.syntax.parsing import walk
from dropout_lint.vocabulary import MODE_WORDS, RATE_WORDS, STOCHASTIC_DEPTH_WORDS, SWITCH_WORDS, words

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def is_mode_name(identifier: str) -> bool:
    """Whether an identifier contains a word for the train/eval mode."""
    found = words(identifier)
    return bool((found - STOCHASTIC_DEPTH_WORDS if found >= STOCHASTIC_DEPTH_WORDS else found) & MODE_WORDS)


class Guards:
    """Finds the mode tests of one file."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._callers: dict[str, list[ast.Call]] | None = None
        self._gated_functions: dict[Block, bool] = {}
        self._known: dict[tuple[Block, str, str], bool] = {}

    def mentions_mode(self, test: ast.AST, block: Block, depth: int = 3) -> bool:
        """Whether a test may depend on the mode, following local names, attributes and properties."""
        return any(self._is_mode(node, block, depth) for node in walk(test))

    def _is_mode(self, node: ast.AST, block: Block, depth: int) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str) and len(node.value) < 30 and is_mode_name(node.value)
        if isinstance(node, ast.Attribute):
            if is_mode_name(node.attr):
                return True
            if isinstance(node.value, ast.Name) and node.value.id == block.instance:
                return depth > 0 and self._mode_attribute(node.attr, block, depth)
            return False
        if isinstance(node, ast.Name):
            return is_mode_name(node.id) or (depth > 0 and self._mode_variable(node.id, block, depth))
        return False

    def _once(self, owner: Block, kind: str, name: str, answer: Callable[[], bool]) -> bool:
        """An answer about a name, computed once. A name defined by itself, as ``x = x or y``, adds nothing."""
        key = (owner, kind, name)
        if key not in self._known:
            self._known[key] = False
            self._known[key] = answer()
        return self._known[key]

    def _mode_attribute(self, name: str, block: Block, depth: int) -> bool:
        owner = block.enclosing_class
        if owner is None:
            return False
        return self._once(owner, "attribute", name, lambda: self._attribute_follows_mode(name, owner, depth))

    def _attribute_follows_mode(self, name: str, owner: Block, depth: int) -> bool:
        method = owner.blocks.get(name)
        if method is not None:
            return any(isinstance(n, ast.Attribute) and is_mode_name(n.attr) for n in walk(method.node))
        bindings = owner.attributes.get(name, [])
        if not bindings:
            return False
        switched = any(b.block.kind == "function" and _outside_construction(b.block) for b in bindings)
        return switched or any(
            b.value is not None
            and not isinstance(b.value, ast.Name)
            and self.mentions_mode(b.value, b.block, depth - 1)
            for b in bindings
        )

    def _mode_variable(self, name: str, block: Block, depth: int) -> bool:
        found = self._scopes.lookup(name, block)
        if found is None:
            return False
        owner, bindings = found
        return self._once(owner, "name", name, lambda: self._name_follows_mode(name, owner, bindings, depth))

    def _name_follows_mode(self, name: str, owner: Block, bindings: list[Binding], depth: int) -> bool:
        if name in owner.parameters and owner.kind == "function" and owner.name not in CONSTRUCTORS:
            default = owner.parameters[name]
            if isinstance(default, ast.Constant) and isinstance(default.value, bool) and words(name) & SWITCH_WORDS:
                return True
        return any(
            self.guarded(b.node, b.block, follow_callers=False, depth=depth - 1)
            or (b.value is not None and self.mentions_mode(b.value, b.block, depth - 1))
            for b in bindings
            if owner.kind == "function"
        )

    def guarded(self, node: ast.AST, block: Block, *, follow_callers: bool = True, depth: int = 3) -> bool:
        """Whether a mode test dominates a node: around it, as an early exit before it, or at all callers.

        Without ``follow_callers``, a switch in a caller's hand does not count as a test of the mode either.
        """
        if depth <= 0:
            return False
        parents = self._scopes.parents
        current = node
        while current in parents:
            parent = parents[current]
            if self._tested_in(parent, current, depth) or self._early_exit(parent, current, depth):
                return True
            if follow_callers and self._switched_in(parent, current):
                return True
            current = parent
            if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inner = self._scopes.blocks.get(parent)
                if inner is None or inner.kind == "class" or inner is inner.method or inner.parent is None:
                    break
                if inner.parent.kind != "function":
                    break
        return follow_callers and self._callers_gate(block)

    def _tested_in(self, parent: ast.AST, child: ast.AST, depth: int) -> bool:
        if isinstance(parent, (ast.If, ast.IfExp, ast.While)) and child is not parent.test:
            block = self._scopes.block_of(parent)
            return self.mentions_mode(parent.test, block, depth)
        if isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
            before = parent.values[: parent.values.index(child)] if child in parent.values else []
            return any(self.mentions_mode(value, self._scopes.block_of(parent), depth) for value in before)
        tests: list[ast.AST] = []
        if isinstance(parent, ast.Match) and child is not parent.subject:
            tests = [parent.subject, *(case.pattern for case in parent.cases)]
            tests += [case.guard for case in parent.cases if case.guard is not None]
        elif isinstance(parent, _COMPREHENSIONS) and not isinstance(child, ast.comprehension):
            tests = [test for generator in parent.generators for test in generator.ifs]
        return any(self.mentions_mode(test, self._scopes.block_of(parent), depth) for test in tests)

    def _switched_in(self, parent: ast.AST, child: ast.AST) -> bool:
        tested = isinstance(parent, (ast.If, ast.IfExp)) and child is not parent.test
        return tested and self._caller_switches(parent.test, self._scopes.block_of(parent))  # type: ignore[attr-defined]

    def _caller_switches(self, test: ast.expr, block: Block) -> bool:
        """Whether a bare local name is tested that is no rate, as ``if dropout_switch:``. Then the caller decides."""
        if isinstance(test, ast.BoolOp):
            return any(self._caller_switches(value, block) for value in test.values)
        if isinstance(test, ast.UnaryOp):
            return self._caller_switches(test.operand, block)
        if not isinstance(test, ast.Name) or words(test.id) <= RATE_WORDS:
            return False
        found = self._scopes.lookup(test.id, block)
        return found is not None and found[0].kind == "function" and found[0].name not in CONSTRUCTORS

    def _early_exit(self, parent: ast.AST, child: ast.AST, depth: int) -> bool:
        if not isinstance(child, ast.stmt):
            return False
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(parent, name, None)
            if isinstance(statements, list) and child in statements:
                before = statements[: statements.index(child)]
                return any(
                    isinstance(s, ast.If)
                    and (isinstance(s.body[-1], _EXITS) or (s.orelse and isinstance(s.orelse[-1], _EXITS)))
                    and self.mentions_mode(s.test, self._scopes.block_of(s), depth)
                    for s in before
                )
        return False

    def _callers_gate(self, block: Block) -> bool:
        """Whether the file calls this helper, and each call is guarded by a mode test."""
        function = block if block.kind == "function" else None
        while function is not None and (
            function.name == "<lambda>" or (function.parent and function.parent.kind == "function")
        ):
            function = function.parent
        if function is None or function.kind != "function" or function.name == "forward":
            return False
        if function not in self._gated_functions:
            self._gated_functions[function] = False  # a recursive helper does not gate itself
            calls = self.callers(function)
            self._gated_functions[function] = bool(calls) and all(
                self.guarded(call, self._scopes.block_of(call)) for call in calls
            )
        return self._gated_functions[function]

    def callers(self, function: Block) -> list[ast.Call]:
        """Calls of a function of this file by its name, or of a method through the instance."""
        if self._callers is None:
            self._callers = {}
            for call, _ in self._scopes.calls:
                name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
                self._callers.setdefault(name, []).append(call)
        return self._callers.get(function.name, [])


def _outside_construction(block: Block) -> bool:
    method = block.method
    return method is not None and method.name not in CONSTRUCTORS
