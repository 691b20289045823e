"""What an expression means for hand-written dropout: a probability, a draw, a mask, or a tensor with a mask on it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dropout_lint.source.mask_algebra import (
    Count,
    Draw,
    Linear,
    Mask,
    Product,
    Random,
    Term,
    atom,
    multiply,
    of_linear,
)
from dropout_lint.source.mask_draws import TRANSPARENT, draw_of, last_name, note_conversion
from dropout_lint.source.module import SourceModule
from dropout_lint.source.scopes import Block
from dropout_lint.source.syntax import children, dotted

_COMPARISONS = {ast.Lt: -1, ast.LtE: -1, ast.Gt: 1, ast.GtE: 1}
_METHOD_COMPARISONS = {"lt": -1, "le": -1, "gt": 1, "ge": 1, "less": -1, "less_equal": -1, "greater": 1}
_ZEROS = {"zeros_like", "zeros", "new_zeros", "zero_"}
_FILLS = {"full": 1, "full_like": 1, "new_full": 1, "fill_": 0}
_NUMBERS = {"float", "int", "Variable", "tensor", "as_tensor"}
_VECTORS = {"Tensor", "FloatTensor", "new_tensor"}
_SPARSE = {"torch.sparse_coo_tensor"}
"""Calls with indices first and values second, beside those of torch.sparse."""
_TIMES = {"mul": 1, "mul_": 1, "multiply": 1, "div": -1, "div_": -1, "divide": -1, "true_divide": -1}


@dataclass(slots=True)
class Factor:
    """A tensor multiplied by, or divided by, a number that is known by its name."""

    node: ast.expr
    value: Linear
    data: ast.expr
    divides: bool


@dataclass(slots=True)
class Zoneout:
    """Two states mixed by one mask."""

    node: ast.expr
    first: Product
    second: Product


@dataclass
class Reader:
    """Evaluates the expressions of one function; ``names`` holds what its locals stand for at the moment."""

    module: SourceModule
    block: Block
    names: dict[str, Term] = field(default_factory=dict)
    used: list[Product] = field(default_factory=list)
    """Masked tensors where nothing scales them any more."""
    factors: list[Factor] = field(default_factory=list)
    zoneouts: list[Zoneout] = field(default_factory=list)
    draws: dict[ast.Call, Draw] = field(default_factory=dict)
    made: list[ast.expr] = field(default_factory=list)
    """Nodes that the file does not have, kept alive since unknown values are named by identity."""
    seen: dict[int, Term] = field(default_factory=dict)
    """Values that were read from a name, by identity."""

    def read(self, node: ast.expr) -> Term:
        """The meaning of an expression at its place."""
        match node:
            case ast.Constant(value=bool()):
                return self._unknown(node)
            case ast.Constant(value=int() | float() as number):
                return Product(float(number))
            case ast.Name(id=name):
                return self._held(name) or self._global(name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._product(operand, Product(-1.0), node, 1)
            case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
                return self._negated(self.read(operand), node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compared(left, operator, right, node)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.IfExp(body=body, orelse=orelse):
                self.read(node.test)
                return join(self.read(body), self.read(orelse), self._unknown(node))
        return self._opaque(node)

    def consume(self, term: Term) -> None:
        """A masked tensor goes where it is no longer scaled."""
        if isinstance(term, Product) and term.use is not None:
            self.used.append(term)

    def _held(self, name: str) -> Term | None:
        term = self.names.get(name)
        if term is not None:
            self.seen[id(term)] = term
        return term

    def _unknown(self, node: ast.AST) -> Product:
        return atom(f"@{id(node)}")

    def _opaque(self, node: ast.AST) -> Product:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.consume(self.read(child))
            elif isinstance(child, (ast.keyword, ast.comprehension)):
                self._opaque(child)
        return self._unknown(node)

    def _global(self, name: str) -> Term:
        found = self.module.scopes.lookup(name, self.block)
        if found is not None and name not in found[0].parameters and found[0].kind == "module" and len(found[1]) == 1:
            value = self.module.values.evaluate(found[1][0].value, found[1][0].block)
            if value.number is not None and value.kind == "number" and not value.default:
                return Product(value.number)
        return atom(name)

    def _attribute(self, node: ast.Attribute) -> Term:
        text = dotted(node)
        held = self._held(text)
        if held is not None:
            return held
        bindings = self.module.attribute_bindings(node, self.block)
        if len(bindings) == 1 and bindings[0].value is not None and bindings[0].block is not self.block:
            home = bindings[0].block
            if home.method is home and home.name == "__init__" and not isinstance(bindings[0].value, ast.Call):
                value = Reader(self.module, home).read(bindings[0].value)
                linear = value.linear if isinstance(value, Product) else None
                if linear is not None and not linear.symbol.startswith("@"):
                    return of_linear(replace(linear, symbol=f"__init__.{linear.symbol}") if linear.symbol else linear)
        if text and node.attr not in TRANSPARENT:
            return atom(text)
        term = self.read(node.value)
        return term if node.attr in TRANSPARENT else self._opaque(node)

    def _binary(self, node: ast.BinOp) -> Term:
        if isinstance(node.op, (ast.Mult, ast.Div)):
            right = self.read(node.right)
            return self._product(node.left, right, node, 1 if isinstance(node.op, ast.Mult) else -1, node.right)
        left, right = self.read(node.left), self.read(node.right)
        if not isinstance(node.op, (ast.Add, ast.Sub)):
            return self._lost(left, right, node)
        return self._sum(left, right, 1 if isinstance(node.op, ast.Add) else -1, node)

    def _lost(self, left: Term, right: Term, node: ast.AST) -> Product:
        self.consume(left)
        self.consume(right)
        return self._unknown(node)

    def _sum(self, left: Term, right: Term, sign: int, node: ast.expr) -> Term:
        if isinstance(left, Count) and isinstance(right, Count) and left.draw is right.draw:
            return Count(left.draw, left.kept + sign * right.kept, left.total + sign * right.total)
        if isinstance(right, Random) and isinstance(left, Product) and sign > 0:
            left, right = right, left
        if isinstance(left, Random) and isinstance(right, Product) and right.linear is not None:
            shift = left.shift.plus(right.linear, sign)
            return Random(left.draw, shift, _operand(node, self)) if shift is not None else self._unknown(node)
        if isinstance(left, Product) and isinstance(right, Product):
            if left == Product() and sign < 0 and right.mask is not None and right.use is None:
                return self._negated(right, node)
            if left.use is not None and right.use is not None and sign > 0 and _complementary(left, right):
                self.zoneouts.append(Zoneout(node, left, right))
                return self._unknown(node)
            if left.linear is not None and right.linear is not None:
                total = left.linear.plus(right.linear, sign)
                if total is not None:
                    return of_linear(total, filled=left.filled or right.filled)
        return self._lost(left, right, node)

    def _product(
        self, left_node: ast.expr, right: Term, node: ast.expr, sign: int, right_node: ast.expr | None = None
    ) -> Term:
        left = self.read(left_node)
        if isinstance(left, Count) and isinstance(right, Count) and sign < 0 and (right.kept, right.total) == (0, 1):
            value = Linear(float(left.total), float(left.kept), f"kept@{id(left.draw)}" if left.kept else "")
            return of_linear(value)
        if not isinstance(left, Product) or not isinstance(right, Product):
            return self._lost(left, right, node)
        result = multiply(left, right, sign)
        if result is None:
            return self._lost(left, right, node)
        self._note_factor(left_node, left, right_node, right, node, sign)
        if result.mask is not None and left.use is None and right.use is None:
            data, other = (left_node, left) if right.mask is not None else (right_node, right)
            if data is not None and _is_tensor(other, result.mask):
                result = replace(result, use=node, data=data)
        return result

    def _note_factor(
        self, left_node: ast.expr, left: Product, right_node: ast.expr | None, right: Product, node: ast.expr, sign: int
    ) -> None:
        if right_node is None:
            return
        for data, value, term, divides in (
            (left_node, right, left, sign < 0),
            (right_node, left, right, False),
        ):
            linear = value.linear
            if linear is None and len(value.factors) == 1 and value.factors[0][1] == -1 and value.number == 1:
                linear, divides = value.factors[0][0], not divides
            if linear is not None and (sign > 0 or data is left_node) and value.mask is None and term.linear != Linear(1.0):
                self.factors.append(Factor(node, linear, data, divides))

    def _negated(self, term: Term, node: ast.AST) -> Term:
        if isinstance(term, Product) and term.mask is not None and term.use is None and not term.factors:
            return replace(term, mask=term.mask.complement)
        if isinstance(term, Product):
            self.consume(term)
        return self._unknown(node)

    def _compared(self, left_node: ast.expr, operator: ast.cmpop, right_node: ast.expr, node: ast.expr) -> Term:
        left, right = self.read(left_node), self.read(right_node)
        if isinstance(left, Product) and left.mask is not None and isinstance(right, Product) and not right.factors:
            if left.use is not None or right.number not in (0.0, 1.0):
                return self._lost(left, right, node)
            equal = {ast.Eq: right.number == 1, ast.NotEq: right.number == 0, ast.Gt: True, ast.Lt: False}
            wanted = equal.get(type(operator))
            if wanted is None:
                return self._unknown(node)
            bare = Product(mask=left.mask)
            return bare if wanted else self._negated(bare, node)
        side = _COMPARISONS.get(type(operator))
        if side is None:
            return self._lost(left, right, node)
        if isinstance(right, Random):
            return self._threshold(right, left, left_node, -side, node)
        return self._threshold(left, right, right_node, side, node)

    def _threshold(self, random: Term, limit: Term, limit_node: ast.expr, side: int, node: ast.expr) -> Term:
        if not isinstance(random, Random) or not isinstance(limit, Product):
            return self._lost(random, limit, node)
        value = limit.linear
        below = value.plus(random.shift, -1) if value is not None else None
        if below is not None and below.symbol.startswith("@"):
            below = None
        rate = limit_node if random.shift == Linear() else random.shift_node
        flipped = side > 0
        one = (below.complement if flipped else below) if below is not None else None
        if random.shift != Linear():
            flipped = not flipped
        return Product(mask=Mask(random.draw, one, rate, flipped))

    def _subscript(self, node: ast.Subscript) -> Term:
        total = self._length(node.value, node)
        if total is not None:
            return total
        term = self.read(node.value)
        index = self.read(node.slice)
        if isinstance(index, Product) and index.mask is not None and isinstance(term, Product) and term.mask is None:
            return replace(_masked(term, index, index.mask, node, node.value), index=True)
        if isinstance(term, Product) and term.mask is not None and term.use is None:
            return term
        text = self.module.lines.code(node)
        return atom(text) if len(text) < 60 and dotted(node.value) else self._lost(term, index, node)

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

    def _call(self, node: ast.Call) -> Term:
        draw = self.draws.get(node) or draw_of(self.module, node, self.block)
        if draw is not None:
            self.draws[node] = draw
            return self._drawn(draw, node)
        name = last_name(node)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        qualified = self.module.scopes.resolve(node.func, self.block)
        arguments = list(node.args)
        free = qualified.startswith("torch.") and "()" not in qualified
        if owner is not None and not free:
            arguments.insert(0, owner)
        if not arguments or any(isinstance(a, ast.Starred) for a in arguments[:2]):
            return self._special(name, arguments, node)
        handler = self._handler(name)
        if handler is not None and len(arguments) >= 2:
            return self._in_place(name, arguments[0], handler(arguments, node))
        return self._in_place(name, arguments[0], self._special(name, arguments, node))

    def _in_place(self, name: str, target: ast.expr, result: Term) -> Term:
        if name.endswith("_") and (path := dotted(target)):
            self.names[path] = result
        return result

    def _handler(self, name: str) -> Callable[[list[ast.expr], ast.Call], Term] | None:
        if name in _TIMES:
            return lambda a, n: self._product(a[0], self.read(a[1]), n, _TIMES[name], a[1])
        if name in {"add", "add_", "sub", "sub_"}:
            return lambda a, n: self._sum(self.read(a[0]), self.read(a[1]), 1 if name.startswith("add") else -1, n)
        if name in _METHOD_COMPARISONS:
            side = ast.Lt() if _METHOD_COMPARISONS[name] < 0 else ast.Gt()
            return lambda a, n: self._compared(a[0], side, a[1], n)
        if name in {"eq", "ne"}:
            return lambda a, n: self._compared(a[0], ast.Eq() if name == "eq" else ast.NotEq(), a[1], n)
        if name == "where":
            return self._where
        if name in {"masked_fill", "masked_fill_"}:
            return self._filled
        return None

    def _where(self, arguments: list[ast.expr], node: ast.Call) -> Term:
        terms = [self.read(a) for a in arguments[:3]]
        if len(terms) < 3 or not isinstance(terms[0], Product) or terms[0].mask is None or terms[0].use is not None:
            return self._opaque(node)
        condition, mask = terms[0], terms[0].mask
        yes, no = terms[1], terms[2]
        if _is_zero(no) and isinstance(yes, Product):
            return _masked(yes, condition, mask, node, arguments[1])
        if _is_zero(yes) and isinstance(no, Product):
            return _masked(no, condition, mask.complement, node, arguments[2])
        if isinstance(yes, Product) and isinstance(no, Product) and yes.mask is None and no.mask is None:
            first = _masked(yes, condition, mask, node, arguments[1])
            self.zoneouts.append(Zoneout(node, first, _masked(no, condition, mask.complement, node, arguments[2])))
        return self._unknown(node)

    def _filled(self, arguments: list[ast.expr], node: ast.Call) -> Term:
        terms = [self.read(a) for a in arguments[:3]]
        data, mask = terms[0], terms[1]
        value = terms[2] if len(terms) > 2 else None
        value = value or next((self.read(k.value) for k in node.keywords if k.arg == "value"), None)
        if isinstance(mask, Product) and mask.mask is not None and isinstance(data, Product) and data.mask is None:
            if value is not None and _is_zero(value):
                return _masked(data, mask, mask.mask.complement, node, arguments[0])
            return self._unknown(node)
        return self._opaque(node)

    def _special(self, name: str, arguments: list[ast.expr], node: ast.Call) -> Term:
        if not arguments:
            return self._opaque(node)
        qualified = self.module.scopes.resolve(node.func, self.block)
        if len(arguments) > 1 and (qualified in _SPARSE or qualified.startswith("torch.sparse.")):
            self.consume(self.read(arguments[0]))
            return self.read(arguments[1])
        if name in {"floor", "floor_"}:
            random = self.read(arguments[0])
            if isinstance(random, Random) and random.shift != Linear():
                return Product(mask=Mask(random.draw, random.shift, random.shift_node))
        elif name in {"bitwise_not", "logical_not"}:
            return self._negated(self.read(arguments[0]), node)
        elif name in {"count_nonzero", "sum", "numel"} and len(arguments) == 1:
            term = self.read(arguments[0])
            if isinstance(term, Product) and term.mask is not None and term.use is None:
                return Count(term.mask.draw, int(name != "numel"), int(name == "numel"))
        elif name in _ZEROS:
            return Product(0.0, filled=True)
        elif name in {"ones", "ones_like", "new_ones"}:
            return Product(1.0, filled=True)
        elif name in _FILLS:
            position = len(arguments) - len(node.args) if name in {"new_full", "fill_"} else 0
            value = (arguments[position:] or arguments)[_FILLS[name] :]
            term = self.read(value[0]) if value else self._unknown(node)
            return replace(term, filled=True) if isinstance(term, Product) else self._unknown(node)
        elif name in TRANSPARENT and isinstance(node.func, ast.Attribute):
            return self._same(arguments, node)
        elif name in _NUMBERS | _VECTORS and len(arguments) > (name == "new_tensor"):
            return self._wrapped(name, arguments, node)
        return self._opaque(node)

    def _wrapped(self, name: str, arguments: list[ast.expr], node: ast.Call) -> Term:
        """``float(p)``, ``torch.tensor([p])`` and the like."""
        inner = arguments[-1] if name == "new_tensor" else arguments[0]
        if isinstance(inner, (ast.List, ast.Tuple)) and len(inner.elts) == 1:
            inner = inner.elts[0]
        elif name not in _NUMBERS:
            return self._opaque(node)
        term = self.read(inner)
        tensor = name not in {"float", "int", "Variable"}
        return replace(term, filled=True) if tensor and isinstance(term, Product) else term

    def _same(self, arguments: list[ast.expr], node: ast.Call) -> Term:
        """A method that changes type, place or shape of a mask, of a draw or of a masked tensor, but no value."""
        term = self.read(arguments[0])
        draw = term.draw if isinstance(term, Random) else None
        if isinstance(term, Product) and term.mask is not None:
            draw = term.mask.draw
        if draw is not None:
            note_conversion(draw, node)
        elif not isinstance(term, Product) or not (term.filled or term.linear is None):
            return self._opaque(node)
        return term

    def _drawn(self, draw: Draw, node: ast.Call) -> Term:
        if draw.sampler != "bernoulli":
            limits = [self.read(a) for a in node.args] if last_name(node) == "uniform_" else []
            if limits and limits != [Product(0.0), Product(1.0)]:
                return self._unknown(node)
            drawn: Term = Random(draw)
        else:
            rate = _bernoulli_rate(node)
            term = self.read(rate) if rate is not None else Product(0.5)
            if draw.node.func and last_name(node) in {"bernoulli", "sample"} and rate is not None:
                separate = last_name(node) == "sample" or any(k.arg == "p" for k in node.keywords) or len(node.args) > 1
                if not separate and not (isinstance(term, Product) and term.filled):
                    return self._unknown(node)
            one = term.linear if isinstance(term, Product) else None
            if one is not None and one.symbol.startswith("@"):
                one = None
            drawn = Product(mask=Mask(draw, one, _rate_node(rate)))
        if last_name(node).endswith("_") and isinstance(node.func, ast.Attribute) and (path := dotted(node.func.value)):
            self.names[path] = drawn
        return drawn


def _bernoulli_rate(node: ast.Call) -> ast.expr | None:
    """The expression of the probability in a Bernoulli draw."""
    name = last_name(node)
    keyword = next((k.value for k in node.keywords if k.arg in {"p", "probs"}), None)
    if keyword is not None:
        return keyword
    if name == "sample" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        made = node.func.value
        return next((k.value for k in made.keywords if k.arg == "probs"), made.args[0] if made.args else None)
    if name == "bernoulli_":
        return node.args[0] if node.args else None
    if isinstance(node.func, ast.Attribute) and dotted(node.func.value) not in {"torch", "th", "t"}:
        return node.args[0] if node.args else node.func.value
    return node.args[1] if len(node.args) > 1 else node.args[0] if node.args else None


def _rate_node(node: ast.expr | None) -> ast.expr | None:
    """Inside of a tensor of one value, the value."""
    if isinstance(node, ast.Call) and last_name(node) in _FILLS and len(node.args) > _FILLS[last_name(node)]:
        return node.args[_FILLS[last_name(node)]]
    return node


def _operand(node: ast.expr, reader: Reader) -> ast.expr | None:
    """In a sum with a draw, the other side."""
    if not isinstance(node, ast.BinOp) or node in reader.made:
        return None
    return node.left if isinstance(reader.read(node.right), Random) else node.right


def _is_tensor(term: Product, mask: Mask) -> bool:
    """Whether a factor may be the tensor that a mask is applied to, and not a scale."""
    kept = mask.one.symbol if mask.one is not None else ""
    observed = f"kept@{id(mask.draw)}"
    return any(power == 1 and t.symbol not in {kept, observed} for t, power in term.factors)


def _is_zero(term: Term) -> bool:
    return isinstance(term, Product) and term.number == 0.0 and term.mask is None and not term.factors


def _masked(data: Product, source: Product, mask: Mask, use: ast.expr, node: ast.expr) -> Product:
    return replace(data, mask=mask, use=use, data=node, unsure=data.unsure or source.unsure)


def _complementary(left: Product, right: Product) -> bool:
    one, two = left.mask, right.mask
    return one is not None and two is not None and one.draw is two.draw and one.flipped != two.flipped


def join(left: Term, right: Term, unknown: Term) -> Term:
    """What a name stands for behind two branches."""
    if left == right:
        return left
    if isinstance(left, Random) or isinstance(right, Random) or isinstance(left, Count) or isinstance(right, Count):
        return left if isinstance(left, Random) else right if isinstance(right, Random) else unknown
    if left.mask is None and right.mask is None:
        return unknown
    held, other = (left, right) if left.mask is not None else (right, left)
    assert held.mask is not None
    if other.mask is not None:
        return replace(held, unsure=True)
    symbol = held.mask.one.symbol if held.mask.one is not None else ""
    scaled = other.number not in (0.0, 1.0) or any(t.symbol == symbol for t, _ in other.factors)
    return replace(held, unsure=held.unsure or scaled)
