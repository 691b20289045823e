"""In the child process: import what the user named, and build the model. This runs user code."""

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
    """A model, on the CPU as it was built, and the arguments to call it with."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    target: ModelTarget
    inputs_from: str = ""
    """Where the inputs come from: "given", "inferred from Conv2d `stem.conv`: 2,3,224,224", or "" without any."""
    no_inputs: str = ""
    """Why there are none, in words."""


def import_target(target: ModelTarget) -> object:
    """The attribute that a target names. Raises TargetError, and whatever the import raises."""
    root = Path(target.root or Path.cwd())
    if target.is_file:
        module = _import_file(root / target.place, target.place, root)
    else:
        _put_first(root)
        module = _import_module(target.place, root)
    found: object = module
    for name in target.attribute.split("."):
        if not hasattr(found, name):
            known = {key: key for key in dir(found) if not key.startswith("__")}
            near = nearest(name, known)
            hint = f"; did you mean '{near}'?" if near else ""
            raise TargetError(f"'{target.place}' has no attribute '{target.attribute}'{hint}")
        found = getattr(found, name)
    return found


def build_model(found: object, target: ModelTarget) -> nn.Module:
    """Build the model of a class or a function, or return an instance. Raises TargetError, and what the call raises."""
    from torch import nn

    if isinstance(found, nn.Module):
        if target.kwargs:
            raise TargetError(f"'{target.attribute}' is a model already, so arguments for its constructor mean nothing")
        return found
    if not callable(found):
        raise TargetError(f"'{target.attribute}' is {_described(found)}, not a model, a class or a function")
    _check_arguments(found, target)
    made = found(**target.kwargs)
    if not isinstance(made, nn.Module):
        raise TargetError(f"'{target.attribute}' makes {_described(made)}, not a torch.nn.Module")
    return made


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
    """Import as pytest does: by its dotted name from above the outermost package, or alone, beside its neighbours."""
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
    # A file called types.py must neither replace nor get the module of that name which is loaded already.
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


def _check_arguments(found: Any, target: ModelTarget) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # written in C, or without one: calling it will tell
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


def _described(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}" if value is not None else "None"
