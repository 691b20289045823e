"""Baselines: files of known findings, which later runs leave out.

A finding is recognised by file, rule, enclosing class and function, and the code that it underlines (``fingerprints``),
so lines may move. Equal findings are counted: if a run has one more than the baseline, that one is new.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropout_lint.baselines.fingerprints import Fingerprint, Numbered
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import relative_posix

VERSION = 1
NEVER_KNOWN = frozenset({"DRP001", "DRP004"})
"""Never left out: without these findings, a file that was not checked would look clean."""

Counts = dict[str, Counter[Fingerprint]]
"""The number of equal findings, by file and fingerprint."""


class BaselineError(ConfigError):
    """A baseline cannot be used. The message is a sentence that names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings. Their paths are relative to the folder of ``file``."""

    file: Path
    known: Counts = field(default_factory=dict)

    def key(self, path: str) -> str:
        """The path of a file in the baseline."""
        return relative_posix(path, self.file.parent)

    def counts(self, findings: Iterable[Numbered]) -> Counts:
        """Count findings by file and fingerprint."""
        counts: Counts = {}
        for item in findings:
            if item.fingerprint.code not in NEVER_KNOWN:
                counts.setdefault(self.key(item.diagnostic.path), Counter())[item.fingerprint] += 1
        return counts

    def knows(self, item: Numbered) -> bool:
        """True for a known finding. Of more equal findings than the baseline counts, the last ones are new."""
        known = self.known.get(self.key(item.diagnostic.path), Counter())
        return item.fingerprint.code not in NEVER_KNOWN and item.occurrence <= known[item.fingerprint]

    def gone(self, found: Counts, checked: Callable[[str, str], bool]) -> Iterator[tuple[str, Fingerprint, int]]:
        """Known findings that a run checked for and did not find, each with the number that is missing."""
        for path, known in sorted(self.known.items()):
            for fingerprint, missing in sorted((known - found.get(path, Counter())).items()):
                if checked(path, fingerprint.code):
                    yield path, fingerprint, missing

    def updated(self, found: Counts, there: Counts, checked: Callable[[str, str], bool]) -> Baseline:
        """The baseline after a run: the findings of the run, and the known ones of files and rules it did not check.

        ``there`` are the findings with those that are not sure enough to be reported: known ones stay known.
        """
        known: Counts = {path: Counter(counts) for path, counts in found.items()}
        for path, counts in self.known.items():
            kept = Counter({f: number for f, number in counts.items() if not checked(path, f.code)})
            known[path] = known.get(path, Counter()) | kept | (counts & there.get(path, Counter()))
        return Baseline(self.file, known)

    def dumps(self) -> str:
        """The text of the file, sorted, with a line for each finding."""
        files = []
        for path in sorted(path for path, counts in self.known.items() if counts):
            entries = ",\n".join(
                f"      {json.dumps({'code': f.code, 'scope': f.scope, 'text': f.text, 'count': count})}"
                for f, count in sorted(self.known[path].items())
            )
            files.append(f"    {json.dumps(path)}: [\n{entries}\n    ]")
        inside = "\n" + ",\n".join(files) + "\n  " if files else ""
        return f'{{\n  "version": {VERSION},\n  "findings": {{{inside}}}\n}}\n'


def read_baseline(file: Path) -> Baseline:
    """Read a baseline. Raises BaselineError."""
    try:
        document = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise BaselineError(f"{file}: no such baseline; --write-baseline makes it") from None
    except OSError as error:
        raise BaselineError(f"{file}: the baseline cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError):
        raise BaselineError(f"{file}: not a baseline (not JSON); delete it, and --write-baseline makes it") from None
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise BaselineError(f"{file}: a newer dropout-lint wrote this baseline; upgrade dropout-lint")
    try:
        known = _known(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BaselineError(
            f"{file}: not a baseline of dropout-lint; delete it, and --write-baseline makes it"
        ) from None
    return Baseline(file, known)


def _known(document: Any) -> Counts:
    if document["version"] != VERSION:
        raise ValueError
    return {str(path): _counts(entries) for path, entries in document["findings"].items()}


def _counts(entries: list[dict[str, Any]]) -> Counter[Fingerprint]:
    counts: Counter[Fingerprint] = Counter()
    for entry in entries:
        code, scope, text, count = entry["code"], entry["scope"], entry["text"], entry["count"]
        if not all(isinstance(part, str) for part in (code, scope, text)) or type(count) is not int or count < 1:
            raise ValueError
        counts[Fingerprint(code, scope, text)] += count
    return counts
