"""Say quickly which files and functions may have a site, so that few of them are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.signs.around import EVALUATING_METHODS, PHASE_WORDS, signs_of_function
from dropout_lint.evaluations.summary import Summary
from dropout_lint.facts import FileFacts
from dropout_lint.mode.libraries import library
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.project.project import Project
from dropout_lint.vocabulary import EVALUATION_WORDS, HELD_OUT_WORDS, MODEL_WORDS, TRAINING_WORDS, USE_WORDS, words

COMPUTES = library.COMPUTING | {"forward", "__call__", "sample", "p_sample_loop", "reconstruct"}
"""Methods that run a model."""
MODEL_CALLS = {
    "eval",
    "train",
    "parameters",
    "named_parameters",
    "load_state_dict",
    "state_dict",
    "zero_grad",
    "cuda",
    "requires_grad_",
}
"""Methods that only models have."""
WEAK = {"file-trains", "function-trains", "function-acts", "training-data", "random-input", "function-not-evaluation"}
"""Signs that do not speak for an evaluation."""
_HINT = re.compile(
    rb"no_grad|inference_mode|set_grad_enabled"
    rb"|\bdef \w*(?:eval|test|val|infer|predict|sampl|generat|score|accura|metric|demo|transl|decod|embed|extract)"
    rb"|\bfor .* in .*(?:test|val|dev)|load_state_dict|torch\.load"
)
"""A file without any of these has no site."""
_GRADIENTS = re.compile("no_grad|inference_mode|set_grad_enabled")
_IDENTIFIER = re.compile(r"[A-Za-z]\w*")
_DEFINED = re.compile(r"\b(?:def|class)[ \t]+(\w+)")
_MODEL_CALLED = re.compile(rf"\.(?:{'|'.join(sorted(MODEL_CALLS))})\b")
_CALLS_ITSELF = re.compile(rf"\b(?:self|cls)(?:\.(?:{'|'.join(sorted(COMPUTES))}))?\s*\(")
_MOST_REACHED = 1_000
"""Files through which callers are followed, to see whether they lead to a checked file."""


class Hints:
    """Chooses the functions to read. ``outside`` says which methods a framework calls."""

    def __init__(self, program: Program, outside: Callable[[FileFacts, str, str], bool]) -> None:
        self._program = program
        self._outside = outside

    def functions(self, home: FileFacts) -> tuple[Summary, ...]:
        """The functions of a file that may have a site, and its top level. Those of a test file have none."""
        if home.is_test:
            return ()
        of_file = _MODEL_CALLED.search(self._program.project.files.text(Path(home.path)) or "")
        whole = file_evaluates(home) or self._program.is_inference(home)

        def may_have_site(name: str, owner: str, text: str) -> bool:
            if owner and text.count("def ") == 1 and "class " not in text and self._outside(home, owner, name):
                return False
            if not (whole or _speaks(name, text)):
                return False
            called = (of_file or _has_bases(home, owner)) if owner else _MODEL_CALLED.search(text)
            return bool(called) or _is_of_model(text)

        return self._program.functions(home, may_have_site)


def _has_bases(home: FileFacts, owner: str) -> bool:
    """Whether a class has bases, which may be in other files and call methods of its models."""
    header = home.headers.get(owner)
    return header is None or bool(header.bases)


def speaks_by_itself(program: Program, summary: Summary) -> bool:
    """Whether the name of a function or its file speaks for an evaluation, whatever it calls."""
    return bool({s.name for s in signs_of_function(summary)} - WEAK) or program.is_inference(summary.home)


def file_evaluates(home: FileFacts) -> bool:
    """Whether a file is one that evaluates or uses a model, by its name."""
    found = words(Path(home.path).stem)
    return not found & TRAINING_WORDS and bool(found & (EVALUATION_WORDS | USE_WORDS))


def _speaks(name: str, text: str) -> bool:
    """Whether a function, or one inside, has a word that some sign needs. A word may be anywhere: this is quick."""
    if any(words(part) & (EVALUATION_WORDS | USE_WORDS) for part in (name, *_DEFINED.findall(text))):
        return True
    return _GRADIENTS.search(text) is not None or any(map(_tells, set(_IDENTIFIER.findall(text))))


@lru_cache(maxsize=100_000)
def _tells(identifier: str) -> bool:
    return identifier in EVALUATING_METHODS or bool(words(identifier) & (PHASE_WORDS | HELD_OUT_WORDS))


def _is_of_model(text: str) -> bool:
    """Whether a name in a function may be that of a model, or an instance calls itself."""
    return _CALLS_ITSELF.search(text) is not None or any(map(names_model, set(_IDENTIFIER.findall(text))))


@lru_cache(maxsize=100_000)
def names_model(identifier: str) -> bool:
    """Whether a variable is a model by its name."""
    return identifier in {"G", "D", "netG", "netD"} or bool(words(identifier) & MODEL_WORDS)


def searched(project: Project, neighbours: Neighbours, files: Sequence[FileFacts]) -> Iterator[FileFacts]:
    """The files in which the sites of some files may be: those, and those that they import whose callers lead back.

    Files without a hint are left out.
    """
    found = {Path(f.path).resolve(): f for f in files}
    wanted = frozenset(found)
    folders = {folder for path in wanted for folder in path.parents}
    yield from (f for f in files if _HINT.search(project.files.data(Path(f.path))))
    pending, looked = list(files), set[Path]()
    while pending:
        facts = pending.pop()
        for name in (*facts.imports.values(), *facts.stars):
            located = project.modules.locate(Path(facts.path), name)
            if located is None or located[0] in looked:
                continue
            looked.add(located[0])
            path = located[0].resolve()
            if path in found or neighbours.is_installed(path) or neighbours.home(path) not in folders:
                continue  # callers are in the same project
            hinted = _HINT.search(project.files.data(path)) is not None and _leads(neighbours, path, wanted)
            other = project.files.facts(path) if hinted else None
            if other is not None:
                found[path] = other
                pending.append(other)
                yield other


def _leads(neighbours: Neighbours, path: Path, wanted: frozenset[Path]) -> bool:
    """Whether the callers of a file, and theirs, may be in one of some files."""
    seen, pending = {path}, [path]
    while pending and len(seen) < _MOST_REACHED:
        users = set(neighbours.callers(pending.pop())) - seen
        if users & wanted:
            return True
        seen |= users
        pending += sorted(users)
    return False
