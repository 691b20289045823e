"""Places in user code: what counts as such, the exact spans, and that both engines that run a model agree on them."""

from __future__ import annotations

import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dropout_lint.diagnostic import NO_PLACE, CodePlace, Span
from dropout_lint.graph import execution
from dropout_lint.models import user_code
from dropout_lint.runtime import check
from tests.graph_helpers import built, traced

FORWARDS = {
    "a plain call": "        return F.dropout(x, 0.5)\n",
    "behind two-byte characters": '        é = "ß"; return F.dropout(x, 0.5) if é else x\n',
    "over several lines": "        return F.dropout(\n            x,\n            0.5,\n        )\n",
    "behind a form feed": '        s = """\f"""\n        return F.dropout(x, 0.5)\n',
    "in a helper": "        def drop(x):\n            return F.dropout(x, 0.5)\n\n        return drop(x)\n",
}
CLASS = "class Net(nn.Module):\n    def forward(self, x):\n"


def places(model: nn.Module) -> tuple[list[tuple[str, Span]], list[tuple[str, Span]]]:
    """Where ``trace`` and ``validate`` report a model that always drops."""
    x = torch.randn(4, 8)
    graph, runtime = traced(model, x).diagnostics, check(model, x).diagnostics
    assert [d.code for d in (*graph, *runtime)] == ["DRP101", "DRP101"]
    return [(d.path, d.span) for d in graph], [(d.path, d.span) for d in runtime]


@pytest.mark.parametrize("forward", FORWARDS)
def test_trace_and_validate_name_the_same_place(forward: str, tmp_path: Path) -> None:
    graph, runtime = places(built(tmp_path, CLASS + FORWARDS[forward]))
    assert graph == runtime
    assert graph[0][0] == str(tmp_path / "net.py")


def library_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


@pytest.mark.parametrize("library", ["torch", "functorch", "einops", "generated"])
def test_what_a_library_does_is_done_by_the_line_that_calls_it(library: str, tmp_path: Path) -> None:
    file = "<string>" if library == "generated" else str(library_folder(library) / "made_up.py")
    namespace: dict[str, Any] = {"F": nn.functional}
    exec(compile("def drop(x):\n    return F.dropout(x, 0.5)\n", file, "exec"), namespace)
    model = built(tmp_path, CLASS + "        return drop(x)\n")
    type(model).forward.__globals__["drop"] = namespace["drop"]
    x = torch.randn(4, 8)
    (node,) = (n for n in execution.trace(model, (x,), {}).graph.nodes if n.kind == "torch.nn.functional.dropout")
    (found,) = check(model, x).diagnostics
    assert node.path == found.path == str(tmp_path / "net.py")
    assert (node.span.line, node.span.column) == (found.span.line, found.span.column)
    assert user_code.source_text(CodePlace(found.path, found.span)) == "drop(x)"


def test_what_is_user_code() -> None:
    stdlib = sysconfig.get_path("stdlib")
    own = Path(user_code.__file__).parent.parent
    assert user_code.is_user_file(__file__)
    assert user_code.is_user_file(f"{stdlib}/site-packages/timm/layers/drop.py")
    for file in (f"{stdlib}/abc.py", str(own / "cli.py"), f"{library_folder('torch')}/nn/functional.py", "<string>"):
        assert not user_code.is_user_file(file)
    assert user_code.is_foreign_file(f"{library_folder('torch')}/nn/functional.py")


def test_an_exception_is_placed_at_the_innermost_call_of_the_user() -> None:
    with pytest.raises(TypeError) as caught:
        torch.relu("text")  # type: ignore[arg-type]
    place = user_code.raising_place(caught.value)
    assert (place.path, user_code.source_text(place)) == (__file__, 'torch.relu("text")')
    assert user_code.raising_place(ValueError("never raised")) == NO_PLACE


def decorated(function: Any) -> Any:
    return function


@decorated
@pytest.mark.filterwarnings(
    "ignore",
)
def below_decorators() -> None: ...


def test_a_definition_is_below_its_decorators() -> None:
    place = user_code.definition_place(below_decorators.__code__)
    assert user_code.source_text(place) == "def below_decorators() -> None: ..."
