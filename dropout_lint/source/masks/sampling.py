"""The value of a random draw: numbers to compare with a rate, or a mask."""

from __future__ import annotations

import ast

from dropout_lint.source.masks.algebra import Draw, Linear, Mask, Product, Random, Term
from dropout_lint.source.masks.draws import FILLS, last_name
from dropout_lint.source.masks.reader import Reader
from dropout_lint.syntax.parsing import dotted


def drawn(reader: Reader, draw: Draw, node: ast.Call) -> Term:
    """Random numbers, or for a Bernoulli draw the mask itself."""
    if draw.sampler != "bernoulli":
        limits = [reader.read(a) for a in node.args] if last_name(node) == "uniform_" else []
        if limits and limits != [Product(0.0), Product(1.0)]:
            return reader.unknown(node)
        made: Term = Random(draw)
    else:
        made = _bernoulli(reader, draw, node)
    if last_name(node).endswith("_") and isinstance(node.func, ast.Attribute) and (path := dotted(node.func.value)):
        reader.names[path] = made
    return made


def _bernoulli(reader: Reader, draw: Draw, node: ast.Call) -> Term:
    """A Bernoulli mask. A tensor of probabilities counts only if it has the same value everywhere."""
    rate, elementwise = _bernoulli_rate(reader, node)
    if rate is None:
        return Product(mask=Mask(draw, Linear(0.5), None)) if last_name(node) == "bernoulli_" else reader.unknown(node)
    term = reader.read(rate)
    if elementwise and not (isinstance(term, Product) and term.filled):
        return reader.unknown(node)
    one = term.linear if isinstance(term, Product) else None
    if one is not None and one.symbol.startswith("@"):
        one = None
    return Product(mask=Mask(draw, one, _rate_node(rate)))


def _bernoulli_rate(reader: Reader, node: ast.Call) -> tuple[ast.expr | None, bool]:
    """The expression of the probability in a Bernoulli draw, and whether it is a tensor of probabilities."""
    keyword = next((k.value for k in node.keywords if k.arg == "p"), None)
    if keyword is not None:
        return keyword, False
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    if last_name(node) == "sample":
        found = reader.module.constructor_of(owner, reader.block)
        made = owner if isinstance(owner, ast.Call) else found[1] if found is not None else None
        if made is None or any(k.arg == "logits" for k in made.keywords):
            return None, False
        return next((k.value for k in made.keywords if k.arg == "probs"), made.args[0] if made.args else None), False
    if last_name(node) == "bernoulli_":
        return (node.args[0] if node.args else None), False
    arguments = node.args
    if reader.module.scopes.resolve(node.func, reader.block) != "torch.bernoulli":
        arguments = [owner, *arguments]
    return (arguments[1], False) if len(arguments) > 1 else (arguments[0] if arguments else None, True)


def _rate_node(node: ast.expr | None) -> ast.expr | None:
    """The value that fills a constant tensor; any other expression unchanged."""
    if isinstance(node, ast.Call) and last_name(node) in FILLS and len(node.args) > FILLS[last_name(node)]:
        return node.args[FILLS[last_name(node)]]
    return node
