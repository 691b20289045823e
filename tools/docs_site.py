"""What MkDocs cannot find in ``docs/``: pages of rules, parts of the README, and figures drawn from the numbers.

MkDocs loads this as a hook, see ``mkdocs.yml``; https://www.mkdocs.org/user-guide/configuration/#hooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from dropout_lint.rulebook import Rule, rules
from tools.command_line_page import command_line_page
from tools.figures import FIGURES, THEMES, commutation_table, drawn
from tools.readme import ROOT

BLOB = "https://github.com/dropout-lint/dropout-lint/blob/main/"

_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)")
_ANCHOR = re.compile(r"(?<=\]\()#([\w-]+)(?=\))")
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_FIGURE = re.compile(r"<!-- figure:([\w-]+) -->")
_TITLES = {"bad": "Reported", "fixed": "Fixed by dropout-lint --fix", "good": "Silent"}
_SETS = {"default": "on", "preview": "with `--preview`", "opinion": "off until it is selected"}
_GROUPS = {
    "0": "About the run",
    "1": "Dropout that is always on, or never",
    "2": "Train and eval mode",
    "3": "Placement and use",
    "4": "Arguments",
    "5": "Hand-written dropout",
    "6": "Rates and practice",
}
_README_PAGES = {
    "index.md": ("", "Try it", "Use it"),
    "configuration.md": ("Configure it", "Suppress a finding"),
    "tool-chain.md": ("In the tool chain",),
    "models.md": ("Check a model",),
}
"""Pages of the site, and the sections of the README that they consist of; "" is what stands before the first."""
_FILES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Hang the pages of the rules, by group, under their table."""
    index = "rules/index.md"
    groups: list[object] = [
        {f"DRP{digit}: {group}": [{f"{rule.code} {rule.name}": f"rules/{rule.page}"} for rule in _in_group(digit)]}
        for digit, group in _GROUPS.items()
    ]
    config.nav = [{"Rules": [index, *groups]} if item == {"Rules": index} else item for item in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated files to those of ``docs/``."""
    for name, content in (*pages(), *figures()):
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Put figures and tables in, and turn links to files of the repository into links to pages, or to GitHub."""
    markdown = _FIGURE.sub(_shown, markdown).replace("<!-- table:commutation -->", commutation_table())
    origin = Path(_FILES.get(page.file.src_uri, "rules/x" if page.file.src_uri.startswith("rules/") else "x")).parent
    written = {f"docs/{page.name}": page.name for page in (ROOT / "docs").glob("*.md")}
    inside = {source: name for name, source in _FILES.items()} | {"README.md": "index.md"} | written

    def target(match: re.Match[str]) -> str:
        if files.get_file_from_path(str(Path(page.file.src_uri).parent / match[1])) is not None:
            return match[1]
        path = (ROOT / origin / match[1]).resolve()
        if not path.exists():
            return match[1]
        name = path.relative_to(ROOT).as_posix()
        depth = page.file.src_uri.count("/")
        return "../" * depth + inside[name] if name in inside else BLOB + name

    return _LINK.sub(target, _ANCHOR.sub(_page_of_anchor, markdown))


def pages() -> Iterator[tuple[str, str]]:
    """Name and Markdown of each generated page."""
    readme = sections((ROOT / "README.md").read_text("utf-8"))
    for name, headings in _README_PAGES.items():
        yield name, "\n\n".join(readme[heading] for heading in headings)
    for name, source in _FILES.items():
        yield name, (ROOT / source).read_text("utf-8")
    yield "command-line.md", command_line_page()
    yield "rules/index.md", rules_index()
    for rule in rules().values():
        yield f"rules/{rule.page}", rule_page(rule)


def figures() -> Iterator[tuple[str, str]]:
    """Name and SVG of each figure, in each theme."""
    for name in FIGURES:
        for theme in THEMES:
            yield f"figures/{name}-{theme}.svg", drawn(name, theme)


def _page_of_anchor(link: re.Match[str]) -> str:
    """A heading of the README, on the page of the site that has it."""
    return f"{_anchors().get(link[1], '')}#{link[1]}"


@cache
def _anchors() -> dict[str, str]:
    readme = sections((ROOT / "README.md").read_text("utf-8"))
    return {
        "-".join(re.findall(r"\w+", title.lower())): name
        for name, headings in _README_PAGES.items()
        for heading in headings
        for title in _HEADING.findall(readme[heading])
    }


def _shown(figure: re.Match[str]) -> str:
    caption = (FIGURES[figure[1]].__doc__ or "").rstrip(".")
    return "\n".join(f"![{caption}](figures/{figure[1]}-{theme}.svg#only-{theme})" for theme in THEMES)


def sections(readme: str) -> dict[str, str]:
    """The README by its second-level headings, each text with its heading."""
    parts = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    return {part[3:].split("\n", 1)[0].strip() if part.startswith("## ") else "": part for part in parts}


def rules_index() -> str:
    """All rules in tables, one for each group."""
    text = ["# Rules", "A finding names its rule; `dropout-lint rule CODE` prints the same page in the terminal."]
    for digit, group in _GROUPS.items():
        text += [f"## DRP{digit}: {group}", "", "| Rule | Finds | Severity | Fix | Default |", "|---|---|---|---|---|"]
        text += [
            f"| [{rule.code}]({rule.page}) `{rule.name}` | {rule.summary} | {rule.severity} | {rule.fix} "
            f"| {_SETS[rule.set]} |"
            for rule in _in_group(digit)
        ]
        text.append("")
    return "\n".join(text)


def _in_group(digit: str) -> list[Rule]:
    return [rule for rule in rules().values() if rule.code[3] == digit]


def rule_page(rule: Rule) -> str:
    """The page of a rule, its head as a table and its examples under titles."""
    head = (
        "| Severity | Fix | Default | Since |\n|---|---|---|---|\n"
        f"| {rule.severity} | {rule.fix} | {_SETS[rule.set]} | {rule.since} |"
    )
    text = re.sub(r"^```toml\n.*?^```$", head, rule.text, count=1, flags=re.MULTILINE | re.DOTALL)
    for kind, title in _TITLES.items():
        text = re.sub(rf"^(`{{3,}})python {kind}$", rf'\1python title="{title}"', text, flags=re.MULTILINE)
    return text
