"""Import the target that the user named, and build its model. This runs user code, so only in the child process."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dropout_lint.suggestions import nearest
from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.target import ModelTarget

if TYPE_CHECKING:
    from torch import nn


@dataclass(slots=True)
class LoadedModel:
    """A built model, on the CPU, and the arguments to call it with, which ``infer`` finds."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    target: ModelTarget
    inputs_from: str = ""
    """Where the inputs come from: "given", "inferred from Conv2d `stem.conv`: 2,3,224,224", or "" without any."""
    no_inputs: str = ""
    """Why there are no inputs, as a phrase for a message."""


def import_target(target: ModelTarget) -> object:
    """Import the module or file of a target; return its attribute. Raises TargetError, and what the import raises."""
    root = Path(target.root or Path.cwd())
    if target.is_file:
        module = _import_file(root / target.module, target.module, root)
    else:
        _put_first(root)
        module = _import_module(target.module, root)
    value: object = module
    for name in target.attribute.split("."):
        if not hasattr(value, name):
            known = {key: key for key in dir(value) if not key.startswith("__")}
            near = nearest(name, known)
            hint = f"; did you mean '{near}'?" if near else ""
            raise TargetError(f"'{target.module}' has no attribute '{target.attribute}'{hint}")
        value = getattr(value, name)
    return value


def build_model(value: object, target: ModelTarget) -> nn.Module:
    """Call a class or function for its model; return a model as it is. Raises TargetError, and what the call raises."""
    from torch import nn

    if isinstance(value, nn.Module):
        if target.kwargs:
            raise TargetError(f"'{target.attribute}' is a model already, so arguments for its constructor mean nothing")
        return value
    if not callable(value):
        raise TargetError(f"'{target.attribute}' is {_with_article(value)}, not a model, a class or a function")
    _check_arguments(value, target)
    model = value(**target.kwargs)
    if not isinstance(model, nn.Module):
        raise TargetError(f"'{target.attribute}' makes {_with_article(model)}, not a torch.nn.Module")
    return model


def _import_module(name: str, root: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        file = next(root.glob(f"*/{name.replace('.', '/')}.py"), None)
        hint = f"; name it as '{file.relative_to(root)}:...'" if file else ""
        raise TargetError(f"there is no module '{error.name}' in {root} or among the installed ones{hint}") from None


def _import_file(file: Path, shown: str, root: Path) -> ModuleType:
    """Import a file as pytest does: as a.b.c from above its outermost package, or as a top-level module if in none."""
    if not file.is_file():
        raise TargetError(f"there is no file '{shown}' in {root}")
    file = file.resolve()
    top = file.parent
    while (top / "__init__.py").is_file() and top.parent != top:
        top = top.parent
    _put_first(root)
    _put_first(top)
    if top != file.parent:
        parts = file.relative_to(top).with_suffix("").parts
        return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    # A file called types.py must not replace the loaded module of that name, and must not be taken for it.
    name = file.stem if file.stem not in sys.modules else f"dropout_lint_target_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TargetError(f"'{shown}' cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _put_first(folder: Path) -> None:
    path = str(folder)
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)


def _check_arguments(factory: Any, target: ModelTarget) -> None:
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):  # written in C, or without a signature: calling it will raise
        return
    try:
        signature.bind(**target.kwargs)
    except TypeError as error:
        needed = [
            name
            for name, parameter in signature.parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and name not in target.kwargs
        ]
        hint = f"; pass it with --kwargs '{{\"{needed[0]}\": ...}}'" if needed else ""
        raise TargetError(f"'{target.attribute}' cannot be built: {error}{hint}") from None


def _with_article(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}" if value is not None else "None"
