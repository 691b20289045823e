"""Recognizes calls that draw random numbers, fill a tensor with one value, or convert a mask."""

from __future__ import annotations

import ast
import re

from dropout_lint.source.masks.algebra import Draw, Sampler
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import walk

_DRAW = re.compile(r"\brandn?(?:_like)?\(|torch\.normal\(|bernoulli|Bernoulli|(?<!init\.)(?:uniform|normal)_\(")
_DRAW_WORDS = ("rand(", "randn(", "_like(", "ernoulli", "uniform_(", "normal_(", "torch.normal(")
_DRAWS: dict[str, Sampler] = {
    "torch.rand": "uniform",
    "torch.rand_like": "uniform",
    "torch.randn": "normal",
    "torch.randn_like": "normal",
    "torch.normal": "normal",
    "torch.bernoulli": "bernoulli",
}
_METHODS: dict[str, Sampler] = {
    "uniform_": "uniform",
    "normal_": "normal",
    "bernoulli_": "bernoulli",
    "bernoulli": "bernoulli",
}
_SAMPLES = {"torch.distributions.Bernoulli().sample", "torch.distributions.bernoulli.Bernoulli().sample"}
_LIKE = {
    "torch.rand_like",
    "torch.randn_like",
    "torch.empty_like",
    "torch.zeros_like",
    "torch.ones_like",
    "torch.full_like",
}
_CREATIONS = {"torch.rand", "torch.randn", "torch.empty", "torch.zeros", "torch.ones", "torch.full"}
SIZED = {"empty", "zeros", "ones", "full", "rand", "randn", "new_empty", "new_zeros", "new_ones", "new_full", "new"}
FILLS = {"full": 1, "full_like": 1, "new_full": 1, "fill_": 0}
"""Calls that make a tensor of one value, with the position of the value."""
_VECTORS = {"torch.FloatTensor", "torch.Tensor", "torch.HalfTensor", "torch.cuda.FloatTensor"}

# fmt: off
TRANSPARENT = {
    "to", "float", "half", "double", "bool", "byte", "int", "long", "type", "type_as", "cuda", "cpu",
    "unsqueeze", "squeeze", "view", "reshape", "expand", "expand_as", "repeat", "contiguous", "detach", "clone",
    "requires_grad_", "permute", "transpose", "t", "flatten", "bfloat16", "view_as", "unsqueeze_", "data",
    "tile",
}
# fmt: on
"""Methods that do not change the values of a mask."""
_MOVES = {"to", "cuda", "type_as", "type", "cpu"}


def draws(text: str) -> bool:
    """Whether the text of a function mentions a random draw."""
    return any(word in text for word in _DRAW_WORDS) and _DRAW.search(text) is not None


def last_name(call: ast.Call) -> str:
    """The last part of the callee's name."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def draw_of(module: SourceModule, call: ast.Call, block: Block) -> Draw | None:
    """The draw of a call; None if the call draws nothing."""
    resolved = module.scopes.resolve(call.func, block)
    sampler = _DRAWS.get(resolved)
    if sampler is None and isinstance(call.func, ast.Attribute):
        if call.func.attr in _METHODS and not resolved.startswith(("numpy", "random", "torch.nn.init")):
            sampler = _METHODS[call.func.attr] if not resolved or resolved.startswith("torch.") else None
        elif resolved in _SAMPLES:
            sampler = "bernoulli"
    if sampler is None:
        return None
    draw = Draw(call, block, sampler, call)
    for node in walk(call):
        if isinstance(node, ast.Call) and _creation(module, draw, node, block):
            break
    return draw


def _creation(module: SourceModule, draw: Draw, call: ast.Call, block: Block) -> bool:
    name = module.scopes.resolve(call.func, block)
    first = call.args[0] if call.args else None
    if name in _LIKE and first is not None:
        draw.creation, draw.like = call, module.lines.code(first)
        return True
    if name in _VECTORS and isinstance(first, (ast.Tuple, ast.List)):
        draw.creation, draw.vector = call, True
        return True
    if (name in _CREATIONS or last_name(call) in SIZED) and first is not None:
        draw.creation = call
        bare = first.value if isinstance(first, ast.Starred) else first
        whole = bare.func if isinstance(bare, ast.Call) and not bare.args else bare
        sized = isinstance(whole, ast.Attribute) and whole.attr in {"shape", "size"}
        if sized and isinstance(whole, ast.Attribute) and (isinstance(bare, ast.Call) == (whole.attr == "size")):
            draw.like, draw.shape = module.lines.code(whole.value), first
        return True
    return False


def per_sample(module: SourceModule, draw: Draw, data: str) -> bool:
    """Whether a draw has one number for each sample of a tensor: ``torch.rand(x.shape[0], 1, 1)``."""
    sizes = draw.creation.args
    if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
        sizes = sizes[0].elts
    first, *others = [module.lines.code(size) for size in sizes] or [""]
    return first in {f"{data}.shape[0]", f"{data}.size(0)", f"len({data})"} and bool(others) and set(others) == {"1"}


def device_source(module: SourceModule, draw: Draw) -> str:
    """The tensor whose shape a draw on the default device takes; "" if that is not proven."""
    call = draw.creation
    if module.scopes.resolve(call.func, draw.block) not in _CREATIONS or draw.moved:
        return ""
    if any(k.arg in {None, "device", "out"} for k in call.keywords):
        return ""
    for argument in call.args:
        for node in walk(argument):
            if isinstance(node, ast.Attribute) and node.attr in {"shape", "size"}:
                return module.lines.code(node.value) if isinstance(node.value, (ast.Name, ast.Attribute)) else ""
    return ""


def note_conversion(draw: Draw, call: ast.Call) -> None:
    """Note a change of device or type of a mask in its draw."""
    name = last_name(call)
    draw.moved = draw.moved or name in _MOVES
    if name == "float":
        draw.float_cast = call
    elif name in {"to", "type_as", "type", "half", "double", "bool", "byte", "bfloat16", "long", "int"}:
        draw.float_cast = None
