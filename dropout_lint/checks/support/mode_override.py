"""A fix that keeps parts in eval mode: an override of ``train``."""

from __future__ import annotations

from dropout_lint.checks.support.context import advice, unsafe
from dropout_lint.diagnostic import Fix, Span
from dropout_lint.rewrites import AddMethod


def override(receiver: str, parts: list[str], last: Span | None) -> Fix:
    """Add a ``train`` method after the statement ``last``, which ends the constructor; give advice if it is None."""
    otherwise = "Override `train` to call `eval()` on the part again"
    if last is None:
        return advice(otherwise)
    lines = [
        f"def train({receiver}, mode: bool = True):",
        "    super().train(mode)",
        *(f"    {receiver}.{part}.eval()" for part in parts),
        f"    return {receiver}",
    ]
    return unsafe("Override `train`", AddMethod(last, "\n".join(lines)), otherwise=otherwise)
