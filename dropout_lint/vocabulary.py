"""Words in names and comments that mean train, eval, keep, drop, or noise on purpose.

All lists of words are here, so that a new word is one line; ``tests/test_vocabulary.py`` shows what each one does.
A set named ``..._WORDS`` is compared with the words of an identifier (``words``), any other set with whole identifiers.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def words(identifier: str) -> set[str]:
    """Lower-case words of an identifier in snake or camel case: ``keepProb_2`` has ``keep`` and ``prob``."""
    return {word.lower() for word in _WORD.findall(identifier)}


# --- the mode

TRAIN_FLAGS = frozenset(
    {"training", "is_training", "istraining", "train", "is_train", "istrain", "train_mode", "training_mode"}
)
"""Variables, attributes and parameters that are true in train mode."""
EVAL_FLAGS = frozenset({"deterministic"})
"""Parameters that are true in eval mode."""
MODE_PARAMETERS = TRAIN_FLAGS | {"mode", "flag", "on", "value", "enable"}
"""Parameters of an override of ``train`` that still switches the mode, as ``Module.train`` does."""
MODE_VARIABLES = TRAIN_FLAGS | {"mode", "was_training"}
"""Arguments of ``x.train(...)`` that show that it switches the mode, and is no method that trains."""
# fmt: off
MODE_WORDS = frozenset({
    "training", "train", "istrain", "istraining", "eval", "evaluate", "evaluating", "evaluation", "inference", "infer",
    "test", "testing", "deterministic", "stochastic", "mc", "phase", "sampling", "predict", "prediction", "generate",
    "generation",
})
"""In a condition: it may depend on the mode."""
SWITCH_WORDS = frozenset({
    "active", "apply", "do", "drop", "dropout", "enable", "enabled", "mode", "noise", "noisy", "random", "sample",
    "use",
})
"""In a parameter with a bool as its default: the caller decides about the noise."""
# fmt: on
MODE_CALLS = ("eval", "train", "backward", "no_grad", "inference_mode", "set_grad_enabled", "trace", "export")
"""Functions and methods that change a mode or depend on it. A definition without them needs no look at modes."""

FREEZE_WORDS = frozenset({"freeze", "freezed", "frozen", "fix", "fixed", "finetune", "tune", "trainable"})
"""In a parameter of a constructor with a bool as its default: the caller decides whether a part is frozen."""

# --- functions that evaluate, and those that do not

EVALUATES = re.compile(
    r"(?:^|_)(?:eval|evaluate|evaluation|test|tests|testing|val|valid|validate|validation|infer|inference|predict)(?:_|$)"
    r"|^(?:evaluate|validate|predict)[A-Z]"
)
"""Names of functions that evaluate a model, unless they match TRAINS too."""
TRAINS = re.compile(
    r"(?:^|_)(?:train|training|fit|finetune|update|learn|calibrat\w*|recalibrat\w*|attack)(?:_|$)|^train|bn|init"
)
"""Names of functions that train a model, or need it in train mode."""
NOT_AN_EVALUATION = re.compile(
    r"(?:^|_)(?:bn|recal\w*|calib\w*|adapt\w*|swa|warm\w*|popul\w*|stats?|momentum|bench\w*|speed|profile|latency|smoke|flops|sanity|mc"
    r"|act|actions?|rollouts?|explor\w*|collect\w*)"
    r"(?:_|$)",
    re.IGNORECASE,
)
"""Names of functions that run a model without gradients for something else than an evaluation."""
FREEZES = re.compile(r"(?:^|_)(?:freeze|frozen)(?:$|_)|^freeze[A-Z]")
"""Names of methods that freeze a part of a model."""
GENERATIVE = re.compile(
    r"(?:^|_|\.)(?:g|d|gen|generator|netg|netd|disc|discriminator|critic|target\w*|teacher\w*|ema\w*|policy|actor|momentum\w*)"
    r"(?:_|\.|\d|$)|gan\b|_ema$|_target$|^(?:net)?[gd]_|discriminator|generator|target_|key_encoder|encoder_k",
    re.IGNORECASE,
)
"""Names of models that run without gradients in train mode on purpose: in GANs, self-distillation, RL."""
TARGETS = re.compile(r"target|annot|label|(?:^|_)gt(?:_|$)|bbox|boxes", re.IGNORECASE)
"""Names of targets, from which a detector computes its losses, in train mode only."""
TRAINING_DATA = re.compile(r"load|batch|epoch|data|iter", re.IGNORECASE)
"""Names of what a training loop runs over."""
NO_COMPUTATION = re.compile(r"checkpoint|cache|warn|assert|raise|logger|print", re.IGNORECASE)
"""On a line that reads the mode: it decides about memory or messages, not about what is computed."""


def evaluates(function: str) -> bool:
    """Whether a function, by its dotted name, evaluates a model and does not train it."""
    name = function.rpartition(".")[2]
    return EVALUATES.search(name) is not None and TRAINS.search(name) is None


# fmt: off
EVALUATION_WORDS = frozenset({
    "eval", "evaluate", "evaluation", "evaluator", "test", "tests", "testing", "tester", "val", "valid",
    "validate", "validation", "infer", "inference", "predict", "predictor", "prediction", "predictions",
    "preds", "score", "scores", "accuracy", "acc", "metric", "metrics", "benchmark", "confusion",
})
"""In the name of a function, class or file: it measures a model."""
USE_WORDS = frozenset({
    "demo", "app", "serve", "api", "translate", "decode", "sample", "sampler", "sampling", "samples",
    "generate", "generation", "generated", "visualize", "visualise", "visualization", "vis", "plot", "show",
    "embed", "embedding", "embeddings", "extract", "feature", "features", "detect", "detection", "caption",
    "captioning", "reconstruct", "reconstruction", "synthesize", "synthesis", "recognize", "recognition",
    "classify", "answer", "transcribe", "recommend", "rank", "retrieve", "retrieval", "submit", "submission",
    "interpolate", "export", "search", "chat", "label", "run", "process",
})
"""In the name of a function, class or file: it may use a trained model."""
HELD_OUT_WORDS = frozenset({
    "test", "tests", "testing", "val", "valid", "validation", "validate", "dev", "eval", "evaluation",
    "holdout",
})
"""In what a loop runs over: it is data that no step trains on."""
TRAINING_WORDS = frozenset({
    "train", "training", "trainer", "fit", "finetune", "update", "learn", "learner", "optimize", "pretrain",
    "calibrate", "attack", "warmup",
})
"""In the name of a function: it trains."""
MODEL_WORDS = frozenset({
    "model", "models", "net", "network", "encoder", "decoder", "backbone", "classifier", "generator", "unet",
    "bert", "gpt", "lstm", "rnn", "gru", "cnn", "gcn", "gnn", "gat", "resnet", "vgg", "transformer", "vae",
    "autoencoder", "ae", "discriminator", "detector", "segmentor", "extractor", "student", "teacher", "policy",
    "actor", "critic", "ema", "module", "captioner", "predictor",
})
"""In the name of a variable: it is a model."""
NOT_MODEL_WORDS = frozenset({
    "load", "set", "get", "save", "add", "build", "builder", "make", "create", "init", "function", "fn", "func",
    "tokenizer", "config", "store", "loss", "criterion", "name", "path", "args", "kwargs", "params", "type",
    "class", "cls", "factory", "train", "optimizer", "scheduler", "trt", "keras", "onnx", "tf", "sklearn",
    "list", "dict", "loader", "data", "dataset", "transform", "processor", "update", "copy", "summary", "print",
    "check", "register", "download", "convert", "count", "info", "step", "state", "wrapper", "utils", "hook",
    "log", "writer", "session", "label",
})
"""Beside a word of MODEL_WORDS: the name is of something about a model."""
PREDICTION_CALLS = frozenset({
    "argmax", "topk", "softmax", "log_softmax", "sigmoid", "argsort", "tolist", "round", "multinomial",
    "batch_decode", "nms",
})
"""What becomes of an output that is a prediction."""
PLAIN_CALLS = frozenset({
    "numpy", "item", "cpu", "detach", "max", "print", "append", "extend",
})
"""What becomes of an output that leaves the graph."""
METRIC_WORDS = frozenset({
    "accuracy", "acc", "auc", "auroc", "bleu", "rouge", "metric", "metrics", "score", "scores", "iou",
    "miou", "dice", "psnr", "ssim", "confusion", "precision", "recall", "mae", "rmse", "mape", "report", "eq",
    "wer", "cer", "ndcg", "hits", "map", "evaluate", "evaluator", "roc", "kappa", "correct", "fid",
    "perplexity",
})
"""In what gets an output: it measures."""
OUTPUT_CALLS = frozenset({
    "imsave", "save_image", "imwrite", "imshow", "savefig", "to_csv", "dump", "savetxt", "save", "write",
    "plot", "scatter", "make_grid", "to_pil_image", "fromarray", "ToPILImage", "writerow", "write_wav", "savez",
    "tensor2im", "add_image", "add_images", "jsonify",
})
"""What gets an output that is a result for people."""
ROLLOUT_WORDS = frozenset({
    "act", "action", "actions", "select", "choose", "explore", "rollout", "rollouts", "collect", "step", "play",
    "env", "bootstrap",
})
"""In the name of a function: an agent acts, to collect what it learns from."""
# fmt: on

# --- noise on purpose

NOISE_WORDS = frozenset({"mc", "carlo", "prenet", "bayesian", "uncertainty"})
"""In the name of a class or function: it drops at test time on purpose."""
_WHEN = r"(?:in|at|during|for) (?:the )?(?:inference|test|eval|generation|synthesis)"
MONTE_CARLO_WORDS = frozenset({"mc", "mcdropout", "carlo"})
"""In the name of a function: it samples with dropout."""
SAMPLING_WORDS = MONTE_CARLO_WORDS | {"uncertainty", "stochastic"}
"""In the name of a function that repeats a pass: it draws samples, whose spread is wanted."""
SPREADS = frozenset({"std", "var", "std_mean", "var_mean", "nanstd", "nanvar", "stdev", "pstdev", "variance"})
"""Functions and methods that compute how far values spread."""
INTENT_COMMENT = re.compile(
    r"monte.?carlo|\bmc[- ]?drop|non.?determinis|intentional|deliberate|on purpose|for diversity|exploration|resampl"
    r"|always (?:apply|applies|applied|on|active|use)|under `*eval"
    rf"|(?:even|also|still|both|kept?|enabled?|active|on) {_WHEN}"
    r"|at (?:test|inference) time|during (?:inference|generation|synthesis)",
    re.IGNORECASE,
)
"""In a comment beside a dropout: it drops at test time on purpose."""
INTENT_DOCSTRING = re.compile(
    r"monte.?carlo drop|\bmc[- ]?drop|dropout (?:is|are) (?:always|also|still|kept|intentionally)"
    r"|always (?:applies|apply|applied) dropout|(?:even|also) (?:in|at|during) (?:inference|test|eval)",
    re.IGNORECASE,
)
"""In the docstring around a dropout: the same. A docstring is long, so its words must mention dropout or a time."""
INTENT_TRAIN_MODE = re.compile(
    r"monte.?carlo|\bmc[- _]?drop|stochastic|uncertain|batch.?stat|non.?determinis"
    r"|(?:keep|enable|leave|with|use)s? dropout"
    r"|re-?calibrat|(?:in|keep|stay|leave)\w* (?:the )?(?:model )?(?:in )?(?:the )?train(?:ing)? mode",
    re.IGNORECASE,
)
"""In the name, docstring or comments of a function: it runs a model in train mode on purpose."""

# --- rates

# fmt: off
KEEP_WORDS = frozenset({
    "keep", "kept", "keeping", "keepprob", "keeprate", "keepratio", "kprob", "retain", "retained", "retention",
    "surviv", "survival", "survive",
})
"""In the name of a rate: it is the probability to keep."""
DROP_WORDS = frozenset({
    "drop", "dropout", "dropping", "dropped", "dp", "droprate", "dropprob", "layerdrop", "droplayer", "droppath",
})
"""In the name of a rate: it is the probability to drop."""
PROBABILITY_WORDS = frozenset({
    "rate", "prob", "probability", "probab", "p", "ratio", "value", "dropout", "drop", "keep",
})
"""Beside a word of KEEP_WORDS: the name is that of a probability, not of a list of things to keep."""
_KEEP_JOINED = ("keepprob", "keeprate", "keepratio", "keep_prob", "kprob")
"""Anywhere in a name, also where another word is written together with them."""
RATE_NAME = re.compile(r"drop|rate|prob|keep|\bp\b", re.IGNORECASE)
"""In the name of a constructor's argument: it may be a rate, so its value is followed."""
RATE_WORDS = frozenset({"dropout", "drop", "rate", "p", "prob", "probability", "attn", "keep", "dp", "ratio"})
"""A name of nothing but these words is that of a rate: testing it (``if drop_rate:``) asks for no mode."""
NO_RATE_WORDS = frozenset({"block", "class", "cls", "dim", "fn", "last", "layer", "layers", "module", "op", "type"})
"""Beside a word of DROP_WORDS: the name is that of a kind or a place of dropout, not of a rate."""
DROP_TEXT = re.compile(
    r"drop[- ]?out (?:rate|prob)|drop[- ]?(?:rate|prob)|prob\w{0,9} (?:of|to) (?:drop|zero)", re.IGNORECASE
)
"""In the documentation of a rate: it is the probability to drop."""
KEEP_TEXT = re.compile(
    r"(?:prob\w{0,9}|fraction|ratio)[^.\n]{0,25}(?:keep|kept|retain|surviv)|keep(?:ing)? prob|retention", re.IGNORECASE
)
"""In the documentation of a rate: it is the probability to keep."""

