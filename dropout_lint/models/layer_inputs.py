"""Guess the input of a model from its layers: the shapes that each layer takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropout_lint.targets.inputs import InputSpec

if TYPE_CHECKING:
    from torch import nn
    from torch.nn.modules import batchnorm

BATCH = 2
"""Batch size of guesses; a batch norm in train mode needs more than one value per channel."""
LENGTH = 16
"""Length of sequences, below every usual limit of positions."""
_EDGES = {1: (64, 1024, 16_000), 2: (224, 32, 28, 64, 256, 299, 384, 512), 3: (32, 64, 96, 112)}
"""Common edges of signals, images and volumes, by the number of dimensions."""
_UPWARDS = (1, 4, 7, 16)
"""Input edges for a model that begins with a transposed convolution, such as a GAN generator."""
_DECLARED = ("img_size", "image_size", "input_size")


@dataclass(frozen=True, slots=True)
class Guess:
    """Inputs that a model may accept; ``words`` name what suggested them, such as "Conv2d `stem.conv`"."""

    words: str
    specs: tuple[InputSpec, ...]


def guesses(model: nn.Module) -> Iterator[list[Guess]]:
    """For each layer whose input is known, in order of definition: its likely shapes, the likeliest first."""
    seen = set()
    for path, module in model.named_modules():
        shapes = tuple(_accepted(module, model))
        if shapes and shapes not in seen:
            seen.add(shapes)
            words = f"{type(module).__name__} `{path}`" if path else type(module).__name__
            yield [Guess(words, (spec,)) for spec in shapes]
    if not any(True for _ in model.parameters()):
        free: tuple[tuple[int, ...], ...] = ((BATCH, 64), (BATCH, LENGTH, 64), (BATCH, LENGTH, 32, 32))
        yield [Guess("a model without weights", (_floats(*shape),)) for shape in free]


def usual_images() -> list[Guess]:
    """Guesses of images with three channels, for models that cut images into patches before any layer."""
    return [Guess("the usual sizes of images", (_floats(BATCH, 3, edge, edge),)) for edge in _EDGES[2]]


def _accepted(module: nn.Module, model: nn.Module) -> Iterator[InputSpec]:
    from torch import nn
    from torch.nn.modules import batchnorm, conv

    match module:
        case nn.Embedding() | nn.EmbeddingBag():
            yield InputSpec("int64", (BATCH, LENGTH), module.num_embeddings)
        case nn.MultiheadAttention():
            yield _floats(BATCH, LENGTH, module.embed_dim)
        case nn.RNNBase():
            yield _floats(BATCH, LENGTH, module.input_size)
        case nn.RNNCellBase():
            yield _floats(BATCH, module.input_size)
        case conv._ConvNd() if module.in_channels:
            upwards = module.transposed
            for edges in _edges(len(module.kernel_size), model, upwards):
                yield _floats(BATCH, module.in_channels, *edges)
        case nn.Linear() if module.in_features:
            yield _floats(BATCH, module.in_features)
            yield _floats(BATCH, LENGTH, module.in_features)
        case nn.LayerNorm():
            yield _floats(BATCH, LENGTH, *module.normalized_shape)
            yield _floats(BATCH, *module.normalized_shape)
        case batchnorm._BatchNorm() if module.num_features:
            yield from _normalized(module)


def _normalized(module: batchnorm._BatchNorm) -> Iterator[InputSpec]:
    from torch import nn

    if isinstance(module, nn.BatchNorm1d):
        yield _floats(BATCH, module.num_features)
    for dimensions in (1, 2, 3):
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions - 1]):
            yield _floats(BATCH, module.num_features, *[32] * dimensions)


def _edges(dimensions: int, model: Any, upwards: bool) -> Iterator[tuple[int, ...]]:
    if upwards:
        yield from ((edge,) * dimensions for edge in _UPWARDS)
        return
    yield from _declared_edges(dimensions, model)
    yield from ((edge,) * dimensions for edge in _EDGES[dimensions])


def _declared_edges(dimensions: int, model: Any) -> Iterator[tuple[int, ...]]:
    """Image sizes from the usual attributes of a model or its configuration."""
    settings = getattr(model, "pretrained_cfg", None) or getattr(model, "default_cfg", None)
    stated = [settings.get("input_size")] if isinstance(settings, dict) else []
    config = getattr(model, "config", None)
    for owner in (model, config, getattr(config, "vision_config", None), getattr(model, "patch_embed", None)):
        stated += [getattr(owner, name, None) for name in _DECLARED]
    for size in stated:
        if isinstance(size, int):
            yield (size,) * dimensions
        elif isinstance(size, (tuple, list)) and len(size) >= dimensions and all(isinstance(n, int) for n in size):
            yield tuple(size[-dimensions:])


def _floats(*shape: int) -> InputSpec:
    return InputSpec("float32", shape)
