"""Signatures and other facts about the API of torch 2.13, as data, so that torch need not be imported.

``tests/test_torch_api.py`` compares them with torch. Names are canonical dotted names; ``names.canonical`` maps other
spellings to them.
"""

from __future__ import annotations

from typing import NamedTuple


class Signature(NamedTuple):
    """Positional parameter names of a call and the default of its rate."""

    parameters: tuple[str, ...]
    rate: str
    default_rate: float | None


_MODULE = Signature(("p", "inplace"), "p", 0.5)
DROPOUT_MODULES: dict[str, Signature] = {
    f"torch.nn.{name}": _MODULE
    for name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
}

_FUNCTION = Signature(("input", "p", "training", "inplace"), "p", 0.5)
_ATEN = Signature(("input", "p", "train"), "p", None)
FUNCTIONALS: dict[str, Signature] = {
    **{
        f"torch.nn.functional.{name}": _FUNCTION
        for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
    },
    **{
        f"torch.{name}": _ATEN
        for name in (
            "dropout",
            "dropout_",
            "alpha_dropout",
            "alpha_dropout_",
            "feature_dropout",
            "feature_dropout_",
            "feature_alpha_dropout",
            "feature_alpha_dropout_",
            "native_dropout",
        )
    },
}
"""Functional dropouts. The mode argument is ``training`` in torch.nn.functional and ``train`` in torch."""

NEVER_ACTIVE_BY_DEFAULT = {"torch.nn.functional.alpha_dropout", "torch.nn.functional.feature_alpha_dropout"}
"""Functionals whose ``training`` defaults to False."""

