"""A text with calls of ``probe``, and what the source engine knows at them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent

from dropout_lint.facts import Value
from dropout_lint.source.names.import_table import ImportTable, import_statements
from dropout_lint.source.names.scopes import Block, Scopes
from dropout_lint.source.values.guards import Guards
from dropout_lint.source.values.options import Options
from dropout_lint.source.values.values import Values


@dataclass(frozen=True)
class Probed:
    """A text whose definitions are all walked. ``probe(x)`` marks the place and the expression to ask about."""

    text: str

    @cached_property
    def scopes(self) -> Scopes:
        tree = ast.parse(dedent(self.text))
        imports = ImportTable("")
        for statement in import_statements(tree.body):
            imports.add(statement)
        return Scopes(tree, imports, tree.body)

    @property
    def probes(self) -> list[tuple[ast.Call, Block]]:
        """The calls of ``probe`` in the order of the text."""
        found = [(c, b) for c, b in self.scopes.calls if isinstance(c.func, ast.Name) and c.func.id == "probe"]
        assert found, "no call of probe"
        return sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))

    def names(self) -> list[str]:
        """What the argument of each probe stands for."""
        return [self.scopes.resolve(call.args[0], block) for call, block in self.probes]

    def owners(self) -> list[str]:
        """The block that binds the name in each probe: its qualified name, "module", or "" for none."""
        found = []
        for call, block in self.probes:
            assert isinstance(call.args[0], ast.Name)
            owner = self.scopes.lookup(call.args[0].id, block)
            found.append("" if owner is None else owner[0].qualname or "module")
        return found

    def value(self) -> Value:
        """The value of the argument of the only probe."""
        [(call, block)] = self.probes
        values = Values(self.scopes, Guards(self.scopes), Options(self.scopes))
        return values.evaluate(call.args[0], block)

    def guarded(self, *, follow_callers: bool = True) -> list[bool]:
        """Whether a test of the mode decides about each probe."""
        guards = Guards(self.scopes)
        return [guards.guarded(call, block, follow_callers=follow_callers) for call, block in self.probes]
