"""Diagnostics as JSON values, to carry them from the process of a model to ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Engine, Fix, Related, Severity, Span, Verdict


def encode(diagnostic: Diagnostic) -> dict[str, Any]:
    """The fields, spans and fixes as dictionaries too."""
    return asdict(diagnostic)


def decode(fields: Mapping[str, Any], engine: Engine) -> Diagnostic:
    """The diagnostic of ``encode``, also after JSON, as found by ``engine``; optional fields may be missing.
    The model itself, whose path is empty, is not among its modules.

    Raises AttributeError, KeyError, TypeError and ValueError for what is no diagnostic.
    """
    fix = fields.get("fix")
    return Diagnostic(
        code=fields["code"],
        path=fields["path"],
        span=Span(**fields["span"]),
        message=fields["message"],
        severity=Severity(fields["severity"]),
        fix=_fix(fix) if fix else None,
        engines=(engine,),
        related=tuple(Related(r["path"], Span(**r["span"]), r["message"]) for r in fields.get("related", ())),
        modules=tuple(filter(None, fields.get("modules", ()))),
        verdict=cast("Verdict", fields.get("verdict", "")),
        evidence=fields.get("evidence", ""),
    )


def _fix(fields: Mapping[str, Any]) -> Fix:
    edits = tuple(Edit(Span(**edit["span"]), edit["replacement"]) for edit in fields.get("edits", ()))
    return Fix(fields["message"], Applicability(fields["applicability"]), edits, tuple(fields.get("imports", ())))
