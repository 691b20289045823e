"""Watching a run: what is said as it happens, what is left alone, and the fixtures and callbacks made of it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

from torch import nn

from dropout_lint.runtime.watcher import ModeWarning, watch

ROOT = Path(__file__).resolve().parent.parent


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self.body(x))


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.randn(4, 4)).sum().backward()
    optimizer.step()


def evaluate(model: nn.Module, batches: int = 3) -> None:
    with torch.no_grad():
        for _ in range(batches):
            model(torch.randn(4, 4))


def codes(seen: watch) -> list[str]:
    return [d.code for d in seen.report.diagnostics]


@pytest.fixture
def model() -> Net:
    return Net()


@pytest.fixture
def optimizer(model: Net) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.1)


def test_a_run_that_sets_its_modes_is_silent(model: Net, optimizer: torch.optim.Optimizer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with watch(model) as seen:
            for _ in range(2):
                model.train()
                step(model, optimizer)
                model.eval()
                evaluate(model)
    assert seen.report
    assert [(f.training, f.grad) for f in seen.forwards] == [(True, True), *[(False, False)] * 3] * 2


def test_evaluating_in_train_mode_is_warned_of_at_once(model: Net) -> None:
    with watch(model) as seen:
        with pytest.warns(ModeWarning, match=r"DRP206 .* in train mode"):
            evaluate(model)
        assert codes(seen) == ["DRP206"]
    (found,) = seen.report.diagnostics
    assert found.path == __file__
    assert "model(torch.randn(4, 4))" in Path(__file__).read_text().splitlines()[found.span.line - 1]


def test_a_sample_between_two_steps_is_no_evaluation(model: Net, optimizer: torch.optim.Optimizer) -> None:
    with watch(model) as seen:
        for _ in range(3):
            evaluate(model, batches=1)
            step(model, optimizer)
    assert not codes(seen)


def test_the_same_input_again_is_dropout_at_test_time_on_purpose(model: Net) -> None:
    x = torch.randn(4, 4)
    with watch(model) as seen, torch.no_grad():
        for _ in range(5):
            model(x)
    assert not codes(seen)


def test_statistics_computed_anew_are_no_evaluation(model: Net) -> None:
    with watch(model) as seen:
        torch.optim.swa_utils.update_bn([torch.randn(4, 4) for _ in range(3)], model)
    assert not codes(seen)


def test_a_checkpointed_step_is_no_evaluation(model: Net, optimizer: torch.optim.Optimizer) -> None:
    from torch.utils.checkpoint import checkpoint

    with watch(model) as seen:
        for _ in range(3):
            optimizer.zero_grad()
            x = torch.randn(4, 4, requires_grad=True)
            checkpoint(model, x, use_reentrant=True).sum().backward()
            optimizer.step()
    assert not codes(seen)


def test_training_on_in_eval_mode_is_found_where_the_model_is_called(
    model: Net, optimizer: torch.optim.Optimizer
) -> None:
    with watch(model, on_finding=lambda _: None) as seen:
        step(model, optimizer)
        model.eval()
        step(model, optimizer)
    (found,) = seen.report.diagnostics
    assert (found.code, found.path) == ("DRP205", __file__)
    assert found.span.line == step.__code__.co_firstlineno + 2


def test_fine_tuning_in_eval_mode_from_the_start_is_left_alone(model: Net, optimizer: torch.optim.Optimizer) -> None:
    model.eval()
    with watch(model) as seen:
        step(model, optimizer)
    assert not codes(seen)


def test_a_step_of_another_model_says_nothing(model: Net, optimizer: torch.optim.Optimizer) -> None:
    other = Net()
    with watch(model) as seen:
        step(model, optimizer)
        model.eval()
        model(torch.randn(4, 4))
        step(other, torch.optim.SGD(other.parameters(), 0.1))
    assert not codes(seen)


def test_a_frozen_part_that_train_wakes_up(model: Net) -> None:
    model.body.requires_grad_(requires_grad=False).eval()
    with watch(model, on_finding=lambda _: None) as seen:
        model.train()
        model(torch.randn(4, 4))
    assert codes(seen) == ["DRP211"]
    assert seen.report.diagnostics[0].modules == ("body.1", "body.3")


@pytest.mark.parametrize("frozen", [True, False])
def test_mixed_modes_are_found_unless_the_part_is_frozen(model: Net, frozen: bool) -> None:
    model.body.requires_grad_(not frozen).eval()
    with watch(model, on_finding=lambda _: None) as seen:
        model(torch.randn(4, 4))
    assert codes(seen) == ([] if frozen else ["DRP290"])


def test_mixed_modes_can_be_allowed(model: Net) -> None:
    model.body.eval()
    with watch(model, allow=["body.*"]) as seen:
        model(torch.randn(4, 4))
    assert not codes(seen)


def test_a_part_that_is_called_alone_is_watched_too(model: Net) -> None:
    with watch(model, on_finding=lambda _: None) as seen, torch.no_grad():
        for _ in range(2):
            model.body(torch.randn(4, 4))
    assert codes(seen) == ["DRP206"]
    assert [f.module for f in seen.forwards] == ["body", "body"]


def test_nothing_stays_behind_after_an_error(model: Net) -> None:
    with pytest.raises(RuntimeError), watch(model) as seen:
        model(torch.randn(4, 5))
    model.train()
    evaluate(model)
    assert len(seen.forwards) == 1
    assert not model._forward_hooks


PLUGIN = """
import sys
import pytest

