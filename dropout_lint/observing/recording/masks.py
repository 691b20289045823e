"""Read the mask from the outputs of a dropout on ones: how much was zeroed, in how many units, and the scale."""

from __future__ import annotations

import torch

from dropout_lint.facts.observations import MaskReading

_BLOCK_CORRELATION = 0.2
_OVERDISPERSION = 5.0


def read(runs: torch.Tensor) -> MaskReading | None:
    """Read the outputs of several runs on ones, stacked along dimension 0 (shape: runs, batch, ...).

    None if nothing was kept.
    """
    zero = runs == 0
    if bool(zero.all()):
        return None
    low, high = float(runs.where(~zero, torch.inf).min()), float(runs.where(~zero, -torch.inf).max())
    dims = range(1, runs.dim())
    if not bool(zero.any()):
        shared = tuple(dim - 1 for dim in dims)
        return MaskReading(0, runs.shape[0], shared, low, high, blocks=False)
    shared = tuple(dim - 1 for dim in dims if runs.shape[dim] > 1 and _constant(zero, dim))
    units = zero
    for dim in shared:
        units = units.narrow(dim + 1, 0, 1)
    return MaskReading(int(units.sum()), units.numel(), shared, low, high, _dependent(units))


def _constant(zero: torch.Tensor, dim: int) -> bool:
    return bool((zero == zero.narrow(dim, 0, 1)).all())


def _dependent(units: torch.Tensor) -> bool:
    """Whether units are not independent: neighbours agree, or whole runs differ, more than chance allows."""
    values = units.float()
    variance = float(values.var())
    if variance == 0:
        return False
    centred = values - values.mean()
    for dim in range(1, values.dim()):
        size = values.shape[dim]
        if size > 2 and values.numel() > 1000:
            product = centred.narrow(dim, 1, size - 1) * centred.narrow(dim, 0, size - 1)
            if float(product.mean()) / variance > _BLOCK_CORRELATION:
                return True
    each = units[0].numel()
    if each < 20 or values.shape[0] < 8:
        return False
    between = float(values.flatten(1).mean(1).var())
    return between > _OVERDISPERSION * max(variance / each, 1e-12)
