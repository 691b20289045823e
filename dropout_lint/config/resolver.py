"""Settings of each file: the nearest ``[tool.dropout-lint]`` upwards, with the command line merged over it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from dropout_lint.config import globs
from dropout_lint.config.schema import TABLE, Options, read_options
from dropout_lint.config.selection import Selectors, UnknownRuleError, parse_selector, preview_only, select_rules
from dropout_lint.config.settings import DEFAULT_EXCLUDE, Settings
from dropout_lint.config.tables import ConfigError
from dropout_lint.rulebook import rules

__all__ = ["ConfigError", "Options", "Settings", "SettingsResolver"]

# A later source replaces these options. The others are merged, each in its own way.
_PLAIN = frozenset(item.name for item in fields(Options)) & frozenset(item.name for item in fields(Settings)) - {
    "per_file_ignores",
    "fixable",
    "exclude",
    "baseline",
}


class SettingsResolver:
    """Finds the settings of a file, once per folder.

    ``overrides`` come from the command line. ``config`` is a file that is used for every path, with its patterns
    relative to the working directory. ``isolated`` reads no file. ``warnings`` are for the user.
    """

    def __init__(
        self,
        overrides: Options | None = None,
        *,
        config: Path | None = None,
        isolated: bool = False,
    ) -> None:
        """Read ``config`` where one is given. Raises ConfigError."""
        self._cwd = Path.cwd()
        self._overrides = overrides or Options()
        self._by_folder: dict[Path, Settings] = {}
        self.warnings: list[str] = []
        self._fixed: Settings | None = None
        if config is not None:
            options = read_options(config)
            if options is None:
                raise ConfigError(f"{config}: has no {TABLE} table")
            self._fixed = self._settings(self._cwd, config, options)
        elif isolated:
            self._fixed = self._settings(self._cwd, None, Options())

    def __call__(self, path: Path) -> Settings:
        """The settings of the file at ``path``, which need not exist. Raises ConfigError."""
        return self._fixed or self._of_folder(Path(os.path.abspath(self._cwd / path)).parent)

    @property
    def sources(self) -> list[Path]:
        """The configuration files of the paths that were looked up so far."""
        used = [self._fixed] if self._fixed else self._by_folder.values()
        return sorted({settings.source for settings in used if settings.source is not None})

    def _of_folder(self, folder: Path) -> Settings:
        known = self._by_folder.get(folder)
        if known is None:
            file = folder / "pyproject.toml"
            # Unlike Path.is_file, false if the folder cannot be read.
            options = read_options(file) if os.path.isfile(file) else None  # noqa: PTH113
            if options is not None:
                known = self._settings(folder, file, options)
            elif folder.parent != folder:
                known = self._of_folder(folder.parent)
            else:
                known = self._settings(self._cwd, None, Options())
            self._by_folder[folder] = known
        return known

    def _settings(self, root: Path, source: Path | None, options: Options) -> Settings:
        root, cli = Path(os.path.abspath(root)), self._overrides
        book = rules()
        for origin, given in ((source, options), (None, cli)):
            _validate(given, origin)
        for key in options.removed_keys:
            self._warn(f"{source}: '{key}' in {TABLE} never had an effect and was removed; delete it.")
        values: dict[str, Any] = {}
        for name in _PLAIN:
            value = getattr(cli, name) if getattr(cli, name) is not None else getattr(options, name)
            if value is not None:
                values[name] = value
        if options.rates is not None:
            values["rates"] = {**Settings(root).rates, **options.rates}
        preview = bool(values.get("preview", False))
        selecting = [Selectors(given.select, given.extend_select or (), given.ignore or ()) for given in (options, cli)]
        fixing = [Selectors(given.fixable, (), given.unfixable or ()) for given in (options, cli)]
        if not preview:
            for text in preview_only(selecting, book):
                self._warn(f"Selection '{text}' has no effect because preview is not enabled; add --preview.")
        baseline = self._cwd / cli.baseline if cli.baseline else root / options.baseline if options.baseline else None
        return Settings(
            root=root,
            source=source,
            enabled=select_rules(selecting, book, preview=preview),
            per_file_ignores=tuple(
                (
                    _anchored(pattern, base),
                    frozenset[str]().union(*(parse_selector(text, book).codes for text in texts)),
                )
                for base, given in ((root, options), (self._cwd, cli))
                if given.per_file_ignores is not None and (given is cli or cli.per_file_ignores is None)
                for pattern, texts in given.per_file_ignores
            ),
            fixable=select_rules(fixing, book, preview=True, base=book),
            exclude=(
                *(DEFAULT_EXCLUDE if cli.exclude is None and options.exclude is None else ()),
                *_patterns(cli.exclude, self._cwd),
                *(_patterns(options.exclude, root) if cli.exclude is None else ()),
                *_patterns(options.extend_exclude, root),
                *_patterns(cli.extend_exclude, self._cwd),
            ),
            baseline=baseline,
            **values,
        )

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _validate(options: Options, source: Path | None) -> None:
    by_key: list[tuple[str, Iterable[str]]] = [
        ("select", options.select or ()),
        ("extend-select", options.extend_select or ()),
        ("ignore", options.ignore or ()),
        ("fixable", options.fixable or ()),
        ("unfixable", options.unfixable or ()),
        *(("per-file-ignores", codes) for _, codes in options.per_file_ignores or ()),
    ]
    for key, texts in by_key:
        for text in texts:
            try:
                parse_selector(text, rules())
            except UnknownRuleError as error:
                where = f"--{key}" if source is None else f"{source}: '{key}' in {TABLE}"
                raise ConfigError(f"{where}: {error}") from None


def _patterns(patterns: Iterable[str] | None, base: Path) -> tuple[str, ...]:
    return tuple(_anchored(pattern, base) for pattern in patterns or ())


def _anchored(pattern: str, base: Path) -> str:
    negation = "!" if pattern.startswith("!") else ""
    pattern = globs.normalise(pattern.removeprefix("!"))
    return negation + (globs.anchor(pattern, base) if "/" in pattern else pattern)
