"""The number of dimensions of a value after an operation, if it is certain."""

from __future__ import annotations

import ast
import re

_CONV = re.compile(r"torch\.nn\.(?:functional\.)?(?:Lazy)?[Cc]onv(?:_?[Tt]ranspose)?([123])d$")
_POOL = re.compile(r"torch\.nn\.(?:functional\.)?(?:Adaptive|adaptive_)?(?:Max|Avg|max_|avg_)[Pp]ool([123])d$")
_NORM = {"torch.nn.BatchNorm2d": 4, "torch.nn.BatchNorm3d": 5, "torch.nn.InstanceNorm2d": 4}
_RNN = {"torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN"}
_CHANGES = {
    *(".permute", ".transpose", ".unsqueeze", ".squeeze", ".reshape", ".view", ".flatten", ".sum", ".mean", ".max"),
    *("torch.flatten", "torch.squeeze", "torch.unsqueeze", "torch.reshape", "torch.mean", "torch.sum", "torch.max"),
    *(".unflatten", ".expand", ".repeat", ".unfold", "torch.matmul", ".matmul", "unknown"),
    *(
        "torch.nn.functional.fold",
        "torch.nn.functional.unfold",
        "torch.nn.Unfold",
        "torch.nn.Fold",
        "torch.nn.Embedding",
    ),
}


def rank_after(kind: str, before: int | None, node: ast.AST) -> int | None:
    """The rank of an operation's result from that of its operand; None if not certain.

    Inputs of convolutions, poolings and RNNs are taken to be batched.
    """
    spatial = _CONV.match(kind) or _POOL.match(kind)
    if spatial:
        return int(spatial.group(1)) + 2
    if kind in _NORM:
        return _NORM[kind]
    if kind in _RNN:
        return 3
    if kind == "torch.nn.Embedding":
        return None if before is None else before + 1
    if kind == "torch.nn.Flatten":
        return 2 if isinstance(node, ast.Call) and not node.args and not node.keywords else None
    if kind == "index":
        return _indexed(before, node)
    if isinstance(node, ast.Call) and kind in {".view", ".reshape", "torch.reshape", ".flatten", "torch.flatten"}:
        return _reshaped(kind, node)
    if kind in {".transpose", ".permute"}:
        return before
    if isinstance(node, ast.Call) and kind.rpartition(".")[2] in _REDUCES:
        return _reduced(kind, before, node)
    return None if kind in _CHANGES or kind.startswith("unknown") else before


_REDUCES = {"amax", "amin", "mean", "sum", "std", "var", "logsumexp"}


def _reduced(kind: str, before: int | None, call: ast.Call) -> int | None:
    sizes = call.args[1:] if kind.startswith("torch.") else call.args
    along = next((k.value for k in call.keywords if k.arg in {"dim", "axis"}), sizes[0] if sizes else None)
    if before is None or along is None or len(sizes) > 1 or any(k.arg == "keepdim" for k in call.keywords):
        return None
    count = len(along.elts) if isinstance(along, (ast.Tuple, ast.List)) else 1
    known = isinstance(along, (ast.Tuple, ast.List, ast.Constant, ast.UnaryOp))
    return before - count if known else None


def _reshaped(kind: str, call: ast.Call) -> int | None:
    sizes = call.args[1:] if kind.startswith("torch.") else call.args
    if kind.endswith("flatten"):
        start = next((k.value for k in call.keywords if k.arg == "start_dim"), sizes[0] if sizes else None)
        one = isinstance(start, ast.Constant) and start.value == 1
        return 2 if one and len(sizes) <= 1 and not any(k.arg == "end_dim" for k in call.keywords) else None
    if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
        sizes = list(sizes[0].elts)
    elif len(sizes) == 1:
        return 1 if isinstance(sizes[0], (ast.Constant, ast.UnaryOp)) else None
    return None if any(isinstance(s, ast.Starred) for s in sizes) or not sizes else len(sizes)


def _indexed(before: int | None, node: ast.AST) -> int | None:
    if before is None or not isinstance(node, ast.Subscript):
        return None
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    removed = 0
    for part in parts:
        if isinstance(part, ast.Slice):
            continue
        if isinstance(part, ast.UnaryOp) or (isinstance(part, ast.Constant) and isinstance(part.value, int)):
            removed += 1
        else:
            return None
    return before - removed
