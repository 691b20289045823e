"""Two fixtures for the tests of a model. Torch is imported when one of them is used."""

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
            from dropout_lint.diagnostic import NO_PLACE
            from dropout_lint.facts.observations import ModesNotRestored
            from dropout_lint.model_linting.run_findings import check_observations

            seen = ModesNotRestored(NO_PLACE, tuple(changed), type(model).__name__, now[changed[0]])
            texts = [f"{found.code}: {found.message.removesuffix('.')}" for found in check_observations([seen])]
            pytest.fail("\n".join(texts), pytrace=False)

    return run
