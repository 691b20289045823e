"""How a hand-written mask could be mended, as spans with replacements."""

from __future__ import annotations

import ast
import re

from dropout_lint.diagnostic import Span
from dropout_lint.facts import Change
from dropout_lint.source.masks.algebra import Product
from dropout_lint.source.masks.draws import device_source, last_name
from dropout_lint.source.masks.rates import admits_one, complement_text, kept_text
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.flow import siblings
from dropout_lint.syntax.parsing import walk

_DEFAULT_DEVICE = re.compile(r"set_default_(?:device|tensor_type)")


class Edits:
    """The changes that one use of a mask admits; None where one does not apply."""

    def __init__(self, module: SourceModule, block: Block, product: Product, data: str) -> None:
        assert product.mask is not None
        assert product.use is not None
        self._module = module
        self._block = block
        self._product = product
        self._mask = product.mask
        self._draw = product.mask.draw
        self._use = product.use
        self._data = data if isinstance(product.data, (ast.Name, ast.Attribute)) else ""

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        while not isinstance(node, ast.stmt):
            if node not in self._module.scopes.parents:
                return None
            node = self._module.scopes.parents[node]
        return node

    def device(self) -> Change | None:
        """The device of the tensor, as an argument of the call that makes the mask."""
        source = device_source(self._module, self._draw)
        call = self._draw.creation
        if not source or _DEFAULT_DEVICE.search(self._module.lines.text):
            return None
        last = max(
            [*call.args, *(k.value for k in call.keywords)], key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0)
        )
        end, whole = self._module.lines.span(last), self._module.lines.span(call)
        behind = Span(end.end_line, end.end_column, whole.end_line, whole.end_column)
        if self._module.lines.slice(behind).count(")") != 1:
            return None  # the last argument stands in parentheses of its own
        return Change(Span(end.end_line, end.end_column, end.end_line, end.end_column), f", device={source}.device")

    def cast(self) -> Span | None:
        """The conversion of the mask to float32."""
        call = self._draw.float_cast
        return self._module.lines.span(call) if call is not None and call in self._module.scopes.parents else None

    def dtype(self) -> Change | None:
        """The type of the tensor, in place of ``float()``."""
        call = self._draw.float_cast
        if call is None or not self._data or not isinstance(call.func, ast.Attribute) or self.cast() is None:
            return None
        name, end = self._module.lines.span(call.func), self._module.lines.span(call)
        span = Span(name.end_line, name.end_column - len("float"), end.end_line, end.end_column)
        return Change(span, f"to({self._data}.dtype)")

    def resampled(self) -> Change | None:
        """The complement of the probability, in the sampler."""
        rate = self._mask.rate
        if rate is None or rate not in self._module.scopes.parents:
            return None
        return Change(self._module.lines.span(rate), complement_text(self._module, rate))

    def rescaled(self) -> Change | None:
        """A division behind the product."""
        kept = kept_text(self._module, self._mask)
        node = self._use
        if not kept or self._mask.rate is None or not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return None
        simple = re.fullmatch(r"[\w.]+", kept)
        end = self._module.lines.span(node)
        text = f" / {kept}" if simple else f" / ({kept})"
        return Change(Span(end.end_line, end.end_column, end.end_line, end.end_column), text)

    def uniform(self) -> Change | None:
        """The uniform draw for a normal one."""
        func = self._draw.node.func
        name = last_name(self._draw.node)
        if not name.startswith("randn") or not isinstance(func, ast.Attribute):
            return None
        end = self._module.lines.span(func)
        span = Span(end.end_line, end.end_column - len(name), end.end_line, end.end_column)
        return Change(span, name.replace("randn", "rand"))

    def per_sample(self) -> Change | None:
        """A shape with one entry for each sample."""
        shape, like = self._draw.shape, self._draw.like
        if shape is None or isinstance(shape, ast.Starred) or like != self._data:
            return None
        return Change(self._module.lines.span(shape), f"({like}.shape[0],) + (1,) * ({like}.ndim - 1)")

    def wrap(self) -> Span | None:
        """Whole lines that may move under a test of the mode: they end in ``x = ...`` with the tensor's own name."""
        first, last = self._statement(self._draw.node), self._statement(self._use)
        if first is None or not isinstance(last, ast.Assign) or len(last.targets) != 1 or not self._data:
            return None
        target = last.targets[0]
        body, start = siblings(self._module.scopes.parents, first)
        if not isinstance(target, ast.Name) or target.id != self._data or last not in body or body.index(last) < start:
            return None
        inside = body[start : body.index(last) + 1]
        bound = {n.id for s in inside[:-1] for n in walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        end = last.end_lineno or last.lineno
        later = {n.id for n in walk(self._block.node) if isinstance(n, ast.Name) and n.lineno > end}
        text = self._module.lines.block(first.lineno, end)
        plain = all(isinstance(s, ast.Assign) for s in inside) and '"""' not in text and "'''" not in text
        return Span(first.lineno, first.col_offset + 1, end, 1) if plain and not bound & later else None

    def early(self) -> Change | None:
        """A return of the tensor in evaluation, where the function returns the masked tensor and nothing else."""
        first, last = self._statement(self._draw.node), self._statement(self._use)
        instance = self._block.instance
        if first is None or not instance or not self._returns(last):
            return None
        test = f"if not {instance}.training:"
        return self._before(first, last, test, f"return {self._data}")

    def _returns(self, last: ast.stmt | None) -> bool:
        if not isinstance(last, ast.Return) or not self._data:
            return False
        node: ast.expr | None = last.value
        while isinstance(node, ast.BinOp) and node is not self._use and isinstance(node.op, (ast.Mult, ast.Div)):
            node = node.left
        return node is self._use

    def _before(self, first: ast.stmt, last: ast.stmt | None, test: str, result: str) -> Change | None:
        body, start = siblings(self._module.scopes.parents, first)
        if last not in body:
            return None
        stored = {
            n.id for s in body[start:] for n in walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        if self._data in stored:
            return None
        line = self._module.lines.line(first.lineno)
        indent = line[: len(line) - len(line.lstrip())]
        unit = "\t" if indent.startswith("\t") else "    "
        place = Span(first.lineno, 1, first.lineno, 1)
        return Change(place, f"{indent}{test}\n{indent}{unit}{result}\n")

    def division(self) -> Span | None:
        """The division by one minus a rate that a check at the head of the function lets be 1."""
        rate = self._rate_name()
        statement = self._statement(self._use)
        if not rate or statement is None:
            return None
        kept = self._mask.one
        if kept is None or (kept, -1) not in self._product.factors or kept.constant != 1 or kept.coefficient != -1:
            return None
        return self._module.lines.span(statement) if admits_one(self._module, self._block, rate) else None

    def _rate_name(self) -> str:
        kept = self._mask.one
        name = kept.symbol if kept is not None else ""
        return name if name in self._block.parameters else ""

    def zero(self) -> Change | None:
        """A return of zeros for a rate of 1."""
        first, last = self._statement(self._draw.node), self._statement(self._use)
        rate = self._rate_name()
        if first is None or not rate or not self._returns(last) or self.division() is None:
            return None
        alias = next((n for n, target in self._module.imports.names.items() if target == "torch"), "")
        return (
            self._before(first, last, f"if {rate} == 1:", f"return {alias}.zeros_like({self._data})") if alias else None
        )
