"""Published models, with an input for each: small ones first, with dropout where they take it."""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Inputs = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Entry:
    """A model by name; ``build`` gives it, ``inputs`` the arguments to try in turn until its forward runs."""

    name: str
    build: Callable[[], Any]
    inputs: Callable[[Any], Iterator[Inputs]]


def zoos() -> dict[str, Callable[[], Iterator[Entry]]]:
    """The libraries."""
    return {
        "timm": _timm,
        "torchvision": _torchvision,
        "transformers": _transformers,
        "vit_pytorch": _vit_pytorch,
        "monai": _monai,
        "segmentation_models_pytorch": _smp,
    }


def published(zoo: str, name: str) -> Entry:
    """A model by name. Raises StopIteration for one that is not listed."""
    if zoo == "timm":
        return Entry(name, lambda: _timm_model(name), _timm_inputs)
    return next(entry for entry in zoos()[zoo]() if entry.name == name)


def _image(*size: int) -> Callable[[Any], Iterator[Inputs]]:
    def inputs(_: Any) -> Iterator[Inputs]:
        import torch

        yield (torch.randn(2, *size),), {}

    return inputs


def _tuples(value: Any) -> Any:
    """Sizes as the constructors want them."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


_SPECIFIED = _tuples(json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")))
"""The arguments of constructors, and the names of configurations that come first."""


# --- timm

_SMALL = (
    "nano",
    "atto",
    "femto",
    "pico",
    "zepto",
    "tiny",
    "micro",
    "xxs",
    "xs",
    "_s0",
    "small",
    "_t",
    "_s",
    "18",
    "_0",
)
_TIMM_RATES = {
    "drop_rate": 0.3,
    "drop_path_rate": 0.2,
    "proj_drop_rate": 0.15,
    "attn_drop_rate": 0.25,
    "pos_drop_rate": 0.12,
}
_TIMM_MODELS = 300


def _timm() -> Iterator[Entry]:
    timm = importlib.import_module("timm")

    families = [sorted(timm.list_models(module=m), key=_size_by_name) for m in sorted(timm.list_modules())]
    rounds = itertools.zip_longest(*families)
    names = [name for turn in rounds for name in turn if name and not _is_large(name)]
    for name in names[:_TIMM_MODELS]:
        yield Entry(name, lambda name=name: _timm_model(name), _timm_inputs)  # type: ignore[misc]


def _size_by_name(name: str) -> tuple[int, str]:
    return next((i for i, part in enumerate(_SMALL) if part in name), len(_SMALL)), name


def _is_large(name: str) -> bool:
    return any(
        part in name
        for part in ("huge", "giant", "base", "gigantic", "large", "_xl", "xxl", "7b", "_g14", "512", "448")
    )


def _timm_model(name: str) -> Any:
    timm = importlib.import_module("timm")

    rates = dict(_TIMM_RATES)
    while True:
        try:
            return timm.create_model(name, pretrained=False, **rates)
        except TypeError:
            if not rates:
                raise
            rates.popitem()


def _timm_inputs(model: Any) -> Iterator[Inputs]:
    channels, *default = model.default_cfg["input_size"]
    for size in ((128, 128), default):
        yield from _image(channels, *size)(model)


# --- torchvision

_TOO_LARGE = ("vit_h_14", "vit_l", "regnet_y_128gf", "regnet_y_32gf", "regnet_x_32gf", "convnext_large", "quantized")


def _torchvision() -> Iterator[Entry]:
    models = importlib.import_module("torchvision.models")

    for name in models.list_models():
        if not name.startswith(_TOO_LARGE):
            yield Entry(name, lambda name=name: _torchvision_model(name), _torchvision_inputs(name))  # type: ignore[misc]


def _torchvision_model(name: str) -> Any:
    models = importlib.import_module("torchvision.models")

    try:
        return models.get_model(name, weights=None, weights_backbone=None)
    except TypeError:
        return models.get_model(name, weights=None)


def _torchvision_inputs(_: str) -> Callable[[Any], Iterator[Inputs]]:
    def inputs(_: Any) -> Iterator[Inputs]:
        import torch

        yield (torch.randn(2, 3, 224, 224),), {}
        yield (torch.randn(2, 3, 299, 299),), {}
        yield (torch.randn(1, 3, 16, 112, 112),), {}
        yield (torch.randn(1, 3, 16, 224, 224),), {}
        yield ([torch.rand(3, 224, 224)],), {}
        yield (torch.randn(1, 3, 128, 128), torch.randn(1, 3, 128, 128)), {}

    return inputs


# --- transformers

_LAYERS = (
    *("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers"),
    *("num_encoder_layers", "num_decoder_layers", "depth"),
)
_WIDE = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "ffn_dim": 512,
    "d_model": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "num_experts": 4,
    "n_routed_experts": 4,
    "num_local_experts": 4,
}
_DROPS = {"hidden_dropout_prob": 0.1, "attention_dropout": 0.1, "dropout": 0.1, "resid_pdrop": 0.1, "attn_pdrop": 0.1}


def _transformers() -> Iterator[Entry]:
    library = importlib.import_module("transformers")
    known = dict(library.CONFIG_MAPPING.items())
    for name in (*(n for n in _SPECIFIED["transformers"] if n in known), *known):
        config = known.pop(name, None)
        if config in library.MODEL_MAPPING:
            yield Entry(name, lambda config=config: _cut(config), _transformers_inputs)  # type: ignore[misc]


def _cut(config_class: Any) -> Any:
    library = importlib.import_module("transformers")

    config = config_class()
    for part in {
        id(c): c for c in (config, getattr(config, "text_config", None), getattr(config, "vision_config", None))
    }.values():
        if part is None:
            continue
        for name in _LAYERS:
            if isinstance(getattr(part, name, None), int):
                setattr(part, name, 2)
        if max(getattr(part, "hidden_size", 0) or 0, getattr(part, "d_model", 0) or 0) > 1024:
            for name, size in _WIDE.items():
                if isinstance(getattr(part, name, None), int):
                    setattr(part, name, min(size, getattr(part, name)))
        if isinstance(getattr(part, "layer_types", None), list):
            part.layer_types = part.layer_types[:2]
        for name, rate in _DROPS.items():
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, rate)
    return library.AutoModel.from_config(config)


def _transformers_inputs(model: Any) -> Iterator[Inputs]:
    import torch

    ids = torch.randint(3, 90, (2, 16))
    side = getattr(model.config, "image_size", 224) or 224
    side = side if isinstance(side, int) else side[0]
    pixels = torch.randn(2, getattr(model.config, "num_channels", 3) or 3, side, side)
    yield (), {"input_ids": ids}
    yield (), {"input_ids": ids, "decoder_input_ids": ids}
    yield (), {"pixel_values": pixels}
    yield (), {"input_ids": ids, "pixel_values": pixels}
    yield (), {"input_values": torch.randn(2, 16000)}
    yield (), {"input_features": torch.randn(2, 80, 3000)}
    yield (), {"input_features": torch.randn(2, 80, 3000), "decoder_input_ids": ids}
    yield (), {"input_features": torch.randn(2, 100, 80)}
    yield (), {"pixel_values": pixels[:, None].repeat(1, 16, 1, 1, 1)}


# --- vit_pytorch, monai, segmentation_models_pytorch


def _vit_pytorch() -> Iterator[Entry]:
    def build(file: str, name: str, kwargs: dict[str, Any]) -> Any:
        kwargs = dict(kwargs)
        if "image_patch_size" in kwargs:
            kwargs.pop("patch_size", None)
        return getattr(importlib.import_module(f"vit_pytorch.{file}"), name)(**kwargs)

    for file, name, kwargs in _SPECIFIED["vit_pytorch"]:
        yield Entry(f"{file}.{name}", lambda f=file, n=name, k=kwargs: build(f, n, k), _vit_inputs)  # type: ignore[misc]


def _vit_inputs(_: Any) -> Iterator[Inputs]:
    import torch

    for size in (64, 224, 256):
        yield (torch.randn(2, 3, size, size),), {}
    yield (torch.randn(2, 3, 8, 64, 64),), {}


def _monai() -> Iterator[Entry]:
    nets = importlib.import_module("monai.networks.nets")

    for name, kwargs, size in _SPECIFIED["monai"]:
        if hasattr(nets, name):
            yield Entry(name, lambda n=name, k=kwargs: getattr(nets, n)(**k), _image(*size))  # type: ignore[misc]


def _smp() -> Iterator[Entry]:
    smp = importlib.import_module("segmentation_models_pytorch")

    for name in _SPECIFIED["segmentation_models_pytorch"]:
        yield Entry(f"{name}-resnet18", lambda n=name: smp.create_model(n, "resnet18", None), _image(3, 128, 128))  # type: ignore[misc]
    yield Entry("segformer-mit_b0", lambda: smp.create_model("segformer", "mit_b0", None), _image(3, 128, 128))
    yield Entry(
        "dpt-vit_tiny",
        lambda: smp.DPT("tu-vit_tiny_patch16_224.augreg_in21k", encoder_weights=None, dynamic_img_size=True),
        _image(3, 224, 224),
    )
