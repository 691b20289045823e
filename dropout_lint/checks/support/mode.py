"""What the mode checks share: the evidence of the linker, and one statement put in front of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from dropout_lint.checks.support.context import Context, advice, insertion, unsafe
from dropout_lint.diagnostic import Fix, Span
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evidence import Evidence

_RECEIVER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def evidence(outline: ModeOutline, context: Context, code: str) -> Iterator[Evidence]:
    """What linking found in this file under a code; each file is asked once, through its first outline."""
    for found in linked(outline, context, code):
        if not intended(found, context):
            yield found


def linked(outline: ModeOutline, context: Context, code: str) -> Iterator[Evidence]:
    """The same, with what the code says is meant."""
    if outline.name:
        return
    yield from (found for found in context.evidence if found.code == code)


def intended(found: Evidence, context: Context) -> bool:
    """Whether a name on the path, or a pragma on the call, says that dropout is meant at test time."""
    return _named_intent(found, context) or _declared(found, context)


def _named_intent(found: Evidence, context: Context) -> bool:
    patterns = [p.lower() for p in context.settings.mc_dropout_names]
    return any(fnmatchcase(name.lower(), pattern) for name in found.names for pattern in patterns)


def _declared(found: Evidence, context: Context) -> bool:
    """A pragma on the call."""
    return "dropout-lint: mc-dropout" in context.line(found.span.line)


def inserted(context: Context, before: Span | None, receiver: str, call: str, otherwise: str) -> Fix | None:
    """``receiver.call`` as a statement of its own in front of another one; advice where that cannot be written."""
    if before is None or not _RECEIVER.fullmatch(receiver):
        return advice(otherwise)
    line = context.line(before.line)
    indent = line[: before.column - 1]
    if indent.strip():
        return advice(otherwise)
    newline = "\r\n" if line.endswith("\r\n") else "\n"
    text = f"{receiver}.{call}{newline}{indent}"
    return unsafe(f"Insert `{receiver}.{call}`", insertion(before.line, before.column, text))


def of(found: Evidence) -> str:
    """The layer that proves that the mode matters, as part of a sentence."""
    return f" (its `{found.detail}` differs between the modes)" if found.detail else ""
