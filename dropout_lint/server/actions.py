"""Code actions: apply one fix, apply all safe fixes, suppress a finding by a comment."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.server.convert import SOURCE, ClientPositions
from dropout_lint.server.document import Checked

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.{SOURCE}"
KINDS = [types.CodeActionKind.QuickFix, FIX_ALL]


def code_actions(
    checked: Checked,
    document: types.VersionedTextDocumentIdentifier,
    params: types.CodeActionParams,
    lines: ClientPositions,
) -> Iterator[types.CodeAction]:
    """The actions for a selection. ``only`` of the request limits the kinds, sub-kinds included."""

    def wanted(kind: str) -> bool:
        only = params.context.only
        return only is None or any(kind == str(k) or kind.startswith(f"{k}.") for k in map(_text, only))

    def edit(new: str) -> types.WorkspaceEdit:
        at = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(at, list(lines.edits(new)))])

    here = [found for found in checked.diagnostics if _touches(lines.range(found.span), params.range)]
    if wanted(types.CodeActionKind.QuickFix.value):
        shown = {(d.code, d.range.start.line, d.range.start.character): d for d in params.context.diagnostics}
        for found in here:
            start = lines.range(found.span).start
            known = shown.get((found.code, start.line, start.character))
            answers = [known] if known is not None else None
            if (new := _fixed(checked, found)) is not None:
                yield types.CodeAction(
                    _title(found), types.CodeActionKind.QuickFix, answers, _is_safe(found), edit=edit(new)
                )
            suppressed = checked.with_suppression(found)
            if suppressed != checked.text:
                title = f"{SOURCE} ({found.code}): ignore on this line"
                yield types.CodeAction(title, types.CodeActionKind.QuickFix, answers, edit=edit(suppressed))
    if wanted(FIX_ALL):
        fixed = checked.with_all_fixes()
        if fixed != checked.text:
            yield types.CodeAction(f"{SOURCE}: apply all safe fixes", FIX_ALL, edit=edit(fixed))


def _fixed(checked: Checked, found: Diagnostic) -> str | None:
    return checked.with_fix(found) if found.fix is not None and found.fix.edits else None


def _is_safe(found: Diagnostic) -> bool:
    return found.fix is not None and found.fix.applicability is Applicability.SAFE


def _title(found: Diagnostic) -> str:
    message = found.fix.message if found.fix is not None else ""
    note = "" if _is_safe(found) else " (changes training)"
    return f"{SOURCE} ({found.code}): {message}{note}"


def _text(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _touches(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
