"""What runs in CI services: the GitHub Action, its scripts, and the snippets of the README."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from dropout_lint.cli import cli
from dropout_lint.config.output_formats import FORMATS
from tests.public_schemas import GITHUB_ACTION, GITHUB_WORKFLOW, GITLAB_CI, PRE_COMMIT_CONFIG, errors

ROOT = Path(__file__).resolve().parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
BAD = (
    "import torch.nn.functional as F\nfrom torch import nn\n\n\n"
    "class A(nn.Module):\n    def forward(self, x):\n        return F.dropout(x, 0.5)\n"
)


def snippets() -> list[Any]:
    text = (ROOT / "README.md").read_text("utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def test_the_action_has_the_shape_that_github_reads() -> None:
    assert errors(ACTION, GITHUB_ACTION) == []
    assert errors({**ACTION, "runs": {"using": "composite"}}, GITHUB_ACTION) != []
    for name, given in ACTION["inputs"].items():
        assert given["description"], name
        assert "default" in given, name


def test_inputs_reach_the_scripts_through_the_environment_only() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in script]
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8")))
    assert used == set(ACTION["inputs"])


def test_the_snippets_of_the_readme_have_the_shape_that_the_services_read() -> None:
    hook, workflow, gitlab = snippets()
    assert errors(hook, PRE_COMMIT_CONFIG) == []
    assert errors({"on": "push", **workflow}, GITHUB_WORKFLOW) == []
    assert errors(gitlab, GITLAB_CI) == []
    (step,) = (step for step in workflow["jobs"]["dropout-lint"]["steps"] if "with" in step)
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_readme_and_the_help_name_every_format() -> None:
    section = (ROOT / "README.md").read_text("utf-8").split("\n### CI\n")[1].split("\n### ")[0]
    shown = " ".join(CliRunner().invoke(cli, ["check", "--help"], terminal_width=200).output.split())
    for format in FORMATS:
        assert f"`{format}`" in section
        assert re.search(rf"How to report: [\w, ]*\b{format}\b", shown)
        assert import_module(f"dropout_lint.report.{FORMATS[format]}").render


def step(name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (step for step in ACTION["runs"]["steps"] if step["name"] == name)
    return found


def run_step(folder: Path, name: str, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run the script of a step as GitHub does, and return also the outputs that it set."""
    values = {f"inputs.{key}": str(given["default"]) for key, given in ACTION["inputs"].items()}
    values |= {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
    values["github.action_path"] = str(ROOT)
    env = {
        key: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: values[found[1]], text)
        for key, text in step(name)["env"].items()
    }
    output = folder.parent / "output"
    output.write_text("")
    temporary = folder.parent / "runner"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env |= {"PATH": path, "RUNNER_TEMP": str(temporary), "GITHUB_OUTPUT": str(output), "HOME": os.environ["HOME"]}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project with one finding, and a module that must not be taken for Python's own."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "dropout-lint").symlink_to(ROOT, target_is_directory=True)
    folder = tmp_path / "workspace"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text(BAD)
    (folder / "click.py").write_text("raise SystemExit(99)\n")
    return folder


def test_the_action_annotates_and_fails_on_findings(workspace: Path) -> None:
    done, outputs = run_step(workspace, "Check")
    assert (done.returncode, outputs) == (1, {}), done.stderr
    assert done.stdout.startswith("::error title=dropout-lint (DRP101),file=")
    (workspace / "src" / "a.py").write_text("x = 1\n")
    done, _ = run_step(workspace, "Check")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_action_takes_paths_patterns_and_options(workspace: Path) -> None:
    (workspace / "b c.py").write_text(BAD)
    done, _ = run_step(workspace, "Check", paths="src/*.py\n  click.py", annotations="false", args="--exit-zero  -q")
    assert done.returncode == 0
    assert "src/a.py:7:16" in done.stdout
    done, _ = run_step(workspace, "Check", args="--extend-exclude src/*,b?c.py", annotations="false")
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")
    done, _ = run_step(workspace, "Check", paths="$(touch pwned) `touch pwned`;touch pwned")
    assert done.returncode == 2
    assert not (workspace / "pwned").exists()


def test_the_action_writes_a_report_for_the_upload(workspace: Path) -> None:
    done, outputs = run_step(workspace, "Check", upload_sarif="true")
    assert (done.returncode, outputs) == (1, {"sarif-file": "dropout-lint.sarif"})
    assert json.loads((workspace / "dropout-lint.sarif").read_text())["version"] == "2.1.0"
    done, outputs = run_step(workspace, "Check", sarif_file="out.sarif")
    assert outputs == {"sarif-file": "out.sarif"}
    assert (workspace / "out.sarif").exists()
    assert "steps.check.outputs.sarif-file" in step("Upload the report")["with"]["sarif_file"]
    assert "!cancelled()" in step("Upload the report")["if"]


@pytest.mark.slow
def test_the_action_installs_itself_or_a_version(workspace: Path) -> None:
    (workspace.parent / "runner" / "dropout-lint").unlink()
    done, _ = run_step(workspace, "Install dropout-lint")
    if "No matching distribution found for hatchling" in done.stderr:
        pytest.skip("pip reaches no package index")
    assert done.returncode == 0, done.stderr
    assert (workspace.parent / "runner" / "dropout-lint" / "dropout_lint" / "rules").is_dir()
    assert run_step(workspace, "Check")[0].returncode == 1
    done, _ = run_step(workspace, "Install dropout-lint", version="0.0.0.dev9")
    assert "dropout-lint==0.0.0.dev9" in done.stderr