TORCH_AT_START = "torch" in sys.modules


def test_torch_is_not_imported_for_tests_that_do_not_need_it():
    assert not TORCH_AT_START


@pytest.fixture
def nn():
    return pytest.importorskip("torch.nn")


def test_good(check_dropout, nn):
    import torch
    assert check_dropout(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2)), torch.randn(8, 4)).tables["rates"]


def test_bad(check_dropout, nn):
    import torch

    class Bad(nn.Module):
        def forward(self, x):
            return nn.functional.dropout(x)

    check_dropout(Bad(), torch.randn(8, 4))


def test_preserved(assert_mode_preserved, nn):
    model = nn.Sequential(nn.Dropout(0.2))
    with assert_mode_preserved(model):
        model.eval()
        model.train()


def test_not_preserved(assert_mode_preserved, nn):
    model = nn.Sequential(nn.Dropout(0.2)).eval()
    with assert_mode_preserved(model):
        model[0].train()
"""


def test_the_fixtures_of_the_pytest_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_plugin.py").write_text(PLUGIN)
    command = [sys.executable, "-m", "pytest", "-p", "dropout_lint.runtime.pytest_plugin", "-q", "-rA", str(tmp_path)]
    env = {**__import__("os").environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    out = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False).stdout
    failed = sorted(line.split("::")[1].split()[0] for line in out.splitlines() if line.startswith("FAILED"))
    assert failed == ["test_bad", "test_not_preserved"], out
    assert "3 passed" in out
    assert "DRP101" in out
    assert "DRP290: `0` came back in train mode" in out


def test_the_package_and_the_plugin_import_no_torch() -> None:
    modules = "dropout_lint.runtime, dropout_lint.runtime.job, dropout_lint.runtime.pytest_plugin"
    code = f"import sys, {modules}\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_lightning_callback_watches_a_fit(tmp_path: Path) -> None:
    lightning: Any = pytest.importorskip("lightning.pytorch")
    from dropout_lint.runtime.lightning_callback import WatchModes

    class Lit(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = Net()

        def training_step(self, batch: list[torch.Tensor], index: int) -> Any:
            if index == 2:
                self.net.eval()
            return self.net(batch[0]).sum()

        def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
            self.net(batch[0])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(16, 4)), batch_size=4)
    watching = WatchModes()
    trainer = lightning.Trainer(
        max_epochs=1,
        callbacks=[watching],
        logger=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
        enable_progress_bar=False,
        accelerator="cpu",
    )
    with pytest.warns(ModeWarning):
        trainer.fit(Lit(), loader, loader)
    assert [d.code for d in watching.report.diagnostics] == ["DRP205"]


def test_the_transformers_callback_watches_a_training(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from dropout_lint.runtime.transformers_callback import WatchModes

    class Classifier(Net):
        def train(self, mode: bool = True) -> Self:  # noqa: FBT002 - as torch has it
            super().train(mode).body.eval()
            return self

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
            logits = super().forward(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    data = [{"x": torch.randn(4), "labels": torch.tensor(0)} for _ in range(16)]
    watching = WatchModes()
    model = Classifier()
    arguments = transformers.TrainingArguments(
        str(tmp_path),
        num_train_epochs=1,
        per_device_train_batch_size=4,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    with pytest.warns(ModeWarning):
        transformers.Trainer(model, arguments, train_dataset=data, callbacks=[watching]).train()
    assert [(d.code, d.modules) for d in watching.report.diagnostics] == [("DRP290", ("body.1", "body.3"))]
