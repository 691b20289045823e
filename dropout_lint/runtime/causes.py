"""Why a random number is drawn in eval mode: from a draw and its surroundings to a rule and a sentence."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812
from torch import nn

from dropout_lint.runtime import calls
from dropout_lint.runtime.draws import Draw, Use
from dropout_lint.runtime.modules import is_dropout_like

_DRAWING = (nn.modules.rnn.RNNBase, nn.MultiheadAttention, nn.RReLU)


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule's code and the sentence for a reader; ``is_noise`` if the model may well be meant to be random."""

    code: str
    message: str
    is_noise: bool = False


def cause_of(draw: Draw, held: Collection[int], stays: Collection[int], names: Mapping[int, str]) -> Cause | None:
    """The cause of a draw; None if a check of modes reports it.

    ``held`` has the ``id`` of each module that a plain container holds, ``stays`` of each unregistered one that a
    second forward pass calls again; ``names`` are the paths of the registered modules.
    """
    module = draw.module
    if module is not None and (is_dropout_like(module) or isinstance(module, _DRAWING)) and module.training:
        kind = type(module).__name__
        if id(module) in names:
            return None  # eval() did not reach it: the check of modes says so
        if id(module) in held:
            return None
        if id(module) in stays:
            return Cause("DRP104", f"{kind} is not registered in the model, so `eval()` does not reach it")
        return Cause("DRP103", f"{kind} is built anew in each forward pass, always in train mode")
    if draw.function is F.scaled_dot_product_attention:
        return Cause("DRP102", "Attention drops weights in eval mode: `dropout_p` is applied whatever the mode is")
    if draw.function in calls._FUNCTIONS:
        return _functional(draw)
    if draw.use is Use.MASK and (module is None or is_dropout_like(module) or draw.path is not None):
        return Cause("DRP501", "A random mask is multiplied in, in eval mode too: nothing asks for the mode")
    if draw.use is Use.CHOICE:
        return Cause("DRP501", "What runs is decided by chance, in eval mode too: nothing asks for the mode")
    what = getattr(draw.function, "__name__", draw.operator)
    return Cause("DRP190", f"`{what}` draws random numbers in eval mode; no sign that this is dropout", is_noise=True)


def _functional(draw: Draw) -> Cause:
    name = getattr(draw.function, "__name__", draw.operator)
    mode = _mode_argument(draw)
    if mode is None:
        return Cause("DRP190", f"`{name}` drops in eval mode")
    if mode == "missing":
        return Cause("DRP101", f"`{name}` is not told the mode, so it drops in eval mode too")
    if mode == "True":
        return Cause("DRP105", f"`{name}` is told `training=True`, so it drops in eval mode too")
    return Cause("DRP106", f"`{name}` drops in eval mode: `{mode}` is true although the model is not in training")


def _mode_argument(draw: Draw) -> str | None:
    """The text of the mode that a call is given, "missing", or None where the source does not show it."""
    try:
        call = ast.parse(textwrap.dedent(draw.place.text).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    text = ast.unparse(call.func).rpartition(".")[2]
    if text != getattr(draw.function, "__name__", ""):
        return None  # an alias, a partial or a module: what it adds is not in this line
    for keyword in call.keywords:
        if keyword.arg in {"training", "train"}:
            return ast.unparse(keyword.value)
    return ast.unparse(call.args[2]) if len(call.args) > 2 else "missing"
