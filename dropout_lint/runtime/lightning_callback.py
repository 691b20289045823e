"""Watch a model that a Lightning Trainer trains: ``Trainer(callbacks=[WatchModes()])``. Needs ``lightning``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer  # type: ignore[import-not-found, unused-ignore]

from dropout_lint.runtime.report import Report
from dropout_lint.runtime.watcher import watch


class WatchModes(Callback):  # type: ignore[misc]
    """Warns of mistakes with modes while ``fit`` runs, and keeps them in ``report``; ``allow`` as for ``watch``."""

    def __init__(self, allow: Collection[str] = ()) -> None:
        self.report = Report()
        self._allow = allow
        self._watch: watch | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start watching."""
        self._watch = watch(pl_module, self._allow).__enter__()
        self.report = self._watch.report

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop watching."""
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Stop watching."""
        self._stop()

    def _stop(self, *_: Any) -> None:
        if self._watch is not None:
            self._watch.__exit__()
            self._watch = None
