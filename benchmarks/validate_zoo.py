"""Runs every check of ``validate`` on each model of the zoo, the smallest first, and measures what it costs.

    python -m benchmarks.validate_zoo results.jsonl [--only timm/] [--device cuda] [--table]

Each model runs in a process of its own; a line per model is written as soon as it is done, and a second run goes on
where the first was stopped. ``--table`` prints the counts and the ratios.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import json
import os
import resource
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.zoo import Entry, build, entries, import_without_operators
from benchmarks.zoo_scan import in_child


def measured(entry: Entry, device: str) -> str:
    """One line of the results: findings, what was not checked, seconds and peak memory."""
    import torch

    from dropout_lint.runtime import check

    torch.set_num_threads(1)
    loaded = _peak()
    model, args, kwargs = build(entry)
    if device != "cpu":
        model.to(device)
        args = tuple(a.to(device) for a in args)
        kwargs = {name: value.to(device) for name, value in kwargs.items()}
    model.eval()
    start = time.perf_counter()
    with torch.no_grad():
        model(*args, **kwargs)
    plain, plain_peak = time.perf_counter() - start, _peak()
    model.train()
    start = time.perf_counter()
    report = check(model, *args, device=device, **kwargs)
    seconds = time.perf_counter() - start
    result: dict[str, Any] = {"name": entry.name, "parameters": entry.parameters, "plain": plain, "seconds": seconds}
    result |= {"loaded": loaded, "plain_peak": plain_peak, "peak": _peak()}
    result["found"] = [
        [d.code, d.severity.value, d.path.partition("site-packages/")[2], d.span.line, d.message, list(d.modules)]
        for d in report.diagnostics
    ]
    result["not_checked"] = [[o.module, o.text] for o in report.observations if o.kind == "not checked"]
    result["batch_norm"] = len(report.tables.get("batch_norm", []))
    result["rates"] = len(report.tables.get("rates", []))
    return json.dumps(result)


def _peak() -> float:
    """Peak resident memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(lines: list[dict[str, Any]]) -> str:
    """Counts by library, findings by rule, and what the checks cost."""
    done = [line for line in lines if "seconds" in line]
    rows = ["| Library | Models | With an error | With a warning | Not run |", "|---|---|---|---|---|"]
    for library in sorted({line["name"].partition("/")[0] for line in lines}):
        here = [line for line in lines if line["name"].startswith(f"{library}/")]
        ran = [line for line in here if "seconds" in line]
        counts = [sum(any(f[1] == level for f in line["found"]) for line in ran) for level in ("error", "warning")]
        rows.append(f"| {library} | {len(ran)} | {counts[0]} | {counts[1]} | {len(here) - len(ran)} |")
    found = collections.Counter((f[0], f[1]) for line in done for f in line["found"])
    rows += ["", *(f"{code} ({level}): {count}" for (code, level), count in sorted(found.items()))]
    if not done:
        return "\n".join(rows)
    ratios = statistics.median(line["seconds"] / line["plain"] for line in done)
    memory = statistics.median(line["peak"] / line["plain_peak"] for line in done)
    seconds = statistics.median(line["seconds"] for line in done)
    rows += ["", f"median {seconds:.2f} s, {ratios:.1f} times a plain forward pass; peak memory {memory:.2f} times"]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", default="", help="models whose name holds this")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--table", action="store_true", help="run nothing; print the table of the results")
    options = parser.parse_args()
    text = options.results.read_text("utf-8") if options.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    if options.table:
        print(table(lines))
        return
    os.environ["HF_HUB_OFFLINE"] = "1"
    import_without_operators()
    for name in ("timm", "transformers", "dropout_lint.runtime.checker", "torchvision.models"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    seen = {line["name"] for line in lines}
    for entry in entries(options.only):
        if entry.name in seen:
            continue
        line = in_child(lambda entry=entry: measured(entry, options.device), options.seconds)  # type: ignore[misc]
        if line.startswith("!"):
            line = json.dumps({"name": entry.name, "parameters": entry.parameters, "failed": line})
        with options.results.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


if __name__ == "__main__":
    main()
