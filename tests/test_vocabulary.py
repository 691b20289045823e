"""Each word of the vocabulary changes what the linter finds: every word is tried in a program, beside a neutral one."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dropout_lint import vocabulary
from dropout_lint.config.settings import Settings
from dropout_lint.disk import Disk
from dropout_lint.evaluations.sites import Evaluations
from dropout_lint.facts import NOWHERE, Location
from dropout_lint.linting.linter import Linter
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.mode_calls import call_mode
from dropout_lint.mode.program.values import Thing
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from dropout_lint.rulebook import rules
from dropout_lint.source.engine import collect
from dropout_lint.source.names.place import ModulePlace

FOLDER = Path(tempfile.gettempdir()) / "an empty folder"
"""Outside of the tests, whose code some rules leave alone."""
HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
STEP = """\
    optimizer = torch.optim.SGD(model.parameters())
    for batch in batches:
        F.cross_entropy(model(batch), batch).backward()
        optimizer.step()
"""
NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x, {word}=None):
        return self.drop(x)


"""


@dataclass(frozen=True)
class Program:
    """A program with ``{word}`` in it, what is found with a word of the set, and what with a neutral word."""

    words: Collection[str]
    code: str
    found: str
    """The one code that is found with the word, "" for none."""
    neutral: str
    """The same for the neutral word."""
    neutral_word: str = "xyzzy"
    others: Collection[str] = ()
    """Words of the set that this program cannot show."""