_SDPA = Signature(
    ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa"), "dropout_p", 0.0
)
_FLASH = Signature(("q", "k", "v", "dropout_p"), "dropout_p", 0.0)
_FLASH_PACKED = Signature(("qkv", "dropout_p"), "dropout_p", 0.0)
_FLASH_VARLEN = Signature(
    ("q", "k", "v", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k", "dropout_p"), "dropout_p", 0.0
)
_FLASH_VARLEN_PACKED = Signature(("qkv", "cu_seqlens", "max_seqlen", "dropout_p"), "dropout_p", 0.0)
_XFORMERS = Signature(("query", "key", "value", "attn_bias", "p"), "p", 0.0)
ATTENTION: dict[str, Signature] = {
    "torch.nn.functional.scaled_dot_product_attention": _SDPA,
    "flash_attn.flash_attn_func": _FLASH,
    "flash_attn.flash_attn_qkvpacked_func": _FLASH_PACKED,
    "flash_attn.flash_attn_kvpacked_func": Signature(("q", "kv", "dropout_p"), "dropout_p", 0.0),
    "flash_attn.flash_attn_varlen_func": _FLASH_VARLEN,
    "flash_attn.flash_attn_varlen_qkvpacked_func": _FLASH_VARLEN_PACKED,
    "flash_attn.flash_attn_varlen_kvpacked_func": Signature(
        ("q", "kv", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k", "dropout_p"), "dropout_p", 0.0
    ),
    "flash_attn.flash_attn_unpadded_func": _FLASH_VARLEN,
    "flash_attn.flash_attn_unpadded_qkvpacked_func": _FLASH_VARLEN_PACKED,
    "xformers.ops.memory_efficient_attention": _XFORMERS,
    "transformers.modeling_flash_attention_utils._flash_attention_forward": Signature(
        (
            "query_states",
            "key_states",
            "value_states",
            "attention_mask",
            "query_length",
            "is_causal",
            "dropout",
        ),
        "dropout",
        0.0,
    ),
}
"""Attention calls that apply their rate whatever the mode; torch's page says "always applies dropout"."""

RNNS: dict[str, Signature] = {
    f"torch.nn.{name}": Signature(
        ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"), "dropout", 0.0
    )
    for name in ("LSTM", "GRU", "RNN")
}
MULTIHEAD: dict[str, Signature] = {
    "torch.nn.MultiheadAttention": Signature(("embed_dim", "num_heads", "dropout"), "dropout", 0.0),
    "torch.nn.TransformerEncoderLayer": Signature(("d_model", "nhead", "dim_feedforward", "dropout"), "dropout", 0.1),
    "torch.nn.TransformerDecoderLayer": Signature(("d_model", "nhead", "dim_feedforward", "dropout"), "dropout", 0.1),
    "torch.nn.Transformer": Signature(
        ("d_model", "nhead", "num_encoder_layers", "num_decoder_layers", "dim_feedforward", "dropout"), "dropout", 0.1
    ),
}

FUNCTIONAL_OF_MODULE = {
    "torch.nn.Dropout": "dropout",
    "torch.nn.Dropout1d": "dropout1d",
    "torch.nn.Dropout2d": "dropout2d",
    "torch.nn.Dropout3d": "dropout3d",
    "torch.nn.AlphaDropout": "alpha_dropout",
    "torch.nn.FeatureAlphaDropout": "feature_alpha_dropout",
}

SAVES_ITS_OUTPUT = {
    *(f"torch.nn.{name}" for name in ("ReLU", "Sigmoid", "Tanh", "Softmax", "Softmax2d", "LogSoftmax")),
    *(f"torch.nn.functional.{name}" for name in ("relu", "relu_", "sigmoid", "tanh", "softmax", "log_softmax")),
    *(f"torch.{name}" for name in ("relu", "relu_", "sigmoid", "tanh", "softmax", "log_softmax", "sigmoid_", "tanh_")),
    *(f"torch.special.{name}" for name in ("expit", "softmax", "log_softmax")),
}
"""Activations whose backward needs their output: an in-place dropout after them makes backward raise."""

SAVES_ITS_OUTPUT_METHODS = {"relu", "relu_", "sigmoid", "sigmoid_", "tanh", "tanh_", "softmax", "log_softmax"}

INPLACE_ACTIVATIONS = {f"torch.nn.{name}" for name in ("LeakyReLU", "ELU", "CELU", "SELU", "RReLU")}
"""Activations whose backward needs their output only with ``inplace=True``."""

CONTAINERS = {"torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.Sequential"}

MODULE_BASES = {
    "torch.nn.Module",
    "torch.jit.ScriptModule",
    "lightning.LightningModule",
    "lightning.pytorch.LightningModule",
    "pytorch_lightning.LightningModule",
    "transformers.PreTrainedModel",
    "transformers.modeling_utils.PreTrainedModel",
    "torch_geometric.nn.MessagePassing",
    "torch_geometric.nn.conv.MessagePassing",
    "mmcv.runner.BaseModule",
    "mmengine.model.BaseModule",
    "fairseq.models.BaseFairseqModel",
    "fairseq.models.FairseqEncoder",
    "fairseq.models.FairseqDecoder",
    "fairseq.models.FairseqIncrementalDecoder",
    "diffusers.ModelMixin",
    "timm.layers.Mlp",
}
"""Classes of other libraries that are nn.Modules. All classes in ``torch.nn`` are, too."""

NOT_MODULES_IN_TORCH_NN = {"torch.nn.Parameter", "torch.nn.ParameterList", "torch.nn.UninitializedParameter"}

LOOKALIKE_ROOTS = {
    "chainer",
    "flax",
    "haiku",
    "jax",
    "keras",
    "mindspore",
    "mxnet",
    "oneflow",
    "paddle",
    "tensorflow",
    "tf_keras",
}
"""Frameworks with layers of the same names. A name bound to both torch and one of them is not resolved."""

LAST_NAMES = frozenset(
    name.rpartition(".")[2] for table in (DROPOUT_MODULES, FUNCTIONALS, ATTENTION, RNNS, MULTIHEAD) for name in table
)
"""The last parts of all dropout names, for a quick test of a call."""
