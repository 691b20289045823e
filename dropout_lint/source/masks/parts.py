"""The parts of a hand-written mask that a fix may change, as spans and names."""

from __future__ import annotations

import ast
import re

from dropout_lint.diagnostic import Span
from dropout_lint.source.masks.algebra import Product
from dropout_lint.source.masks.draws import device_source, last_name
from dropout_lint.source.masks.rates import admits_one, complement_text, kept_text
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.call_uses import siblings
from dropout_lint.syntax.parsing import walk

_DEFAULT_DEVICE = re.compile(r"set_default_(?:device|tensor_type)")


class Parts:
    """The parts of one use of a mask; None or "" for a part that is missing or cannot be changed."""

    def __init__(self, module: SourceModule, block: Block, product: Product, data: str) -> None:
        assert product.mask is not None
        assert product.use is not None
        self._module = module
        self._block = block
        self._product = product
        self._mask = product.mask
        self._draw = product.mask.draw
        self._use = product.use
        self.data = data if isinstance(product.data, (ast.Name, ast.Attribute)) else ""

    def _span(self, node: ast.expr | ast.stmt | None) -> Span | None:
        known = node is not None and node in self._module.scopes.parents
        return self._module.lines.span(node) if node is not None and known else None

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        while not isinstance(node, ast.stmt):
            if node not in self._module.scopes.parents:
                return None
            node = self._module.scopes.parents[node]
        return node

    def device_of(self) -> str:
        """The tensor whose shape a draw on the default device takes."""
        return "" if _DEFAULT_DEVICE.search(self._module.lines.text) else device_source(self._module, self._draw)

    def creation(self) -> Span | None:
        """The call that draws on the default device."""
        return self._module.lines.span(self._draw.creation) if self.device_of() else None

    def cast(self) -> Span | None:
        """The conversion of the mask to float32."""
        return self._span(self._draw.float_cast)

    def rate(self) -> Span | None:
        """The probability in the sampler."""
        return self._span(self._mask.rate)

    def complement(self) -> str:
        """One minus the probability in the sampler."""
        rate = self._mask.rate
        return complement_text(self._module, rate) if rate is not None and self.rate() is not None else ""

    def scalable(self) -> bool:
        """Whether the mask is multiplied and its scale is known."""
        product = isinstance(self._use, ast.BinOp) and isinstance(self._use.op, ast.Mult)
        return product and self._mask.rate is not None and bool(kept_text(self._module, self._mask))

    def uniform(self) -> str:
        """The name of the uniform sampler to replace a normal one."""
        name = last_name(self._draw.node)
        normal = name.startswith("randn") and isinstance(self._draw.node.func, ast.Attribute)
        return name.replace("randn", "rand") if normal else ""

    def sizes(self) -> Span | None:
        """The shape argument of the draw, if it is the shape of the tensor."""
        shape = self._draw.shape
        known = shape is not None and not isinstance(shape, ast.Starred) and self._draw.like == self.data
        return self._module.lines.span(shape) if shape is not None and known else None

    def lines(self) -> Span | None:
        """Statements to put under a test of the mode: they end in ``x = ...``, where ``x`` is the tensor."""
        first, last = self._statement(self._draw.node), self._statement(self._use)
        if first is None or not isinstance(last, ast.Assign) or len(last.targets) != 1 or not self.data:
            return None
        target = last.targets[0]
        body, start = siblings(self._module.scopes.parents, first)
        if not isinstance(target, ast.Name) or target.id != self.data or last not in body or body.index(last) < start:
            return None
        inside = body[start : body.index(last) + 1]
        bound = set().union(*(_stored(s) for s in inside[:-1]))
        end = last.end_lineno or last.lineno
        later = {n.id for n in walk(self._block.node) if isinstance(n, ast.Name) and n.lineno > end}
        if not all(isinstance(s, ast.Assign) for s in inside) or bound & later:
            return None
        begin, stop = self._module.lines.span(first), self._module.lines.span(last)
        return Span(begin.line, begin.column, stop.end_line, stop.end_column)

    def entry(self) -> Span | None:
        """The statement of the draw, if the function only returns the masked tensor."""
        first, last = self._statement(self._draw.node), self._statement(self._use)
        if first is None or not self._returns(last):
            return None
        body, start = siblings(self._module.scopes.parents, first)
        if last not in body or self.data in set().union(*(_stored(s) for s in body[start:])):
            return None
        return self._module.lines.span(first)

    def _returns(self, last: ast.stmt | None) -> bool:
        if not isinstance(last, ast.Return) or not self.data:
            return False
        node: ast.expr | None = last.value
        while isinstance(node, ast.BinOp) and node is not self._use and isinstance(node.op, (ast.Mult, ast.Div)):
            node = node.left
        return node is self._use

    def division(self) -> Span | None:
        """The division by one minus the rate, if an assertion of the function admits a rate of 1."""
        rate = self.rate_parameter()
        statement = self._statement(self._use)
        if not rate or statement is None:
            return None
        kept = self._mask.one
        if kept is None or (kept, -1) not in self._product.factors or kept.constant != 1 or kept.coefficient != -1:
            return None
        return self._module.lines.span(statement) if admits_one(self._module, self._block, rate) else None

    def rate_parameter(self) -> str:
        """The parameter of the function that is the rate."""
        kept = self._mask.one
        name = kept.symbol if kept is not None else ""
        return name if name in self._block.parameters else ""

    def torch(self) -> str:
        """The name of torch in the file."""
        return next((name for name, target in self._module.imports.names.items() if target == "torch"), "")


def _stored(statement: ast.stmt) -> set[str]:
    return {n.id for n in walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