PROGRAMS = {
    "MODE_WORDS": Program(
        vocabulary.MODE_WORDS,
        "class Net(nn.Module):\n    def forward(self, x, config):\n        if config.a_{word}:\n"
        "            x = F.dropout(x, 0.5)\n        return x\n",
        found="",
        neutral="DRP101",
    ),
    "SWITCH_WORDS": Program(
        vocabulary.SWITCH_WORDS,
        "class Net(nn.Module):\n    def forward(self, x, a_{word}=True):\n        while a_{word}:\n"
        "            x = F.dropout(x, 0.5)\n        return x\n",
        found="",
        neutral="DRP101",
    ),
    "RATE_WORDS": Program(
        vocabulary.RATE_WORDS,
        "class Net(nn.Module):\n    def forward(self, x, {word}):\n        if {word}:\n"
        "            x = F.dropout(x, 0.5)\n        return x\n",
        found="DRP101",
        neutral="",
    ),
    "TRAIN_FLAGS in an attribute": Program(
        vocabulary.TRAIN_FLAGS,
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.{word} = True\n\n"
        "    def forward(self, x):\n        if self.{word}:\n            x = F.dropout(x, 0.5)\n        return x\n",
        found="DRP106",
        neutral="DRP101",
        others={"train", "training"},
    ),
    "TRAIN_FLAGS in a test": Program(
        vocabulary.TRAIN_FLAGS,
        "class Dropout(nn.Module):\n    def __init__(self, p=0.1):\n        super().__init__()\n        self.p = p\n\n"
        "    def forward(self, x, config):\n        if not config.{word}:\n            return x * (1 - self.p)\n"
        "        return x * (torch.rand_like(x) > self.p) / (1 - self.p)\n",
        found="DRP504",
        neutral="",
        neutral_word="phase",
    ),
    "MODE_PARAMETERS": Program(
        vocabulary.MODE_PARAMETERS,
        "class Net(nn.Module):\n    def train(self, {word}):\n        for part in self.children():\n"
        "            part.train({word})\n        self.training = {word}\n        return self\n",
        found="",
        neutral="DRP202",
    ),
    "FREEZE_WORDS": Program(
        vocabulary.FREEZE_WORDS,
        "class Net(nn.Module):\n    def __init__(self, {word}_part=False):\n        super().__init__()\n"
        "        self.part = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))\n        self.out = nn.Linear(8, 8)\n"
        "        if {word}_part:\n            self.part.requires_grad_(False)\n\n"
        "    def forward(self, x):\n        return self.out(self.part(x))\n",
        found="DRP215",
        neutral="",
    ),
    "SAMPLING_WORDS": Program(
        vocabulary.SAMPLING_WORDS,
        NET + "def a_{word}(x):\n    model = Net()\n    model.load_state_dict(x)\n"
        "    model.eval()\n    return [model(x) for _ in range(9)]\n",
        found="DRP217",
        neutral="",
    ),
    "MONTE_CARLO_WORDS": Program(
        vocabulary.MONTE_CARLO_WORDS,
        "def a_{word}(model, x):\n    model.eval()\n    return torch.stack([model(x) for _ in range(9)]).std(0)\n",
        found="DRP217",
        neutral="",
    ),
    "SPREADS": Program(
        vocabulary.SPREADS,
        NET.replace("{word}", "y") + "def run(x):\n    model = Net()\n    model.load_state_dict(x)\n    model.eval()\n"
        "    return torch.stack([model(x) for _ in range(9)]).{word}(0)\n",
        found="DRP217",
        neutral="",
    ),
    "TRAIN_FLAGS and EVAL_FLAGS of a call": Program(
        vocabulary.TRAIN_FLAGS | vocabulary.EVAL_FLAGS,
        NET + "def run(batches):\n    model = Net()\n" + STEP + "    with torch.no_grad():\n"
        "        return [model(batch, {word}=False).argmax() for batch in batches]\n",
        found="",
        neutral="DRP206",
    ),
    "KEEP_WORDS": Program(
        vocabulary.KEEP_WORDS,
        "class Net(nn.Module):\n    def __init__(self, {word}_prob=0.8):\n        super().__init__()\n"
        "        self.drop = nn.Dropout({word}_prob)\n",
        found="DRP401",
        neutral="",
    ),
    "PROBABILITY_WORDS": Program(
        vocabulary.PROBABILITY_WORDS,
        "class Net(nn.Module):\n    def __init__(self, kept_xyzzy_{word}=0.8):\n        super().__init__()\n"
        "        self.drop = nn.Dropout(kept_xyzzy_{word})\n",
        found="DRP401",
        neutral="",
    ),
    "DROP_WORDS": Program(
        vocabulary.DROP_WORDS,
        "class Net(nn.Module):\n    def __init__(self, a_{word}=0.1):\n        super().__init__()\n"
        "        self.drop = nn.Dropout(0.5)\n\n\nprint(Net(0.2))\n",
        found="DRP408",
        neutral="",
    ),
    "NO_RATE_WORDS": Program(
        vocabulary.NO_RATE_WORDS,
        "class Net(nn.Module):\n    def __init__(self, drop_{word}=None):\n        super().__init__()\n"
        "        self.drop = nn.Dropout(0.5)\n\n\nprint(Net(0.2))\n",
        found="",
        neutral="DRP408",
    ),
    "ATTENTION_WORDS": Program(
        vocabulary.ATTENTION_WORDS,
        "def attend(x, drop):\n    return drop(x)\n\n\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.{word}_drop = nn.Dropout(0.1)\n\n    def forward(self, x):\n"
        "        x = attend(x, self.{word}_drop)\n        return torch.sum(self.{word}_drop(x))\n",
        found="DRP312",
        neutral="",
    ),
    "NOT_A_LAYER_WORDS": Program(
        vocabulary.NOT_A_LAYER_WORDS,
        "class Dropout_{word}(nn.Module):\n    def forward(self, x):\n        return x\n\n\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.part = Dropout_{word}(0.1)\n\n    def forward(self, x):\n        return x\n",
        found="",
        neutral="DRP407",
    ),
    "NOISE_WORDS": Program(
        vocabulary.NOISE_WORDS,
        "class Net(nn.Module):\n    def forward(self, x):\n        return self.a_{word}(x)\n\n"
        "    def a_{word}(self, x):\n        return F.dropout(x, 0.5)\n",
        found="",
        neutral="DRP101",
    ),
    "DROPOUT_MASK_WORDS": Program(
        vocabulary.DROPOUT_MASK_WORDS,
        "class Net(nn.Module):\n    def forward(self, x):\n        return x * (torch.rand_like(x) > self.a_{word})\n",
        found="DRP501",
        neutral="",
    ),
    "OTHER_MASK_WORDS": Program(
        vocabulary.OTHER_MASK_WORDS,
        "class Net(nn.Module):\n    def forward(self, x):\n"
        "        return x * (torch.rand_like(x) > self.drop_{word})\n",
        found="",
        neutral="DRP501",
    ),
    "STOCHASTIC_DEPTH_WORDS": Program(
        vocabulary.STOCHASTIC_DEPTH_WORDS,
        "class Net(nn.Module):\n    def forward(self, x):\n"
        "        return x * (torch.rand_like(x) > self.a_{word}_depth)\n",
        found="DRP501",
        neutral="",
        others={"depth"},
    ),
    "CONDITION_WORDS": Program(
        vocabulary.CONDITION_WORDS,
        "class Net(nn.Module):\n    def forward(self, x):\n"
        "        return x if torch.rand(1) < self.drop_{word} else self.embed(x)\n",
        found="",
        neutral="DRP501",
    ),
}


