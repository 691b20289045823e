"""Writes ``zoo.jsonl``: builds each candidate in a child process and keeps those that answer on small inputs.

    python -m benchmarks.zoo_scan [--only timm/] [--seconds 20]

A library must be installed for its candidates to be tried. What was found stays; a second run adds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.zoo import LISTING, RATE, Entry, as_line, build, entries, import_without_operators

IMAGE, LARGE = "f32:2,3,64,64", "f32:2,3,224,224"
MOST_PARAMETERS = 30_000_000
_VIT = {"image_size": 64, "patch_size": 8, "num_classes": 10, "dim": 64, "depth": 2, "heads": 4, "mlp_dim": 96}
_RATES = {"dropout": RATE, "emb_dropout": RATE}
_VITS: dict[str, dict[str, Any]] = {
    "vit:ViT": {**_VIT, **_RATES},
    "simple_vit:SimpleViT": _VIT,
    "deepvit:DeepViT": {**_VIT, **_RATES},
    "vit_for_small_dataset:ViT": {**_VIT, **_RATES},
    "parallel_vit:ViT": {**_VIT, **_RATES},
    "learnable_memory_vit:ViT": {**_VIT, **_RATES},
    "simple_vit_with_register_tokens:SimpleViT": _VIT,
    "simple_vit_with_qk_norm:SimpleViT": _VIT,
    "normalized_vit:nViT": {k: v for k, v in _VIT.items() if k != "mlp_dim"} | {"mlp_dim": 96, "dropout": RATE},
    "cait:CaiT": {**_VIT, **_RATES, "cls_depth": 1},
    "xcit:XCiT": {**_VIT, **_RATES, "cls_depth": 1},
    "max_vit:MaxViT": {
        "num_classes": 10,
        "dim": 32,
        "dim_head": 16,
        "depth": (1, 1),
        "window_size": 4,
        "dim_conv_stem": 16,
    },
    "crossformer:CrossFormer": {"num_classes": 10, "attn_dropout": RATE, "ff_dropout": RATE},
    "mobile_vit:MobileViT": {
        "image_size": (64, 64),
        "dims": [32, 48, 64],
        "num_classes": 10,
        "channels": [16, 16, 24, 24, 32, 32, 48, 48, 64, 64, 96],
    },
    "rvt:RvT": {**_VIT, **_RATES},
    "levit:LeViT": {
        "image_size": 64,
        "num_classes": 10,
        "dim": (32, 48, 64),
        "depth": 2,
        "heads": 2,
        "mlp_mult": 2,
        "dropout": RATE,
    },
    "pit:PiT": {**_VIT, "depth": (1, 1), **_RATES},
    "cvt:CvT": {"num_classes": 10, "dropout": RATE},
    "regionvit:RegionViT": {"dim": (16, 32, 48, 64), "depth": (1, 1, 1, 1), "num_classes": 10, "attn_dropout": RATE},
    "scalable_vit:ScalableViT": {
        "num_classes": 10,
        "dim": 16,
        "heads": (1, 2, 2, 4),
        "depth": (1, 1, 1, 1),
        "ssa_dim_key": (8, 8, 8, 8),
        "reduction_factor": (2, 2, 1, 1),
        "window_size": (4, 4, None, None),
        "dropout": RATE,
    },
    "sep_vit:SepViT": {
        "num_classes": 10,
        "dim": 16,
        "dim_head": 8,
        "heads": (1, 2, 2, 4),
        "depth": (1, 1, 1, 1),
        "window_size": 2,
        "dropout": RATE,
    },
    "t2t:T2TViT": {
        "dim": 64,
        "image_size": 64,
        "depth": 2,
        "heads": 4,
        "mlp_dim": 96,
        "num_classes": 10,
        "t2t_layers": ((7, 4), (3, 2)),
        **_RATES,
    },
    "cross_vit:CrossViT": {
        "sm_dim": 32,
        "lg_dim": 64,
        "image_size": 64,
        "num_classes": 10,
        "sm_patch_size": 8,
        "lg_patch_size": 16,
        **_RATES,
    },
    "vit_with_patch_merger:ViT": {**_VIT, **_RATES},
    "vit_with_patch_dropout:ViT": {**_VIT, **_RATES, "patch_dropout": 0.25},
    "na_vit_nested_tensor:NaViT": {**_VIT, **_RATES},
    "simple_flash_attn_vit:SimpleViT": _VIT,
}
_UNET = {"spatial_dims": 2, "in_channels": 3, "out_channels": 2}
_MONAI: dict[str, dict[str, Any]] = {
    "UNet": {**_UNET, "channels": (8, 16, 32), "strides": (2, 2), "dropout": RATE},
    "AttentionUnet": {**_UNET, "channels": (8, 16, 32), "strides": (2, 2), "dropout": RATE},
    "BasicUNet": {**_UNET, "features": (8, 8, 16, 16, 32, 8), "dropout": RATE},
    "BasicUNetPlusPlus": {**_UNET, "features": (8, 8, 16, 16, 32, 8), "dropout": RATE},
    "DynUNet": {
        **_UNET,
        "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2],
        "upsample_kernel_size": [2, 2],
        "dropout": RATE,
    },
    "SegResNet": {"spatial_dims": 2, "in_channels": 3, "init_filters": 8, "dropout_prob": RATE},
    "SegResNetVAE": {"input_image_size": (64, 64), "spatial_dims": 2, "in_channels": 3, "init_filters": 8},
    "HighResNet": {"spatial_dims": 2, "in_channels": 3, "dropout_prob": RATE},
    "DenseNet121": {"spatial_dims": 2, "in_channels": 3, "out_channels": 10, "dropout_prob": RATE},
    "ViT": {
        "in_channels": 3,
        "img_size": 64,
        "patch_size": 8,
        "hidden_size": 64,
        "mlp_dim": 96,
        "num_layers": 2,
        "num_heads": 4,
        "classification": True,
        "dropout_rate": RATE,
        "spatial_dims": 2,
    },
    "UNETR": {
        "in_channels": 3,
        "out_channels": 2,
        "img_size": 64,
        "feature_size": 8,
        "hidden_size": 64,
        "mlp_dim": 96,
        "num_heads": 4,
        "dropout_rate": RATE,
        "spatial_dims": 2,
    },
    "SwinUNETR": {
        "in_channels": 3,
        "out_channels": 2,
        "feature_size": 12,
        "drop_rate": RATE,
        "attn_drop_rate": RATE,
        "dropout_path_rate": RATE,
        "spatial_dims": 2,
    },
    "FlexibleUNet": {"in_channels": 3, "out_channels": 2, "backbone": "efficientnet-b0", "dropout": RATE},
    "TransformerBlock": {"hidden_size": 64, "mlp_dim": 96, "num_heads": 4, "dropout_rate": RATE},
    "MILModel": {"num_classes": 3, "mil_mode": "att", "pretrained": False},
    "Regressor": {"in_shape": (3, 64, 64), "out_shape": (2,), "channels": (4, 8), "strides": (2, 2), "dropout": RATE},
    "Classifier": {"in_shape": (3, 64, 64), "classes": 2, "channels": (4, 8), "strides": (2, 2), "dropout": RATE},
    "AutoEncoder": {**_UNET, "channels": (4, 8), "strides": (2, 2), "dropout": RATE},
    "VNet": {**_UNET, "out_channels": 3, "dropout_prob_down": RATE, "dropout_prob_up": (RATE, RATE)},
    "resnet18": {"spatial_dims": 2, "n_input_channels": 3, "num_classes": 10, "pretrained": False},
    "SEResNet50": {"spatial_dims": 2, "in_channels": 3, "num_classes": 10},
    "EfficientNetBN": {"model_name": "efficientnet-b0", "pretrained": False, "num_classes": 10},
}
_SMP = (
    "Unet",
    "UnetPlusPlus",
    "Linknet",
    "FPN",
    "PSPNet",
    "DeepLabV3",
    "DeepLabV3Plus",
    "MAnet",
    "PAN",
    "UPerNet",
    "Segformer",
)


def candidates() -> Iterator[Entry]:
    """Everything that may go into the zoo, of the libraries that are installed."""
    for source in (_by_hand, _torchvision, _transformers, _timm):
        try:
            yield from source()
        except ImportError as error:
            print(f"left out: {error}", file=sys.stderr)


def _by_hand() -> Iterator[Entry]:
    for spec, kwargs in _VITS.items():
        large = spec.startswith(("crossformer", "cvt", "regionvit", "scalable", "sep_vit", "twins", "max_vit"))
        yield Entry(f"vit_pytorch/{spec}", f"vit_pytorch.{spec}", kwargs, (LARGE if large else IMAGE,))
    for name, kwargs in _MONAI.items():
        module = "networks.blocks.transformerblock" if name == "TransformerBlock" else "networks.nets"
        inputs = ("f32:2,16,64",) if name == "TransformerBlock" else (IMAGE,)
        yield Entry(f"monai/{name}", f"monai.{module}:{name}", kwargs, inputs)
    for name in _SMP:
        for encoder in ("resnet18", "mobilenet_v2", "efficientnet-b0"):
            kwargs = {"encoder_name": encoder, "encoder_weights": None, "classes": 2}
            yield Entry(f"smp/{name}-{encoder}", f"segmentation_models_pytorch:{name}", kwargs, (IMAGE,))


def _torchvision() -> Iterator[Entry]:
    for name in importlib.import_module("torchvision.models").list_models():
        if not re.search(r"rcnn|retina|fcos|ssd|raft|quantized", name):
            video = re.search(r"r3d|mc3|r2plus1d|s3d|mvit|swin3d", name)
            shape = "f32:1,3,16,112,112" if video else LARGE
            yield Entry(f"torchvision/{name}", "benchmarks.zoo:torchvision_model", {"name": name}, (shape,))


def _transformers() -> Iterator[Entry]:
    transformers = importlib.import_module("transformers")
    ids, image = "input_ids=i64:2,12<200", "pixel_values=f32:2,3,{0},{0}"
    for kind in sorted(transformers.MODEL_MAPPING._config_mapping):
        shapes = (ids,), (ids, "decoder_input_ids=i64:2,12<200"), (image.format(224),), ("input_values=f32:2,4000",)
        for number, inputs in enumerate(shapes):
            name = f"transformers/{kind}" + ("" if number == 0 else f"#{number}")
            yield Entry(name, "benchmarks.zoo:transformers_model", {"kind": kind}, inputs)


def _timm() -> Iterator[Entry]:
    timm = importlib.import_module("timm")
    small = re.compile(r"tiny|nano|small|mini|micro|pico|atto|femto|xxs|xs|18|26|_s\b|_t\b|_s\d|_b0|_050|_035|lite|b0")
    for module in timm.list_modules():
        names = timm.list_models(module=module)
        for name in sorted(names, key=lambda name: (not small.search(name), name))[:6]:
            config = timm.get_pretrained_cfg(name)
            size = 224
            if config is not None:
                size = config.input_size[-1]
                if not config.fixed_input_size:
                    size = max(96, (config.min_input_size or (3, 96, 96))[-1])
            yield Entry(f"timm/{name}", "benchmarks.zoo:timm_model", {"name": name}, (f"f32:2,3,{size},{size}",))


def in_child(work: Callable[[], str], seconds: float) -> str:
    """What ``work`` returns in a forked process, or a line that starts with ``!`` and says why there is nothing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        signal.alarm(int(seconds))
        try:
            answer = work()
        except BaseException as error:
            answer = f"!{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        os.write(write, answer.encode()[:60_000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer or "!stopped"


