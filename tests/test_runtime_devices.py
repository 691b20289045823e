"""Devices: one sentence for one that is not there; on an accelerator, the same checks, and what only it can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: N812
from torch import nn

from dropout_lint.observing import devices
from dropout_lint.runtime import check

HAS_ACCELERATOR = torch.accelerator.is_available()


@pytest.fixture
def accelerator() -> torch.device:
    """The accelerator; skips where there is none."""
    if not HAS_ACCELERATOR:
        pytest.skip("this machine has no accelerator that torch can use")
    current = torch.accelerator.current_accelerator()
    assert current is not None
    return torch.device(current.type, 0)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out, self.drop = nn.Linear(64, 192), nn.Linear(64, 64), nn.Dropout(0.2)

    def forward(self, x: torch.Tensor) -> Any:
        q, k, v = (t.unflatten(-1, (4, 16)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0)
        return x + self.drop(self.out(y.transpose(1, 2).flatten(2)))


class CpuMask(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.p = 0.2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.rand(x.shape) > self.p) / (1 - self.p) if self.training else x


class CpuMaskDropout(CpuMask):
    pass


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
@pytest.mark.skipif(HAS_ACCELERATOR, reason="here is an accelerator")
def test_a_device_that_is_not_there_is_one_sentence(name: str) -> None:
    with pytest.raises(devices.NoDeviceError, match=rf"^device '{name}' cannot be used: [^\n]*finds no accelerator$"):
        check(Block(), torch.randn(2, 8, 64), device=name)


def test_what_is_no_device_is_one_sentence() -> None:
    with pytest.raises(devices.NoDeviceError, match="'gpu' is no device: write 'cpu', 'cuda'"):
        devices.resolve("gpu")


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_the_rate_of_attention_is_read_through_identity_values(p: float) -> None:
    mask = devices.attention_rate(p, torch.device("cpu"), torch.float32)
    assert mask is not None
    assert abs(mask.rate - p) < 0.01
    assert mask.scale == pytest.approx(1 / (1 - p), rel=1e-3)


@pytest.mark.slow
def test_the_compiled_model_agrees_in_eval_mode_and_drops_at_the_rate() -> None:
    report = check(Block(), torch.randn(2, 8, 64), compiled=True)
    texts = [o.text for o in report.observations if "compiled" in o.text or "torch.compile" in o.text]
    if any("no compiler" in text.lower() or "InvalidCxxCompiler" in text for text in texts):
        pytest.skip("there is no C++ compiler here")
    assert any("eager answer" in text for text in texts), texts
    assert any("compiled dropout drops 0.2" in text or "compiled dropout drops 0.19" in text for text in texts), texts


@pytest.mark.gpu
def test_a_healthy_model_is_healthy_on_the_accelerator(accelerator: torch.device) -> None:
    model = Block()
    report = check(model, torch.randn(4, 32, 64), device=accelerator)
    assert report.diagnostics == []
    assert next(model.parameters()).device.type == "cpu"
    texts = " ".join(o.text for o in report.observations if o.kind == "checked")
    for part in ("CPU give the same answer", "fused attention", "float16 draws no", "bfloat16 draws no"):
        assert part in texts


@pytest.mark.gpu
def test_a_mask_on_the_cpu_is_found_on_the_accelerator(accelerator: torch.device) -> None:
    report = check(nn.Sequential(nn.Linear(4, 4), CpuMaskDropout()), torch.randn(8, 4), device=accelerator)
    assert {d.code for d in report.diagnostics} == {"DRP506"}


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_fused_attention_drops_at_its_rate(accelerator: torch.device, dtype: torch.dtype) -> None:
    mask = devices.attention_rate(0.2, accelerator, dtype)
    assert mask is not None
    assert abs(mask.rate - 0.2) < 0.01


@pytest.mark.gpu
def test_each_generator_of_the_accelerator_is_watched(accelerator: torch.device) -> None:
    from dropout_lint.observing.recording import rng

    before = rng.state()
    torch.rand(1, device=accelerator)
    assert rng.moved(before, rng.state()) == (f"torch on {accelerator}",)
    with rng.seeded(3):
        torch.rand(1, device=accelerator)
    assert not rng.moved(rng.state(), rng.state())
