"""How many published models each tracer gets through, what it costs, and what the rules say about them.

    python -m benchmarks.trace_coverage run timm --results results.jsonl --limit 200
    python -m benchmarks.trace_coverage llama --results results.jsonl
    python -m benchmarks.trace_coverage truth
    python -m benchmarks.trace_coverage table --results results.jsonl

Every model runs in a child process with a time limit, on one thread; results are appended, so that a run can go on.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.published_models import Entry, published, zoos

LLAMA = "llama-7b"
OPINION = "DRP305"
TRUTH = {
    ("timm", "repvit_m0_9"): {"DRP304 warning"},
    ("timm", "iformer_t"): {"DRP304 warning"},
    ("timm", "visformer_tiny"): {"DRP304 warning"},
    ("timm", "levit_128s"): set(),
    ("timm", "focalnet_tiny_srf"): set(),
    ("timm", "fastvit_t8"): set(),
    ("vit_pytorch", "levit.LeViT"): {f"{OPINION} info"},
    ("vit_pytorch", "cvt.CvT"): {f"{OPINION} info"},
    ("monai", "UNet"): {"DRP302 info"},
}
"""What was read in the sources: rules and severities that hold, DRP305 listed only where no other rule does."""


def measured(zoo: str, entry: Entry) -> dict[str, Any]:
    """One model: which tracers get through, how long they take beside a forward, and the findings."""
    import torch

    from dropout_lint.config.settings import Settings
    from dropout_lint.disk import Disk
    from dropout_lint.graph import construction_sites as births
    from dropout_lint.graph import execution, symbolic, tracers
    from dropout_lint.graph.engine import facts_of
    from dropout_lint.model_linting.graph_findings import check_graph
    from dropout_lint.project.files import Files
    from dropout_lint.project.project import Project

    torch.set_num_threads(1)
    torch.manual_seed(0)
    result: dict[str, Any] = {"zoo": zoo, "name": entry.name, "built": False, "runs": False}
    with births.recording():
        model = entry.build()
    result |= {"built": True, "parameters": sum(p.numel() for p in model.parameters())}
    arguments = _working(model, entry, result)
    for name, leaves in (("fx", False), ("fx_leaves", True)):
        model.train()
        result[name] = _succeeds(lambda leaves=leaves: symbolic.trace(model, leaves=leaves), result, name)  # type: ignore[misc]
    if arguments is None:
        return result
    args, kwargs = arguments
    model.train(result["mode"] == "train")
    with torch.no_grad():
        result["seconds_plain"] = _seconds(lambda: model(*args, **kwargs))
    result["execution"] = _succeeds(lambda: execution.trace(model, args, kwargs), result, "execution")
    if not result["execution"]:
        return result
    result["seconds_traced"] = _seconds(lambda: execution.trace(model, args, kwargs))
    seen = tracers.trace_model(model, args, kwargs)
    nodes = seen.training.graph.nodes
    result |= {
        "how": seen.how,
        "notes": seen.not_seen,
        "nodes": len(nodes),
        "nodes_with_line": sum(n.span.line > 0 and Path(n.path).is_file() for n in nodes),
    }
    started = time.perf_counter()
    project = Project(Files(Disk()))
    found = check_graph(facts_of(seen, model, project), project, Settings(Path.cwd()))
    result["findings"] = [
        [d.code, d.path, d.span.line, d.severity, d.message, list(d.modules)] for d in (f.diagnostic for f in found)
    ]
    result["seconds_checked"] = time.perf_counter() - started
    return result


def _working(model: Any, entry: Entry, result: dict[str, Any]) -> Any:
    """The first arguments with which the model's own forward runs, in train mode or else in eval mode."""
    import torch

    for mode in ("train", "eval"):
        model.train(mode == "train")
        for args, kwargs in entry.inputs(model):
            with contextlib.suppress(Exception), torch.no_grad():
                model(*args, **kwargs)
                result |= {"runs": True, "mode": mode}
                return args, kwargs
    return None


def _succeeds(run: Callable[[], object], result: dict[str, Any], name: str) -> bool:
    try:
        run()
    except Exception as error:
        result[f"{name}_error"] = f"{type(error).__name__}: {str(error)[:200]}"
        return False
    return True


def _seconds(run: Callable[[], object]) -> float:
    """Processor time, which other work on the machine changes least."""
    started = time.process_time()
    run()
    return time.process_time() - started


