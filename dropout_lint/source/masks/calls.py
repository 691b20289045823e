"""The value of a call, for hand-written dropout: draws, arithmetic methods, masks that helpers return."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from dropout_lint.source.masks.algebra import Count, Linear, Mask, Product, Random, Term, Zoneout
from dropout_lint.source.masks.arithmetic import added, compared, is_zero, masked, multiplied, negated
from dropout_lint.source.masks.draws import FILLS, TRANSPARENT, draw_of, last_name, note_conversion
from dropout_lint.source.masks.helpers import returned_mask
from dropout_lint.source.masks.reader import Reader
from dropout_lint.source.masks.sampling import drawn
from dropout_lint.syntax.parsing import dotted

_METHOD_COMPARISONS = {"lt": -1, "le": -1, "gt": 1, "ge": 1, "less": -1, "less_equal": -1, "greater": 1}
_ZEROS = {"zeros_like", "zeros", "new_zeros", "zero_"}
_NUMBERS = {"float", "int", "Variable", "tensor", "as_tensor"}
_VECTORS = {"Tensor", "FloatTensor", "new_tensor"}
_SPARSE = {"torch.sparse_coo_tensor"}
"""Besides those of torch.sparse, calls with the indices first and the values second."""
_TIMES = {"mul": 1, "mul_": 1, "multiply": 1, "div": -1, "div_": -1, "divide": -1, "true_divide": -1}


def read_call(reader: Reader, node: ast.Call) -> Term:
    """The value of a call."""
    draw = reader.draws.get(node) or draw_of(reader.module, node, reader.block)
    if draw is not None:
        reader.draws[node] = draw
        return drawn(reader, draw, node)
    made = returned_mask(reader, node)
    if made is not None:
        return made
    name = last_name(node)
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    qualified = reader.module.scopes.resolve(node.func, reader.block)
    arguments = list(node.args)
    is_function = qualified.startswith("torch.") and "()" not in qualified
    if receiver is not None and not is_function:
        arguments.insert(0, receiver)
    if not arguments or any(isinstance(a, ast.Starred) for a in arguments[:2]):
        return _tensor_call(reader, name, arguments, node)
    handler = _handler(reader, name)
    if handler is not None and len(arguments) >= 2:
        return _in_place(reader, name, arguments[0], handler(arguments, node))
    return _in_place(reader, name, arguments[0], _tensor_call(reader, name, arguments, node))


def _in_place(reader: Reader, name: str, target: ast.expr, result: Term) -> Term:
    if name.endswith("_") and (path := dotted(target)):
        reader.names[path] = result
    return result


def _handler(reader: Reader, name: str) -> Callable[[list[ast.expr], ast.Call], Term] | None:
    if name in _TIMES:
        return lambda a, n: multiplied(reader, a[0], reader.read(a[1]), n, _TIMES[name], a[1])
    if name in {"add", "add_", "sub", "sub_"}:
        return lambda a, n: added(reader, reader.read(a[0]), reader.read(a[1]), 1 if name.startswith("add") else -1, n)
    if name in _METHOD_COMPARISONS:
        side = ast.Lt() if _METHOD_COMPARISONS[name] < 0 else ast.Gt()
        return lambda a, n: compared(reader, a[0], side, a[1], n)
    if name in {"eq", "ne"}:
        return lambda a, n: compared(reader, a[0], ast.Eq() if name == "eq" else ast.NotEq(), a[1], n)
    if name == "where":
        return lambda a, n: _where(reader, a, n)
    if name in {"masked_fill", "masked_fill_"}:
        return lambda a, n: _masked_fill(reader, a, n)
    return None


def _where(reader: Reader, arguments: list[ast.expr], node: ast.Call) -> Term:
    terms = [reader.read(a) for a in arguments[:3]]
    if len(terms) < 3 or not isinstance(terms[0], Product) or terms[0].mask is None or terms[0].use is not None:
        return reader.opaque(node)
    condition, mask = terms[0], terms[0].mask
    yes, no = terms[1], terms[2]
    if is_zero(no) and isinstance(yes, Product):
        return masked(yes, condition, mask, node, arguments[1])
    if is_zero(yes) and isinstance(no, Product):
        return masked(no, condition, mask.complement, node, arguments[2])
    if isinstance(yes, Product) and isinstance(no, Product) and yes.mask is None and no.mask is None:
        first = masked(yes, condition, mask, node, arguments[1])
        reader.zoneouts.append(Zoneout(node, first, masked(no, condition, mask.complement, node, arguments[2])))
    return reader.unknown(node)


def _masked_fill(reader: Reader, arguments: list[ast.expr], node: ast.Call) -> Term:
    terms = [reader.read(a) for a in arguments[:3]]
    data, mask = terms[0], terms[1]
    value = terms[2] if len(terms) > 2 else None
    value = value or next((reader.read(k.value) for k in node.keywords if k.arg == "value"), None)
    if isinstance(mask, Product) and mask.mask is not None and isinstance(data, Product) and data.mask is None:
        if value is not None and is_zero(value):
            return masked(data, mask, mask.mask.complement, node, arguments[0])
        return reader.unknown(node)
    return reader.opaque(node)


def _tensor_call(reader: Reader, name: str, arguments: list[ast.expr], node: ast.Call) -> Term:
    if not arguments:
        return reader.opaque(node)
    qualified = reader.module.scopes.resolve(node.func, reader.block)
    if len(arguments) > 1 and (qualified in _SPARSE or re.fullmatch(r"torch\.sparse\.\w+", qualified)):
        reader.consume(reader.read(arguments[0]))
        return reader.read(arguments[1])
    if name in {"floor", "floor_"}:
        random = reader.read(arguments[0])
        if isinstance(random, Random) and random.shift != Linear():
            return Product(mask=Mask(random.draw, random.shift, random.shift_node))
    elif name in {"bitwise_not", "logical_not"}:
        return negated(reader, reader.read(arguments[0]), node)
    elif name in {"count_nonzero", "sum", "numel"} and len(arguments) == 1:
        return _counted(reader, name, arguments[0], node)
    elif name in _ZEROS:
        return Product(0.0, filled=True)
    elif name in {"ones", "ones_like", "new_ones"}:
        return Product(1.0, filled=True)
    elif name in FILLS:
        position = len(arguments) - len(node.args) if name in {"new_full", "fill_"} else 0
        value = (arguments[position:] or arguments)[FILLS[name] :]
        term = reader.read(value[0]) if value else reader.unknown(node)
        return replace(term, filled=True) if isinstance(term, Product) else reader.unknown(node)
    elif name in TRANSPARENT and isinstance(node.func, ast.Attribute):
        return _unchanged(reader, arguments, node)
    elif name in _NUMBERS | _VECTORS and len(arguments) > (name == "new_tensor"):
        return _converted(reader, name, arguments, node)
    return reader.opaque(node)


def _counted(reader: Reader, name: str, argument: ast.expr, node: ast.Call) -> Term:
    term = reader.read(argument)
    if isinstance(term, Product) and term.mask is not None and term.use is None:
        return Count(term.mask.draw, int(name != "numel"), int(name == "numel"))
    return reader.opaque(node)


def _converted(reader: Reader, name: str, arguments: list[ast.expr], node: ast.Call) -> Term:
    """``float(p)``, ``torch.tensor([p])`` and the like."""
    inner = arguments[-1] if name == "new_tensor" else arguments[0]
    if isinstance(inner, (ast.List, ast.Tuple)) and len(inner.elts) == 1:
        inner = inner.elts[0]
    elif name not in _NUMBERS:
        return reader.opaque(node)
    term = reader.read(inner)
    tensor = name not in {"float", "int", "Variable"}
    return replace(term, filled=True) if tensor and isinstance(term, Product) else term


def _unchanged(reader: Reader, arguments: list[ast.expr], node: ast.Call) -> Term:
    """A method that changes the type, device or shape of a mask, draw or masked tensor, but no value."""
    term = reader.read(arguments[0])
    draw = term.draw if isinstance(term, Random) else None
    if isinstance(term, Product) and term.mask is not None:
        draw = term.mask.draw
    if draw is not None:
        note_conversion(draw, node)
    elif not isinstance(term, Product) or not (term.filled or term.linear is None):
        return reader.opaque(node)
    return term
