"""Encode the analysis of a file as JSON, for the facts store and between processes: faster than a pickle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.cache.codec import encode, rebuild
from dropout_lint.linting.analysis import AnalysedFile
from dropout_lint.suppressions.matching import Suppressions

if TYPE_CHECKING:
    from dropout_lint.facts import FileFacts
    from dropout_lint.source.names.place import ModulePlace


def analysis_to_json(one: AnalysedFile) -> str:
    """Encode an analysis without its path. Raises RecursionError for what is nested too deeply."""
    return f"{encode(one.suppressions)},{json.dumps(one.syntax_error)},{encode(one.facts)}"


def analysis_from_json(text: str, path: Path, place: ModulePlace) -> AnalysedFile:
    """Decode an analysis. Raises ValueError or TypeError for any other text."""
    suppressions, syntax_error, facts = json.loads(f"[{text}]")
    return AnalysedFile(
        path,
        _placed(facts, path, place) if facts is not None else None,
        rebuild(Suppressions, suppressions),
        tuple(syntax_error) if syntax_error is not None else None,
    )


def _placed(facts: object, path: Path, place: ModulePlace) -> FileFacts:
    from dropout_lint.facts import FileFacts

    return replace(rebuild(FileFacts, facts), path=str(path), is_test=place.is_test)
