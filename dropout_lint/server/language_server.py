"""The language server: diagnostics while typing, code actions, and the page of a rule on hover.

The protocol: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path
from pygls.workspace import TextDocument

from dropout_lint import __version__
from dropout_lint.diagnostic import Span
from dropout_lint.rulebook import Rule, rules
from dropout_lint.server.actions import KINDS, code_actions
from dropout_lint.server.convert import SOURCE, ClientPositions, as_diagnostic, as_problem
from dropout_lint.server.document import Checked, check_document, path_of
from dropout_lint.syntax.reading import read_source
from dropout_lint.syntax.text import UnreadableSource

_PAUSE = 0.2
"""Seconds without a change after which a text is checked."""
_CONFIGURATION = "pyproject.toml"


class DropoutLintServer(LanguageServer):
    """Keeps the findings of the latest version of each open document."""

    def __init__(self) -> None:
        # Whole texts, because pygls splits lines at form feeds too when it applies partial changes.
        super().__init__(SOURCE, __version__, types.TextDocumentSyncKind.Full)
        self._checked: dict[str, tuple[int | None, Checked]] = {}

    def checked(self, document: TextDocument) -> Checked:
        """The findings of the current version of a document, which is checked on the first call only."""
        known = self._checked.get(document.uri)
        if known is None or known[0] != document.version or known[1].text != document.source:
            path = path_of(document.uri, self.workspace.root_path)
            known = (document.version, check_document(path, document.source))
            self._checked[document.uri] = known
        return known[1]

    def publish(self, uri: str, *, anew: bool = False) -> None:
        """Check a document and publish its diagnostics; with ``anew``, even if its text is unchanged."""
        if anew:
            self._checked.pop(uri, None)
        document = self.workspace.get_text_document(uri)
        checked = self.checked(document)
        lines = self.lines(checked.text)
        found = [as_diagnostic(item, lines, self._locate(checked, document)) for item in checked.diagnostics]
        problems = [as_problem(reason) for reason in checked.problems]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, [*problems, *found], document.version)
        )

    def forget(self, uri: str) -> None:
        """Remove the diagnostics of a closed document from the client."""
        self._checked.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def publish_all(self) -> None:
        """Check all open documents again, after a change of configuration or of other files."""
        for uri in list(self._checked):
            self.publish(uri, anew=True)

    def lines(self, text: str) -> ClientPositions:
        """Positions of a text in the client's code units."""
        return ClientPositions(text, self.workspace.position_codec)

    def _locate(self, checked: Checked, document: TextDocument) -> Callable[[str, Span], types.Location | None]:
        """A function that maps a span of any file to a place for the client; None if the file cannot be read."""

        def locate(path: str, span: Span) -> types.Location | None:
            if path == str(checked.path):
                return types.Location(document.uri, self.lines(checked.text).range(span))
            uri = from_fs_path(str(Path(path).absolute()))
            try:
                return types.Location(uri, self.lines(read_source(Path(path)).text).range(span)) if uri else None
            except UnreadableSource:
                return None

        return locate


def create_server() -> DropoutLintServer:
    """A server with its features, not yet started."""
    server = DropoutLintServer()
    _follow_documents(server)
    _follow_disk(server)
    _answer_requests(server)
    return server


def _follow_documents(server: DropoutLintServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri, version = params.text_document.uri, params.text_document.version
        await asyncio.sleep(_PAUSE)
        if uri in server.workspace.text_documents and server.workspace.get_text_document(uri).version == version:
            server.publish(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(_params: types.DidSaveTextDocumentParams) -> None:
        # Other open files may depend on this one.
        server.publish_all()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)


def _follow_disk(server: DropoutLintServer) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def on_disk(_params: types.DidChangeWatchedFilesParams) -> None:
        server.publish_all()

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace is not None else None
        if watching is not None and watching.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(f"**/{_CONFIGURATION}")])
            registration = types.Registration(_CONFIGURATION, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([registration]))


def _answer_requests(server: DropoutLintServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=KINDS))
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.workspace.get_text_document(params.text_document.uri)
        checked = server.checked(document)
        at = types.VersionedTextDocumentIdentifier(document.version or 0, document.uri)
        return list(code_actions(checked, at, params, server.lines(checked.text)))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        checked = server.checked(server.workspace.get_text_document(params.text_document.uri))
        lines = server.lines(checked.text)
        at = params.position
        for found in checked.diagnostics:
            where = lines.range(found.span)
            if where.start <= at <= where.end:
                page = _page(rules()[found.code])
                return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, page), where)
        return None


def _page(rule: Rule) -> str:
    """The page without its toml table, and with fences that editors highlight."""
    head, _, rest = rule.text.partition("```toml")
    body = rest.partition("```")[2]
    for kind in ("bad", "fixed", "good"):
        body = body.replace(f"```python {kind}", "```python")
    return f"{head.strip()}\n\n{body.strip()}\n\n[{rule.code} on the web]({rule.url})"
