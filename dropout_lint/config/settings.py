"""The settings of the files of one folder, merged from a file and the command line; frozen and picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.config import globs
from dropout_lint.diagnostic import Confidence, Diagnostic, Severity

if TYPE_CHECKING:
    from dropout_lint.targets.target import ModelTarget

# ruff's list.
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the files of one folder. ``exclude`` and ``per_file_ignores`` contain names and absolute patterns."""

    root: Path
    source: Path | None = None
    enabled: frozenset[str] = frozenset()
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    fixable: frozenset[str] = frozenset()
    unsafe_fixes: bool = False
    preview: bool = False
    confidence: Confidence = Confidence.LIKELY
    respect_gitignore: bool = True
    fail_level: Severity = Severity.WARNING
    output_format: str = "full"
    baseline: Path | None = None
    cache_dir: str = ".dropout_lint_cache"
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    mode_managed_bases: tuple[str, ...] = ()
    mc_dropout_names: tuple[str, ...] = ("mc_*", "*uncertainty*", "enable_dropout*", "*Prenet*")
    rates: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "transformer": (0.0, 0.3),
            "linear": (0.1, 0.5),
            "conv": (0.0, 0.2),
            "input": (0.0, 0.2),
        }
    )

    models: tuple[ModelTarget, ...] = ()
    """The models that ``trace``, ``validate`` and ``check --with-models`` run."""

    def is_sure_enough(self, found: Diagnostic) -> bool:
        """Whether a finding has at least the lowest confidence that is reported."""
        return found.confidence.rank >= self.confidence.rank

    def enabled_for(self, path: Path) -> frozenset[str]:
        """The codes that are on for this file, after ``per-file-ignores``."""
        if not self.per_file_ignores:
            return self.enabled
        absolute = Path.cwd() / path
        enabled = self.enabled
        for pattern, codes in self.per_file_ignores:
            negated = pattern.startswith("!")
            if globs.matcher((pattern.removeprefix("!"),)).matches(absolute) != negated:
                enabled -= codes
        return enabled
