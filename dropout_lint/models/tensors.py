"""Build the tensors that input specifications describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dropout_lint.targets.inputs import DEFAULT_HIGH, INTEGERS, InputSpec

if TYPE_CHECKING:
    import torch


def build(specs: Sequence[InputSpec], device: str = "cpu") -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """Build ``(args, kwargs)`` for ``forward``: normal floats and uniform integers, equal at every call."""
    import torch

    generator = torch.Generator().manual_seed(0)
    args: list[torch.Tensor] = []
    kwargs: dict[str, torch.Tensor] = {}
    for spec in specs:
        tensor = _tensor(torch, spec, generator).to(device)
        if spec.keyword:
            kwargs[spec.keyword] = tensor
        else:
            args.append(tensor)
    return tuple(args), kwargs


def _tensor(torch: Any, spec: InputSpec, generator: torch.Generator) -> torch.Tensor:
    dtype = getattr(torch, spec.dtype)
    if spec.dtype in INTEGERS or spec.dtype == "bool":
        return torch.randint(0, spec.high or DEFAULT_HIGH, spec.shape, generator=generator).to(dtype)  # type: ignore[no-any-return]
    real = torch.complex64 if dtype.is_complex else torch.float32
    return torch.randn(spec.shape, generator=generator, dtype=real).to(dtype)  # type: ignore[no-any-return]
