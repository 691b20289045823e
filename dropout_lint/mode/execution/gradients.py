"""Follow the context managers and decorators that switch gradients on and off."""

from __future__ import annotations

from typing import Literal

from dropout_lint.facts import Term
from dropout_lint.mode.execution.assignments import bind
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import UNKNOWN, Constant, External, Frame, Thing

Gradients = bool | Literal["same"] | None
"""The effect on gradients: on, off, unchanged, or unknown."""


def entered(machine: Machine, item: Term, frame: Frame) -> Gradients:
    """Enter an item of a ``with`` statement: bind its target, and give its effect on gradients."""
    manager, target = item.parts
    value = machine.evaluate(manager, frame)
    if target.kind != "group":
        bind(machine, target, value if isinstance(value, Thing) else UNKNOWN, frame)
    return gradients(machine, manager, frame)


def gradients(machine: Machine, manager: Term, frame: Frame) -> Gradients:
    """The effect of a decorator or context manager on gradients."""
    func = manager.parts[0] if manager.kind == "call" else manager
    if func.kind not in {"name", "attribute"}:
        return "same"
    callee = machine.evaluate(func, frame)
    name = callee.name if isinstance(callee, External) else ""
    if not name.startswith("torch"):
        return "same"
    match name.rpartition(".")[2]:
        case "no_grad" | "inference_mode":
            return False
        case "enable_grad":
            return True
        case "set_grad_enabled":
            on = machine.evaluate(manager.parts[1], frame) if len(manager.parts) > 1 else UNKNOWN
            return bool(on.value) if isinstance(on, Constant) else None
    return "same"
