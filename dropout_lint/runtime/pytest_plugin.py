"""Two fixtures for the tests of a model. Nothing of torch is imported before one of them is used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import nn

    from dropout_lint.runtime import Report


@pytest.fixture
def check_dropout() -> Callable[..., Report]:
    """``check_dropout(model, *inputs, **options)`` fails the test with the table of findings, unless there are none.

    Takes what ``dropout_lint.runtime.check`` takes, and returns its report.
    """

    def run(model: nn.Module, *inputs: Any, **options: Any) -> Report:
        from dropout_lint.runtime import check

        report = check(model, *inputs, **options)
        if not report:
            pytest.fail(
                f"dropout or modes of {type(model).__name__} do not work as they should\n{report}", pytrace=False
            )
        return report

    return run


@pytest.fixture
def assert_mode_preserved() -> Callable[[nn.Module], contextlib.AbstractContextManager[None]]:
    """``with assert_mode_preserved(model): evaluate(model)`` fails if any module is left in another mode (DRP290)."""

    @contextlib.contextmanager
    def run(model: nn.Module) -> Iterator[None]:
        before = {name: module.training for name, module in model.named_modules()}
        yield
        now = {name: module.training for name, module in model.named_modules()}
        changed = [name for name, mode in before.items() if now.get(name, mode) != mode]
        if changed:
            mode = "train" if now[changed[0]] else "eval"
            what = f"`{changed[0]}`" if changed[0] else f"the {type(model).__name__}"
            more = f" and {len(changed) - 1} more modules" if changed[1:] else ""
            pytest.fail(f"DRP290: {what}{more} came back in {mode} mode", pytrace=False)

    return run
