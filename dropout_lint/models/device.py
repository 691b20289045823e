"""The job of ``--device``: check that a device can be used, in a child process, since importing torch may fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dropout_lint.models.reasons import one_line
from dropout_lint.targets.errors import TargetError

if TYPE_CHECKING:
    from dropout_lint.models.load import LoadedModel

_NAMES = {"cuda": "CUDA", "mps": "Apple (mps)"}


def use(_: LoadedModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """Put a tensor on ``options["device"]``; the model of the job is not used. Raises TargetError with the reason."""
    import torch

    name: str = options["device"]
    try:
        device = torch.device(name)
    except RuntimeError:
        raise TargetError(f"PyTorch {torch.__version__} knows no device of this name") from None
    kind = _NAMES.get(device.type, device.type)
    module = torch.mps if device.type == "mps" else getattr(torch, device.type, None)
    count = module.device_count() if module is not None and hasattr(module, "device_count") else 0
    if device.type != "cpu" and not count:
        raise TargetError(f"PyTorch {torch.__version__} finds no {kind} device on this machine")
    if (device.index or 0) >= max(count, 1):
        raise TargetError(f"PyTorch {torch.__version__} finds only {count} {kind} device{'s'[: count != 1]} here")
    try:
        torch.ones(1, device=device).add(1).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as problem:
        raise TargetError(f"the device cannot be used: {one_line(str(problem))}") from None
    return {}
