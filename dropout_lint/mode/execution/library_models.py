"""The initial mode of models of known libraries, and whether they are live."""

from __future__ import annotations

import re
from typing import NamedTuple

from dropout_lint.facts import EVAL, OPEN, TRAIN, Modes
from dropout_lint.mode.program.values import Constant, External, Thing, Value
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, MULTIHEAD, RNNS


class Made(NamedTuple):
    """What is known of a model that a library call returns."""

    modes: Modes
    live: bool | None
    """Whether it computes differently in the two modes; None if unknown."""
    module: bool = True
    loaded: bool = False
    """It has trained weights."""


def model_made_by(name: str, positional: list[Value], keywords: dict[str, Value]) -> Made | None:
    """The model that a call returns; None for calls that are not known to return one."""
    owner, _, last = name.rpartition(".")
    package = name.partition(".")[0]
    if last == "from_pretrained" and package in _HUGGING_FACE:
        if _NOT_A_MODEL.search(owner):
            return Made(OPEN, live=False, module=False)
        return Made(OPEN if "is_trainable" in keywords else EVAL, _family(owner, positional, keywords))
    if package == "peft" and last.endswith("Config"):
        return Made(OPEN, _adapter_drops(keywords), module=False)
    if last == "from_config" and package == "transformers":
        return Made(TRAIN, _family(owner, positional, keywords))
    if name == "lpips.LPIPS":
        return Made(OPEN if "eval_mode" in keywords else EVAL, None)
    if name in {"timm.create_model", "timm.models.create_model"}:
        named = positional[0] if positional else keywords.get("model_name")
        convolutional = isinstance(named, Constant) and bool(_WITH_BATCHNORM.match(str(named.value)))
        weights = keywords.get("pretrained", positional[1] if len(positional) > 1 else Constant(False))
        return Made(
            TRAIN,
            True if (convolutional and not _norm_unknown(keywords)) or _drops(keywords) else None,
            loaded=weights != Constant(False),
        )
    if _ZOO.match(name) and name.count(".") >= 2:
        given = [v for v in (*positional, *keywords.values()) if v not in (Constant(False), Constant(None))]
        return Made(TRAIN, _zoo_liveness(name, keywords), loaded=bool(given))
    return None


_HUGGING_FACE = {"transformers", "diffusers", "peft", "adapters", "optimum"}
_NOT_A_MODEL = re.compile(r"(?:Tokenizer|TokenizerFast|Config|Processor|Extractor|Scheduler|Pipeline)$")
_WITH_DROPOUT = re.compile(
    r"(?i:(?<!modern)(?<!modern-)bert|electra|gpt-?2|xlnet|longformer|big_?bird|pegasus|wav2vec2)"
    r"|(?:^|[/_-])(?:m?t5|m?bart|opt|deberta)(?:[/_-]|$)|(?:^|\.)(?:M?T5|M?Bart|OPT|Deberta|DebertaV2)(?:Model|For)"
)
"""Families whose published configurations have a dropout that is not zero."""
_WITH_BATCHNORM = re.compile(
    r"(?:tf_|gluon_|legacy_|se|wide_|cs|ig_|swsl_|ssl_)*(?:resnet|resnext|resnest|regnet|efficientnet|mobilenet|mnasnet"
    r"|densenet|inception|xception|vgg\d+_bn|dla\d|hrnet|res2net|ghostnet|dpn\d|darknet|googlenet|shufflenet)"
)
"""Families of timm and torchvision that normalise with the statistics of a batch."""
_BATCHNORMS = {"torch.nn.BatchNorm2d", "torch.nn.SyncBatchNorm"}
_ZOO = re.compile(r"^torchvision\.models\.(?!.*(?:Weights|feature_extraction|get_|list_|_utils|_api))")


def _family(owner: str, positional: list[Value], keywords: dict[str, Value]) -> bool | None:
    """Whether a model is live: by a rate that is passed, else by the name of its class or checkpoint."""
    if any("drop" in k for k in keywords) or "config" in keywords:
        return True if _drops(keywords) else None
    named = positional[0].value if positional and isinstance(positional[0], Constant) else ""
    return True if _WITH_DROPOUT.search(owner) or _WITH_DROPOUT.search(str(named)) else None


def differs_in_most_parts(name: str) -> bool:
    """Whether most parts of a library model differ between the modes, as in a ResNet. A VGG has dropout at its end.

    ``timm.create_model`` is known to differ only for such a family.
    """
    last = name.rpartition(".")[2]
    return last == "create_model" or _WITH_BATCHNORM.match(last) is not None


def _zoo_liveness(name: str, keywords: dict[str, Value]) -> bool | None:
    if ".detection." in name or _norm_unknown(keywords):
        return None
    return _drops(keywords) if name.rpartition(".")[2].startswith("vit_") else True


def _norm_unknown(keywords: dict[str, Value]) -> bool:
    """Whether a ``norm_layer`` is passed that may be another than the batch norm of PyTorch."""
    given = keywords.get("norm_layer", Constant(None))
    return given != Constant(None) and not (isinstance(given, External) and given.name in _BATCHNORMS)


def _drops(keywords: dict[str, Value]) -> bool:
    """Whether a constant rate other than 0 is passed."""
    return any("drop" in k and isinstance(v, Constant) and not is_zero(v) for k, v in keywords.items())


def _adapter_drops(keywords: dict[str, Value]) -> bool | None:
    """Whether adapters have a dropout, whose default rate is 0; None if unknown."""
    rates = [value for name, value in keywords.items() if "dropout" in name]
    if all(map(is_zero, rates)):
        return False
    return True if any(isinstance(rate, Constant) and not is_zero(rate) for rate in rates) else None


def liveness(name: str, positional: list[Value], keywords: dict[str, Value]) -> bool | None:
    """Whether a layer of a library computes differently in the two modes; None if unknown."""
    last = name.rpartition(".")[2]
    if any(isinstance(value, Thing) and value.unset for value in (*positional, *keywords.values())):
        return None
    if name in DROPOUT_MODULES:
        return not is_zero(keywords.get("p", positional[0] if positional else None))
    if "BatchNorm" in last:
        return not (name.startswith("torch.nn.") and keywords.get("track_running_stats") == Constant(False))
    if "InstanceNorm" in last:
        return keywords.get("track_running_stats") == Constant(True)
    if name in RNNS:
        layers = keywords.get("num_layers", positional[2] if len(positional) > 2 else Constant(1))
        rate = keywords.get("dropout", positional[5] if len(positional) > 5 else Constant(0))
        return not is_zero(rate) and layers != Constant(1)
    if name in MULTIHEAD:
        parameters = MULTIHEAD[name].parameters
        place = parameters.index("dropout")
        default = Constant(MULTIHEAD[name].default_rate)
        return not is_zero(keywords.get("dropout", positional[place] if len(positional) > place else default))
    if name.startswith("torch.nn."):
        return False
    if name.startswith(("torch_geometric.nn.", "timm.")):
        rates = [v for k, v in keywords.items() if "drop" in k and isinstance(v, Constant)]
        return True if any(not is_zero(r) for r in rates) else None
    return None


def is_zero(value: Value | None) -> bool:
    """Whether a rate is known to be 0."""
    return isinstance(value, Constant) and value.value in {0}
