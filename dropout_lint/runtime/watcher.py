"""``watch(model)``: report mistakes with the modes of a model while it is trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection

from torch import nn

from dropout_lint.diagnostic import Diagnostic, hedged
from dropout_lint.facts.observations import Observation
from dropout_lint.model_linting.run_findings import add_findings
from dropout_lint.observing.watching import Forward, ModeWatcher
from dropout_lint.runtime.report import Report


class ModeWarning(UserWarning):
    """The warning category for mistakes with train and eval mode in a watched run."""


class watch:  # noqa: N801
    """Watch a model while it is trained or evaluated::

        with dropout_lint.runtime.watch(model) as seen:
            train(model)
        assert seen.report

    Each finding is reported once: as a ModeWarning, or to ``on_finding`` if given. ``allow`` names modules, as globs,
    that may be in another mode than the model. Only calls of the model or of its direct children count.
    """

    def __init__(
        self,
        model: nn.Module,
        allow: Collection[str] = (),
        on_finding: Callable[[Diagnostic], object] | None = None,
    ) -> None:
        self.model = model
        self.report = Report()
        self._report_finding = on_finding or _warn
        self._watcher = ModeWatcher(model, allow, self._observed)

    def __enter__(self) -> watch:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watcher.stop()

    @property
    def forwards(self) -> list[Forward]:
        """At most the first 10,000 calls."""
        return self._watcher.forwards

    def _observed(self, observation: Observation) -> None:
        for found in add_findings(self.report.diagnostics, observation):
            self._report_finding(found)


def _warn(diagnostic: Diagnostic) -> None:
    where = f"{diagnostic.path}:{diagnostic.span.line}: " if diagnostic.path else ""
    warnings.warn(f"{where}{diagnostic.code} {hedged(diagnostic)}", ModeWarning, stacklevel=2)
