"""The program of the child process: load one model, run one job on it, and write the answer to a file.

The answer is a file because user code may print anything, close any descriptor or fork. Standard input stays open as
long as the parent lives, so that no child outlives it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import pickle
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropout_lint.models.load import LoadedModel, build_model, import_target
from dropout_lint.models.reasons import error_text, is_fault_of_model, user_line
from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.target import ModelTarget

REQUEST, RESULT, TRACE, PHASE = "request", "result", "trace", "phase"
"""Names of the files in the folder that parent and child share."""
_DUMP_BEFORE = 0.3
"""Seconds before the deadline at which a hanging child writes its stack."""


@dataclass(frozen=True, slots=True)
class Request:
    """The work of one child, pickled by the parent. ``deadline`` is in seconds of ``time.time``."""

    target: ModelTarget
    job: str
    """``package.module:function``, called with a LoadedModel and ``options``. If the module also has a function
    ``construction(options)``, the model and its inputs are built inside the context that it returns."""
    options: Mapping[str, Any] = field(default_factory=dict)
    deadline: float = 0.0


def main() -> None:
    """Serve the request in the folder named on the command line, then exit without the user's exit handlers."""
    folder = Path(sys.argv[1])
    process = os.getpid()
    request: Request = pickle.loads((folder / REQUEST).read_bytes())
    _end_with_parent()
    with (folder / TRACE).open("w") as trace:
        faulthandler.enable(trace)
        faulthandler.dump_traceback_later(max(0.01, request.deadline - time.time() - _DUMP_BEFORE), file=trace)
        answer = _Worker(request, folder).answer()
        text = json.dumps(answer)
        if os.getpid() != process:
            os._exit(0)  # this is a forked copy that user code left running
        part = folder / f"{RESULT}.part"
        part.write_text(text, "utf-8")
        part.replace(folder / RESULT)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(0)


class _Worker:
    def __init__(self, request: Request, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._phase = ""

    def answer(self) -> dict[str, Any]:
        """The content of the answer file: "result", "inputs_from" and "no_inputs", or "failure"."""
        try:
            return self._run()
        except TargetError as problem:
            return {"failure": str(problem)}
        except BaseException as problem:
            traceback.print_exc()  # into the output, whose end --verbose shows
            return {"failure": self._reason(problem)}

    def _reason(self, problem: BaseException) -> str:
        if isinstance(problem, SystemExit):
            code = "" if problem.code is None else repr(problem.code)
            return f"called sys.exit({code}) {self._phase}{user_line(problem)}"
        if not is_fault_of_model(problem):
            return f"{error_text(problem)} {self._phase}".rstrip() + "; this is a bug in dropout-lint"
        if isinstance(problem, ModuleNotFoundError) and problem.name:
            return f"needs the module '{problem.name}', which is not installed{user_line(problem)}"
        return f"raised {error_text(problem)} {self._phase}{user_line(problem)}"

    def _run(self) -> dict[str, Any]:
        module, _, function = self._request.job.partition(":")
        job = importlib.import_module(module)
        construction = getattr(job, "construction", lambda _options: contextlib.nullcontext())
        with construction(self._request.options):
            loaded = self._load()
        self._enter("while it was run")
        result = getattr(job, function)(loaded, self._request.options)
        return {"result": result, "inputs_from": loaded.inputs_from, "no_inputs": loaded.no_inputs}

    def _load(self) -> LoadedModel:
        from dropout_lint.models.infer import example_inputs

        target = self._request.target
        self._enter("while it was imported")
        found = import_target(target)
        self._enter("while it was built")
        _seed()
        model = build_model(found, target)
        self._enter("while inputs were tried (--input gives them)")
        return example_inputs(model, target)

    def _enter(self, phase: str) -> None:
        self._phase = phase
        (self._folder / PHASE).write_text(phase, "utf-8")


def _seed() -> None:
    import torch

    torch.manual_seed(0)
    random.seed(0)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(0)


def _end_with_parent() -> None:
    """End this process and its children when the parent ends; give user code an empty standard input."""
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        while os.read(parent, 1):
            pass
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
