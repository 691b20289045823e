"""Finds hand-written dropout: random masks that are applied to tensors, as MaskSite facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dropout_lint.facts import MaskSite
from dropout_lint.source.masks.algebra import Draw, Factor, Mask, Product, Scale, Zoneout, scale_of
from dropout_lint.source.masks.draws import draws, per_sample
from dropout_lint.source.masks.evaluator import readers
from dropout_lint.source.masks.names import class_of, identifiers, words_around
from dropout_lint.source.masks.parts import Parts
from dropout_lint.source.masks.rates import kept_text
from dropout_lint.source.masks.reach import constructs, is_autograd, mode_at, only_trains, reached
from dropout_lint.source.masks.reader import Reader
from dropout_lint.source.masks.skips import skip_sites
from dropout_lint.source.module.callers import outermost
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import walk
from dropout_lint.vocabulary import words

_NEW = {"next", "new", "candidate", "cand", "updated", "update", "out", "output", "tilde", "cur", "current"}
_OLD = {"prev", "previous", "old", "last", "past", "state", "hidden", "h", "c", "hx", "cx"}


@dataclass(slots=True)
class _Use:
    """One application of a mask to a tensor, with its scaled result on each path."""

    outcomes: list[Product]
    reader: Reader


def mask_sites(module: SourceModule) -> Iterator[MaskSite]:
    """All hand-written masks of a file, and the branches that chance decides, in source order."""
    evaluated = list(readers(module)) if draws(module.lines.text) else []
    found: list[MaskSite] = []
    for reader in evaluated:
        uses: dict[ast.AST, _Use] = {}
        for product in reader.used:
            if product.use is not None and product.mask is not None:
                uses.setdefault(product.use, _Use([], reader)).outcomes.append(product)
        same_class = [r for r in evaluated if r.block.enclosing_class is reader.block.enclosing_class]
        factors = [f for r in (same_class if reader.block.enclosing_class else [reader]) for f in r.factors]
        found.extend(_site(module, use, factors) for use in uses.values())
        found.extend(site for z in reader.zoneouts if (site := _zoneout(module, reader, z)) is not None)
    found.extend(skip_sites(module))
    yield from sorted(found, key=lambda s: s.span)


def _rate_names(module: SourceModule, mask: Mask) -> tuple[tuple[str, ...], bool]:
    """The identifiers that a rate comes from, and whether it depends on the mode."""
    value = module.values.evaluate(mask.rate, mask.draw.block)
    symbol = mask.one.symbol if mask.one is not None else ""
    return (*value.names, *symbol.split("."), *identifiers(mask.rate)), value.gated


def _fact(module: SourceModule, reader: Reader, draw: Draw, mask: Mask, use: ast.expr | ast.stmt) -> MaskSite:
    """The facts that do not depend on how the mask is used."""
    block = reader.block
    names, gated = _rate_names(module, mask)
    place: ast.AST = use if use in module.scopes.parents else draw.node
    guarded = gated or any(module.guards.guarded(n, module.scopes.block_of(n)) for n in (draw.node, place))
    function = outermost(block)
    symbol = mask.one.symbol if mask.one is not None else ""
    callers = None if guarded or constructs(function) else reached(module, function, symbol)
    known = module.guards.callers(function) if guarded else callers or ()
    outside = function.method is None or is_autograd(module, function)
    return MaskSite(
        kind="product",
        span=module.lines.span(draw.node),
        use=module.lines.span(use),
        sampler=draw.sampler,
        kept=kept_text(module, mask),
        scale="unknown",
        compensated=False,
        guarded=guarded,
        reached=callers is not None,
        calls=tuple(module.lines.span(c) for c in callers or ()) if outside else (),
        callers=tuple(class_of(module, c) for c in known) if outside else (),
        words=words_around(block, names),
        shape="vector" if draw.vector else "other",
        intent=module.intent(draw.node, block),
        scope=scope_of(block),
    )


def _site(module: SourceModule, use: _Use, factors: list[Factor]) -> MaskSite:
    product = use.outcomes[0]
    assert product.mask is not None
    assert product.use is not None
    mask, draw = product.mask, product.mask.draw
    scales: set[Scale] = {scale_of(p) for p in use.outcomes}
    scale = scales.pop() if len(scales) == 1 else "unknown"
    if draw.helper_scales and scale == "complement":
        scale = "unknown"  # reported in the helper itself
    base = _fact(module, use.reader, draw, mask, product.use)
    related = [f for f in factors if mask.one is not None and mask.one.symbol and f.value.symbol == mask.one.symbol]
    data = product.data
    text = module.lines.code(data) if data is not None and data in module.scopes.parents else ""
    scaled = _scaled_in_eval(module, mask, related) if scale == "right" else None
    unreached = all(mode_at(module, f.node) == "eval" for f in related) and only_trains(module, use.reader.block)
    parts = Parts(module, use.reader.block, product, text)
    same = bool(draw.like) and (draw.like == text or not text)
    index = product.index
    on_any_device = index or product.written  # a mask on the CPU may index a tensor on any device
    return replace(
        base,
        kind="index" if index else "mask" if product.use is draw.node else "product",
        scale=scale,
        compensated=bool(related) and not unreached,
        unreached=bool(related) and unreached,
        shape="vector" if draw.vector else "same" if same else "sample" if per_sample(module, draw, text) else "other",
        data=parts.data,
        scaled=module.lines.span(scaled.node) if scaled is not None else None,
        scaled_data=module.lines.span(scaled.data) if scaled is not None else None,
        division=parts.division(),
        creation=parts.creation() if not on_any_device else None,
        device_of=parts.device_of() if not on_any_device else "",
        cast=parts.cast() if not on_any_device else None,
        rate=parts.rate(),
        complement=parts.complement(),
        scalable=parts.scalable(),
        uniform=parts.uniform(),
        sizes=parts.sizes(),
        lines=parts.lines(),
        entry=parts.entry(),
        rate_parameter=parts.rate_parameter(),
        torch=parts.torch(),
    )


def _scaled_in_eval(module: SourceModule, mask: Mask, factors: list[Factor]) -> Factor | None:
    """The multiplication by the probability to keep in the evaluation branch; None if there is none."""
    for factor in factors:
        scales = factor.value == mask.one and not factor.divides and factor.node in module.scopes.parents
        if scales and mode_at(module, factor.node) == "eval":
            return factor
    return None


def _zoneout(module: SourceModule, reader: Reader, found: Zoneout) -> MaskSite | None:
    first, second = found.first, found.second
    mask = first.mask
    if mask is None or first.data is None or second.data is None or found.node not in module.scopes.parents:
        return None
    fact = _fact(module, reader, mask.draw, mask, found.node)
    if not any("zoneout" in word or word == "zone" for word in fact.words):
        inputs = (first.data, second.data)
        computed = any(isinstance(one, ast.Call) or _is_computed(reader, one) for one in inputs)
        return replace(fact, kind="mix") if computed and not any(map(_is_fixed, inputs)) else None
    if mask.one is None or not mask.one.symbol or "keep" in fact.words:
        return None
    new = _newer(module, reader, first.data, second.data)
    if new is None:
        return None
    new_with_rate = (new is first.data) == (mask.one.coefficient > 0)
    return replace(fact, kind="zoneout", exchanged=new_with_rate)


def _is_fixed(node: ast.expr) -> bool:
    """Whether a mixed value is a number or belongs to the object, as the embedding that replaces a token."""
    return not any(isinstance(n, ast.Name) for n in walk(node)) or isinstance(node, ast.Attribute)


def _is_computed(reader: Reader, node: ast.expr) -> bool:
    """Whether a name is bound to the result of a call of the instance's layers."""
    bindings = reader.block.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
    return any(isinstance(b.value, ast.Call) for b in bindings)


def _newer(module: SourceModule, reader: Reader, first: ast.expr, second: ast.expr) -> ast.expr | None:
    """The newer of two states: computed by a call that takes the other, or newer by its name."""
    texts = [module.lines.code(first), module.lines.code(second)]
    made = []
    for node, other in ((first, texts[1]), (second, texts[0])):
        bindings = reader.block.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
        calls = [b.value for b in bindings if isinstance(b.value, ast.Call)]
        made.append(any(isinstance(n, ast.Name) and n.id == other for c in calls for n in walk(c)))
    if made[0] != made[1]:
        return first if made[0] else second
    named = [bool(words(re.sub(r"\d+", "", t)) & _NEW) for t in texts]
    older = [bool(words(t) & _OLD) for t in texts]
    if named[0] != named[1] and (older[0] or older[1]):
        return first if named[0] else second
    return None
