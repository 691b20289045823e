"""Finds the names that a top-level definition refers to, by patterns and without a parse, to prune linking."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dropout_lint.source.names.import_table import ImportTable, import_statements
from dropout_lint.syntax.parsing import SourceSyntaxError, parse

_CHAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_TEXT = re.compile(
    r"""[#"'](?:(?<=#)[^\n]*|(?<=")(?:"{2}(?:[^\\]|\\.)*?"{3}|(?:[^"\\\n]|\\.)*")|(?<=')(?:'{2}(?:[^\\]|\\.)*?'{3}|(?:[^'\\\n]|\\.)*'))""",
    re.DOTALL,
)
"""Comments and literals. A pattern that begins with a set of characters is searched several times faster."""
_HOLDS_CODE = re.compile(r"(?:^|\W)(?:[fF][rR]?|[rR][fF])$")
_PREFIXES = frozenset("fFrR")
_SWITCHING_WORDS = ("train", "backward", "load_state_dict", "preserve_rng_state", "mc", "carlo")
_SWITCHES = re.compile(
    r"\.(?<!super\(\)\.)\s*(?:train|backward|load_state_dict)\b|preserve_rng_state|\.training\s*(?::[^=\n]+)?="
    r"|def\s+(?=\w*(?:mc|carlo))(?:\w*_)?(?:mc|mcdropout|carlo)(?:_\w*)?\("
)
"""An evaluation matters only after training, loading or a call of ``train()``, or if it samples with dropout."""
_LOCAL_IMPORT = re.compile(
    r"^[ \t]+(from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([\w\s,]*\)|[\w ,\t]+)|import[ \t]+[\w., \t]+)", re.MULTILINE
)
_SWITCHING_NAMES = (
    *("torchvision.models", "torch.jit", "torch.export", "torch.onnx", "torch.fx", "torch.load"),
    "torch.autograd.backward",
)
_ELSEWHERE = sys.stdlib_module_names | {"torch", "torchvision", "numpy", "builtins"}


@dataclass(frozen=True, slots=True)
class Mentions:
    """``switches``: changes a mode, trains, loads or exports.

    ``names`` are dotted ones behind imports; names of the file behind a dot; names that a star import may bind behind
    a star.
    """

    switches: bool
    names: frozenset[str]


def without_text(code: str) -> str:
    """Code without comments and the content of literals."""

    def left(found: re.Match[str]) -> str:
        if found[0].startswith("#"):
            return ""
        start = found.start()
        before = code[max(0, start - 3) : start]
        return found[0] if before[-1:] in _PREFIXES and _HOLDS_CODE.search(before) else '""'

    return _TEXT.sub(left, code)


def mentions(code: str, imports: ImportTable, own: Collection[str]) -> Mentions:
    """The mentions of a definition; ``own`` are the names that its file defines."""
    code = without_text(code)
    names = _with_local_imports(imports, code) if "import " in code else imports.names
    switches = any(word in code for word in _SWITCHING_WORDS) and _SWITCHES.search(code) is not None
    starred = any(not s.startswith("torch") for s in imports.stars)
    return _resolved(set(_CHAIN.findall(code)), switches, names, own, starred)


def _with_local_imports(imports: ImportTable, code: str) -> Mapping[str, str]:
    table = ImportTable(imports.package)
    for statement in _LOCAL_IMPORT.findall(code):
        try:
            tree = parse(statement.rstrip())
        except SourceSyntaxError:  # the name of a variable begins like this, or a line goes on after a backslash
            continue
        for node in import_statements(tree.body):
            table.add(node)
    return {**imports.names, **table.names}


def _resolved(
    chains: Iterable[str], switches: bool, names: Mapping[str, str], own: Collection[str], starred: bool
) -> Mentions:
    found: set[str] = set()
    for chain in chains:
        first, dot, rest = chain.partition(".")
        if first in own:
            found.add(f".{first}")
        elif first in names:
            dotted = f"{names[first]}{dot}{rest}"
            if dotted.partition(".")[0] not in _ELSEWHERE:
                found.add(dotted)
            elif dotted.startswith(_SWITCHING_NAMES):
                switches = True
        elif starred:
            found.add(f"*{first}")
    return Mentions(switches, frozenset(found))
