"""Command-line options and documented parameters of a file: default of a rate, and whether it is to keep or drop."""

from __future__ import annotations

import ast
import re

from dropout_lint.facts import Polarity
from dropout_lint.source.names.scopes import Block, Scopes
from dropout_lint.vocabulary import DROP_TEXT, KEEP_TEXT


def polarity_of(text: str) -> Polarity:
    """Whether a sentence names a probability to keep or to drop; "" if neither or both."""
    keep, drop = bool(KEEP_TEXT.search(text)), bool(DROP_TEXT.search(text))
    return "keep" if keep and not drop else "drop" if drop and not keep else ""


class Options:
    """Options that ``add_argument`` or ``click.option`` declare in a file, by destination."""

    def __init__(self, scopes: Scopes) -> None:
        self._arguments: dict[str, tuple[float | None, Polarity]] = {}
        for call, _ in scopes.calls:
            if getattr(call.func, "attr", getattr(call.func, "id", "")) in {"add_argument", "option"}:
                self._add(call)

    def _add(self, call: ast.Call) -> None:
        keywords = {k.arg: k.value for k in call.keywords if k.arg}
        flags = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        dest = keywords.get("dest")
        name = dest.value if isinstance(dest, ast.Constant) else max(flags, key=len, default="").lstrip("-")
        default, text = keywords.get("default"), keywords.get("help")
        number = default.value if isinstance(default, ast.Constant) else None
        help_text = text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else ""
        self._arguments[str(name).replace("-", "_")] = (
            float(number) if isinstance(number, (int, float)) and not isinstance(number, bool) else None,
            polarity_of(help_text),
        )

    def argument(self, name: str) -> tuple[float | None, Polarity]:
        """Default and meaning of an option, as far as the file declares it."""
        return self._arguments.get(name, (None, ""))

    @staticmethod
    def parameter_doc(function: Block, name: str) -> Polarity:
        """The meaning of a parameter by the docstring of its function or class."""
        for block in (function, function.parent):
            node = block.node if block is not None else None
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                text = ast.get_docstring(node, clean=False) or ""
                found = re.search(rf"\b{re.escape(name)}\b[^\n]*(?:\n[^\n:]*)?", text)
                if found and polarity_of(found.group()):
                    return polarity_of(found.group())
        return ""
