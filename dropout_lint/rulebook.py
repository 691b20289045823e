"""Parses the rule pages in ``rules/``.

A page is the documentation of a rule, the text of the ``rule`` command, the help in SARIF and the tests. Pages are in
the wheel as ``dropout_lint/rules``, and beside the package in a checkout.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dropout_lint.diagnostic import Severity

DOCS_URL = "https://dropout-lint.github.io/dropout-lint/rules/{page}/"

_HEADING = re.compile(r"^# (DRP\d{3}) ([a-z0-9-]+)$")
_FENCE = re.compile(r"^(`{3,})([^\n]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block of a page. ``kind`` is ``bad``, ``fixed`` or ``good``; ``line`` is the first line of its code."""

    kind: str
    code: str
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, from its page. ``set`` is ``default``, ``preview`` or ``opinion``."""

    code: str
    name: str
    summary: str
    severity: Severity
    fix: str
    set: str
    since: str
    page: str
    text: str
    examples: tuple[Example, ...]
    engines: tuple[str, ...] = ()
    """The engines that report it, if not all do; ``("runtime",)`` if the source cannot prove it."""

    @property
    def url(self) -> str:
        """The page on the web."""
        return DOCS_URL.format(page=self.page.removesuffix(".md"))


class PageError(ValueError):
    """A rule page does not have the form that CONTRIBUTING.md describes."""


def parse_page(text: str, filename: str) -> Rule:
    """Parse one page. Raises PageError that names the file and what is missing."""
    lines = text.splitlines()
    heading = _HEADING.match(lines[0]) if lines else None
    if not heading:
        raise PageError(f"{filename}: the first line must be '# DRPnnn rule-name'")
    code, name = heading.groups()
    if filename != f"{code}-{name}.md":
        raise PageError(f"{filename}: the file must be named {code}-{name}.md")
    fences = list(_FENCE.finditer(text))
    if not fences or fences[0].group(2).strip() != "toml":
        raise PageError(f"{filename}: a ```toml block must come before any other block")
    summary = " ".join(text[: fences[0].start()].split("\n", 1)[1].split())
    try:
        data = tomllib.loads(fences[0].group(3))
        severity, fix, since = Severity(data["severity"]), str(data["fix"]), str(data["since"])
        rule_set = {True: "default", False: "opinion", "on": "default", "off": "opinion"}.get(
            data["default"], data["default"]
        )
    except (KeyError, ValueError) as error:
        raise PageError(f"{filename}: toml block: {error}") from None
    if fix not in {"safe", "unsafe", "none"} or rule_set not in {"default", "preview", "opinion"}:
        raise PageError(f"{filename}: fix is safe, unsafe or none; default is on, preview or off")
    examples = tuple(
        Example(fence.group(2).split()[1], fence.group(3), text.count("\n", 0, fence.start()) + 2)
        for fence in fences
        if re.fullmatch(r"python (bad|fixed|good)", fence.group(2).strip())
    )
    engines = tuple(map(str, data.get("engines", ())))
    return Rule(code, name, summary, severity, fix, rule_set, since, filename, text, examples, engines)


def pages_folder() -> Path:
    """The folder of the pages: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "rules"
    return beside if beside.is_dir() and (package.parent / "pyproject.toml").is_file() else package / "rules"


@cache
def rules() -> dict[str, Rule]:
    """All rules by code, in the order of their codes. Raises PageError on a malformed page."""
    found = [parse_page(p.read_text("utf-8"), p.name) for p in sorted(pages_folder().glob("DRP*.md"))]
    return {rule.code: rule for rule in found}


@cache
def codes_by_name() -> dict[str, str]:
    """Code of each rule name."""
    return {rule.name: rule.code for rule in rules().values()}
