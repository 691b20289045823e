"""Planted faults, each found by a run and named by its rule at its line; and healthy models, which are left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: N812
from torch import nn

from dropout_lint.runtime import Report, check

P = 0.3


class Hand(nn.Module):
    """A dropout by hand; each fault below changes one thing of it."""

    def __init__(self, p: float = P) -> None:
        super().__init__()
        self.p = p

    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand_like(x) >= self.p).to(x.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) / (1 - self.p) if self.training else x


class NoScaleDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) if self.training else x


class ScaledInEvalDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) if self.training else x * (1 - self.p)


class ScaledTwiceDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) / (1 - self.p) if self.training else x * (1 - self.p)


class KeepsInsteadDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.rand_like(x) < self.p) / (1 - self.p) if self.training else x


class KeepRateDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, 1 - self.p, self.training)


class ActiveInEvalDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) / (1 - self.p)


class TenPercentDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self.p * 1.1, self.training)


class TwoPercentDropout(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand_like(x) >= self.p * 1.02).to(x.dtype)


class WrongDivisorDropout(Hand):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask(x) / (1 - self.p / 2) if self.training else x


class CpuMaskDropout(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand(x.shape) >= self.p).to(x.dtype)


class FloatMaskDropout(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand_like(x) >= self.p).float()


class SharedMaskDropout(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand_like(x[:1]) >= self.p).to(x.dtype)


class DropPath(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= self.p).to(x.dtype)


class ElementwiseDropPath(Hand):
    pass


class FourDropPath(Hand):
    """Its mask has four values, whatever the batch is."""

    def mask(self, x: torch.Tensor) -> torch.Tensor:
        return torch.FloatTensor((x.shape[0], 1, 1, 1)).uniform_() > self.p


class DropBlock2d(Hand):
    def mask(self, x: torch.Tensor) -> torch.Tensor:
        seeds = (torch.rand_like(x) < self.p / 9).to(x.dtype)
        return 1 - F.max_pool2d(seeds, 3, stride=1, padding=1)


class Sticky(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(P)

    def forward(self, x: torch.Tensor) -> Any:
        if not self.training:
            self.drop.p = 0.0
        return self.drop(x)


class Held(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drops = [nn.Dropout(P)]

    def forward(self, x: torch.Tensor) -> Any:
        return self.drops[0](x)


class Forced(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, P, training=True)


class Untold(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, P)


class Frozen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mode = self.training

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, P, self.mode)


class Attention(nn.Module):
    def __init__(self, rate: float = P) -> None:
        super().__init__()
        self.dropout_rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x, dropout_p=self.dropout_rate)


class Built(nn.Module):
    def forward(self, x: torch.Tensor) -> Any:
        return nn.Dropout(P)(x)


class AlphaAfterRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.AlphaDropout(P)

    def forward(self, x: torch.Tensor) -> Any:
        return self.drop(x.relu())


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(8, 8, 1)
        self.rnn.dropout = P

    def forward(self, x: torch.Tensor) -> Any:
        return self.rnn(x.flatten(1))[0]


class Noisy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x)


class LayerDrop(nn.Module):
    def __init__(self, rate: float = P) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])
        self.layer_dropout = rate

    def forward(self, x: torch.Tensor) -> Any:
        if not self.layer_dropout:
            return self.layers[1](self.layers[0](x))
        skip = torch.zeros(2).uniform_() < self.layer_dropout
        for layer, out in zip(self.layers, skip, strict=True):
            x = x if out else layer(x)
        return x


class PythonRandom(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if random.random() < P else 2 * x


class IdleRandom(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chance = random.random()
        return x if self.training and chance < P else 2 * x


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(8, 8)
        self.drop = nn.Dropout(P)

    def forward(self, x: torch.Tensor) -> Any:
        return self.hidden(x)


class ShadowedTrain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(P)

    def train(self, data: object) -> None:  # type: ignore[override]
        raise AttributeError("no data")

    def forward(self, x: torch.Tensor) -> Any:
        return self.drop(x)


class ForgetfulTrain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(P)

    def train(self, mode: bool = True) -> ForgetfulTrain:  # noqa: FBT002 - as torch has it
        self.training = mode
        return self

    def forward(self, x: torch.Tensor) -> Any:
        return self.drop(x)


class Teacher(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.student = nn.Linear(8, 8)
        self.teacher = nn.Sequential(nn.Linear(8, 8), nn.Dropout(P)).requires_grad_(requires_grad=False).eval()

    def forward(self, x: torch.Tensor) -> Any:
        return self.student(x) + self.teacher(x)


class RowDropout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout1d(P)

    def forward(self, x: torch.Tensor) -> Any:
        return self.drop(x.flatten(1))


class BeforeNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.act, self.norm = nn.Conv2d(4, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)
        self.drop = nn.Dropout(P)

    def forward(self, x: torch.Tensor) -> Any:
        return self.norm(self.act(self.drop(self.hidden(x))))


def run(model: nn.Module, *shape: int, **options: Any) -> Report:
    generator = torch.Generator().manual_seed(1)
    return check(model, torch.randn(shape or (32, 4, 8, 8), generator=generator), **options)


def line_of(cls: type, text: str) -> int:
    """The line of this file in which a class has a text."""
    import inspect

    lines, first = inspect.getsourcelines(cls)
    return first + next(index for index, line in enumerate(lines) if text in line)


FAULTS: list[tuple[type[nn.Module], str, str]] = [
    (NoScaleDropout, "DRP502", "def forward"),
    (ScaledTwiceDropout, "DRP504", "def forward"),
    (KeepsInsteadDropout, "DRP503", "def forward"),
    (KeepRateDropout, "DRP401", "def forward"),
    (WrongDivisorDropout, "DRP503", "def forward"),
    (TenPercentDropout, "DRP590", "def forward"),
    (ElementwiseDropPath, "DRP508", "def forward"),
    (Sticky, "DRP109", "self.drop.p = 0.0"),
    (Held, "DRP104", "self.drops ="),
    (Forced, "DRP105", "F.dropout"),
    (Untold, "DRP101", "F.dropout"),
    (Frozen, "DRP106", "F.dropout"),
    (Attention, "DRP102", "F.scaled"),
    (Built, "DRP103", "nn.Dropout"),
    (AlphaAfterRelu, "DRP311", "self.drop ="),
    (Recurrent, "DRP406", "self.rnn ="),
    (LayerDrop, "DRP501", "uniform_"),
    (PythonRandom, "DRP190", "def forward"),
    (Unused, "DRP407", "self.drop ="),
    (ShadowedTrain, "DRP202", "def train"),
    (ForgetfulTrain, "DRP203", "def train"),
    (Teacher, "DRP211", "self.teacher ="),
    (RowDropout, "DRP308", "self.drop ="),
    (BeforeNorm, "DRP304", "self.drop ="),
]
SHAPES = {LayerDrop: (4, 8), Recurrent: (32, 8), Unused: (4, 8), Teacher: (4, 8), RowDropout: (32, 8)}


@pytest.mark.parametrize(("cls", "code", "text"), FAULTS, ids=[cls.__name__ for cls, *_ in FAULTS])
def test_a_planted_fault_is_named_at_its_line(cls: type[nn.Module], code: str, text: str) -> None:
    found = run(cls(), *SHAPES.get(cls, ())).diagnostics
    base = Hand if "forward" in text and "forward" not in vars(cls) else cls
    assert [(d.code, d.path, d.span.line) for d in found] == [(code, __file__, line_of(base, text))]


def test_a_mask_in_eval_mode_is_blamed_on_the_line_that_draws_it() -> None:
    found = run(ActiveInEvalDropout()).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("DRP501", line_of(Hand, "rand_like"))]


def test_two_percent_need_many_units() -> None:
    assert run(TwoPercentDropout(), 8, 4, 2, 2)
    assert [d.code for d in run(TwoPercentDropout(), units=2**21).diagnostics] == ["DRP503"]


@pytest.mark.parametrize("cls", [CpuMaskDropout, FloatMaskDropout])
def test_a_mask_of_the_wrong_device_or_type_is_found_on_the_cpu(cls: type[nn.Module]) -> None:
    (found,) = run(cls()).diagnostics
    assert found.code == "DRP506"
    assert ("on the CPU" in found.message) == (cls is CpuMaskDropout)
    assert ("bfloat16" in found.message) == (cls is FloatMaskDropout)


def test_a_mask_that_does_not_fit_is_found_where_it_raises() -> None:
    (found,) = run(FourDropPath(), 8, 4, 8, 8).diagnostics
    assert (found.code, found.span.line) == ("DRP508", line_of(Hand, "if self.training"))


def test_noise_is_told_apart_and_can_be_allowed() -> None:
    report = run(Noisy())
    assert [(d.code, d.severity) for d in report.diagnostics] == [("DRP190", "info")]
    assert report
    allowed = run(Noisy(), allow=["Noisy"])
    assert not allowed.diagnostics
    assert [o.kind for o in allowed.observations].count("noise") == 1


def test_a_number_that_changes_no_answer_is_information() -> None:
    (found,) = run(IdleRandom()).diagnostics
    assert (found.code, found.severity) == ("DRP190", "info")
    assert run(PythonRandom()).diagnostics[0].severity == "warning"


@pytest.mark.parametrize("cls", [Untold, Attention, LayerDrop])
def test_dropout_is_no_noise_that_could_be_allowed(cls: type[nn.Module]) -> None:
    assert not run(cls(), 4, 8, allow=["*"])


@pytest.mark.parametrize("cls", [Attention, LayerDrop])
def test_a_rate_of_zero_hides_nothing(cls: Callable[[float], nn.Module]) -> None:
    report = run(cls(0.0), 4, 8)
    assert [d.code for d in report.diagnostics] == ["DRP102" if cls is Attention else "DRP501"]
    assert "0.37" in report.diagnostics[0].message


def test_a_rate_of_one_half_hides_no_exchange() -> None:
    found = run(KeepsInsteadDropout(0.5)).diagnostics
    assert [d.code for d in found] == ["DRP503"]
    assert "p=0.37 to probe" in found[0].message


def test_the_mode_of_a_frozen_flag_is_quoted() -> None:
    assert "`self.mode`" in run(Frozen()).diagnostics[0].message


@pytest.mark.parametrize(
    "model",
    [SharedMaskDropout(), ScaledInEvalDropout(), DropPath(), DropPath(0.01), Hand(), Hand(0.0), nn.Dropout(0.5)],
    ids=lambda model: f"{type(model).__name__}-{model.p}",
)
def test_what_looks_like_a_fault_and_is_none(model: nn.Module) -> None:
    assert run(model).diagnostics == []


class Regulariser(Hand):
    """A dropout that its name does not give away."""


class ExchangedRegulariser(KeepsInsteadDropout):
    pass


def test_a_dropout_without_the_name_of_one_is_found_by_what_it_does() -> None:
    report = run(nn.Sequential(nn.Flatten(), nn.Linear(256, 512), Regulariser()))
    assert report.diagnostics == []
    (note,) = [o for o in report.observations if "by its behaviour" in o.text]
    assert (note.module, "0.300" in note.text) == ("2", True)
    exchanged = run(nn.Sequential(nn.Flatten(), nn.Linear(256, 512), ExchangedRegulariser()))
    assert [d.code for d in exchanged.diagnostics] == ["DRP503"]


def test_a_rate_that_the_model_itself_changes_is_what_it_was_afterwards() -> None:
    model = Sticky()
    assert not run(model)
    assert model.drop.p == P


def test_an_unscaled_mask_on_whole_tokens_is_the_norm() -> None:
    class TokenDropout(Hand):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * (torch.rand(*x.shape[:2], 1, device=x.device) >= self.p).to(x.dtype) if self.training else x

    report = run(TokenDropout(), 8, 12, 16)
    assert report.diagnostics == []
    assert any(o.kind == "note" and "does not scale" in o.text for o in report.observations)


def test_block_masks_are_said_not_to_be_tested() -> None:
    report = run(DropBlock2d(), 32, 4, 16, 16)
    assert not [d for d in report.diagnostics if d.code == "DRP590"]
    assert any(o.kind == "not checked" and "rate was not tested" in o.text for o in report.observations)


class Block(nn.Module):
    """A healthy transformer block with attention, stochastic depth and dropout."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.norm, self.qkv, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.drop, self.path = nn.Dropout(rate), DropPath(rate)

    def forward(self, x: torch.Tensor) -> Any:
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.rate if self.training else 0.0)
        return x + self.path(self.drop(self.out(y)))


