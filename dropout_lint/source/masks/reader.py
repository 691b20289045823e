"""The state of a function while its statements are run: names, draws, masks in use."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from dropout_lint.source.masks.algebra import Draw, Factor, Product, Term, Zoneout, atom
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import children


@dataclass
class Reader(ABC):
    """Evaluates the expressions of one function; ``names`` are the current values of its locals."""

    module: SourceModule
    block: Block
    names: dict[str, Term] = field(default_factory=dict)
    used: list[Product] = field(default_factory=list)
    """Masked tensors that nothing will scale any more."""
    factors: list[Factor] = field(default_factory=list)
    zoneouts: list[Zoneout] = field(default_factory=list)
    draws: dict[ast.Call, Draw] = field(default_factory=dict)
    made: list[ast.expr] = field(default_factory=list)
    """Nodes that are not in the file. Kept alive, as ``unknown`` names values by the id of a node."""
    returned: list[Term] = field(default_factory=list)
    depth: int = 0
    """The number of helper calls from the function that is checked to this one."""
    seen: dict[int, Term] = field(default_factory=dict)
    """Values that were read from a name, by identity."""

    @abstractmethod
    def read(self, node: ast.expr) -> Term:
        """The value of an expression."""

    @abstractmethod
    def inside(self, function: Block) -> Reader:
        """A reader for a helper that this function calls."""

    @abstractmethod
    def follow(self, statements: list[ast.stmt]) -> None:
        """Run the body of a function; a mask that is still in a local at the end counts as used."""

    def consume(self, term: Term) -> None:
        """Note that a masked tensor, or a scaled mask, is used where nothing scales it any more."""
        if not isinstance(term, Product) or term.mask is None:
            return
        if term.use is not None:
            self.used.append(term)
        elif term.factors or term.number != 1:
            self.used.append(replace(term, use=term.mask.draw.node))

    def unknown(self, node: ast.AST) -> Product:
        return atom(f"@{id(node)}")

    def opaque(self, node: ast.AST) -> Product:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.consume(self.read(child))
            elif isinstance(child, (ast.keyword, ast.comprehension)):
                self.opaque(child)
        return self.unknown(node)
