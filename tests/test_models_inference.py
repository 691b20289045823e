"""Inputs for models that none were given for: from their layers, their sizes and the parameters of ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

from torch import nn

from dropout_lint.models.infer import example_inputs
from dropout_lint.targets.inputs import parse_all
from dropout_lint.targets.target import ModelTarget

TARGET = ModelTarget("a:B")


class Named(nn.Module):
    """A module with these children and attributes, and a forward of one's own."""

    attention: Callable[..., Any]
    body: Callable[..., Any]
    embed: Callable[..., Any]
    head: Callable[..., Any]
    stem: Callable[..., Any]
    table: Callable[..., Any]

    def __init__(self, **members: object) -> None:
        super().__init__()
        for name, member in members.items():
            setattr(self, name, member)


class Image(Named):
    def forward(self, x: Any) -> Any:
        if x.shape[-1] != 32:
            raise ValueError("32 only")
        return self.stem(x)


class Sized(Image):
    image_size = (48, 40)

    def forward(self, x: Any) -> Any:
        assert tuple(x.shape[-2:]) == self.image_size
        return self.stem(x)


class HeadFirst(Named):
    def forward(self, x: Any) -> Any:
        return self.head(self.body(x).mean((2, 3)))


class Tokens(Named):
    def forward(self, input_ids: Any = None, labels: Any = None, inputs_embeds: Any = None) -> Any:
        return self.table(input_ids)


class Pair(Named):
    def forward(self, query: Any, context: Any, *, mask: Any) -> Any:
        assert mask.dtype == torch.bool
        return self.attention(query, context, context, key_padding_mask=mask)


class Diffusion(Named):
    def forward(self, x: Any, timestep: Any) -> Any:
        return self.stem(x) + self.table(timestep).sum()


class Patches(Named):
    def forward(self, x: Any) -> Any:
        batch, _, height, width = x.shape
        assert (height, width) == (64, 64)
        return self.embed(x.reshape(batch, -1, 192))


class TwoKinds(Named):
    def forward(self, input_ids: Any = None, pixel_values: Any = None, labels: Any = None) -> Any:
        return self.table(input_ids).sum() + self.stem(pixel_values).sum()


class Bare(Named):
    def forward(self, x: Any) -> Any:
        return nn.functional.dropout(x, 0.5, self.training)


CASES = {
    "conv": (nn.Sequential(nn.Conv2d(3, 4, 3)), "inferred from Conv2d `0`: 2,3,224,224"),
    "another size": (Image(stem=nn.Conv2d(1, 4, 3)), "inferred from Conv2d `stem`: 2,1,32,32"),
    "declared size": (Sized(stem=nn.Conv2d(3, 4, 3)), "inferred from Conv2d `stem`: 2,3,48,40"),
    "signal": (nn.Sequential(nn.Conv1d(5, 4, 3)), "inferred from Conv1d `0`: 2,5,64"),
    "volume": (nn.Sequential(nn.Conv3d(1, 2, 3)), "inferred from Conv3d `0`: 2,1,32,32,32"),
    "generator": (nn.Sequential(nn.ConvTranspose2d(8, 4, 4)), "inferred from ConvTranspose2d `0`: 2,8,1,1"),
    "linear": (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), "inferred from Linear `1`: 2,784"),
    "normalised sequence": (
        nn.Sequential(nn.Linear(8, 6), nn.Flatten(0, 1), nn.Unflatten(0, (2, 16))),
        "inferred from Linear `0`: 2,16,8",
    ),
    "embedding": (nn.Sequential(nn.Embedding(50, 8)), "inferred from Embedding `0`: i64:2,16<50"),
    "recurrent": (nn.LSTM(7, 8, batch_first=True), "inferred from LSTM: 2,16,7"),
    "attention": (
        nn.TransformerEncoderLayer(16, 2, batch_first=True),
        "inferred from MultiheadAttention `self_attn`: 2,16,16",
    ),
    "two inputs": (
        nn.Transformer(16, 2, 1, 1, 16, batch_first=True),
        "inferred from MultiheadAttention `encoder.layers.0.self_attn`",
    ),
    "head defined first": (HeadFirst(head=nn.Linear(4, 2), body=nn.Conv2d(3, 4, 3)), "inferred from Conv2d `body`"),
    "by name": (Tokens(table=nn.Embedding(9, 4)), "inferred from Embedding `table`: input_ids=i64:2,16<9"),
    "mask": (
        Pair(attention=nn.MultiheadAttention(8, 2, batch_first=True)),
        "inferred from MultiheadAttention `attention`: 2,16,8 2,16,8 mask=bool:2,16",
    ),
    "time step": (
        Diffusion(stem=nn.Conv2d(3, 4, 3), table=nn.Embedding(9, 4)),
        "inferred from Conv2d `stem`: 2,3,224,224 i64:2",
    ),
    "patches": (Patches(embed=nn.Linear(192, 8)), "inferred from the usual sizes of images: 2,3,64,64"),
    "text and image": (
        TwoKinds(table=nn.Embedding(9, 4), stem=nn.Conv2d(3, 4, 3)),
        "inferred from Embedding `table`: input_ids=i64:2,16<9 pixel_values=2,3,224,224",
    ),
    "without weights": (Bare(), "inferred from a model without weights: 2,64"),
    "batch norm": (nn.Sequential(nn.BatchNorm2d(6)), "inferred from BatchNorm2d `0`: 2,6,32,32"),
}


@pytest.mark.parametrize("name", CASES)
def test_inputs_come_from_the_layers(name: str) -> None:
    model, words = CASES[name]
    loaded = example_inputs(model, TARGET)
    assert loaded.inputs_from.startswith(words)
    assert loaded.no_inputs == ""
    with torch.no_grad():
        model(*loaded.args, **loaded.kwargs)


def test_a_guess_leaves_the_modes_and_the_random_state_alone() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.BatchNorm1d(4), nn.Dropout())
    model[3].eval()
    state = torch.get_rng_state()
    assert example_inputs(model, TARGET).inputs_from
    assert [module.training for module in model] == [True, True, True, False]
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert model[2].num_batches_tracked == 0


def test_what_no_guess_fits_is_said_with_its_line() -> None:
    class Picky(Named):
        def forward(self, x: Any) -> Any:
            return x.nothing

    loaded = example_inputs(Picky(stem=nn.Conv2d(3, 4, 3)), TARGET)
    assert (loaded.args, loaded.kwargs, loaded.inputs_from) == ((), {}, "")
    assert loaded.no_inputs.startswith("`forward` refused 2,3,224,224, inferred from Conv2d `stem`: ")
    assert "test_models_inference.py:" in loaded.no_inputs
    scale = nn.Module()
    scale.weight = nn.Parameter(torch.ones(3))
    scale.forward = lambda x: x.nothing
    assert (
        "2,3,224,224, inferred from the usual sizes of images: AttributeError"
        in example_inputs(scale, TARGET).no_inputs
    )


def test_given_inputs_are_taken_and_forward_may_need_none() -> None:
    loaded = example_inputs(nn.Linear(4, 4), ModelTarget("a:B", inputs=parse_all(["7,4"])))
    assert (loaded.args[0].shape, loaded.inputs_from) == ((7, 4), "given")

    class Stored(Named):
        def forward(self, scale: float = 1.0) -> float:
            return scale

    loaded = example_inputs(Stored(), TARGET)
    assert (loaded.args, loaded.inputs_from) == ((), "`forward`, which needs none")
