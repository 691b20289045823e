"""Groups of layers and functions for the placement rules, by canonical name."""

from __future__ import annotations

LOGIT_LOSSES = {
    *("torch.nn.functional.cross_entropy", "torch.nn.functional.nll_loss", "torch.nn.functional.kl_div"),
    *("torch.nn.functional.binary_cross_entropy", "torch.nn.functional.binary_cross_entropy_with_logits"),
    *(f"torch.nn.{name}" for name in ("CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss")),
}
REGRESSION_LOSSES = {
    *(f"torch.nn.functional.{name}" for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")),
    *(f"torch.nn.{name}" for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")),
}
DROP_PATHS = {
    "torchvision.ops.StochasticDepth",
    "torchvision.ops.stochastic_depth.StochasticDepth",
    "timm.layers.DropPath",
    "timm.layers.drop.DropPath",
    "timm.models.layers.DropPath",
    "torchvision.ops.stochastic_depth",
    "timm.layers.drop_path",
    "timm.models.layers.drop_path",
}
DROP_PATH_NAMES = {"DropPath", "StochasticDepth"}
"""Names of such classes in projects that define their own."""

BATCH_NORMS = {
    *(f"torch.nn.{lazy}BatchNorm{n}d" for lazy in ("", "Lazy") for n in (1, 2, 3)),
    *("torch.nn.SyncBatchNorm", "torch_geometric.nn.BatchNorm", "torch_geometric.nn.norm.BatchNorm"),
}
VIEWS = {
    *("torch.nn.Identity", "torch.nn.Flatten", "torch.nn.Unflatten", "torch.flatten", "torch.squeeze"),
    *("torch.unsqueeze", "torch.reshape", "torch.transpose", "torch.permute", "torch.nn.ConstantPad1d"),
    *(".view", ".reshape", ".flatten", ".squeeze", ".unsqueeze", ".transpose", ".permute", ".contiguous", ".to"),
    *(".float", ".half", ".t", ".type_as", ".view_as", ".expand", ".type", ".cuda", ".cpu", "index", ".bfloat16"),
    *(".chunk", ".split"),
}
"""Operations that move elements without computing with them, so that a dropped element stays dropped."""

POOLS = frozenset(
    {
        *(f"torch.nn.{a}{kind}Pool{n}d" for a in ("", "Adaptive") for kind in ("Max", "Avg") for n in (1, 2, 3)),
        *(
            f"torch.nn.functional.{a}{kind}_pool{n}d"
            for a in ("", "adaptive_")
            for kind in ("max", "avg")
            for n in (1, 2, 3)
        ),
        *(f"torch.{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)),
    }
)
