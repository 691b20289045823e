"""The public interface for tests and training code: ``check`` a model once, ``watch`` it during a real run.

Importing this package imports no torch; using it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lint.observing.devices import NoDeviceError
    from dropout_lint.runtime.checker import check
    from dropout_lint.runtime.report import Report
    from dropout_lint.runtime.watcher import watch

__all__ = ["NoDeviceError", "Report", "check", "watch"]
_HOMES = {
    "NoDeviceError": "dropout_lint.observing.devices",
    "Report": "dropout_lint.runtime.report",
    "check": "dropout_lint.runtime.checker",
    "watch": "dropout_lint.runtime.watcher",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that a test run without it does not import torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
