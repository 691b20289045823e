"""What calls of known libraries do with a model, as data."""

from __future__ import annotations

from dropout_lint.mode.libraries import frameworks
from dropout_lint.vocabulary import EVAL_FLAGS, TRAIN_FLAGS

SAME = {
    *("to", "cuda", "cpu", "half", "float", "double", "bfloat16", "requires_grad_", "share_memory", "type", "xpu"),
    *("npu", "to_empty", "compile", "module", "unwrap"),
}
"""Methods that return the module itself, in its mode."""
NEUTRAL = {
    *("parameters", "named_parameters", "state_dict", "load_state_dict", "zero_grad", "buffers", "named_buffers"),
    *("register_buffer", "register_parameter", "register_forward_hook", "register_backward_hook", "add_module"),
    *("register_full_backward_hook", "get_parameter", "save_pretrained", "resize_token_embeddings", "extra_repr"),
    *("tie_weights", "init_weights", "set_input_embeddings"),
    *("named_modules", "modules", "children", "named_children", "get_submodule", "__repr__", "__str__", "no_sync"),
    *("reset_parameters", "init_hidden", "initHidden", "print_trainable_parameters", "num_parameters", "summary"),
    *("flatten_parameters", "join", "register_forward_pre_hook", "load_my_state_dict", "register_module"),
    *frameworks.NEUTRAL,
}
"""Methods that neither compute nor change the mode."""
COMPUTING = {
    *("generate", "generate_text", "forward_features", "forward_head", "forward_intermediates", "get_image_features"),
    *("get_text_features", "encode", "encode_image", "encode_text", "decode", "predict", "predict_proba", "inference"),
    *("infer", "sample", "extract_features", "get_intermediate_layers", "contrastive_search", "beam_search"),
    *("greedy_search", "transcribe", "chat", "score", "embed", "compute_loss", "loss", "logits", "classify"),
}
"""Methods of library models that run the model. Other methods return a part or a number, or move weights."""
INNER = {"modules", "children", "named_modules", "named_children", "items", "values", "get_submodule"}
WRAPPERS = {
    *("DataParallel", "DistributedDataParallel", "DDP", "FullyShardedDataParallel", "FSDP", "compile", "script"),
    *("convert_sync_batchnorm", "freeze", "prepare_model", "BalancedDataParallel", "DataParallelModel"),
    *("optimize", "spectral_norm", "weight_norm"),
    *frameworks.WRAPS,
}
"""Functions and classes that wrap a model: the result is treated as the model."""
OPTIMIZER, INPUT_OPTIMIZER = "torch.optim", "torch.optim of inputs"
PARSER, NAMESPACE = "argparse.ArgumentParser", "argparse.Namespace"
PARSES = {"parse_args", "parse_known_args"}
MODE_ARGUMENTS = TRAIN_FLAGS | EVAL_FLAGS
COPIES = {"copy.deepcopy", "copy.copy"}
HARMLESS = {
    *("print", "len", "isinstance", "id", "str", "repr", "sum", "iter", "next", "hasattr", "dict", "max", "min"),
    *("filter", "map", "type", "super", "callable", "vars", "dir", "hash", "bool", "any", "all", "float", "int"),
}
PLAIN = {"len", "int", "float", "bool", "str", "repr", "id", "hash", "isinstance", "callable", "hasattr", "any", "all"}
"""Built-in functions that return numbers, strings or truth values, and so never a model."""
HARMLESS_METHODS = {
    *("info", "debug", "warning", "write", "watch", "format", "append", "extend", "update", "add_graph", "log", "save"),
    *("load_state_dict", "zero_grad", "add", "insert", "setdefault", "register", "unscale_", "add_scalar", "put"),
    *("clip_grad_norm_", "backward", "step", "print", "track", "save_state_dict", "load", "save_checkpoint"),
    *("accumulate", "no_sync", "update_parameters"),
}
HARMLESS_PREFIXES = (
    *("torch.optim", "torch.save", "torch.nn.utils", "torch.nn.init", "wandb.", "logging.", "numpy.", "os.", "json."),
    *("torch.distributed", "torch.cuda", "torch.set_", "torch.manual_seed", "tqdm", "time.", "math.", "random."),
    *("torchsummary.", "torchinfo.", "thop.", "torchviz."),
    *("torch.nn.functional.", "torch.utils.data", "pickle.", "torch.no_grad", "torch.amp", "torchvision.utils"),
)
RANDOM = {
    f"torch.{n}" for n in ("rand", "randn", "randint", "ones", "zeros", "rand_like", "randn_like", "empty", "arange")
}


def is_plain_base(name: str) -> bool:
    """Whether a base class has no method that sets modes."""
    return name in _PLAIN_BASES or name.startswith("typing.")


_PLAIN_BASES = {"torch.nn.Module", "object", "?object", "abc.ABC", "abc.ABCMeta"}