def found(code: str) -> set[str]:
    settings = Settings(root=FOLDER, enabled=frozenset(code for code in rules() if code < "DRP6"))
    result = Linter(lambda _: settings, jobs=1).run_text(FOLDER / "example.py", HEAD + code)
    assert not result.failures
    return {diagnostic.code for diagnostic in result.diagnostics}


@pytest.mark.parametrize(
    ("program", "word"),
    [
        pytest.param(program, word, id=f"{name}: {word}")
        for name, program in PROGRAMS.items()
        for word in sorted(set(program.words) - set(program.others))
    ],
)
def test_every_word_changes_what_is_found(program: Program, word: str) -> None:
    with_word, without = (found(program.code.replace("{word}", w)) for w in (word, program.neutral_word))
    assert (with_word - without, without - with_word) == ({program.found} - {""}, {program.neutral} - {""})


PATTERNS = [
    (
        vocabulary.EVALUATES,
        "eval, evaluate, evaluation, test, tests, testing, val, valid, validate, validation, infer, inference, "
        "predict, run_eval, test_epoch, evaluateNet, predictAll, validateAll",
        "evaluator, latest, value, step, protest, predicted",
    ),
    (
        vocabulary.TRAINS,
        "train, training, fit, finetune, update, learn, calibrate, recalibration, attack, train_and_test, eval_attack, "
        "trainNet, test_bn, init_eval",
        "evaluate, profit, attacker, constrain",
    ),
    (
        vocabulary.NOT_AN_EVALUATION,
        "update_bn, recalibrate, calib_model, adapt, swa, warmup, populate, stats, stat, momentum, benchmark, speed, "
        "profile, latency, smoke_test, flops, sanity, mc_eval, act, action, actions, rollout, explore, collect_data",
        "evaluate, validate_epoch, activate, test",
    ),
    (
        vocabulary.GENERATIVE,
        "g, net.d, gen, generator, netG, net_d, disc, discriminator2, critic, target_net, teacher, ema, ema_model, "
        "policy, actor, momentum_encoder, wgan, key_encoder, encoder_k, weights_ema, g_a",
        "model, net, encoder, student, organ_net",
    ),
    (vocabulary.TARGETS, "targets, annotations, labels, gt, gt_boxes, bbox, boxes", "images, batch, length"),
    (
        vocabulary.TRAINING_DATA,
        "loader, batches, range(epochs), dataset, iterations",
        "self.children(), modules, layers",
    ),
    (
        vocabulary.NO_COMPUTATION,
        "if self.training and self.checkpointing:, use_cache = not self.training, assert self.training, "
        "warnings.warn(self.training), raise Error(self.training), logger.info(self.training), print(self.training)",
        "if self.training:",
    ),
    (
        vocabulary.INTENT_COMMENT,
        "Monte Carlo, MC dropout, non-deterministic, intentional, deliberate, on purpose, for diversity, exploration, "
        "resampled, always apply, always applies, always applied, always on, always active, always use, under `eval`, "
        "even in inference, also during the test, still at generation, both in eval, kept for eval, enabled at test, "
        "active in synthesis, on at test, at test time, at inference time, during synthesis, during generation",
        "dropout, test, applied to the input, see eval",
    ),
    (
        vocabulary.INTENT_DOCSTRING,
        "Monte Carlo dropout, MC-Dropout, Dropout is always on, dropout is kept, dropout are also on, "
        "dropout is still, dropout is intentionally, always applies dropout, always applied dropout, "
        "even in inference, also at test time",
        "Monte Carlo tree search, deliberate, dropout is applied, at test time",
    ),
    (
        vocabulary.INTENT_TRAIN_MODE,
        "monte_carlo, mc_dropout, stochastic, uncertainty, batch statistics, nondeterministic, keep dropout, "
        "enable dropout, leaves dropout, with dropout, uses dropout, recalibrate, in train mode, "
        "keep the model in train mode, stays in the training mode, leave in train mode",
        "evaluate, train, dropout, eval mode",
    ),
    (
        vocabulary.DROP_TEXT,
        "dropout rate, drop-out prob, drop rate, probability of dropping, prob to zero",
        "dropout, rate, zero",
    ),
    (
        vocabulary.KEEP_TEXT,
        "probability to keep, fraction of units kept, ratio to retain, prob of survival, keeping prob, keep prob, "
        "retention",
        "keep, probability of dropping, kept for later",
    ),
    (vocabulary.RATE_NAME, "dropout, rate, prob, keep, p", "kernel, padding, bias"),
]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (pattern, text, matches)
        for pattern, *texts in PATTERNS
        for listed, matches in zip(texts, (True, False), strict=True)
        for text in listed.split(", ")
    ],
)
def test_a_pattern_matches_its_words_and_not_their_neighbours(
    pattern: re.Pattern[str], text: str, matches: bool
) -> None:
    assert bool(pattern.search(text)) is matches


