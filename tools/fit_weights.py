"""Fit the weights of evidence for DRP206 on labelled evaluation sites, and cross-validate them by repository.

    python -m tools.fit_weights            print the cross-validation; write weights and docs/evidence.md
    python -m tools.fit_weights --check    fail if they are not what the labels give

``fixtures/evaluation_sites.jsonl`` has one labelled site a line: repository, commit, path, line, the verdict of a
reader (``mistake``, ``arguable``, ``ok``), what decided it, and the signs that the engine finds there. The sites are
calls of models in public code that no other set names. ``arguable`` sites count as half a mistake.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.checks.support.evidence import probability
from dropout_lint.diagnostic import Confidence
from dropout_lint.facts.evaluations import SIGNS

ROOT = Path(__file__).parent.parent
LABELS = ROOT / "fixtures" / "evaluation_sites.jsonl"
TABLE = ROOT / "dropout_lint" / "checks" / "support" / "evidence_weights.py"
PAGE = ROOT / "docs" / "evidence.md"
RIDGE = 7.0
"""Strength of the penalty on large weights: the smallest log loss in the cross-validation."""
FOLDS = 10
FEWEST = 5
"""Sites that must have a sign for it to get a weight."""
TOGETHER = (
    "live-yes & ready",
    "live-yes & made-in-sight",
    "live-yes & no-eval-in-program",
    "live-yes & no-eval-in-project",
    "ready & no-eval-in-project",
    "class-trains & no-eval-in-project",
    "ready & no-eval-in-program",
    "class-trains & no-eval-in-program",
    "live-unknown & no-eval-in-program",
    "file-has-backward & function-evaluates",
    "program-never-trains & weights-loaded",
    "no-grad & result-metric",
    "held-out-data & result-plain",
    "no-instance & live-unknown",
    "library-model & live-yes",
)
"""Signs that say more together than each alone."""
TARGETS = {Confidence.LIKELY: 0.5, Confidence.POSSIBLE: 0.15}
_TRUTH = {"mistake": 1.0, "arguable": 0.5, "ok": 0.0}


@dataclass(frozen=True)
class Labelled:
    """A labelled site, with its signs and the pairs of them."""

    repository: str
    verdict: str
    signs: frozenset[str]

    @property
    def truth(self) -> float:
        """The share of a mistake that it counts for."""
        return _TRUTH[self.verdict]


def labelled_sites(path: Path = LABELS) -> list[Labelled]:
    """The sites at which the engine finds a model without ``eval()``; the others are never reported.

    Sites of one repository with the same signs and verdict count once: they are mostly copies of a script.
    """
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    sites = (Labelled(o["repo"], o["verdict"], with_pairs(o["signs"])) for o in lines if o["signs"])
    return list(dict.fromkeys(sites))


def with_pairs(signs: Iterable[str]) -> frozenset[str]:
    """Signs, with those of TOGETHER that are all there."""
    alone = frozenset(signs)
    return alone | {pair for pair in TOGETHER if alone.issuperset(pair.split(" & "))}


def fit(sites: Sequence[Labelled], ridge: float = RIDGE) -> tuple[float, dict[str, float]]:
    """Intercept and weights of a logistic regression with a ridge penalty, by Newton's method."""
    counts = Counter(name for site in sites for name in site.signs)
    names = sorted(name for name, count in counts.items() if count >= FEWEST)
    rows = [[1.0, *(float(name in site.signs) for name in names)] for site in sites]
    weights = [0.0] * (len(names) + 1)
    for _ in range(30):
        gradient = [0.0] * len(weights)
        curvature = [[0.0] * len(weights) for _ in weights]
        for row, site in zip(rows, sites, strict=True):
            given = [i for i, x in enumerate(row) if x]
            p = 1 / (1 + math.exp(-sum(weights[i] for i in given)))
            for i in given:
                gradient[i] += site.truth - p
                for j in given:
                    curvature[i][j] += p * (1 - p)
        for i in range(1, len(weights)):
            gradient[i] -= ridge * weights[i]
            curvature[i][i] += ridge
        step = _solve(curvature, gradient)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights[0], dict(zip(names, weights[1:], strict=True))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a system of linear equations, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (rows[i][size] - sum(rows[i][j] * found[j] for j in range(i + 1, size))) / rows[i][i]
    return found


