"""Trace a model with the best tracer that works for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import nn

from dropout_lint.graph import execution, fake, symbolic
from dropout_lint.graph.builder import Traced, TraceError
from dropout_lint.graph.kinds import is_leaf, module_kind
from dropout_lint.torch_api.signatures import DROPOUT_MODULES

ON_FAKE = "execution on fake tensors"


@dataclass(frozen=True, slots=True)
class TracedModel:
    """The graphs of a model in both modes; ``evaluation`` is None if only train mode could be traced."""

    training: Traced
    evaluation: Traced | None
    how: str
    """The tracer that was used: "execution", "execution on fake tensors", "fx" or "fx with leaves"."""
    not_seen: tuple[str, ...]
    """Parts that no tracer could look into, as phrases."""


def trace_model(model: nn.Module, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> TracedModel:
    """Trace a model in train and in eval mode: by running it where there are arguments, with torch.fx otherwise.

    Raises TraceError with the reason if no tracer succeeds. The mode of every module is restored.
    """
    with _modes_kept(model):
        if args or kwargs:
            return _run(model, args, dict(kwargs or {}))
        return _symbolic(model)


def _run(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TracedModel:
    on_fake = fake.is_fake(model) or fake.is_huge(model)
    source = fake.running(model, args, kwargs) if on_fake else nullcontext((model, args, kwargs))
    how = ON_FAKE if on_fake else "execution"
    notes: list[str] = []
    with source as (subject, its_args, its_kwargs):
        modes: tuple[tuple[Callable[[nn.Module], None], str], ...] = (
            (_train, ""),
            (_train_but_norms, "its forward fails while its normalizations train"),
            (_dropouts_alone, "its forward fails in train mode, so this is eval mode with the dropout layers on"),
        )
        training, reason = None, ""
        for switch, note in modes:
            switch(subject)
            training, error = _attempt(subject, its_args, its_kwargs, how)
            reason = reason or error
            if training is not None:
                notes += [f"{note} ({reason})"] if note else []
                break
        if training is None:
            raise TraceError(f"its forward raised {reason}")
        subject.eval()
        evaluation, error = _attempt(subject, its_args, its_kwargs, how)
    if evaluation is None:
        notes.append(f"its forward fails in eval mode ({error})")
    return TracedModel(training, evaluation, how, (*notes, *training.not_seen))


def _attempt(model: nn.Module, args: Any, kwargs: Any, how: str) -> tuple[Traced | None, str]:
    try:
        return execution.trace(model, args, kwargs, how), ""
    except TraceError:
        raise
    except Exception as error:  # user code may raise anything; the caller tries another way
        return None, _reason(error)


def _symbolic(model: nn.Module) -> TracedModel:
    reason = ""
    for leaves in (False, True):
        try:
            model.train()
            training = symbolic.trace(model, leaves=leaves)
            model.eval()
            evaluation = symbolic.trace(model, leaves=leaves)
        except Exception as error:  # user code that meets a Proxy may raise anything
            reason = _reason(error)
        else:
            return TracedModel(training, evaluation, training.graph.seen, training.not_seen)
    raise TraceError(f"it needs an input to be traced; torch.fx alone fails with {reason}")


def _reason(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__


def _train(model: nn.Module) -> None:
    model.train()


def _train_but_norms(model: nn.Module) -> None:
    model.train()
    for module in model.modules():
        if "Norm" in type(module).__name__ and hasattr(module, "running_mean"):
            module.training = False


def _dropouts_alone(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if is_leaf(module) and module_kind(module) in DROPOUT_MODULES:
            module.training = True


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