ATTENTION_WORDS = frozenset({"attn", "att", "attention"})
"""In the name of a dropout: it is for the weights of an attention, and not for its result."""
NOT_A_LAYER_WORDS = frozenset({"config", "args", "scheduler", "schedule", "callback", "block", "add", "norm"})
"""Beside "Dropout" in the name of a class: it is no dropout, or more than one."""


def names_dropout_layer(identifier: str) -> bool:
    """Whether a class is a dropout by its name, as ``LockedDropout`` and ``DropPath``, and nothing more."""
    found = words(identifier)
    drops = "dropout" in found or found == {"drop", "path"} or found == {"stochastic", "depth"}
    return identifier[:1].isupper() and drops and not found & NOT_A_LAYER_WORDS


# --- hand-written masks

DROPOUT_MASK_WORDS = frozenset({
    "drop", "dropout", "dropped", "droprate", "dropprob", "droppath", "layerdrop", "droplayer", "dropconnect", "keep",
    "zoneout", "kprob", "surviv", "survival",
})
"""Around a random mask: it is dropout. Not all of KEEP_WORDS and DROP_WORDS, because what is *kept* or *retained* by a
mask may as well be tokens or weights, and ``dp`` means other things where no rate is named."""
STOCHASTIC_DEPTH_WORDS = frozenset({"stochastic", "depth"})
"""Together around a random mask: it is dropout, of whole layers. Together in a name, they say nothing of the mode."""
OTHER_MASK_WORDS = frozenset({
    "cond", "uncond", "unconditional", "guidance", "cfg", "noise", "noisy", "corrupt", "corruption", "augment",
    "augmentation", "aug", "specaug", "perturb", "mlm", "mae", "epsilon", "eps", "explore", "mixup", "cutmix",
    "sampler", "gibbs", "rbm", "vq", "codebook", "labels", "spike", "spikes", "spiking",
})
"""Around a random mask: it is something else, whatever the other words say."""
CONDITION_WORDS = frozenset({
    "caption", "class", "cls", "condition", "conditioning", "context", "label", "prompt", "speaker", "text",
})
"""In the rate that decides a branch: it drops an input of a conditional model, to train for guidance."""
# fmt: on


def means_keep(identifier: str) -> bool:
    """Whether an identifier names a probability to keep."""
    lowered, found = identifier.lower(), words(identifier)
    if any(joined in lowered for joined in _KEEP_JOINED):
        return True
    return bool(found & KEEP_WORDS) and (bool(found & PROBABILITY_WORDS) or found <= KEEP_WORDS)


def means_drop(identifier: str) -> bool:
    """Whether an identifier names a probability to drop."""
    found = words(identifier)
    return bool(found & DROP_WORDS) and not found & KEEP_WORDS


OPTION_OBJECTS = frozenset(
    {"arg", "args", "cfg", "conf", "config", "flags", "hparams", "hp", "opt", "options", "opts", "params", "settings"}
)
"""Names of objects that hold options: ``args.dropout`` is a number, and no layer of a model."""
