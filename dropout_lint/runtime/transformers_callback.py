"""Watch a model that a Hugging Face Trainer trains: ``Trainer(callbacks=[WatchModes()])``. Needs ``transformers``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from transformers import (  # type: ignore[import-not-found, unused-ignore]
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from dropout_lint.runtime.report import Report
from dropout_lint.runtime.watcher import watch


class WatchModes(TrainerCallback):  # type: ignore[misc]
    """Warns of mistakes with modes while ``train`` runs, and keeps them in ``report``; ``allow`` as for ``watch``."""

    def __init__(self, allow: Collection[str] = ()) -> None:
        self.report = Report()
        self._allow = allow
        self._watch: watch | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start watching."""
        self._watch = watch(kwargs["model"], self._allow).__enter__()
        self.report = self._watch.report

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.__exit__()
            self._watch = None
