"""Mistakes in released models that a run must find: rule, file and line. Exits with 1 when one is missed.

    python -m benchmarks.known_mistakes

Needs monai 1.6.1, vit-pytorch 1.26.11 and transformers 5.23.0; lines are those of these versions.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.zoo import Entry, build

_ATTENTION = {"hidden_size": 32, "num_heads": 4, "dropout_rate": 0.2, "use_flash_attention": True}
_VIT = {"image_size": 64, "patch_size": 8, "num_classes": 10, "dim": 64, "depth": 4, "heads": 4, "mlp_dim": 96}
_LAYERS: dict[str, Any] = {**_VIT, "cls_depth": 2, "layer_dropout": 0.05}
_MBCONV = {"dim_in": 32, "dim_out": 32, "downsample": False, "dropout": 0.1}
_IDS = ("input_ids=i64:2,16<200",)


def _monai(block: str, name: str) -> Entry:
    return Entry(name, f"monai.networks.blocks.{block}:{name}", _ATTENTION, ("2,10,32",))


def _transformers(kind: str) -> Entry:
    return Entry(kind, "benchmarks.zoo:transformers_model", {"kind": kind}, _IDS)


KNOWN = [
    (_monai("selfattention", "SABlock"), "DRP102", "monai/networks/blocks/selfattention.py", 186),
    (_monai("crossattention", "CrossAttentionBlock"), "DRP102", "monai/networks/blocks/crossattention.py", 167),
    (Entry("CaiT", "vit_pytorch.cait:CaiT", _LAYERS, ("2,3,64,64",)), "DRP501", "vit_pytorch/cait.py", 19),
    (Entry("XCiT", "vit_pytorch.xcit:XCiT", _LAYERS, ("2,3,64,64",)), "DRP501", "vit_pytorch/xcit.py", 30),
    (Entry("MBConv", "vit_pytorch.max_vit:MBConv", _MBCONV, ("2,32,8,8",)), "DRP508", "vit_pytorch/max_vit.py", 88),
    (
        Entry("MBConv, width 4", "vit_pytorch.max_vit:MBConv", _MBCONV, ("2,32,4,4",)),
        "DRP508",
        "vit_pytorch/max_vit.py",
        81,
    ),
    (_transformers("falcon"), "DRP407", "transformers/models/falcon/modeling_falcon.py", 240),
    (_transformers("nystromformer"), "DRP407", "transformers/models/nystromformer/modeling_nystromformer.py", 127),
    (_transformers("yoso"), "DRP407", "transformers/models/yoso/modeling_yoso.py", 303),
    (_transformers("xlnet"), "DRP407", "transformers/models/xlnet/modeling_xlnet.py", 313),
]


def main() -> int:
    from dropout_lint.runtime import check

    missed = 0
    for entry, code, path, line in KNOWN:
        model, args, kwargs = build(entry)
        found = check(model, *args, **kwargs).diagnostics
        hit = any(d.code == code and d.path.endswith(path) and d.span.line == line for d in found)
        missed += not hit
        print(f"{'found ' if hit else 'MISSED'} {entry.name}: {code} {path}:{line}; in all {len(found)} findings")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