@pytest.mark.parametrize("word", sorted(vocabulary.MODE_VARIABLES))
def test_train_of_an_unknown_object_is_that_of_a_module_if_it_is_given_a_mode(word: str) -> None:
    def is_switch(label: str) -> bool:
        machine: Any = SimpleNamespace(set_mode=lambda *_: None, forget=lambda *_: None)
        frame: Any = None
        arguments = Arguments([Thing(2, label=label)], {}, unpacked=False)
        return call_mode(machine, Thing(1), "train", arguments, frame, Location("m.py", NOWHERE))

    assert is_switch(word)
    assert not is_switch("loader")


@pytest.mark.parametrize("word", vocabulary.MODE_CALLS)
def test_a_definition_with_a_mode_call_acts_on_the_mode(word: str) -> None:
    def acts(name: str) -> bool:
        text = f"import torch\n\n\ndef f(model):\n    model.{name}()\n"
        outlines = (
            collect(Path("m.py"), text, ModulePlace("m", is_package=False, is_test=False), modes=True).outlines or ()
        )
        return outlines[-1].acts

    assert acts(word)
    assert not acts(f"{word}s")


def test_a_function_that_trains_as_well_does_not_evaluate() -> None:
    assert vocabulary.evaluates("engine.evaluate")
    assert not vocabulary.evaluates("engine.train_and_evaluate")
    assert not vocabulary.evaluates("evaluation.step")


@pytest.mark.parametrize(
    ("name", "keep", "drop"),
    [
        ("keep_prob", True, False),
        ("keepProb", True, False),
        ("attnkeepprob", True, False),
        ("survival", True, False),
        ("kept_tokens", False, False),
        ("keep", True, False),
        ("drop_rate", False, True),
        ("dropoutRate", False, True),
        ("drop_keep", True, False),
        ("backdrop", False, False),
    ],
)
def test_a_name_means_keep_or_drop(name: str, keep: bool, drop: bool) -> None:
    assert (vocabulary.means_keep(name), vocabulary.means_drop(name)) == (keep, drop)


