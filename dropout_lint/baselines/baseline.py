"""The file of known findings: what it holds, and which findings of a run it does not know.

A finding is known by file, rule, enclosing class and function, and the code that it underlines (``fingerprints``), so
lines may move. Equal findings are counted: one more than the baseline holds is new.
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
from dropout_lint.relative_path import relative_posix

VERSION = 1
NEVER_KNOWN = frozenset({"DRP001", "DRP004"})
"""Findings that say that a file was not checked; to leave them out would call it clean."""

Counts = dict[str, Counter[Fingerprint]]
"""How often each finding is known, by the path of its file."""


class BaselineError(ConfigError):
    """A baseline cannot be used; one sentence that names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known findings. Files are called by their paths relative to the folder of ``file``."""

    file: Path
    known: Counts = field(default_factory=dict)

    def key(self, path: str) -> str:
        """How the baseline calls a file."""
        return relative_posix(path, self.file.parent)

    def counts(self, findings: Iterable[Numbered]) -> Counts:
        """The findings as a baseline holds them."""
        counts: Counts = {}
        for item in findings:
            if item.fingerprint.code not in NEVER_KNOWN:
                counts.setdefault(self.key(item.diagnostic.path), Counter())[item.fingerprint] += 1
        return counts

    def knows(self, item: Numbered) -> bool:
        """Whether a finding is to be left out; of equal ones beyond the count, the last are new."""
        known = self.known.get(self.key(item.diagnostic.path), Counter())
        return item.fingerprint.code not in NEVER_KNOWN and item.occurrence <= known[item.fingerprint]

    def gone(self, found: Counts, judged: Callable[[str, str], bool]) -> Iterator[tuple[str, Fingerprint, int]]:
        """Known findings that a run did not find, though it judged their file and rule, and how many are missing."""
        for path, known in sorted(self.known.items()):
            for fingerprint, missing in sorted((known - found.get(path, Counter())).items()):
                if judged(path, fingerprint.code):
                    yield path, fingerprint, missing

    def updated(self, found: Counts, judged: Callable[[str, str], bool]) -> Baseline:
        """The baseline after a run: what it found, and what was known of files and rules that it did not judge."""
        known: Counts = {path: Counter(counts) for path, counts in found.items()}
        for path, counts in self.known.items():
            kept = Counter({f: number for f, number in counts.items() if not judged(path, f.code)})
            known[path] = known.get(path, Counter()) | kept
        return Baseline(self.file, known)

    def dumps(self) -> str:
        """The text of the file: the same for the same findings, with a line for each."""
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
        if version != VERSION:
            raise TypeError
        known = {str(path): _counts(entries) for path, entries in document["findings"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BaselineError(
            f"{file}: not a baseline of dropout-lint; delete it, and --write-baseline makes it"
        ) from None
    return Baseline(file, known)


def _counts(entries: list[dict[str, Any]]) -> Counter[Fingerprint]:
    counts: Counter[Fingerprint] = Counter()
    for entry in entries:
        code, scope, text, count = entry["code"], entry["scope"], entry["text"], entry["count"]
        if not all(isinstance(part, str) for part in (code, scope, text)) or type(count) is not int or count < 1:
            raise ValueError
        counts[Fingerprint(code, scope, text)] += count
    return counts