def _isolated(job: Callable[[], dict[str, Any]], seconds: float, empty: dict[str, Any]) -> dict[str, Any]:
    """The answer of a job in a forked process, or what it died of."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def work() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            there.send(job())
        except BaseException as error:
            there.send(empty | {"error": f"{type(error).__name__}: {str(error)[:200]}"})

    child = context.Process(target=work)
    child.start()
    there.close()
    try:
        answer: dict[str, Any] = here.recv() if here.poll(seconds) else empty | {"error": f"more than {seconds:g} s"}
    except EOFError:
        answer = empty | {"error": "the process died"}
    child.kill()
    child.join()
    return answer


def run(zoo: str, results: Path, limit: int, seconds: float) -> None:
    """Measure the models of a library that are not in the results yet, until ``limit`` of them run."""
    done = {(r["zoo"], r["name"]): r for r in _read(results)}
    running = sum(r["zoo"] == zoo and r.get("runs", False) for r in done.values())
    for entry in zoos()[zoo]():
        if running >= limit:
            return
        if (zoo, entry.name) in done:
            continue
        empty = {"zoo": zoo, "name": entry.name}
        answer = _isolated(lambda entry=entry: measured(zoo, entry), seconds, empty)  # type: ignore[misc]
        running += bool(answer.get("runs"))
        with results.open("a") as file:
            file.write(json.dumps(answer) + "\n")
        print(zoo, entry.name, answer.get("execution"), answer.get("error", ""), flush=True)


def llama(results: Path) -> None:
    """Trace a Llama of seven billion parameters without weights."""

    def job() -> dict[str, Any]:
        import torch

        from dropout_lint.graph import construction_sites as births
        from dropout_lint.graph import fake, tracers

        torch.set_num_threads(1)
        started = time.perf_counter()
        with births.recording(), fake.building():
            library = importlib.import_module("transformers")
            model = library.LlamaForCausalLM(library.LlamaConfig(attention_dropout=0.1))
        seen = tracers.trace_model(model, (torch.randint(0, 1000, (1, 16)),))
        return {
            "zoo": LLAMA,
            "name": LLAMA,
            "parameters": sum(p.numel() for p in model.parameters()),
            "nodes": len(seen.training.graph.nodes),
            "how": seen.how,
            "seconds_traced": time.perf_counter() - started,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    answer = _isolated(job, 300, {"zoo": LLAMA, "name": LLAMA})
    print(answer)
    with results.open("a") as file:
        file.write(json.dumps(answer) + "\n")


def truth(seconds: float) -> bool:
    """Whether the findings on the models of TRUTH are those that their sources show."""
    right = True
    for (zoo, name), expected in TRUTH.items():
        entry = published(zoo, name)
        answer = _isolated(lambda zoo=zoo, entry=entry: measured(zoo, entry), seconds, {})  # type: ignore[misc]
        found = {f"{code} {severity}" for code, _, _, severity, *_ in answer.get("findings", [])}
        found = {f for f in found if not f.startswith(OPINION)} or found
        agrees = "findings" in answer and (found == expected or (not expected and all(OPINION in f for f in found)))
        right &= agrees
        print(f"{'ok' if agrees else 'WRONG':6}{zoo} {name}: {sorted(found)} {answer.get('error', '')}", flush=True)
    return right


def _read(results: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({100 * part / whole:.0f} %)" if whole else "-"


def rows(results: list[dict[str, Any]]) -> list[str]:
    """The table, one row for each library and one for all."""
    lines = [
        "| Models | built | own forward runs | fx | fx with leaves | execution | nodes with a line of user code "
        "| tracing beside a forward, median |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = [z for z in zoos() if any(r["zoo"] == z for r in results)]
    for name in [*names, "all"]:
        some = [r for r in results if r.get("built") and (r["zoo"] == name or (name == "all" and r["zoo"] in names))]
        runs = [r for r in some if r["runs"]]
        traced = [r for r in runs if r.get("execution")]
        nodes, placed = (sum(r[key] for r in traced) for key in ("nodes", "nodes_with_line"))
        ratio = statistics.median(r["seconds_traced"] / r["seconds_plain"] for r in traced)
        lines.append(
            f"| {name} | {len(some)} | {len(runs)} | {_share(sum(r['fx'] for r in some), len(some))} "
            f"| {_share(sum(r['fx_leaves'] for r in some), len(some))} | {_share(len(traced), len(runs))} "
            f"| {_share(placed, nodes)} | {ratio:.2f} |"
        )
    return lines


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "llama", "truth", "table"))
    parser.add_argument("zoo", nargs="?", choices=tuple(zoos()))
    parser.add_argument("--results", type=Path, default=Path("trace_coverage.jsonl"))
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--timeout", type=float, default=90.0)
    options = parser.parse_args()
    if options.action == "llama":
        llama(options.results)
    elif options.action == "truth":
        raise SystemExit(not truth(options.timeout))
    elif options.action == "table":
        print("\n".join(rows(_read(options.results))))
    elif options.zoo is None:
        parser.error("run takes the name of a library")
    else:
        run(options.zoo, options.results, options.limit, options.timeout)


if __name__ == "__main__":
    main()
