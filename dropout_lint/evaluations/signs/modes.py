"""Signs in the mode calls and backward passes of the function, its class, its file and its project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.signs.around import Site
from dropout_lint.evaluations.summary import Call, Summary
from dropout_lint.evaluations.trails import Trail
from dropout_lint.facts import FileFacts
from dropout_lint.facts.evaluations import Sign
from dropout_lint.mode.program.values import Class

_SWITCHES = ("eval", "train", "backward")


def signs_of_modes(site: Site, bad: tuple[Trail, ...], program: Program) -> Iterator[Sign]:
    """Who calls ``eval()`` on anything, who calls ``train()``, and who trains."""
    summary = site.summary
    owner = Class(summary.home, summary.flow.owner)
    file = _switching(program, summary.home)
    files = {s.home.path: s.home for trail in bad for s, _ in trail.frames}
    everywhere = [s for home in files.values() for s in _switching(program, home)]
    if _any(_is_eval, [summary]):
        yield Sign("eval-in-function")
    if owner.name and program.trains(owner.home, owner.name):
        yield Sign("class-trains")
    if owner.name and _any(_is_eval, program.methods(owner.home, owner.name)):
        yield Sign("eval-in-class")
    if _any(_is_eval, file):
        yield Sign("eval-in-file")
    yield Sign("eval-in-program" if _any(_is_eval, everywhere) else "no-eval-in-program")
    yield from _in_project(site, program)
    if _any(_is_train, everywhere):
        yield Sign("train-in-program")
    if _any(_is_backward, file):
        yield Sign("file-has-backward")
    if not _any(_is_backward, everywhere):
        yield Sign("program-never-trains")
    if _any(_is_backward, [summary]):
        yield Sign("function-has-backward")


def _switching(program: Program, home: FileFacts) -> list[Summary]:
    """The functions of a file that may call ``eval()``, ``train()`` or ``backward()``."""
    return [s for word in _SWITCHES for s in program.mentioning(home, word)]


def _in_project(site: Site, program: Program) -> Iterator[Sign]:
    evaluated = program.evaluated_names(site.summary.home)
    if not evaluated:
        yield Sign("no-eval-in-project")
    if site.path.removesuffix("[]").rpartition(".")[2] in evaluated:
        yield Sign("eval-of-same-name")


def _any(test: Callable[[Call], bool], summaries: Iterable[Summary]) -> bool:
    return any(test(call) for summary in summaries for call in summary.calls)


def _is_eval(call: Call) -> bool:
    """``eval()``, ``train(False)`` or ``train(mode)``."""
    given = call.term.parts[1:]
    if call.method == "eval":
        return not given
    return call.method == "train" and bool(call.receiver) and len(given) == 1 and given[0].constant is not True


def _is_train(call: Call) -> bool:
    given = call.term.parts[1:]
    return call.method == "train" and bool(call.receiver) and (not given or given[0].constant is True)


def _is_backward(call: Call) -> bool:
    return call.method == "backward"