def cross_validated(sites: Sequence[Labelled], ridge: float = RIDGE) -> list[float]:
    """The probability of each site, by weights that were fitted without its repository and a tenth of the others."""
    repositories = sorted({s.repository for s in sites})
    fold = {name: i % FOLDS for i, name in enumerate(repositories)}
    found = [0.0] * len(sites)
    for number in range(FOLDS):
        model = fit([s for s in sites if fold[s.repository] != number], ridge)
        for i, site in enumerate(sites):
            if fold[site.repository] == number:
                found[i] = probability(site.signs, *model)
    return found


def report(sites: Sequence[Labelled], probabilities: Sequence[float]) -> str:
    """What the cross-validation says about each threshold."""
    lines = ["at least   right   arguable   wrong   missed   precision   recall"]
    total = sum(s.verdict == "mistake" for s in sites)
    for threshold in (0.15, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8):
        found = Counter(s.verdict for s, p in zip(sites, probabilities, strict=True) if p >= threshold)
        right, wrong = found["mistake"], found["ok"]
        share = right / max(right + wrong, 1)
        counts = f"{threshold:8.2f}{right:8}{found['arguable']:11}{wrong:8}{total - right:9}"
        lines.append(f"{counts}{share:12.2f}{right / max(total, 1):9.2f}")
    return "\n".join(lines)


def table(intercept: float, weights: Mapping[str, float], sites: Sequence[Labelled]) -> str:
    """The module that holds the weights."""
    ordered = sorted(weights.items(), key=lambda w: -w[1])
    body = "".join(f'    "{name}": {weight:.2f},\n' for name, weight in ordered)
    repositories = len({s.repository for s in sites})
    return f'''"""Weights of the signs of an evaluation in train mode, as log-odds; see ``tools/fit_weights.py``.

Fitted on {len(sites)} labelled sites of {repositories} repositories (``fixtures/evaluation_sites.jsonl``). A positive
weight speaks for a mistake. ``facts/evaluations.py`` says what each sign is.
"""

INTERCEPT = {intercept:.2f}
LIKELY = {TARGETS[Confidence.LIKELY]}
POSSIBLE = {TARGETS[Confidence.POSSIBLE]}
"""The least probabilities of a finding that is likely, and of one that is possible."""
WEIGHTS = {{
{body}}}
'''


_HEAD = """\
# Evidence for an evaluation in train mode

`DRP206` reports what the code proves, and what evidence makes likely. A proof needs the class of the model, all callers
and every mode call in sight. Where one of them is missing, `dropout_lint/evaluations/` looks for **sites**: calls of a
model, on a way without `eval()`, that may be evaluations. It notes the **signs** below at each site. The weights of the
signs add up to the log-odds of a mistake. From a probability of {likely} on the finding is `likely`, from {possible} on
`possible` (see `--confidence`).

The weights are fitted on labelled sites in public code, `fixtures/evaluation_sites.jsonl`: a reader looked at each one
and wrote down the verdict. `python -m tools.fit_weights` fits them and writes this page.

## How well it works

{count} labelled sites of {repositories} repositories, {mistakes} of them mistakes. Each probability below comes from
weights that were fitted without the repository of the site. Arguable sites count as half a mistake in the fit.

```text
{report}
```

## Weights

The log-odds before any sign are {intercept:.2f}. Two signs joined by `&` count in addition where both are there.

| Sign | Weight | What it is |
|---|---:|---|
"""


def page(
    intercept: float, weights: Mapping[str, float], sites: Sequence[Labelled], probabilities: Sequence[float]
) -> str:
    """The page of the documentation."""
    rows = (
        f"| `{name}` | {weight:+.2f} | {' and '.join(SIGNS[part] for part in name.split(' & '))} |"
        for name, weight in sorted(weights.items(), key=lambda w: -w[1])
    )
    head = _HEAD.format(
        likely=TARGETS[Confidence.LIKELY],
        possible=TARGETS[Confidence.POSSIBLE],
        count=len(sites),
        repositories=len({s.repository for s in sites}),
        mistakes=sum(s.verdict == "mistake" for s in sites),
        report=report(sites, probabilities),
        intercept=intercept,
    )
    return head + "\n".join(rows) + "\n"


def main(args: Sequence[str] = ()) -> int:
    """Fit, print, and write or check the table and the page."""
    sites = labelled_sites()
    probabilities, model = cross_validated(sites), fit(sites)
    print(report(sites, probabilities))
    written = {TABLE: table(*model, sites), PAGE: page(*model, sites, probabilities)}
    if "--check" in args:
        return int(any(path.read_text(encoding="utf-8") != text for path, text in written.items()))
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
