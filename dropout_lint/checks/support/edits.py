"""Edits on the arguments of a call that keep its comments, parentheses and commas, whatever its layout.

They work on the text alone: between two arguments there is nothing but blanks, comments, commas and parentheses.
"""

from __future__ import annotations

import re

from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Edit, Span

_OPENING, _CLOSING = "([{", ")]}"
_STRING = re.compile(r"('''|\"\"\")(?:\\.|.)*?\1|'(?:\\.|[^'\\\r\n])*'|\"(?:\\.|[^\"\\\r\n])*\"", re.DOTALL)
_COMMENT = re.compile(r"#[^\r\n]*")
_BREAK = re.compile(r"\r\n|\r|\n")
_MODULE = re.compile(r"[A-Za-z_][\w.]*\(")


def code_only(text: str) -> str:
    """The text with strings and comments overwritten by blanks, so that only code is left at its place."""
    pieces: list[str] = []
    done = 0
    while done < len(text):
        found = _STRING.match(text, done) or _COMMENT.match(text, done)
        if found is None:
            pieces.append(text[done])
            done += 1
        else:
            pieces.append(" " * len(found.group()))
            done = found.end()
    return "".join(pieces)


def is_within(inner: Span, outer: Span) -> bool:
    """Whether a span lies in another."""
    first, last = (outer.line, outer.column), (outer.end_line, outer.end_column)
    return first <= (inner.line, inner.column) and (inner.end_line, inner.end_column) <= last


def add_argument(context: Context, call: Span, argument: str) -> Edit:
    """Passes one more argument, behind the last one and in front of its comma, if it has one."""
    code = code_only(context.slice(call))[:-1].rstrip("\\ \t\f\r\n")
    if code.endswith(","):
        code = code[:-1].rstrip("\\ \t\f\r\n")
    line, column = context.position(context.offset(call.line, call.column) + len(code))
    text = argument if code.endswith("(") else f", {argument}"
    return Edit(Span(line, column, line, column), text)


def remove_argument(context: Context, argument: Span | None) -> tuple[Edit, ...]:
    """Deletes an argument given with the comma before it or, for the first one, the comma after it.

    An argument that has its lines to itself takes them along; comments stay. No edits where one stands inside of it.
    """
    if argument is None:
        return ()
    text = context.text
    start, end = context.offset(argument.line, argument.column), context.offset(argument.end_line, argument.end_column)
    code = code_only(text[start:end])
    comma = re.match(r"[\s\\)]*,", code)
    first = comma is None
    item = (
        start
        if comma is None
        else start + comma.end() + len(code[comma.end() :]) - len(code[comma.end() :].lstrip("\\ \t\f\r\n"))
    )
    if first:
        end = start + _first_length(code)
    end = _behind_closing(text, item, end)
    if "#" in _STRING.sub("", text[item:end]):
        return ()
    tail = re.compile(r"[ \t\f]*,[ \t\f]*").match(text, end)
    behind = tail.end() if tail else end
    line_start = max(text.rfind("\n", 0, item), text.rfind("\r", 0, item)) + 1
    line_end = _BREAK.search(text, behind)
    rest = text[behind : line_end.start() if line_end else len(text)].strip()
    if not text[line_start:item].strip() and (not rest or rest.startswith("#")):
        begin, stop = (item, behind) if rest or line_end is None else (line_start, line_end.end())
    elif comma is not None and "#" not in text[start:item]:
        begin, stop = start + comma.end() - 1, end
    else:
        begin, stop = item, behind
    return (Edit(Span(*context.position(begin), *context.position(stop)), ""),)


def _first_length(code: str) -> int:
    """Length of a first argument, without the comma and the blanks that may follow it."""
    depth = 0
    for index, char in enumerate(code):
        depth += (char in _OPENING) - (char in _CLOSING)
        if char == "," and not depth:
            return index
    return len(code)


def _behind_closing(text: str, start: int, end: int) -> int:
    """The end of an expression, moved behind the parentheses that were opened in front of it."""
    code = code_only(text[start:end])
    missing = sum(c in _OPENING for c in code) - sum(c in _CLOSING for c in code)
    while missing > 0:
        found = re.compile(r"[\s\\]*\)").match(text, end)
        if found is None:
            return end
        end, missing = found.end(), missing - 1
    return end


def with_parentheses(context: Context, argument: Span) -> Span:
    """An argument that stands behind a comma, with the parentheses that it has of its own."""
    text = context.text
    start, end = context.offset(argument.line, argument.column), context.offset(argument.end_line, argument.end_column)
    while text[:start].rstrip().endswith("("):
        found = re.compile(r"\s*\)").match(text, end)
        if found is None:
            break
        start, end = len(text[:start].rstrip()) - 1, found.end()
    return Span(*context.position(start), *context.position(end))


def is_enclosed(text: str) -> bool:
    """Whether the first bracket of a text closes at its end."""
    code, depth = code_only(text), 0
    for index, char in enumerate(code):
        depth += (char in _OPENING) - (char in _CLOSING)
        if not depth:
            return bool(code) and code[0] in _OPENING and index == len(code) - 1
    return False


def elements(display: str) -> list[str]:
    """The elements of a list, tuple or dictionary as written, or the one in front of ``for`` of a comprehension."""
    inner = display[1:-1] if is_enclosed(display) else display
    code, depth, parts, start = code_only(inner), 0, [], 0
    for index, char in enumerate(code):
        depth += (char in _OPENING) - (char in _CLOSING)
        if char == "," and not depth:
            parts.append(inner[start:index])
            start = index + 1
        elif (
            not depth
            and re.compile(r"\b(?:async\s+)?for\b").match(code, index)
            and not code[index - 1 : index].isalnum()
        ):
            return [inner[start:index].strip()]
    return [part.strip() for part in [*parts, inner[start:]] if code_only(part).strip() or _STRING.search(part)]


def is_construction(text: str) -> bool:
    """Whether an expression calls a class, by the usual spelling of its name, as in ``nn.Dropout(p)``."""
    code = code_only(text).strip()
    found = _MODULE.match(code)
    return (
        found is not None
        and found.group()[:-1].rpartition(".")[2][:1].isupper()
        and is_enclosed(code[found.end() - 1 :])
    )
