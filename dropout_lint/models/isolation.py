"""Run each model in a child process with a time and a memory limit; a crash there becomes a failure here."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dropout_lint.diagnostic import Failure
from dropout_lint.models import memory as machine
from dropout_lint.models import reasons
from dropout_lint.models.child import Child, Limits
from dropout_lint.models.worker import PHASE, REQUEST, RESULT, TRACE, Request
from dropout_lint.targets.target import ModelTarget

TIMEOUT = 60.0
"""Seconds for one model, including the import of torch."""
_SHARE = 0.75
"""Share of the machine's memory that all running models may use together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one model: the answer of the job, or a failure. ``output`` is the last part of what it printed."""

    target: ModelTarget
    result: Any = None
    """The JSON value that the job returned."""
    failure: Failure | None = None
    inputs_from: str = ""
    no_inputs: str = ""
    output: str = ""


def run(
    targets: Sequence[ModelTarget],
    job: str,
    options: Mapping[str, Any],
    *,
    timeout: float | None = None,
    memory: int | None = None,
    jobs: int = 1,
) -> Iterator[Outcome]:
    """Run ``job`` on each target, ``jobs`` at a time, and yield the outcomes in the order of the targets.

    ``timeout`` is in seconds and overrides that of a target; ``memory`` is in bytes for each model. Leaving the
    iteration, also by Ctrl-C, ends all children.
    """
    jobs = max(1, min(jobs, len(targets)))
    memory = memory or int(machine.total() * _SHARE / jobs) or None
    environment = dict(os.environ)
    if jobs > 1:
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    stop = threading.Event()

    def run_one(target: ModelTarget) -> Outcome:
        target = replace(target, root=target.root or str(Path.cwd()))
        limits = Limits(timeout or target.timeout or TIMEOUT, memory)
        return _run_one(Request(target, job, options), limits, environment, stop)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(run_one, targets)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _run_one(request: Request, limits: Limits, environment: Mapping[str, str], stop: threading.Event) -> Outcome:
    target = request.target
    with tempfile.TemporaryDirectory(prefix="dropout-lint-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        request = replace(request, deadline=time.time() + limits.seconds)
        (folder / REQUEST).write_bytes(pickle.dumps(request))
        try:
            child = Child(folder, Path(target.root), environment)
        except OSError as problem:
            return Outcome(target, failure=_failure(target, f"cannot be started: {problem}"))
        exceeded = child.watch(limits, stop)
        answer = _answer(folder)
        if answer is None:
            phase, trace = _read(folder / PHASE), reasons.user_line_in_dump(_read(folder / TRACE))
            reason = f"{exceeded or reasons.exit_reason(child.code)} {phase}".rstrip() + trace
            return Outcome(target, failure=_failure(target, reason), output=child.output)
        if "failure" in answer:
            return Outcome(target, failure=_failure(target, answer["failure"]), output=child.output)
        return Outcome(target, **answer, output=child.output)


def _answer(folder: Path) -> dict[str, Any] | None:
    """The answer file of the child, parsed; None without one."""
    text = _read(folder / RESULT)
    answer: dict[str, Any] | None = json.loads(text) if text else None
    return answer


def _failure(target: ModelTarget, reason: str) -> Failure:
    return Failure(target.label, reason, kind="model")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""
