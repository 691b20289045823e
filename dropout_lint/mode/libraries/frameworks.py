"""Training frameworks and model libraries, as data: who sets the mode, and what their calls give back.

The linker reads the tuples of names, and ``python -m tools.frameworks`` writes ``docs/frameworks.md`` from all of it.
``docs`` is the page of the project that says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework or library. Names without a dot match the last part of a name."""

    name: str
    docs: str
    mode: str
    """Who sets the mode, and when."""
    understood: str
    """Which of its calls are followed, and with what mode."""
    silent: str
    """What is not reported, and why."""
    bases: tuple[str, ...] = ()
    """Classes whose methods the framework calls in the mode that it has set."""
    train_hooks: tuple[str, ...] = ()
    eval_hooks: tuple[str, ...] = ()
    prepares: tuple[str, ...] = ()
    """Methods and functions that return their arguments, with their modes."""
    loads: tuple[str, ...] = ()
    """Class methods that return an instance with weights, in train mode."""
    neutral: tuple[str, ...] = ()
    """Methods that neither compute nor change the mode."""
    wraps: tuple[str, ...] = ()
    """Functions and classes whose result is treated as the model passed to them."""


FRAMEWORKS = (
    Framework(
        "Lightning",
        "https://lightning.ai/docs/pytorch/stable/common/lightning_module.html",
        "the `Trainer`: `eval()` before validation, test and prediction, then the modes as they were (2.2 and later)",
        "the module built by hand, its `forward` called by hand; `load_from_checkpoint`, which gives train mode;"
        " parts that its constructor freezes, or gets in eval mode",
        "the hooks: the `Trainer` calls them",
        bases=tuple(
            f"{package}.{name}"
            for package in ("lightning", "lightning.pytorch", "pytorch_lightning")
            for name in ("LightningModule", "Callback", "Trainer")
        ),
        loads=("load_from_checkpoint",),
        neutral=("save_hyperparameters", "log", "log_dict", "optimizers", "lr_schedulers", "manual_backward"),
        train_hooks=("training_step", "on_train_batch_start", "on_train_epoch_start", "on_train_start"),
        eval_hooks=("validation_step", "test_step", "predict_step", "on_validation_epoch_start", "on_test_epoch_start"),
    ),
    Framework(
        "Lightning Fabric",
        "https://lightning.ai/docs/fabric/stable/fundamentals/convert.html",
        "your loop",
        "`fabric.setup`, `fabric.setup_module` and `fabric.backward`: the model keeps its mode",
        "nothing beyond what holds for every loop",
        prepares=("setup", "setup_module"),
    ),
    Framework(
        "Hugging Face Transformers",
        "https://huggingface.co/docs/transformers/main_classes/model",
        "the `Trainer`: `train()` for each step, `eval()` for each evaluation; in a loop of your own, you",
        "`from_pretrained` gives eval mode, `from_config` train mode; BERT, GPT-2, T5 and their kin have dropout",
        "the `Trainer`; models whose family the code does not name, as many of them have no dropout",
        neutral=("post_init", "gradient_checkpointing_enable", "get_input_embeddings", "push_to_hub"),
        bases=("transformers.Trainer", "transformers.Seq2SeqTrainer", "transformers.TrainerCallback"),
        train_hooks=("training_step", "compute_loss"),
        eval_hooks=("prediction_step", "evaluation_loop"),
    ),
    Framework(
        "Accelerate",
        "https://huggingface.co/docs/accelerate/package_reference/accelerator",
        "your loop",
        "`prepare` and `unwrap_model` keep the mode, `accelerator.backward` is a backward pass",
        "nothing beyond what holds for every loop",
        prepares=("prepare", "prepare_model", "unwrap_model"),
    ),
    Framework(
        "PEFT",
        "https://huggingface.co/docs/peft/package_reference/peft_model",
        "your loop or the `Trainer`",
        "the adapters that `get_peft_model` and `add_adapter` add are in train mode, the rest keeps its mode;"
        " `from_pretrained` gives eval mode unless `is_trainable=True`",
        "adapters whose configuration is read from a file; without a written dropout they have none",
        wraps=("get_peft_model", "prepare_model_for_kbit_training"),
    ),
    Framework(
        "DeepSpeed, Apex",
        "https://deepspeed.readthedocs.io/en/latest/initialize.html",
        "your loop",
        "`initialize` gives back what it gets",
        "pipeline engines, which run the model themselves",
        prepares=("initialize",),
    ),
    Framework(
        "Ignite",
        "https://pytorch.org/ignite/generated/ignite.engine.create_supervised_evaluator.html",
        "`create_supervised_trainer` and `create_supervised_evaluator`; in a process function of your own, you",
        "a process function is run like any other, with an unknown engine",
        "a model that was given to an engine: its mode counts as unknown until the code sets it again",
        bases=("ignite.engine.Engine", "ignite.engine.engine.Engine"),
    ),
    Framework(
        "fastai",
        "https://docs.fast.ai/callback.core.html",
        "`TrainEvalCallback`, before each training and each validation phase",
        "nothing of its own",
        "`Learner` and callbacks: the framework sets the mode",
        bases=("fastai.callback.core.Callback", "fastai.callback.all.Callback", "fastai.learner.Learner"),
        train_hooks=("before_train", "before_batch", "after_batch"),
        eval_hooks=("before_validate", "after_validate"),
    ),
    Framework(
        "skorch",
        "https://skorch.readthedocs.io/en/stable/net.html",
        "`NeuralNet`, in `train_step` and `validation_step`",
        "nothing of its own",
        "nets and callbacks: the framework sets the mode",
        bases=tuple(
            f"skorch.{n}" for n in ("NeuralNet", "NeuralNetClassifier", "NeuralNetRegressor", "callbacks.Callback")
        ),
        train_hooks=("train_step", "train_step_single"),
        eval_hooks=("validation_step", "evaluation_step"),
    ),
    Framework(
        "Catalyst",
        "https://catalyst-team.github.io/catalyst/core/runner.html",
        "the `Runner`, at the start of each loader, by the loader's name",
        "nothing of its own",
        "runners and callbacks: the framework sets the mode",
        bases=("catalyst.dl.Runner", "catalyst.dl.SupervisedRunner", "catalyst.dl.Callback"),
        train_hooks=("handle_batch",),
        eval_hooks=("predict_batch",),
    ),
    Framework(
        "Keras 3",
        "https://keras.io/api/models/model_training_apis/",
        "`fit`, `evaluate` and `predict`; a call is told by its argument `training`",
        "a call that says `training=` is not judged",
        "Keras layers: their dropout follows the argument, not a flag",
        bases=("keras.Model", "keras.models.Model", "keras.layers.Layer", "keras.Layer", "keras.callbacks.Callback"),
        train_hooks=("train_step",),
        eval_hooks=("test_step", "predict_step"),
    ),
    Framework(
        "Composer",
        "https://docs.mosaicml.com/projects/composer/en/stable/composer_model.html",
        "the `Trainer`: `train()` for each step, eval mode around each evaluation",
        "nothing of its own",
        "models, algorithms and callbacks: the framework sets the mode",
        bases=("composer.ComposerModel", "composer.models.ComposerModel", "composer.Callback", "composer.Algorithm"),
        train_hooks=("loss",),
        eval_hooks=("eval_forward",),
    ),
    Framework(
        "MMEngine and the OpenMMLab projects",
        "https://mmengine.readthedocs.io/en/latest/tutorials/runner.html",
        "the loops of the `Runner`: `train()` before each epoch, `eval()` before each evaluation",
        "`MMDataParallel` and `MMDistributedDataParallel` are the model that they hold",
        "models, hooks and loops: the framework sets the mode",
        bases=("mmengine.model.BaseModel", "mmengine.hooks.Hook", "mmengine.runner.BaseLoop", "mmcv.runner.Hook"),
        train_hooks=("train_step",),
        eval_hooks=("val_step", "test_step"),
        wraps=("MMDataParallel", "MMDistributedDataParallel"),
    ),
    Framework(
        "Detectron2",
        "https://detectron2.readthedocs.io/en/latest/modules/engine.html",
        "`SimpleTrainer` checks for train mode; `inference_on_dataset` sets eval mode and restores",
        "nothing of its own",
        "trainers and hooks; detectors, which in train mode give losses and in eval mode detections",
        bases=(
            *(f"detectron2.engine.{n}" for n in ("DefaultTrainer", "SimpleTrainer", "TrainerBase", "HookBase")),
            "detectron2.engine.train_loop.HookBase",
        ),
        train_hooks=("run_step", "before_step", "after_step"),
    ),
    Framework(
        "timm",
        "https://huggingface.co/docs/timm/reference/models",
        "your loop",
        "`create_model` gives train mode; convolutional families have batch norm, others a written `drop_rate`",
        "families without batch norm and without a written `drop_rate`: their default is no dropout",
    ),
    Framework(
        "torchvision",
        "https://docs.pytorch.org/vision/stable/models.html",
        "your loop",
        "constructors give train mode; all families but `vit_*` have batch norm, dropout or stochastic depth",
        "detection models: in train mode they give losses, which a validation may want",
    ),
    Framework(
        "PyTorch Geometric",
        "https://pytorch-geometric.readthedocs.io/en/latest/modules/nn.html",
        "your loop",
        "layers and models with a written rate, such as `GATConv(..., dropout=0.6)`",
        "layers without a written rate",
    ),
    Framework(
        "TorchMetrics",
        "https://lightning.ai/docs/torchmetrics/stable/pages/overview.html",
        "metrics have no mode of their own; those with a network inside keep it in eval mode",
        "nothing of its own",
        "metrics",
        bases=("torchmetrics.Metric", "torchmetrics.metric.Metric"),
    ),
)

MANAGED_BASES = frozenset(base for framework in FRAMEWORKS for base in framework.bases)
PREPARES = frozenset(name for framework in FRAMEWORKS for name in framework.prepares)
WRAPS = frozenset(name for framework in FRAMEWORKS for name in framework.wraps)
LOADS = frozenset(name for framework in FRAMEWORKS for name in framework.loads)
NEUTRAL = frozenset(name for framework in FRAMEWORKS for name in framework.neutral)
