"""Finds branches that one random number decides, as skipped layers: ``if torch.rand(1) < self.p: return x``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.facts import MaskSite
from dropout_lint.source.masks.algebra import Sampler
from dropout_lint.source.masks.names import class_of, identifiers, words_around
from dropout_lint.source.masks.reach import constructs, reached
from dropout_lint.source.module.callers import outermost
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import MAX_DEPTH, Block
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import walk

_PYTHON: dict[str, Sampler] = {
    "random.random": "uniform",
    "numpy.random.rand": "uniform",
    "numpy.random.random": "uniform",
    "numpy.random.random_sample": "uniform",
    "numpy.random.uniform": "uniform",
    "random.uniform": "uniform",
    "numpy.random.randn": "normal",
    "random.gauss": "normal",
}
_TORCH: dict[str, Sampler] = {"torch.rand": "uniform", "torch.randn": "normal"}
_LIMITS = {"numpy.random.uniform", "random.uniform"}
_BERNOULLI = {"torch.bernoulli": 0, "numpy.random.binomial": 1}
"""Draws of 0 or 1, with the position of the probability."""
_ONE = {"1", "()", "[]", "(1,)", "[1]", ""}
"""The sizes of a draw of one number, as source."""
_UNWRAPPED = {"item", "cpu", "numpy", "float", "bool"}


@dataclass(slots=True)
class _Skip:
    """A test that a random number decides."""

    test: ast.expr
    draw: ast.Call
    sampler: Sampler
    rate: ast.expr
    block: Block
    holds_above: bool
    """The test is true if the number is above the rate."""


def skip_sites(module: SourceModule) -> Iterator[MaskSite]:
    """All such tests of the functions of a file."""
    for node in list(module.scopes.parents):
        tests: list[ast.expr] = []
        if isinstance(node, (ast.If, ast.IfExp)):
            tests = [node.test]
        elif isinstance(node, ast.comprehension):
            tests = node.ifs
        for test in tests:
            block = module.scopes.block_of(test)
            found = _skip(module, test, block) if block.kind == "function" else None
            if found is not None:
                yield _skip_site(module, found, _skips_if_true(node, test))


def _skips_if_true(node: ast.AST, test: ast.expr) -> bool | None:
    """Whether a layer is left out if the test is true; None if that cannot be seen.

    ``if chance: continue`` leaves it out, ``[layer for layer in layers if chance]`` does not.
    """
    if isinstance(node, ast.comprehension):
        return False if test in node.ifs else None
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, (ast.Compare, ast.Call, ast.BoolOp)):
        return None
    if any(isinstance(n, (ast.Or, ast.Not)) for n in walk(node.test)):
        return None
    only = node.body[0] if len(node.body) == 1 else None
    leaves = isinstance(only, ast.Continue) or (isinstance(only, ast.Return) and isinstance(only.value, ast.Name))
    return True if leaves else None


def _skip_site(module: SourceModule, skip: _Skip, skips: bool | None) -> MaskSite:
    value = module.values.evaluate(skip.rate, skip.block)
    function, rate = outermost(skip.block), skip.rate.id if isinstance(skip.rate, ast.Name) else ""
    draw_block = module.scopes.block_of(skip.draw)
    guarded = value.gated or module.guards.mentions_mode(skip.test, skip.block) or _has_switch(skip, function)
    guarded = guarded or any(module.guards.guarded(n, b) for n, b in ((skip.test, skip.block), (skip.draw, draw_block)))
    callers = None if guarded or constructs(function) else reached(module, function, rate)
    return MaskSite(
        kind="skip",
        span=module.lines.span(skip.draw),
        use=module.lines.span(skip.test),
        sampler=skip.sampler,
        kept=module.lines.code(skip.rate),
        scale="unknown",
        compensated=False,
        guarded=guarded,
        reached=callers is not None,
        calls=tuple(module.lines.span(c) for c in callers or ()) if function.method is None else (),
        callers=tuple(class_of(module, c) for c in callers or ()) if function.method is None else (),
        words=words_around(skip.block, (*value.names, *identifiers(skip.test), *identifiers(skip.rate))),
        shape="other",
        intent=module.intent(skip.draw, skip.block),
        scope=scope_of(skip.block),
        exchanged=skips is not None and value.polarity == ("drop" if skip.holds_above == skips else "keep"),
        rate_polarity=value.polarity,
    )


def _has_switch(skip: _Skip, function: Block) -> bool:
    """Whether the test also asks a parameter that is a bool by default: the caller decides."""
    defaults = (function.parameters.get(name) for name in identifiers(skip.test))
    return any(isinstance(d, ast.Constant) and isinstance(d.value, bool) for d in defaults)


def _skip(module: SourceModule, test: ast.expr, block: Block) -> _Skip | None:
    for node in walk(test):
        tested = _local(module, node, block) or node
        if isinstance(tested, ast.Compare) and len(tested.ops) == 1:
            sides = (tested.left, tested.comparators[0])
            ordered = isinstance(tested.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
            for side, rate in (sides, sides[::-1]) if ordered else ():
                drawn = _drawn(module, side, block)
                if drawn is not None:
                    above = isinstance(tested.ops[0], (ast.Gt, ast.GtE)) == (side is sides[0])
                    return _Skip(test, *drawn, rate, block, above)
        elif isinstance(tested, ast.Call):
            call, name = _unwrapped(module, tested, block)
            position = _BERNOULLI.get(name)
            if call is not None and position is not None and len(call.args) == position + 1:
                return _Skip(test, call, "bernoulli", call.args[position], block, holds_above=False)
    return None


def _local(module: SourceModule, node: ast.AST, block: Block) -> ast.expr | None:
    """The value of a local name that is bound once."""
    if not isinstance(node, ast.Name):
        return None
    found = module.scopes.lookup(node.id, block)
    bound = (
        found is not None and found[0].kind == "function" and len(found[1]) == 1 and node.id not in found[0].parameters
    )
    return found[1][0].value if found is not None and bound else None


def _drawn(module: SourceModule, node: ast.expr, block: Block) -> tuple[ast.Call, Sampler] | None:
    """The call that draws one number in [0, 1), or a normal one."""
    call, name = _unwrapped(module, node, block)
    sampler = _PYTHON.get(name) or _TORCH.get(name)
    sizes = ", ".join(module.lines.code(a) for a in call.args) if call is not None else ""
    one = sizes in ({"", "0, 1", "0.0, 1.0", "0., 1."} if name in _LIMITS else _ONE)
    return (call, sampler) if call is not None and sampler is not None and one else None


def _unwrapped(module: SourceModule, node: ast.expr, block: Block) -> tuple[ast.Call | None, str]:
    """The call behind names and ``.item()``, and its resolved callee."""
    for _ in range(MAX_DEPTH):
        if isinstance(node, ast.Name):
            value = _local(module, node, block)
            if value is None:
                return None, ""
            node = value
        elif not isinstance(node, ast.Call):
            return None, ""
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _UNWRAPPED and not node.args:
            node = node.func.value
        elif isinstance(node.func, ast.Name) and node.func.id in _UNWRAPPED and len(node.args) == 1:
            node = node.args[0]
        else:
            return node, module.scopes.resolve(node.func, block)
    return None, ""
