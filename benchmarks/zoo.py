"""The released models that the engines which run a model are measured on: ``entries()`` lists, ``build`` makes one.

``zoo.jsonl`` holds one model per line, the smallest first: name, specification, arguments and inputs as on the command
line of ``trace`` and ``validate``, and its number of parameters. ``python -m benchmarks.zoo_scan`` writes that file.
No weights are downloaded. Needs timm, transformers, torchvision, vit-pytorch, monai and segmentation-models-pytorch,
as far as an entry names them.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dropout_lint.models import tensors
from dropout_lint.targets import inputs

LISTING = Path(__file__).with_name("zoo.jsonl")
RATE = 0.1
"""Every dropout of the zoo that can be set is on, since rates of 0 hide mistakes."""

_SMALL = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "embedding_size", "embed_dim"), 64),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim", "n_inner"), 96),
    **dict.fromkeys(("num_attention_heads", "n_head", "num_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "num_key_value_heads", "n_heads"), 4),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("vocab_size",), 300),
    **dict.fromkeys(("attention_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout"), RATE),
    **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop", "hidden_dropout", "dropout_rate"), RATE),
    "pad_token_id": 0,
    "head_dim": 16,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the zoo: ``spec`` is called with ``kwargs``; ``inputs`` are written ``[name=]dtype:shape[<high]``."""

    name: str
    spec: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    parameters: int = 0


def entries(only: str = "") -> list[Entry]:
    """The zoo, the smallest model first; with ``only``, those whose name holds it."""
    lines = map(json.loads, LISTING.read_text("utf-8").splitlines())
    found = [Entry(**{**line, "inputs": tuple(line["inputs"])}) for line in lines]
    return [entry for entry in found if only in entry.name]


def as_line(entry: Entry) -> str:
    """The entry as it stands in the listing."""
    return json.dumps(asdict(entry))


def build(entry: Entry) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Model (in the mode its constructor leaves it in), positional and keyword inputs on the CPU."""
    import torch

    import_without_operators()
    torch.manual_seed(0)
    module, _, attribute = entry.spec.partition(":")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.kwargs.items()}
    model = getattr(importlib.import_module(module), attribute)(**values)
    args, kwargs = tensors.build(inputs.parse_all(entry.inputs))
    return model, args, kwargs


@functools.cache
def import_without_operators() -> None:
    """Let torchvision import beside a torch for which its compiled operators were not built."""
    import torch

    register = torch.library.register_fake

    def register_fake(op: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::"):
            return lambda function: function
        return register(op, *args, **kwargs)

    torch.library.register_fake = register_fake
    try:
        importlib.import_module("torchvision")
    except ImportError:
        pass
    finally:
        torch.library.register_fake = register


def timm_model(name: str) -> Any:
    """A timm model, with those of its dropout rates set that its constructor takes."""
    timm = importlib.import_module("timm")
    rates = dict.fromkeys(("drop_rate", "drop_path_rate", "attn_drop_rate", "proj_drop_rate"), RATE)
    while True:
        try:
            return timm.create_model(name, pretrained=False, num_classes=10, **rates)
        except TypeError as error:
            refused = next((rate for rate in rates if f"'{rate}'" in str(error)), None)
            if refused is None:
                raise
            del rates[refused]


def torchvision_model(name: str) -> Any:
    """A torchvision model without weights."""
    return importlib.import_module("torchvision.models").get_model(name, weights=None, num_classes=10)


def transformers_model(kind: str, **changes: Any) -> Any:
    """The base model of a transformers model type, with a small configuration in which dropout is on."""
    transformers = importlib.import_module("transformers")
    config_class = transformers.CONFIG_MAPPING[kind]
    known = set(inspect.signature(config_class.__init__).parameters) | set(vars(config_class()))
    known |= set(getattr(config_class, "attribute_map", {}))
    mapped = {config_class.attribute_map.get(key, key): value for key, value in _SMALL.items() if key in known}
    return transformers.AutoModel.from_config(config_class(**{**mapped, **changes}))
