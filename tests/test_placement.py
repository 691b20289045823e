"""Networks as people write them: what the source engine must see through, and what it must leave alone."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.linting import codes, lint_text

PLACEMENT = frozenset({f"DRP3{n:02}" for n in (1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 15)})
HEADER = """
import torch
import torch.nn.functional as F
from collections import OrderedDict
from torch import nn
"""


def found(text: str, folder: Path) -> list[str]:
    return codes(lint_text(HEADER + dedent(text), PLACEMENT, folder / "net.py"))


def model(init: str, forward: str, helpers: str = "", parameters: str = "width, p=0.3") -> str:
    """A class with these lines in its constructor and its forward, and perhaps further methods."""
    parts = [
        "class Net(nn.Module):",
        f"    def __init__(self, {parameters}):",
        "        super().__init__()",
        indent(dedent(init).strip(), " " * 8),
        "",
        "    def forward(self, x):",
        indent(dedent(forward).strip(), " " * 8),
        "",
        indent(dedent(helpers).strip(), " " * 4),
    ]
    return "\n".join(parts) + "\n"


LAYERS = """
self.fc = nn.Linear(width, width)
self.out = nn.Linear(width, width)
self.drop = nn.Dropout(p)
self.act = nn.GELU()
self.norm = nn.BatchNorm1d(width)
"""

REPORTED = {
    # forms of nn.Sequential
    "positional": ("net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2), nn.GELU(), nn.Linear(4, 4))", ["DRP301"]),
    "ordered-dict": (
        "net = nn.Sequential(OrderedDict([('a', nn.Linear(4, 4)), ('d', nn.Dropout(0.2)), ('t', nn.Tanh()),"
        " ('o', nn.Linear(4, 1))]))",
        ["DRP301"],
    ),
    "starred-list": (
        """
        layers = [nn.Linear(4, 4), nn.Dropout(0.2), nn.SiLU(), nn.Linear(4, 4)]
        net = nn.Sequential(*layers)
        """,
        ["DRP301"],
    ),
    "add-module": (
        """
        net = nn.Sequential()
        net.add_module("fc", nn.Linear(4, 4))
        net.add_module("drop", nn.Dropout(0.2))
        net.add_module("act", nn.ELU())
        net.add_module("out", nn.Linear(4, 4))
        """,
        ["DRP301"],
    ),
    "append-in-loop": (
        """
        def mlp(sizes):
            layers = []
            for a, b in zip(sizes, sizes[1:]):
                layers.append(nn.Linear(a, b))
                layers.append(nn.Dropout(0.2))
                layers.append(nn.Mish())
            layers.append(nn.Linear(sizes[-1], 1))
            return nn.Sequential(*layers)
        """,
        ["DRP301"],
    ),
    "extend": (
        """
        layers = [nn.Linear(4, 4)]
        layers.extend([nn.Dropout(0.2), nn.GELU()])
        layers.append(nn.Linear(4, 4))
        net = nn.Sequential(*layers)
        """,
        ["DRP301"],
    ),
    "plus-equals": (
        """
        layers = [nn.Linear(4, 4)]
        layers += [nn.Dropout(0.2)]
        layers += [nn.GELU(), nn.Linear(4, 4)]
        net = nn.Sequential(*layers)
        """,
        ["DRP301"],
    ),
    "comprehension": (
        """
        class Net(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.layers = nn.ModuleList(
                    [nn.Sequential(nn.Linear(width, width), nn.Dropout(0.2), nn.GELU()) for _ in range(3)]
                )

            def forward(self, x):
                for layer in self.layers:
                    x = x + layer(x)
                return x
        """,
        ["DRP301"],
    ),
    "nested": (
        "net = nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2)), nn.Sequential(nn.GELU(), nn.Flatten()))",
        ["DRP301"],
    ),
    "starred-factory": (
        """
        def block(a, b, norm=True):
            layers = [nn.Linear(a, b), nn.Dropout(0.2)]
            if norm:
                layers.append(nn.BatchNorm1d(b))
            layers.append(nn.LeakyReLU(0.2))
            return layers


        net = nn.Sequential(*block(4, 4), *block(4, 4), nn.Linear(4, 1))
        """,
        ["DRP304"],
    ),
    "factory-of-sequential": (
        """
        def head(width):
            return nn.Sequential(nn.Linear(width, 4), nn.Dropout(0.2), nn.ReLU(), nn.Linear(4, 1))


        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = head(8)

            def forward(self, x):
                return self.head(x)
        """,
        ["DRP302"],
    ),
    "shared-instances": (
        """
        relu, drop = nn.ReLU(), nn.Dropout(0.2)
        drop = nn.Dropout(0.2)
        relu = nn.ReLU()
        net = nn.Sequential(
            nn.Linear(4, 4),
            drop,
            relu,
            nn.Linear(4, 4),
            drop,
            relu,
            nn.Linear(4, 4),
        )
        """,
        ["DRP302", "DRP302"],
    ),
    # lists of layers in forward
    "module-list-iterated": (
        model(
            "self.layers = nn.ModuleList([nn.Linear(width, width), nn.Dropout(p), nn.GELU(), nn.Linear(width, 1)])",
            """
            for layer in self.layers:
                x = layer(x)
            return x
            """,
        ),
        ["DRP301"],
    ),
    "module-list-zip": (
        model(
            """
            self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
            self.norms = nn.ModuleList([nn.BatchNorm1d(width) for _ in range(2)])
            self.drop = nn.Dropout(p)
            """,
            """
            for layer, norm in zip(self.layers, self.norms):
                x = norm(self.drop(F.relu(layer(x))))
            return x
            """,
        ),
        ["DRP304"],
    ),
    "module-list-enumerate": (
        model(
            """
            self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
            self.drop = nn.Dropout(p)
            """,
            """
            for i, layer in enumerate(self.layers):
                x = torch.tanh(self.drop(layer(x)))
            return x
            """,
        ),
        ["DRP301"],
    ),
    "module-list-indexed": (
        model(
            """
            self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
            self.drop = nn.Dropout(p)
            """,
            """
            for i in range(2):
                x = F.gelu(self.drop(self.layers[i](x)))
            return x
            """,
        ),
        ["DRP301"],
    ),
    "unknown-rate-before-batch-norm": (
        model(
            """
            self.fc = nn.Linear(width, width)
            self.p = p
            self.norm = nn.BatchNorm1d(width)
            """,
            "return self.norm(F.dropout(self.fc(x), self.p, self.training))",
            parameters="width, p",
        ),
        ["DRP304"],
    ),
    # ways to write forward
    "nested-calls": (model(LAYERS, "return self.out(self.act(self.drop(self.fc(x))))"), ["DRP301"]),
    "statements": (
        model(
            LAYERS,
            """
            x = self.fc(x)
            x = self.drop(x)
            x = self.act(x)
            return self.out(x)
            """,
        ),
        ["DRP301"],
    ),
    "another-name-between": (
        model(
            LAYERS,
            """
            h = self.drop(self.fc(x))
            size = x.size(0)
            y = self.act(h)
            return self.out(y).view(size, -1)
            """,
        ),
        ["DRP301"],
    ),
    "through-view": (model(LAYERS, "return self.out(self.act(self.drop(self.fc(x)).view(-1, 4)))"), ["DRP301"]),
    "method-activation": (model(LAYERS, "return self.out(self.drop(self.fc(x)).tanh())"), ["DRP301"]),
    "activation-function-attribute": (
        model(
            """
            self.fc = nn.Linear(width, width)
            self.out = nn.Linear(width, width)
            self.drop = nn.Dropout(p)
            self.act = F.relu
            """,
            "return self.out(self.act(self.drop(self.fc(x))))",
        ),
        ["DRP302"],
    ),
    "activation-parameter-default": (
        model(
            """
            self.fc = nn.Linear(width, width)
            self.out = nn.Linear(width, width)
            self.drop = nn.Dropout(p)
            self.act = act_layer()
            """,
            "return self.out(self.act(self.drop(self.fc(x))))",
            parameters="width, act_layer=nn.GELU, p=0.1",
        ),
        ["DRP301"],
    ),
    "activation-from-table": (
        model(
            """
            self.fc = nn.Linear(width, width)
            self.out = nn.Linear(width, width)
            self.drop = nn.Dropout(p)
            self.act = ACT2FN["gelu"]
            """,
            "return self.out(self.act(self.drop(self.fc(x))))",
        ),
        ["DRP301"],
    ),
    "helper-method": (
        model(
            LAYERS,
            "return self.out(self.hidden(x))",
            """
            def hidden(self, x):
                return self.act(self.drop(self.fc(x)))
            """,
        ),
        ["DRP301"],
    ),
    "helper-method-splits-the-pair": (
        model(
            LAYERS,
            "return self.out(self.act(self.hidden(x)))",
            """
            def hidden(self, x):
                return self.drop(self.fc(x))
            """,
        ),
        ["DRP301"],
    ),
    "if-without-else": (
        model(
            LAYERS,
            """
            x = self.fc(x)
            if x.size(0) > 1:
                x = self.drop(x)
            return self.out(self.act(x))
            """,
        ),
        ["DRP301"],
    ),
    "early-return": (
        model(
            LAYERS,
            """
            x = self.drop(self.fc(x))
            if x.size(0) == 1:
                return self.out(x)
            return self.out(self.act(x))
            """,
        ),
        [],
    ),
    "base-class": (
        """
        class Base(nn.Module):
            def __init__(self, width, p=0.1):
                super().__init__()
                self.fc = nn.Linear(width, width)
                self.drop = nn.Dropout(p)
                self.act = nn.GELU()


        class Net(Base):
            def forward(self, x):
                return self.fc(self.act(self.drop(self.fc(x))))
        """,
        ["DRP301"],
    ),
    "sequential-subclass": (
        """
        class Block(nn.Sequential):
            def __init__(self, width, p):
                super().__init__(nn.Linear(width, width), nn.Dropout(p), nn.GELU(), nn.Linear(width, width))


        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block(4, 0.1)

            def forward(self, x):
                return self.block(x)
        """,
        ["DRP301"],
    ),
    "last-step-has-two-dimensions": (
        model(
            """
            self.rnn = nn.LSTM(width, width, batch_first=True)
            self.drop = nn.Dropout1d(p)
            self.out = nn.Linear(width, 2)
            """,
            """
            x, _ = self.rnn(x)
            return self.out(self.drop(x[:, -1]))
            """,
        ),
        ["DRP308"],
    ),
    "flattened": (
        model(
            """
            self.conv = nn.Conv2d(3, 8, 3)
            self.drop = nn.Dropout2d(p)
            self.out = nn.Linear(width, 2)
            """,
            """
            x = F.relu(self.conv(x)).flatten(1)
            return self.out(self.drop(x))
            """,
        ),
        ["DRP308"],
    ),
    "scores-in-a-function": (
        """
        def attention(q, k, v, p, training):
            scores = q @ k.transpose(-2, -1)
            return torch.softmax(F.dropout(scores, p, training), dim=-1) @ v
        """,
        ["DRP303"],
    ),
    "loss-in-a-script": (
        """
        net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3), nn.Dropout(0.2))
        for x, y in loader:
            F.cross_entropy(net(x), y).backward()
        """,
        ["DRP303"],
    ),
    "pair-of-convolutions": (
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.4), nn.Conv2d(8, 8, 3), nn.ReLU())",
        ["DRP307"],
    ),
    "drop-path-of-the-sum": (
        """
        class DropPath(nn.Module):
            def __init__(self, p=0.1):
                super().__init__()
                self.p = p


        """
        + model(
            "self.path = DropPath(p)\nself.fc = nn.Linear(width, width)", "return self.path(x + self.fc(x))"
        ).replace("\n", "\n        "),
        ["DRP315"],
    ),
    "twice-on-one-value": (
        model(
            LAYERS,
            """
            x = self.drop(F.relu(self.fc(x)))
            x = x.flatten(1)
            return self.out(F.dropout(x, 0.5, self.training))
            """,
        ),
        ["DRP312"],
    ),
}

SILENT = {
    "list-told-apart-by-its-members": model(
        """
        self.layers = nn.ModuleList()
        for i in range(3):
            self.layers.extend([Masked(width), nn.BatchNorm1d(width)])
            if i < 2:
                self.layers.extend([nn.Hardtanh(0.0, 20.0), nn.Dropout(p)])
        """,
        """
        for layer in self.layers:
            if isinstance(layer, Masked):
                x, lengths = layer(x, 3)
            else:
                x = layer(x)
        return x
        """,
    ),
    "number-of-layers-by-a-test": model(
        """
        self.drop = nn.Dropout(p)
        self.norm = nn.BatchNorm1d(width)
        self.layers = nn.ModuleList([])
        if width == 1:
            self.layers.append(nn.Linear(1, 1))
        elif width > 1:
            self.layers.append(nn.Linear(1, width))
            self.layers.append(nn.Linear(width, 1))
        """,
        """
        x = self.activate(x)
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i != len(self.layers) - 1:
                x = self.activate(x)
        return x
        """,
        """
        def activate(self, x):
            return self.drop(F.relu(self.norm(x)))
        """,
    ),
    "tutorial-mlp": "net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))",
    "shared-instances-in-order": """
        relu = nn.ReLU()
        drop = nn.Dropout(0.2)
        net = nn.Sequential(nn.Linear(4, 4), relu, drop, nn.Linear(4, 4), relu, drop, nn.Linear(4, 2))
        """,
    "one-dropout-used-twice": model(
        LAYERS, "return self.out(self.drop(F.relu(self.fc(self.drop(F.relu(self.fc(x)))))))"
    ),
    "dropout-last-in-block": (
        "net = nn.Sequential(nn.Linear(4, 9), nn.GELU(), nn.Dropout(0.1), nn.Linear(9, 4), nn.Dropout(0.1))"
    ),
    "last-layer-is-guarded": model(
        """
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])
        self.drop = nn.Dropout(p)
        """,
        """
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i < len(self.layers) - 1:
                x = self.drop(F.relu(x))
        return torch.sigmoid(x)
        """,
    ),
    "exclusive-arms": model(
        LAYERS,
        """
        x = self.fc(x)
        if x.dim() == 2:
            x = self.drop(x)
        else:
            x = self.act(x)
        return self.out(x)
        """,
    ),
    "dropout-in-each-arm": model(
        LAYERS,
        """
        x = F.relu(self.fc(x))
        if x.dim() == 2:
            x = self.drop(x)
        else:
            x = F.dropout2d(x, 0.1, self.training)
        return self.out(x)
        """,
    ),
    "early-return-separates": model(
        LAYERS,
        """
        x = self.fc(x)
        if x.dim() == 2:
            return self.drop(x)
        return self.out(self.act(x))
        """,
    ),
    "residual-between": model(LAYERS, "return self.act(x + self.drop(self.fc(x)))"),
    "concatenation-between": model(LAYERS, "return self.act(torch.cat([x, self.drop(self.fc(x))], dim=1))"),
    "linear-between": model(LAYERS, "return self.act(self.fc(self.drop(x)))"),
    "layer-norm-is-immune": "net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1), nn.LayerNorm(4), nn.Linear(4, 4))",
    "dropout-behind-batch-norm": (
        "net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.1), nn.Linear(4, 4))"
    ),
    "linear-resets-the-adjacency": "net = nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 4), nn.BatchNorm1d(4))",
    "attention-weights": model(LAYERS, "return self.drop(torch.softmax(self.fc(x), dim=-1)) @ x"),
    "gated-linear-unit": "net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.GLU(), nn.Linear(4, 4))",
    "unknown-activation": model(
        """
        self.fc = nn.Linear(width, width)
        self.drop = nn.Dropout(p)
        self.act = act
        """,
        "return self.fc(self.act(self.drop(self.fc(x))))",
        parameters="width, act, p=0.1",
    ),
    "unknown-class-between": model(LAYERS + "self.mix = Mixer()", "return self.act(self.mix(self.drop(self.fc(x))))"),
    "zero-rate": "net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.0), nn.GELU(), nn.Linear(4, 4))",
    "channel-dropout-on-maps": (
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout2d(0.4), nn.Conv2d(8, 8, 3))"
    ),
    "one-by-one-convolution": "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.4), nn.Conv2d(8, 8, 1))",
    "one-dimensional-convolution": (
        "net = nn.Sequential(nn.Conv1d(3, 8, 3), nn.ReLU(), nn.Dropout(0.4), nn.Conv1d(8, 8, 3))"
    ),
    "grouped-convolution": (
        "net = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Dropout(0.4), nn.Conv2d(8, 8, 3, groups=8))"
    ),
    "flatten-behind-convolution": (
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.4), nn.Flatten(), nn.Linear(8, 2))"
    ),
    "identity-in-place-of-a-head": model(
        """
        self.drop = nn.Dropout(p)
        self.head = nn.Linear(width, classes) if classes > 0 else nn.Identity()
        """,
        """
        logits = self.head(self.drop(F.relu(x)))
        return F.cross_entropy(logits, x)
        """,
        parameters="width, classes, p=0.1",
    ),
    "unknown-rank": model("self.drop = nn.Dropout2d(p)", "return self.drop(x)"),
    "drop-path-on-the-branch": "from timm.layers import DropPath\n"
    + model("self.path = DropPath(p)\nself.fc = nn.Linear(width, width)", "return x + self.path(self.fc(x))"),
    "dropout-and-drop-path": "from timm.layers import DropPath\n"
    + model("self.path = DropPath(p)\nself.drop = nn.Dropout(p)", "return x + self.path(self.drop(x))"),
    "alpha-behind-selu": "net = nn.Sequential(nn.Linear(4, 4), nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(4, 4))",
    "fine-tuned-loss-elsewhere": model(LAYERS, "return self.drop(self.fc(x))"),
    "list-of-dropouts-is-no-chain": model(
        """
        self.drops = nn.ModuleList([nn.Dropout(p), nn.Dropout(p)])
        self.fc = nn.Linear(width, width)
        """,
        "return sum(self.fc(drop(x)) for drop in self.drops)",
    ),
    "slice-of-a-sequential": model(
        "self.net = nn.Sequential(nn.Linear(width, width), nn.Dropout(p), nn.ReLU(), nn.Linear(width, 1))[:2]",
        "return self.net(x)",
    ),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SILENT.items()])
def test_is_left_alone(text: str, tmp_path: Path) -> None:
    assert found(text, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "expected"), [pytest.param(text, expected, id=name) for name, (text, expected) in REPORTED.items()]
)
def test_is_reported(text: str, expected: list[str], tmp_path: Path) -> None:
    assert found(text, tmp_path) == expected


def test_deep_nesting_is_no_problem(tmp_path: Path) -> None:
    text = "net = " + "nn.Sequential(" * 40 + "nn.Dropout(0.2), nn.GELU(), nn.Linear(1, 1)" + ")" * 40
    assert found(text, tmp_path) == ["DRP301"]


IN_PLACE = {
    "sum": ("h = self.drop(x)\nh += y\nreturn x + h", ["DRP317"]),
    "the-other-operand": ("h = self.fc(y)\nh += self.drop(x)\nreturn x + h", []),
    "not-read-again": ("x = self.drop(x)\nx += y\nreturn x", []),
    "method": ("h = self.drop(x)\nh.relu_()\nreturn x + h", ["DRP317"]),
    "out-of-place": ("h = self.drop(x)\nh = h + y\nreturn x + h", []),
}


@pytest.mark.parametrize(("body", "expected"), IN_PLACE.values(), ids=IN_PLACE.keys())
def test_edits_of_a_dropped_value(body: str, expected: list[str], tmp_path: Path) -> None:
    text = HEADER + model(LAYERS, body).replace("forward(self, x)", "forward(self, x, y)")
    assert codes(lint_text(text, {"DRP317"}, tmp_path / "net.py")) == expected


def test_network_of_a_script_with_layers_in_a_list() -> None:
    text = """
        from torch import nn, randn

        def features(size):
            layers = []
            layers += [nn.Conv2d(3, size, 3), nn.ReLU()]
            return layers

        net = features(8)
        net = nn.Sequential(*net)
        out = net(randn(1, 3, 8, 8))
        nn.BCEWithLogitsLoss()(out, out)
        """
    assert codes(lint_text(dedent(text))) == []
