"""The command line: see the docstring of the package."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from dropout_lint.fixing.fixer import unified_diff
from tools.validate_fixes.grammar import CODES, program
from tools.validate_fixes.running import outcome
from tools.validate_fixes.validating import Result, fixed, validated_chunk
from tools.validate_fixes.verdicts import difference

CHUNK = 100
"""Programs that one process runs in one go."""


def main() -> None:
    """Run the programs, and print how many were changed and which behave otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tools.validate_fixes", description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rules", default="", help="codes, separated by commas; the default is all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, help="print this program, and what is made of it")
    options = parser.parse_args()
    codes = frozenset(options.rules.split(",")) if options.rules else CODES
    if options.show is not None:
        _show(options.show, options.seed, codes)
        return
    numbers = range(options.first, options.first + options.programs)
    chunks = [numbers[i : i + CHUNK] for i in range(0, len(numbers), CHUNK)]
    start, results = time.monotonic(), list[Result]()
    with ProcessPoolExecutor(options.jobs) as pool:
        for found in pool.map(validated_chunk, chunks, [options.seed] * len(chunks), [codes] * len(chunks)):
            results += found
            for one in found:
                if one.wrong:
                    print(f"{one.number}: {one.label}\n    {', '.join(one.applied)}: {one.wrong}", flush=True)
    _report(results, time.monotonic() - start)
    sys.exit(any(one.wrong for one in results))


def _report(results: list[Result], seconds: float) -> None:
    changed = [one for one in results if one.applied and one.ran]
    wrong = [one for one in results if one.wrong]
    print(f"{len(results)} programs, {len(changed)} changed, {len(wrong)} behave otherwise ({seconds:.0f} s)")
    offered = Counter(code for one in results for code in set(one.offered))
    applied = Counter(code for one in changed for code in set(one.applied))
    bad = Counter(code for one in wrong for code in set(one.applied))
    for code in sorted(CODES):
        print(f"  {code}: reported in {offered[code]}, changed {applied[code]}, otherwise {bad[code]}")


def _show(number: int, seed: int, codes: frozenset[str]) -> None:
    one = program(number, seed, codes)
    with tempfile.TemporaryDirectory() as folder:
        done, _ = fixed(one, Path(folder))
    print(one.label, one.text, one.user, sep="\n\n")
    print(unified_diff(one.text, done.text, "net.py"))
    before, after = outcome(one.text, one.user), outcome(done.text, one.user)
    print(before, after, difference(before, after, {d.code for d in done.applied}), sep="\n\n")


if __name__ == "__main__":
    main()
