"""Writes ``zoo.jsonl``: builds each candidate in a child process and keeps those that answer on small inputs.

    python -m benchmarks.zoo_scan [--only timm/] [--seconds 20]

Candidates are the models that timm, torchvision and transformers list; those of other libraries are lines written by
hand. A library must be installed for its candidates to be tried. What was found stays; a second run adds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.zoo import LISTING, Entry, as_line, build, entries, import_without_operators

LARGE = "f32:2,3,224,224"
MOST_PARAMETERS = 30_000_000


def candidates() -> Iterator[Entry]:
    """Everything that may go into the zoo, of the libraries that are installed."""
    for source in (_torchvision, _transformers, _timm):
        try:
            yield from source()
        except ImportError as error:
            print(f"left out: {error}", file=sys.stderr)


def _torchvision() -> Iterator[Entry]:
    for name in importlib.import_module("torchvision.models").list_models():
        if not re.search(r"rcnn|retina|fcos|ssd|raft|quantized", name):
            video = re.search(r"r3d|mc3|r2plus1d|s3d|mvit|swin3d", name)
            shape = "f32:1,3,16,112,112" if video else LARGE
            yield Entry(f"torchvision/{name}", "benchmarks.zoo:torchvision_model", {"name": name}, (shape,))


def _transformers() -> Iterator[Entry]:
    transformers = importlib.import_module("transformers")
    ids, image = "input_ids=i64:2,12<200", "pixel_values=f32:2,3,{0},{0}"
    for kind in sorted(transformers.MODEL_MAPPING._config_mapping):
        shapes = (ids,), (ids, "decoder_input_ids=i64:2,12<200"), (image.format(224),), ("input_values=f32:2,4000",)
        for number, inputs in enumerate(shapes):
            name = f"transformers/{kind}" + ("" if number == 0 else f"#{number}")
            yield Entry(name, "benchmarks.zoo:transformers_model", {"kind": kind}, inputs)


def _timm() -> Iterator[Entry]:
    timm = importlib.import_module("timm")
    small = re.compile(r"tiny|nano|small|mini|micro|pico|atto|femto|xxs|xs|18|26|_s\b|_t\b|_s\d|_b0|_050|_035|lite|b0")
    for module in timm.list_modules():
        names = timm.list_models(module=module)
        for name in sorted(names, key=lambda name: (not small.search(name), name))[:6]:
            config = timm.get_pretrained_cfg(name)
            size = 224
            if config is not None:
                size = config.input_size[-1]
                if not config.fixed_input_size:
                    size = max(96, (config.min_input_size or (3, 96, 96))[-1])
            yield Entry(f"timm/{name}", "benchmarks.zoo:timm_model", {"name": name}, (f"f32:2,3,{size},{size}",))


def in_child(work: Callable[[], str], seconds: float) -> str:
    """What ``work`` returns in a forked process, or a line that starts with ``!`` and says why there is nothing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        signal.alarm(int(seconds))
        try:
            answer = work()
        except BaseException as error:
            answer = f"!{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        os.write(write, answer.encode()[:60_000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer or "!stopped"


def measured(entry: Entry) -> str:
    """The entry's line with its number of parameters. Raises ValueError if it is too large."""
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(NotImplementedError, RuntimeError), torch.device("meta"):
        _refuse_large(build(entry)[0])
    model, args, kwargs = build(entry)
    parameters = _refuse_large(model)
    with torch.no_grad():
        model.eval()(*args, **kwargs)
    return as_line(Entry(entry.name, entry.spec, entry.kwargs, entry.inputs, parameters))


def _refuse_large(model: Any) -> int:
    parameters: int = sum(p.numel() for p in model.parameters())
    if parameters > MOST_PARAMETERS:
        raise ValueError(f"{parameters} parameters")
    return parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="candidates whose name holds this pattern")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import_without_operators()
    seen = {entry.name.partition("#")[0] for entry in entries()} if LISTING.exists() else set()
    found = [as_line(entry) for entry in entries()] if seen else []
    start = time.monotonic()
    for entry in candidates():
        base = entry.name.partition("#")[0]
        if base in seen or not re.search(options.only, entry.name):
            continue
        with contextlib.suppress(ImportError):
            importlib.import_module(entry.spec.partition(":")[0])
        line = in_child(lambda entry=entry: measured(entry), options.seconds)  # type: ignore[misc]
        if not line.startswith("!"):
            seen.add(base)
            found.append(line.replace(entry.name, base))
            LISTING.write_text("".join(f"{line}\n" for line in sorted(found, key=_size)), "utf-8")
        print(f"{time.monotonic() - start:6.0f} {len(found):4} {entry.name} {line[:110] if line[0] == '!' else ''}")


def _size(line: str) -> tuple[int, str]:
    return int(line.rpartition(" ")[2].rstrip("}")), line


if __name__ == "__main__":
    main()
