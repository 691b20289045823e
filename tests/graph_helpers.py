"""A file with a model, as the child process of ``trace`` loads and sees it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from torch import nn

from dropout_lint.graph import construction_sites as births
from dropout_lint.graph.builder import TraceError
from dropout_lint.graph.pictures.outline import Drawing
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.model_linting.tracing import model_findings
from dropout_lint.models.infer import example_inputs
from dropout_lint.models.load import LoadedModel
from dropout_lint.targets.target import ModelTarget

HEADER = "import copy\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


def imported(path: Path) -> Any:
    """The module in a file, with constructors remembered."""
    sys.modules.pop(path.stem, None)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with births.recording():
        spec.loader.exec_module(module)
    return module


def built(folder: Path, text: str, name: str = "Net", file: str = "net.py") -> nn.Module:
    """The model that a text defines: an instance, or a class to call without arguments."""
    path = folder / file
    path.write_text(HEADER + text)
    found = getattr(imported(path), name)
    with births.recording():
        model = found if isinstance(found, nn.Module) else found()
    assert isinstance(model, nn.Module)
    return model


def models(module: Any) -> list[nn.Module]:
    """The instances in a module, and one of each class of its own that takes no arguments."""
    found: list[nn.Module] = []
    for value in vars(module).values():
        if isinstance(value, nn.Module):
            found.append(value)
        elif isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module.__name__:
            try:
                with births.recording():
                    found.append(value())
            except TypeError:  # it takes arguments
                continue
    return found


def traced(model: nn.Module, *args: Any, **options: Any) -> ModelFindings:
    """What the job of ``trace`` finds in a model, with the inputs that are given or inferred."""
    target = ModelTarget("net.py:Net")
    loaded = LoadedModel(model, args, {}, target, "given") if args else example_inputs(model, target)
    return model_findings(loaded, options)


def seen_anyhow(model: nn.Module) -> ModelFindings:
    """The same with the graph; nothing for a model that needs inputs which nobody gave."""
    try:
        return traced(model, graph=True)
    except TraceError:
        return ModelFindings((), drawing=Drawing((), {}, ""))


def codes(result: ModelFindings) -> list[tuple[str, int]]:
    """Code and line of each finding."""
    return sorted((d.code, d.span.line) for d in result.diagnostics)