def measured(entry: Entry) -> str:
    """The entry's line with its number of parameters. Raises ValueError if it is too large."""
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(NotImplementedError, RuntimeError), torch.device("meta"):
        _refuse_large(build(entry)[0])
    model, args, kwargs = build(entry)
    parameters = _refuse_large(model)
    with torch.no_grad():
        model.eval()(*args, **kwargs)
    return as_line(Entry(entry.name, entry.spec, entry.kwargs, entry.inputs, parameters))


def _refuse_large(model: Any) -> int:
    parameters: int = sum(p.numel() for p in model.parameters())
    if parameters > MOST_PARAMETERS:
        raise ValueError(f"{parameters} parameters")
    return parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="candidates whose name holds this pattern")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import_without_operators()
    seen = {entry.name.partition("#")[0] for entry in entries()} if LISTING.exists() else set()
    found = [as_line(entry) for entry in entries()] if seen else []
    start = time.monotonic()
    for entry in candidates():
        base = entry.name.partition("#")[0]
        if base in seen or not re.search(options.only, entry.name):
            continue
        with contextlib.suppress(ImportError):
            importlib.import_module(entry.spec.partition(":")[0])
        line = in_child(lambda entry=entry: measured(entry), options.seconds)  # type: ignore[misc]
        if not line.startswith("!"):
            seen.add(base)
            found.append(line.replace(entry.name, base))
            LISTING.write_text("".join(f"{line}\n" for line in sorted(found, key=_size)), "utf-8")
        print(f"{time.monotonic() - start:6.0f} {len(found):4} {entry.name} {line[:110] if line[0] == '!' else ''}")


def _size(line: str) -> tuple[int, str]:
    return int(line.rpartition(" ")[2].rstrip("}")), line


if __name__ == "__main__":
    main()
