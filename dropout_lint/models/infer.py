"""Find inputs for a model: those of its target, or a guess from its first layers and the parameters of ``forward``.

A guess is used only if ``forward`` accepts it, in eval mode and without gradients. Runs in the child process.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from dropout_lint.models.layer_inputs import BATCH, LENGTH, Guess, guesses, usual_images
from dropout_lint.models.load import LoadedModel
from dropout_lint.models.reasons import error_text, user_line
from dropout_lint.models.tensors import build
from dropout_lint.targets.inputs import InputSpec

if TYPE_CHECKING:
    from torch import nn

    from dropout_lint.targets.target import ModelTarget

_TOKENS = frozenset({"input_ids", "decoder_input_ids", "token_ids", "ids", "tokens", "words", "text"})
_STEPS = frozenset({"t", "timestep", "timesteps", "time", "step", "steps"})
_LENGTHS = frozenset({"lengths", "length", "lens", "x_lengths", "input_lengths"})
_MAIN = ("input_ids", "pixel_values", "input_values", "input_features", "inputs_embeds")
"""Names of the main input where all parameters of ``forward`` have defaults."""
_IMAGE = 4
"""Number of dimensions of a batch of images."""
_LAYERS = 6
_TRIES = 40


def example_inputs(model: nn.Module, target: ModelTarget) -> LoadedModel:
    """Add the inputs of the target to the model, else the first guess that ``forward`` accepts.

    If it accepts none, the result has no inputs and gives the reason in ``no_inputs``; nothing is raised.
    """
    if target.inputs:
        args, kwargs = build(target.inputs)
        return LoadedModel(model, args, kwargs, target, "given")
    needed, *others = _needed(model)
    if not needed:
        return LoadedModel(model, (), {}, target, "`forward`, which needs none")
    refusal = ""
    for guess in islice(chain.from_iterable(_for_parameters(model, names) for names in (needed, *others)), _TRIES):
        args, kwargs = build(guess.specs)
        problem = _refusal(model, args, kwargs)
        shown = " ".join(map(str, guess.specs))
        if problem is None:
            return LoadedModel(model, args, kwargs, target, f"inferred from {guess.words}: {shown}")
        refusal = (
            refusal
            or f"`forward` refused {shown}, inferred from {guess.words}: {error_text(problem)}{user_line(problem)}"
        )
    return LoadedModel(model, (), {}, target, no_inputs=refusal)


def _needed(model: nn.Module) -> list[list[str]]:
    """Alternative lists of the parameters to fill, the likeliest first; names passed by keyword end in ``=``."""
    try:
        parameters = inspect.signature(model.forward).parameters
    except (TypeError, ValueError):
        return [["input"]]
    needed = [
        f"{p.name}=" if p.kind is p.KEYWORD_ONLY else p.name
        for p in parameters.values()
        if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    ]
    if needed:
        return [needed]
    main = [name for name in (getattr(model, "main_input_name", None), *_MAIN) if name in parameters][:1]
    if "decoder_input_ids" in parameters and getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        main.append("decoder_input_ids")
    choices = [main]
    if {"input_ids", "pixel_values"} <= set(parameters):
        choices.append(["input_ids", "pixel_values"])
    return [[f"{name}=" for name in names] for names in choices]


def _for_parameters(model: nn.Module, needed: list[str]) -> Iterator[Guess]:
    """Guesses with an input for each parameter, those from the first layer first, without duplicates."""
    layers = list(guesses(model))
    tables = [guess for layer in layers for guess in layer if guess.specs[0].dtype == "int64"]
    images = [guess for layer in layers for guess in layer if len(guess.specs[0].shape) == _IMAGE]
    seen = set()
    for layer in (*layers[:_LAYERS], usual_images()):
        for guess in layer:
            if needed[0].rstrip("=") in _TOKENS and tables:
                guess = tables[0]
            guess = replace(guess, specs=tuple(_for_parameter(name, guess.specs[0], tables, images) for name in needed))
            if guess.specs not in seen:
                seen.add(guess.specs)
                yield guess


def _for_parameter(name: str, first: InputSpec, tables: list[Guess], images: list[Guess]) -> InputSpec:
    """A guess for one parameter: ``first``, unless its name suggests another input, such as a mask."""
    bare = name.rstrip("=")
    spec = first
    if bare in _TOKENS:
        spec = tables[0].specs[0] if tables else InputSpec("int64", (BATCH, LENGTH))
    elif bare == "pixel_values" and images:
        spec = first if len(first.shape) == _IMAGE else images[0].specs[0]
    elif bare in _STEPS:
        spec = InputSpec("int64", (BATCH,))
    elif bare in _LENGTHS:
        spec = InputSpec("int64", (BATCH,), LENGTH)
    elif "mask" in bare:
        spec = InputSpec("bool", first.shape[:2])
    return replace(spec, keyword=bare if name.endswith("=") else "")


def _refusal(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception | None:
    """The exception of ``forward`` in eval mode, or None. Modes and random state are restored."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            model.eval()
            model(*args, **kwargs)
    except Exception as problem:
        return problem
    finally:
        for module, training in modes:
            module.training = training
    return None
