"""Rules about single layers, where the proof is in other files, and their severities."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from dropout_lint.diagnostic import Diagnostic, Severity
from tests.linting import lint_files

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"


def found(folder: Path, codes: set[str], **files: str) -> list[Diagnostic]:
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.py")
        paths[-1].write_text(HEAD + dedent(text), "utf-8")
    return list(lint_files(paths, codes))


def test_a_list_of_modules_of_another_file(tmp_path: Path) -> None:
    blocks = """
    class Noise(nn.Module):
        def __init__(self, p):
            super().__init__()
            self.drop = nn.Dropout(p)

        def forward(self, x):
            return self.drop(x)


    class Block(nn.Module):
        def __init__(self, width, dropout=0.0):
            super().__init__()
            self.noise = Noise(dropout)

        def forward(self, x):
            return self.noise(x)
    """
    net = """
    from blocks import Block


    class Net(nn.Module):
        def __init__(self, width, dropout):
            super().__init__()
            self.layers = [Block(width, dropout) for _ in range(3)]
            self.plain = [Block(width), Block(width)]

        def forward(self, x):
            for layer in self.layers + self.plain:
                x = layer(x)
            return x
    """
    (one,) = found(tmp_path, {"DRP104"}, blocks=blocks, net=net)
    assert one.span.line == 11
    assert "`Block` makes a module with a dropout" in one.message


RNN = """
class Encoder(nn.Module):
    def __init__(self, width, depth=1, dropout=0.5):
        super().__init__()
        self.rnn = nn.LSTM(width, width, depth, dropout=dropout)
"""


def severities(findings: list[Diagnostic]) -> list[Severity]:
    return [one.severity for one in findings]


def test_an_rnn_that_every_file_gives_one_layer(tmp_path: Path) -> None:
    run = "from net import Encoder\n\n\ndef main():\n    return Encoder(8), Encoder(8, 1), Encoder(8, dropout=0.1)\n"
    assert severities(found(tmp_path, {"DRP406"}, net=RNN, run=run)) == [Severity.WARNING]


def test_an_rnn_that_nothing_calls(tmp_path: Path) -> None:
    assert severities(found(tmp_path, {"DRP406"}, net=RNN)) == [Severity.INFO]


def test_the_rate_of_an_rnn_stays_where_a_caller_may_add_layers(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"DRP406"}, net=RNN.replace("dropout=dropout", "dropout=0.5"))
    assert one.fix is not None
    assert not one.fix.rewrites


def test_an_rnn_that_some_file_gives_more_layers(tmp_path: Path) -> None:
    for call in ("Encoder(8, 2)", "Encoder(8, depth=options.depth)", "partial(Encoder, depth=2)"):
        run = f"from net import Encoder\n\n\ndef main(options):\n    return Encoder(8), {call}\n"
        assert found(tmp_path, {"DRP406"}, net=RNN, run=run) == []


def test_why_an_unused_dropout_costs_nothing(tmp_path: Path) -> None:
    net = """
    class LockedDropout(nn.Module):
        def __init__(self, p):
            super().__init__()
            self.p = p

        def forward(self, x):
            return x


    class Net(nn.Module):
        def __init__(self, width, p=0.3, late=0.0):
            super().__init__()
            self.lost = nn.Dropout(0.4)
            self.beside = nn.Dropout(p)
            self.locked = LockedDropout(p)
            self.late = nn.Dropout(late)
            self.comment = nn.Dropout(0.1)

        def forward(self, x):
            # x = self.comment(x)
            return self.locked(x)
    """
    lost, beside, late, comment = found(tmp_path, {"DRP407"}, net=net)
    assert severities([lost, beside, late, comment]) == [Severity.WARNING, *[Severity.INFO] * 3]
    assert "`self.locked` is, with the same rate" in beside.message
    assert "its rate is 0 by default" in late.message
    assert "its call is commented out" in comment.message


IGNORED = """
class Classifier(nn.Module):
    def __init__(self, width, dropout=0.3):
        super().__init__()
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        return self.out(x)
"""


def test_an_ignored_argument_that_another_file_passes(tmp_path: Path) -> None:
    assert severities(found(tmp_path, {"DRP408"}, net=IGNORED)) == []
    run = "from net import Classifier\n\n\ndef main(config):\n    return Classifier(8, dropout=config.dropout)\n"
    assert severities(found(tmp_path, {"DRP408"}, net=IGNORED, run=run)) == [Severity.WARNING]


NORMALIZED = """
class Net(nn.Module):
    def __init__(self, width, dropout=0.5):
        super().__init__()
        self.fc = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x):
        return self.norm(self.drop(self.fc(x)))
"""


def test_the_message_names_a_rate_that_is_used(tmp_path: Path) -> None:
    (alone,) = found(tmp_path, {"DRP304"}, net=NORMALIZED)
    assert "At the default p=0.5" in alone.message
    run = "from net import Net\n\nnets = [Net(8, 0.2), Net(16, dropout=0.2)]\n"
    (called,) = found(tmp_path, {"DRP304"}, net=NORMALIZED, run=run)
    assert "At p=0.2" in called.message
    assert found(tmp_path, {"DRP304"}, net=NORMALIZED, run=run.replace("0.2", "0.0")) == []


def test_a_module_that_a_function_of_another_file_applies(tmp_path: Path) -> None:
    core = """
    def attend(q, k, v, drop=None):
        weights = torch.softmax(q @ k.transpose(1, 2), -1)
        return drop(weights) @ v


    def keep(x, drop=None):
        return x
    """
    net = """
    from core import attend, keep


    class Attention(nn.Module):
        def __init__(self, p=0.1):
            super().__init__()
            self.attn_drop = nn.Dropout(p)

        def forward(self, q, k, v):
            x = keep(q, drop=self.attn_drop)
            x = self.attn_drop(x)
            y = attend(q, k, v, self.attn_drop)
            return x + self.attn_drop(y)
    """
    (one,) = found(tmp_path, {"DRP312"}, core=core, net=net)
    assert one.span.line == 17
    assert "`attend` is given `self.attn_drop` and applies it" in one.message
