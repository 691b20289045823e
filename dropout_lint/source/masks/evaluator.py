"""The value of an expression, for hand-written dropout: a probability, draw, mask or masked tensor."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from dropout_lint.source.masks.algebra import Count, Product, Term, atom
from dropout_lint.source.masks.arithmetic import added, compared, join, masked, multiplied, negated, unknown_result
from dropout_lint.source.masks.calls import read_call
from dropout_lint.source.masks.draws import TRANSPARENT, draws
from dropout_lint.source.masks.reader import Reader
from dropout_lint.source.masks.statements import run
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted, number_of, walk


class Evaluator(Reader):
    """Evaluates each kind of expression."""

    def read(self, node: ast.expr) -> Term:
        """The value of an expression."""
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                return self.unknown(node) if isinstance(number, bool) else Product(number_of(number))
            case ast.Name(id=name):
                return self._local(name) or self._global(name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.UnaryOp(op=ast.USub() | ast.Invert() | ast.Not()):
                return self._unary(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return compared(self, left, operator, right, node)
            case ast.Call():
                return read_call(self, node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.IfExp(body=body, orelse=orelse):
                self.read(node.test)
                return join(self.read(body), self.read(orelse), self.unknown(node))
            case ast.NamedExpr(target=target, value=value):
                term = self.names[target.id] = self.read(value)
                self.seen[id(term)] = term
                return term
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
        return self.opaque(node)

    def inside(self, function: Block) -> Reader:
        """A reader for a helper that this function calls."""
        return Evaluator(self.module, function, depth=self.depth + 1)

    def follow(self, statements: list[ast.stmt]) -> None:
        """Run the body of a function; a mask that is still in a local at the end counts as used."""
        run(self, statements)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Term:
        """A comprehension: an unknown list. Its targets belong to a scope of its own."""
        outer, self.names = self.names, dict(self.names)
        for target in (part for g in node.generators for part in walk(g.target) if isinstance(part, ast.Name)):
            self.names[target.id] = atom(f"{target.id}@{target.lineno}:{target.col_offset}")
        term = self.opaque(node)
        self.names = outer
        return term

    def _local(self, name: str) -> Term | None:
        term = self.names.get(name)
        if term is not None:
            self.seen[id(term)] = term
        return term

    def _global(self, name: str) -> Term:
        found = self.module.scopes.lookup(name, self.block)
        if found is not None and name not in found[0].parameters and found[0].kind == "module" and len(found[1]) == 1:
            value = self.module.values.evaluate(found[1][0].value, found[1][0].block)
            if value.number is not None and value.kind == "number" and not value.default:
                return Product(value.number)
        return atom(name)

    def _attribute(self, node: ast.Attribute) -> Term:
        text = dotted(node)
        known = self._local(text)
        if known is not None:
            return known
        bindings = self.module.attribute_bindings(node, self.block)
        if len(bindings) == 1 and bindings[0].value is not None and bindings[0].block is not self.block:
            home = bindings[0].block
            if home.method is home and home.name == "__init__" and not isinstance(bindings[0].value, ast.Call):
                value = Evaluator(self.module, home).read(bindings[0].value)
                if isinstance(value, Product) and value.mask is None and not _private(value):
                    return _constructed(value)
        if text and node.attr not in TRANSPARENT:
            return atom(text)
        term = self.read(node.value)
        return term if node.attr in TRANSPARENT else self.opaque(node)

    def _unary(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.USub):
            return multiplied(self, node.operand, Product(-1.0), node, 1)
        return negated(self, self.read(node.operand), node)

    def _binary(self, node: ast.BinOp) -> Term:
        if isinstance(node.op, (ast.Mult, ast.Div)):
            right = self.read(node.right)
            return multiplied(self, node.left, right, node, 1 if isinstance(node.op, ast.Mult) else -1, node.right)
        left, right = self.read(node.left), self.read(node.right)
        if not isinstance(node.op, (ast.Add, ast.Sub)):
            return unknown_result(self, left, right, node)
        return added(self, left, right, 1 if isinstance(node.op, ast.Add) else -1, node)

    def _subscript(self, node: ast.Subscript) -> Term:
        total = self._length(node.value, node)
        if total is not None:
            return total
        term = self.read(node.value)
        index = self.read(node.slice)
        if isinstance(index, Product) and index.mask is not None and isinstance(term, Product) and term.mask is None:
            return replace(masked(term, index, index.mask, node, node.value), index=True)
        if isinstance(term, Product) and term.mask is not None and term.use is None:
            return term
        text = self.module.lines.code(node)
        return atom(text) if len(text) < 60 and dotted(node.value) else unknown_result(self, term, index, node)

    def _length(self, shape: ast.expr, node: ast.Subscript) -> Count | None:
        """``mask.shape[0]`` of a mask with one dimension is the number of its entries."""
        if not isinstance(shape, ast.Attribute) or shape.attr != "shape" or self.module.lines.code(node.slice) != "0":
            return None
        term = self.read(shape.value)
        if not isinstance(term, Product) or term.mask is None or term.use is not None:
            return None
        sizes = term.mask.draw.creation.args
        flat = len(sizes) == 1 and isinstance(sizes[0], (ast.Subscript, ast.Name)) and not term.mask.draw.like
        return Count(term.mask.draw, 0, 1) if flat else None


def _private(value: Product) -> bool:
    """Whether a value depends on an unknown value."""
    return any("@" in term.symbol for term, _ in value.factors)


def _constructed(value: Product) -> Product:
    """A value of the constructor, its symbols prefixed so that they differ from locals of other methods."""
    factors = tuple((replace(term, symbol=f"__init__.{term.symbol}"), power) for term, power in value.factors)
    return replace(value, factors=factors)


def readers(module: SourceModule) -> Iterator[Reader]:
    """A reader for each function that draws or calls one that does, and for the other methods of its class."""
    functions = {
        b: n for n, b in module.scopes.blocks.items() if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    texts = {b: module.lines.block(n.lineno, n.end_lineno or n.lineno) for b, n in functions.items()}
    names = {b.name for b, text in texts.items() if draws(text)}
    if not names:
        return
    calls = re.compile(rf"\b(?:{'|'.join(sorted(names))})\(")
    drawing = [b for b, text in texts.items() if draws(text) or len(calls.findall(text)) > (b.name in names)]
    found = []
    for block in drawing:
        reader = Evaluator(module, block)
        run(reader, functions[block].body)
        found.append(reader)
    yield from found
    masked = {r.block.enclosing_class for r in found if r.used or r.zoneouts} - {None}
    for block, node in functions.items():
        if block.enclosing_class in masked and block not in drawing:
            reader = Evaluator(module, block)
            run(reader, node.body)
            yield reader
