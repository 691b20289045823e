"""Starts a rule: ``python -m tools.new_rule DRP318 name-of-rule --fact DropoutSite`` writes its page and its check.

A fact about the source gives a rule with examples. An observation (``--fact EvalDraw``) gives a rule that only a run
can prove, without examples and without a fix.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from dropout_lint.checks import GROUPS
from dropout_lint.facts import FACT_KINDS, observations
from dropout_lint.suggestions import nearest

ROOT = Path(__file__).resolve().parent.parent
FACTS = tuple(kind.__name__ for kind in FACT_KINDS)
OBSERVATIONS = tuple(
    name
    for name, kind in vars(observations).items()
    if isinstance(kind, type)
    and issubclass(kind, observations.Observation)
    and not kind.__subclasses__()
    # What a run says about a call in the source belongs to a rule that reads the source.
    and not issubclass(kind, observations.RunSite)
)

_CODE = re.compile(rf"DRP[{''.join(GROUPS)}]\d\d")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_CHECK = '''"""{code}: say what is wrong here."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import {fact}


def check({parameter}: {fact}, context: Context) -> Iterator[Diagnostic]:
    """Report what is proven, and nothing else."""
    return
    yield context.report({span}, "One sentence: what happens, and why it is not what was meant.")
'''
_RUN_CHECK = '''"""{code}: say what is wrong here."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeRun


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report what is proven, and nothing else."""
    return
    for event in run.events:
        here = context.file(event.location.path)
        if here is not None:
            yield here.report(event.location.span, "One sentence: what happens, and why it is not what was meant.")
'''
_OBSERVATION_CHECK = '''"""{code}: say what is wrong here; only a run shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic

if TYPE_CHECKING:
    from dropout_lint.facts.observations import {fact}


def check_{what}(observation: {fact}, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report what is proven, and nothing else."""
    return
    yield context.report(observation, "One sentence without its full stop: what happened, and why it was not meant")
'''
_PARAMETERS = {
    "DropoutSite": "site",
    "FlagUse": "flag",
    "LayerGraph": "graph",
    "MaskSite": "mask",
    "ModelClass": "model",
}
_SPANS = {"LayerGraph": "graph.nodes[0].span"}


class RuleError(ValueError):
    """The rule cannot be started; one sentence that says why."""


def new_rule(code: str, name: str, fact: str = "DropoutSite", root: Path = ROOT) -> tuple[Path, Path]:
    """Write the page and the check of a rule. Raises RuleError, and then nothing was written."""
    pages, checks = root / "rules", root / "dropout_lint" / "checks"
    if not _CODE.fullmatch(code):
        raise RuleError(
            f"'{code}' is no code for a rule: it must be DRP and three digits, the first from 1 to 6, such as DRP318."
        )
    if not _NAME.fullmatch(name):
        raise RuleError(f"'{name}' is no name for a rule: two or more lower-case words joined by '-'.")
    if name.startswith(("no-", "disallow-")):
        raise RuleError(f"'{name}' says what is forbidden; name what is wrong, such as 'dropout-before-activation'.")
    if fact not in (*FACTS, *OBSERVATIONS):
        near = nearest(fact, {kind: kind for kind in (*FACTS, *OBSERVATIONS)})
        hint = f"did you mean {near}?" if near else f"facts are {', '.join((*FACTS, *OBSERVATIONS))}."
        raise RuleError(f"There is no fact '{fact}'; {hint}")
    for page in pages.glob("DRP*.md"):
        taken_code, _, taken_name = page.stem.partition("-")
        if taken_code == code or taken_name == name:
            raise RuleError(f"{code if taken_code == code else name} is taken by rules/{page.name}.")
    if code in (pages / "retired.md").read_text("utf-8"):
        raise RuleError(f"{code} is retired (rules/retired.md), and a code is never given twice.")
    check = checks / GROUPS[code[3]] / f"{name.replace('-', '_')}.py"
    if check.exists():
        raise RuleError(f"{check.relative_to(root).as_posix()} exists.")
    page = pages / f"{code}-{name}.md"
    template = (pages / "TEMPLATE.md").read_text("utf-8")
    if fact in OBSERVATIONS:
        template = _for_runs(template)
    page.write_text(template.replace("DRPnnn rule-name", f"{code} {name}").replace("DRPnnn", code), "utf-8")
    check.write_text(_check_source(code, fact), "utf-8")
    return page, check


def _for_runs(template: str) -> str:
    """The page of a rule that only a run proves: with its engine, without examples and fix."""
    before, _, rest = template.partition("## Examples\n")
    _, heading, after = rest.partition("## When to ignore it\n")
    text = re.sub(r'^fix = "unsafe" .*$', 'fix = "none"', before + heading + after, count=1, flags=re.MULTILINE)
    return re.sub(r"^# (engines = \S+) .*$", r"\1", text, count=1, flags=re.MULTILINE)


def _check_source(code: str, fact: str) -> str:
    if fact in OBSERVATIONS:
        what = re.sub(r"(?<!^)(?=[A-Z])", "_", fact).lower()
        return _OBSERVATION_CHECK.format(code=code, fact=fact, what=what)
    if fact == "ModeRun":
        return _RUN_CHECK.format(code=code)
    parameter = _PARAMETERS.get(fact, "fact")
    return _CHECK.format(code=code, fact=fact, parameter=parameter, span=_SPANS.get(fact, f"{parameter}.span"))


def main(args: Sequence[str] | None = None) -> int:
    """Start the rule that the arguments describe; 2 where that is refused."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_rule", description="Write the page and check of a rule.")
    parser.add_argument("code", help="such as DRP318; the hundreds are the group")
    parser.add_argument("name", help="what is wrong, in lower-case words joined by '-'")
    parser.add_argument(
        "--fact",
        default="DropoutSite",
        help=f"what the check reads: {', '.join(FACTS)}; or an observation: {', '.join(OBSERVATIONS)}",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout; this one if not given")
    given = parser.parse_args(args)
    try:
        written = new_rule(given.code, given.name, given.fact, given.root)
    except RuleError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for file in written:
        print(f"wrote {file.relative_to(given.root)}")
    print(
        "Fill in both, run 'python -m tools.readme' for the table of rules, then 'pytest tests/test_rule_pages.py -k "
        + given.code
        + "'."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
