"""Quick searches for words: which files to parse, and which definitions to visit."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from dropout_lint.syntax.positions import Lines

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

_WORDS = (
    "drop",
    "scaled_dot_product_attention",
    "flash_att",
    "memory_efficient_attention",
    "bernoulli",
    "zoneout",
    "keep_prob",
    "keepprob",
    "keep_rate",
    "surviv",
    "self.train",
    "uniform_(",
    "rand(",
    "rand_like(",
    "randn(",
    "randn_like(",
    ".train:",
    "lstm(",
    "gru(",
    "rnn(",
)
"""A file without any of these lower-case substrings has nothing to report. Far faster than a pattern."""
_BYTES = tuple(word.encode() for word in _WORDS)

_MODE_BYTES = (
    *(b".eval(", b".train(", b"no_grad", b"inference_mode", b"jit.trace", b".export(", b"symbolic_trace"),
    *(
        b"def train(",
        b"def eval(",
        b".eval\n",
        b".train\n",
        b".eval\r",
        b".train\r",
        b".training =",
        b".train =",
        b".eval =",
    ),
    *(b"preserve_rng_state", b"train(", b"evaluate(", b"validate(", b"test(", b".backward(", b"load_state_dict("),
    b".requires_grad",
    b"def training_step(",
)

_STARTS_PROGRAM = re.compile(rb"^(?:for|while|with)[ \t]|^(?:[\w., \t]+=[ \t]*)?[\w.]+\(", re.MULTILINE)
"""A loop or a call at the top level."""
_OF_MODELS = (b"model", b"Model", b"train", b"Train", b"epoch", b"predict", b"Net(", b"torch")
"""Words of a program that trains or evaluates: without one of them, most scripts of other projects are left alone."""

PARSE_ANYWAY = 1_000_000
"""Files up to this size are parsed even without such words, to report syntax errors."""


def speaks_of_dropout(data: bytes) -> bool:
    """True if a file may contain something to report: it mentions torch, and dropout, masks or attention."""
    if b"torch" not in data and b"flash_attn" not in data and b"xformers" not in data:
        return False
    lowered = data.lower()
    return any(word in lowered for word in _BYTES)


def speaks_of_mode(data: bytes) -> bool:
    """True if a file may call eval()/train(), evaluate or export. Other files are read when one of these needs them."""
    return b"torch" in data and any(word in data for word in _MODE_BYTES)


def is_program(path: Path, data: bytes, *, library: bool) -> bool:
    """True if a file may run a program when it is executed. It may drive models without a word about them.

    A module of a library calls functions too, such as ``getLogger``: it runs a program only below ``__main__``.
    """
    if path.suffix == ".ipynb" or b"\nif __name__" in data:
        return True
    return not library and _STARTS_PROGRAM.search(data) is not None


def speaks_of_models(data: bytes) -> bool:
    """True if a program may have findings itself. Another one may lead to findings in other files."""
    return any(word in data for word in _OF_MODELS)


class Relevance:
    """Selects top-level statements that may have something to report: with one of ``_WORDS`` or of ``others``."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._text = lines.text.lower() if lines.text.isascii() else _lowered(lines.text)

    def __call__(self, definition: ast.stmt, others: Sequence[str] = ()) -> bool:
        first = min([definition.lineno, *(d.lineno for d in getattr(definition, "decorator_list", ()))])
        last = definition.end_lineno or definition.lineno
        starts = self._lines.starts
        start, end = starts[first - 1], starts[last] if last < len(starts) else len(self._text)
        return any(self._text.find(word, start, end) >= 0 for word in (*_WORDS, *others))


def _lowered(text: str) -> str:
    """Lower case of the same length. Some letters outside of ASCII would change it."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_LOWER)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