HEALTHY: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "elementwise": (lambda: nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 4)), (64, 16)),
    "channels": (lambda: nn.Sequential(nn.Conv2d(4, 32, 3), nn.ReLU(), nn.Dropout2d(0.2)), (8, 4, 8, 8)),
    "channels-1d": (lambda: nn.Sequential(nn.Conv1d(4, 32, 3), nn.ReLU(), nn.Dropout1d(0.2)), (8, 4, 16)),
    "alpha": (lambda: nn.Sequential(nn.Linear(16, 32), nn.SELU(), nn.AlphaDropout(0.1)), (64, 16)),
    "feature-alpha": (lambda: nn.Sequential(nn.Linear(16, 32), nn.SELU(), nn.FeatureAlphaDropout(0.1)), (64, 16)),
    "by-hand": (lambda: nn.Sequential(nn.Linear(16, 32), Hand(0.1)), (64, 16)),
    "paths": (lambda: nn.Sequential(nn.Linear(16, 32), DropPath(0.05)), (64, 16)),
    "block": (lambda: nn.Sequential(Block(0.1), Block(0.2), Block(0.0)), (8, 12, 16)),
    "lstm": (lambda: nn.LSTM(8, 8, 2, dropout=0.3), (5, 8)),
    "encoder": (lambda: nn.TransformerEncoderLayer(16, 2, 32, 0.1, batch_first=True), (8, 12, 16)),
    "norm-first": (
        lambda: nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3)),
        (8, 4, 8, 8),
    ),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_ten_seeds_of_a_healthy_model_raise_no_alarm(kind: str) -> None:
    build, shape = HEALTHY[kind]
    for seed in range(10):
        torch.manual_seed(seed)
        report = check(build(), torch.randn(shape), seed=seed)
        assert [(d.code, d.message) for d in report.diagnostics] == []
        assert any("draws no random number" in o.text for o in report.observations)
