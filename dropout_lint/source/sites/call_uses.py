"""How the source uses the result of a call: discards, overwrites, stores or applies it.

Where the *arguments* of a call come from is found in ``producers``.
"""

from __future__ import annotations

import ast
import re

from dropout_lint.diagnostic import Span
from dropout_lint.facts import AppliedCall, Use
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted, walk

_TRANSPARENT = (ast.IfExp, ast.BoolOp, ast.NamedExpr)
_ONES = {"ones_like", "new_ones", "ones", "full_like", "new_full", "full"}
_LEAVES = (ast.Break, ast.Continue, ast.Yield, ast.YieldFrom)
_READS_ALL = {"locals", "eval", "exec"}
"""Functions that may read any local name."""
_STATEMENT_LISTS = ("body", "orelse", "finalbody")


def siblings(parents: dict[ast.AST, ast.AST], statement: ast.AST) -> tuple[list[ast.stmt], int]:
    """The body that contains a statement, as a list, and the index of the statement in it."""
    parent = parents[statement]
    for name in _STATEMENT_LISTS:
        body = getattr(parent, name, None)
        if isinstance(body, list) and statement in body:
            return body, body.index(statement)
    return [], 0


class CallUses:
    """How the calls of one file are used."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._parents = module.scopes.parents
        self._read: dict[Block, frozenset[str]] = {}

    def use(self, call: ast.Call) -> tuple[Use, Span | None, str]:
        """What happens to the result of a call, the span of its statement, and the expression that should have got it.

        The expression is the first argument of a discarded call, or the name that an overwritten result was bound to.
        """
        parent = self._parents[call]
        if isinstance(parent, ast.Expr):
            argument = call.args[0] if call.args else None
            target = self._module.lines.code(argument) if isinstance(argument, (ast.Name, ast.Attribute)) else ""
            return "discarded", self._module.lines.span(parent), target
        if isinstance(parent, ast.Call) and parent.func is call:
            return "called", None, ""
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            name = parent.targets[0].id
            if self._rebound_unread(parent, name):
                return "overwritten", self._module.lines.span(parent), name
            if self._never_read(parent, name):
                return "unread", self._module.lines.span(parent), name
        return "value", None, ""

    def _rebound_unread(self, statement: ast.Assign, name: str) -> bool:
        """Whether a later statement of the same body binds a name anew, and none between mentions it."""
        body, index = siblings(self._parents, statement)
        for following in body[index + 1 :]:
            if not any(isinstance(n, ast.Name) and n.id == name for n in walk(following)):
                if any(isinstance(n, _LEAVES) for n in walk(following)):
                    return False
                continue
            if not isinstance(following, ast.Assign) or len(following.targets) != 1:
                return False
            target = following.targets[0]
            reads = any(isinstance(n, ast.Name) and n.id == name for n in walk(following.value))
            return isinstance(target, ast.Name) and target.id == name and not reads
        return False

    def _never_read(self, statement: ast.Assign, name: str) -> bool:
        """Whether a function never reads the local name that a statement binds."""
        block = self._module.scopes.block_of(statement)
        if block.kind != "function" or name in block.homes or name.startswith("_"):
            return False
        return _READS_ALL.isdisjoint(self._names_read(block)) and name not in self._names_read(block)

    def _names_read(self, block: Block) -> frozenset[str]:
        """The names that a function reads or deletes. It is walked once for all calls in it."""
        if block not in self._read:
            names = (n for n in walk(block.node) if isinstance(n, ast.Name))
            self._read[block] = frozenset(
                n.id for n in names if isinstance(n.ctx, (ast.Load, ast.Del)) or n.id in _READS_ALL
            )
        return self._read[block]

    def attribute(self, call: ast.Call) -> str:
        """The attribute that a constructed module is assigned to: "drop" for ``self.drop = nn.Dropout()``, or ""."""
        node: ast.AST = call
        while isinstance(self._parents[node], _TRANSPARENT):
            node = self._parents[node]
        parent = self._parents[node]
        targets = parent.targets if isinstance(parent, ast.Assign) else [getattr(parent, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                block = self._module.scopes.block_of(parent)
                if target.value.id == block.instance:
                    return target.attr
        return ""

    def handed_to(self, call: ast.Call, block: Block) -> tuple[str, str]:
        """The callee that made the argument of a call and got what is called here, and the keyword or position of that.

        As ``("attend", "drop")`` for ``self.drop(attend(x, drop=self.drop))``, also with a name in between.
        """
        made = call.args[0] if len(call.args) == 1 else None
        if isinstance(made, ast.Name):
            made = self._value_before(call, made.id)
        if not isinstance(made, ast.Call):
            return "", ""
        applied = dotted(call.func)
        places = [(str(i), a) for i, a in enumerate(made.args)] + [(k.arg or "", k.value) for k in made.keywords]
        place = next((where for where, value in places if applied and dotted(value) == applied), "")
        return (self._module.scopes.resolve(made.func, block), place) if place else ("", "")

    def _value_before(self, call: ast.Call, name: str) -> ast.expr | None:
        """The value that the nearest statement before a call, in the same body, binds to a name."""
        statement: ast.AST = call
        while not isinstance(statement, ast.stmt):
            statement = self._parents[statement]
        body, index = siblings(self._parents, statement)
        for before in reversed(body[:index]):
            if isinstance(before, ast.Assign) and [dotted(t) for t in before.targets] == [name]:
                return before.value
            if any(isinstance(n, ast.Name) and n.id == name for n in walk(before)):
                return None
        return None

    def applied_in_comment(self, attribute: str, block: Block) -> bool:
        """Whether a comment in the class is a call of this attribute, as ``# x = self.drop(x)``."""
        owner = block.enclosing_class
        if not attribute or owner is None or not isinstance(owner.node, ast.ClassDef):
            return False
        lines = range(owner.node.lineno, (owner.node.end_lineno or owner.node.lineno) + 1)
        pattern = re.compile(rf"#.*\.{re.escape(attribute)}\(")
        return any(pattern.search(self._module.lines.line(number)) for number in lines)

    def applied(self, call: ast.Call, block: Block) -> list[ast.Call]:
        """The calls of a module constructed by ``call``: ``nn.Dropout()(x)``, or of a local name with no other use."""
        parent = self._parents[call]
        if isinstance(parent, ast.Call) and parent.func is call:
            return [parent]
        name = self._local_name(call, block)
        uses = self._name_uses(name, block) if name else []
        found = [self._parents[use] for use in uses]
        return [c for c in found if isinstance(c, ast.Call)] if all(map(_is_func, found, uses)) else []

    def applied_call(self, call: ast.Call) -> AppliedCall:
        """The fact about a call that ``applied`` returns."""
        plain = len(call.args) == 1 and not call.keywords and not isinstance(call.args[0], ast.Starred)
        return AppliedCall(self._module.lines.span(call), self._module.lines.span(call.func), plain)

    def _local_name(self, call: ast.Call, block: Block) -> str:
        parent = self._parents[call]
        if block.kind != "function" or not isinstance(parent, ast.Assign) or len(parent.targets) != 1:
            return ""
        target = parent.targets[0]
        if isinstance(target, ast.Name) and len(block.bindings.get(target.id, [])) == 1:
            return target.id
        return ""

    def _name_uses(self, name: str, block: Block) -> list[ast.Name]:
        return [n for n in walk(block.node) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]

    def binding(self, call: ast.Call, block: Block) -> Span | None:
        """The span of the statement that binds a constructed module to a local name."""
        statement = self._parents[call]
        bound = isinstance(statement, ast.Assign) and self._local_name(call, block)
        return self._module.lines.span(statement) if bound else None  # type: ignore[arg-type]

    def error_expected(self, call: ast.Call) -> bool:
        """Whether a call is inside ``with pytest.raises(...)`` or the like."""
        node: ast.AST = call
        while node in self._parents:
            node = self._parents[node]
            if isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    function = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
                    name = getattr(function, "attr", getattr(function, "id", ""))
                    if name in {"raises", "assertRaises", "assertRaisesRegex", "warns", "assertWarns"}:
                        return True
        return False

    def is_ones(self, node: ast.expr, block: Block) -> bool:
        """Whether an expression is a new tensor of ones; a dropout of one is a mask to share over time steps."""
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            inner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if name == "Variable" and node.args:
                inner = node.args[0]
            return name in _ONES or (isinstance(inner, ast.Call) and self.is_ones(inner, block))
        if isinstance(node, ast.Name):
            found = self._module.scopes.lookup(node.id, block)
            values = [b.value for b in found[1] if b.value is not None] if found else []
            return any(isinstance(v, ast.Call) and self.is_ones(v, block) for v in values)
        return False


def _is_func(parent: ast.AST, node: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and parent.func is node
