"""The engine that runs a model and measures: ``check`` once, ``watch`` during a real run.

Importing this package imports no torch; using it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lint.runtime.checker import check
    from dropout_lint.runtime.report import Report
    from dropout_lint.runtime.watcher import watch

__all__ = ["Report", "check", "watch"]
_HOMES = {"Report": "report", "check": "checker", "watch": "watcher"}


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that a test run that never uses it does not pay for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
