"""What holds for all tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what a CI service sets to get colours, so that output is as it is when piped; leave no cache behind."""
    for variable in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DROPOUT_LINT_NO_CACHE", "1")
    monkeypatch.delenv("DROPOUT_LINT_CACHE_DIR", raising=False)
