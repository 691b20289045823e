"""Questions about the modules of a model: paths, which of them drop and at what rate, and which are not registered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from dropout_lint.vocabulary import KEEP_WORDS, words

RATES = (
    "p",
    "drop_prob",
    "prob",
    "drop_rate",
    "rate",
    "dropout",
    "dropout_p",
    "dropout_rate",
    "dropout_prob",
    "p_drop",
)
"""Attributes that hold the rate of a handwritten dropout module, the likeliest first."""
CONTAINERS = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dropout layer: its path ("blocks.0.drop"), the attribute of its rate ("p"), and the rate."""

    path: str
    module: nn.Module
    attribute: str
    rate: float

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.module).__name__

    @property
    def drops_paths(self) -> bool:
        """Whether its name is one for stochastic depth, which drops whole samples."""
        named = words(self.kind)
        return (
            {"drop", "path"} <= named
            or {"stochastic", "depth"} <= named
            or bool(re.search("droppath|dropsample|stochdepth", self.kind.lower()))
        )

    @property
    def is_torch(self) -> bool:
        """Whether it is one of torch's own dropout classes, whose arithmetic is not tested."""
        return type(self.module).__module__ == "torch.nn.modules.dropout"


def paths(model: nn.Module) -> dict[int, str]:
    """The path of each registered module by ``id``; its first path if it has several, and "" for the model."""
    return {id(module): name for name, module in model.named_modules()}


def is_dropout_like(module: nn.Module) -> bool:
    """Whether a module is a dropout: by its class, or a leaf without parameters and with "drop" in its name."""
    if isinstance(module, _DropoutNd):
        return True
    if next(module.children(), None) is not None or next(module.parameters(), None) is not None:
        return False
    named = words(type(module).__name__)
    return (
        any(word.startswith("drop") or word.endswith("dropout") for word in named) or {"stochastic", "depth"} <= named
    )


def rate_of(module: nn.Module) -> tuple[str, float] | None:
    """Attribute and value of a module's drop rate, or None if no attribute is a probability of dropping."""
    for name in RATES:
        value = getattr(module, name, None)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return name, float(value)
    return None


def answers_by_mode(module: nn.Module) -> bool:
    """Whether train and eval mode change the output of a module: a batch norm, or a dropout with a rate."""
    rate = rate_of(module) if is_dropout_like(module) else None
    return isinstance(module, BATCH_NORMS) or (rate is not None and rate[1] > 0)


def is_frozen(module: nn.Module) -> bool:
    """Whether a module has parameters and trains none of them."""
    parameters = list(module.parameters())
    return bool(parameters) and not any(p.requires_grad for p in parameters)


def leaves(model: nn.Module) -> list[Leaf]:
    """The dropout layers of a model that have a rate."""
    found = []
    for path, module in model.named_modules():
        rate = rate_of(module) if is_dropout_like(module) else None
        if rate is not None:
            found.append(Leaf(path, module, *rate))
    return found


def configured_rates(model: nn.Module) -> dict[tuple[str, str], float]:
    """Every float attribute that is named as a drop rate, by module path and attribute."""
    found = {}
    for path, module in model.named_modules():
        known = RATES if is_dropout_like(module) else ()
        for name, value in vars(module).items():
            if isinstance(value, float) and 0 <= value <= 1 and (name in known or names_drop_rate(name)):
                found[path, name] = value
    return found


def names_drop_rate(name: str) -> bool:
    """Whether an attribute is named as a probability of dropping, such as ``drop_rate``, and not of keeping."""
    named = words(name)
    return any(word.startswith("drop") for word in named) and not named & KEEP_WORDS


def unregistered(model: nn.Module) -> Iterator[tuple[nn.Module, str, str, nn.Module]]:
    """Modules that torch does not register, since a list, dict or class body has them.

    Yields the owner, its path, the item of the owner such as "layers[2]", and the module.
    """
    registered = {id(module) for module in model.modules()}
    for path, owner in model.named_modules():
        own = [pair for pair in vars(owner).items() if pair[0] not in {"_modules", "_parameters", "_buffers"}]
        of_classes = [pair for cls in type(owner).__mro__ if not _is_torch(cls) for pair in vars(cls).items()]
        for name, value in [*own, *of_classes]:
            for item, module in _contained(value, name):
                if id(module) not in registered:
                    yield owner, path, item, module


def _is_torch(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in {"torch", "builtins", "typing", "abc"}


def _contained(value: Any, name: str) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(value, nn.Module):
        yield name, value
    elif isinstance(value, Mapping) and len(value) < 1000:
        for key, item in list(value.items()):
            if isinstance(item, nn.Module | list | tuple | dict):
                yield from _contained(item, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple | set) and len(value) < 1000:
        for index, item in enumerate(value):
            if isinstance(item, nn.Module | list | tuple | dict):
                yield from _contained(item, f"{name}[{index}]")