EVALUATION = """
import torch
from torch import nn

def {function}({model}, {data}):
    with torch.no_grad():
        for x in {data}:
            out = {model}(x)
            {use}(out)
"""
PLAIN = {"function": "go", "model": "net", "data": "batches", "use": "keep"}


def signs_of(folder: Path, **given: str) -> set[str]:
    """The signs of the one evaluation in a program; {"silent"} if there is none."""
    path = folder / "program.py"
    path.write_text(EVALUATION.format(**PLAIN | given))
    project = Project(Files(Disk()))
    facts = project.files.facts(path)
    assert facts is not None
    found = list(Evaluations(project).of(facts))
    return {sign.name for sign in found[0].signs} if found else {"silent"}


SIGNS_BY_WORD = {
    "EVALUATION_WORDS": (vocabulary.EVALUATION_WORDS, "function", "{word}_it", "function-evaluates"),
    "USE_WORDS": (vocabulary.USE_WORDS, "function", "{word}_it", "function-uses"),
    "TRAINING_WORDS": (vocabulary.TRAINING_WORDS, "function", "{word}_it", "function-trains"),
    "ROLLOUT_WORDS": (vocabulary.ROLLOUT_WORDS, "function", "{word}_it", "silent"),
    "HELD_OUT_WORDS": (vocabulary.HELD_OUT_WORDS, "data", "{word}_batches", "held-out-data"),
    "METRIC_WORDS": (vocabulary.METRIC_WORDS, "use", "{word}_of", "result-metric"),
    "OUTPUT_CALLS": (vocabulary.OUTPUT_CALLS, "use", "{word}", "result-output"),
    "PREDICTION_CALLS": (vocabulary.PREDICTION_CALLS, "use", "{word}", "result-prediction"),
    "PLAIN_CALLS": (vocabulary.PLAIN_CALLS, "use", "{word}", "result-plain"),
    "MODEL_WORDS": (vocabulary.MODEL_WORDS, "model", "my_{word}", "no-grad"),
    "NOT_MODEL_WORDS": (vocabulary.NOT_MODEL_WORDS, "model", "net_{word}", "silent"),
}


@pytest.mark.parametrize(("words", "part", "name", "sign"), SIGNS_BY_WORD.values(), ids=SIGNS_BY_WORD)
def test_every_word_of_an_evaluation_changes_its_signs(
    words: frozenset[str], part: str, name: str, sign: str, tmp_path: Path
) -> None:
    without = {word for word in words if sign not in signs_of(tmp_path, **{part: name.format(word=word)})}
    assert without == set()
    neutral = "things" if part == "model" and sign != "silent" else PLAIN[part]
    assert sign not in signs_of(tmp_path, **{part: neutral})


@pytest.mark.parametrize("word", [*sorted(vocabulary.OPTION_OBJECTS), "net"])
def test_an_option_is_no_layer(word: str) -> None:
    code = f"{HEAD}{NET.format(word='y')}def main({word}):\n    print({word}.drop)\n"
    place = ModulePlace("net", is_package=False, is_test=False)
    doubts = collect(FOLDER / "net.py", code, place).doubts
    assert ("drop" in doubts.loose) == (word == "net")


@pytest.mark.parametrize(("name", "freezes"), [("freeze", True), ("freeze_backbone", True), ("squeeze", False)])
def test_a_name_means_freezing(name: str, freezes: bool) -> None:
    assert (vocabulary.FREEZES.search(name) is not None) == freezes


def test_every_part_of_the_vocabulary_is_tried() -> None:
    source = Path(vocabulary.__file__).read_text("utf-8")
    tests = Path(__file__).read_text("utf-8")
    names = set(re.findall(r"^([A-Z]\w+) = ", source, re.MULTILINE))
    assert {name for name in names if name not in tests} == set()
