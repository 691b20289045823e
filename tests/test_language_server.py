"""The language server, talked to over standard input and output by the client of pygls."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

ALWAYS_ON = """\
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)
"""
MENDED = ALWAYS_ON.replace("0.5)", "0.5, training=self.training)")


class Editor(LanguageClient):
    """A client that keeps what the server publishes."""

    def __init__(self) -> None:
        super().__init__("editor", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.watched: list[types.Registration] = []

        def keep(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        def register(params: types.RegistrationParams) -> None:
            self.watched += params.registrations

        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(keep)
        self.feature(types.CLIENT_REGISTER_CAPABILITY)(register)

    def open(self, path: Path, text: str) -> str:
        uri = path.as_uri()
        self.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, text)))
        return uri

    def change(self, uri: str, version: int, text: str) -> None:
        whole = types.TextDocumentContentChangeWholeDocument(text)
        at = types.VersionedTextDocumentIdentifier(version, uri)
        self.text_document_did_change(types.DidChangeTextDocumentParams(at, [whole]))

    async def next(self) -> types.PublishDiagnosticsParams:
        return await asyncio.wait_for(self.published.get(), 30)

    async def codes(self) -> list[str]:
        return [str(found.code) for found in (await self.next()).diagnostics]

    async def actions(
        self, uri: str, found: types.Diagnostic | None, only: list[types.CodeActionKind | str] | None = None
    ) -> dict[str, types.CodeAction]:
        where = found.range if found else types.Range(types.Position(0, 0), types.Position(0, 0))
        context = types.CodeActionContext([found] if found else [], only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), where, context)
        answer = await self.text_document_code_action_async(params)
        return {action.title: action for action in answer or [] if isinstance(action, types.CodeAction)}


def converse(
    talk: Callable[[Editor], Awaitable[None]],
    root: Path,
    *,
    watches: bool = False,
    encodings: list[types.PositionEncodingKind | str] | None = None,
) -> None:
    """Run a server, hold a conversation with it, and see that it ends well."""

    async def run() -> None:
        editor = Editor()
        await editor.start_io(sys.executable, "-m", "dropout_lint", "server", "--stdio")
        watching = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=watches)
        capabilities = types.ClientCapabilities(
            workspace=types.WorkspaceClientCapabilities(did_change_watched_files=watching),
            general=types.GeneralClientCapabilities(position_encodings=encodings),
        )
        await editor.initialize_async(types.InitializeParams(capabilities, root_uri=root.as_uri()))
        editor.initialized(types.InitializedParams())
        await talk(editor)
        await editor.shutdown_async(None)
        editor.exit(None)
        process = editor._server
        assert process is not None
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await editor.stop()  # type: ignore[no-untyped-call]

    asyncio.run(run())


def applied(text: str, action: types.CodeAction) -> str:
    """The text with an action's edits done, as an editor that counts UTF-16 does them."""
    assert action.edit is not None
    assert action.edit.document_changes is not None
    change = action.edit.document_changes[0]
    assert isinstance(change, types.TextDocumentEdit)
    lines = text.splitlines(keepends=True)

    def offset(at: types.Position) -> int:
        line = lines[at.line].encode("utf-16-le") if at.line < len(lines) else b""
        return sum(map(len, lines[: at.line])) + len(line[: 2 * at.character].decode("utf-16-le"))

    for edit in reversed(change.edits):
        assert isinstance(edit, types.TextEdit)
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


def test_unsaved_text_is_checked_on_open_and_change(tmp_path: Path) -> None:
    file = tmp_path / "head.py"
    file.write_text("this is not what the editor shows")

    async def talk(editor: Editor) -> None:
        uri = editor.open(file, ALWAYS_ON)
        first = await editor.next()
        (found,) = first.diagnostics
        assert (first.uri, first.version) == (uri, 1)
        assert (found.code, found.severity, found.source) == ("DRP101", types.DiagnosticSeverity.Error, "dropout-lint")
        assert found.range == types.Range(types.Position(6, 15), types.Position(6, 32))
        assert found.code_description is not None
        assert "DRP101" in found.code_description.href
        editor.change(uri, 2, MENDED)
        second = await editor.next()
        assert (second.version, list(second.diagnostics)) == (2, [])
        editor.change(uri, 3, ALWAYS_ON)
        assert await editor.codes() == ["DRP101"]
        editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
        assert await editor.codes() == []

    converse(talk, tmp_path)


def test_only_the_last_of_quick_changes_is_checked(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "head.py", ALWAYS_ON)
        await editor.next()
        for version in range(2, 8):
            editor.change(uri, version, MENDED if version % 2 else ALWAYS_ON)
        assert (await editor.next()).version == 7
        assert editor.published.empty()

    converse(talk, tmp_path)


def test_the_fix_of_one_finding_as_an_action(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "head.py", ALWAYS_ON)
        (found,) = (await editor.next()).diagnostics
        actions = await editor.actions(uri, found)
        (fix,) = (action for action in actions.values() if action.is_preferred)
        assert fix.kind == types.CodeActionKind.QuickFix
        assert applied(ALWAYS_ON, fix) == MENDED
        ignore = actions["dropout-lint (DRP101): ignore on this line"]
        assert applied(ALWAYS_ON, ignore) == ALWAYS_ON.replace("0.5)", "0.5)  # dropout-lint: ignore[DRP101]")
        elsewhere = await editor.actions(uri, None)
        assert list(elsewhere) == ["dropout-lint: apply all safe fixes"]

    converse(talk, tmp_path)


def test_all_safe_fixes_leave_the_unsafe_ones(tmp_path: Path) -> None:
    unsafe = "\n\nlogits = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Dropout(0.5), nn.GELU(), nn.Linear(8, 2))\n"

    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "head.py", ALWAYS_ON + unsafe)
        found = {str(d.code): d for d in (await editor.next()).diagnostics}
        assert set(found) == {"DRP101", "DRP301"}
        (whole,) = (await editor.actions(uri, None, [types.CodeActionKind.SourceFixAll])).values()
        assert whole.kind == "source.fixAll.dropout-lint"
        assert applied(ALWAYS_ON + unsafe, whole) == MENDED + unsafe
        quick = await editor.actions(uri, found["DRP301"], [types.CodeActionKind.QuickFix])
        (swap,) = (action for title, action in quick.items() if title.endswith("(changes training)"))
        assert not swap.is_preferred
        assert "nn.GELU(), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 2)" in applied(ALWAYS_ON + unsafe, swap)
        assert all(action.kind == types.CodeActionKind.QuickFix for action in quick.values())

    converse(talk, tmp_path)


def test_hover_shows_the_page(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "head.py", ALWAYS_ON)
        await editor.next()
        document = types.TextDocumentIdentifier(uri)
        shown = await editor.text_document_hover_async(types.HoverParams(document, types.Position(6, 20)))
        assert shown is not None
        assert isinstance(shown.contents, types.MarkupContent)
        assert shown.contents.kind == types.MarkupKind.Markdown
        assert shown.contents.value.startswith("# DRP101 functional-dropout-ignores-mode")
        assert "```toml" not in shown.contents.value
        assert "## Why it matters" in shown.contents.value
        assert await editor.text_document_hover_async(types.HoverParams(document, types.Position(0, 0))) is None

    converse(talk, tmp_path)


Encoding = types.PositionEncodingKind


@pytest.mark.parametrize(("encoding", "start"), [(Encoding.Utf16, 27), (Encoding.Utf8, 30), (Encoding.Utf32, 26)])
def test_columns_count_in_the_units_of_the_client(tmp_path: Path, encoding: Encoding, start: int) -> None:
    line = '        s = "é😋\x0c"; return F.dropout(x, 0.5)\n'
    text = ALWAYS_ON.replace("        return F.dropout(x, 0.5)\n", line)

    async def talk(editor: Editor) -> None:
        editor.open(tmp_path / "head.py", text)
        (found,) = (await editor.next()).diagnostics
        assert (found.range.start.line, found.range.start.character) == (6, start)

    converse(talk, tmp_path, encodings=[encoding])


def test_configuration_that_changes_is_read_again(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"

    async def talk(editor: Editor) -> None:
        editor.open(tmp_path / "head.py", ALWAYS_ON)
        assert await editor.codes() == ["DRP101"]
        assert [item.method for item in editor.watched] == ["workspace/didChangeWatchedFiles"]
        config.write_text('[tool.dropout-lint]\nignore = ["DRP1"]\n')
        event = types.FileEvent(config.as_uri(), types.FileChangeType.Created)
        editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        assert await editor.codes() == []
        config.write_text('[tool.dropout-lint]\nignroe = ["DRP1"]\n')
        editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        (problem,) = (await editor.next()).diagnostics
        assert problem.code == "DRP004"
        assert "ignroe" in problem.message

    converse(talk, tmp_path, watches=True)


def test_a_file_that_is_excluded_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.dropout-lint]\nexclude = ["generated"]\n')

    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "generated" / "head.py", ALWAYS_ON)
        assert await editor.codes() == []
        assert await editor.actions(uri, None) == {}

    converse(talk, tmp_path)


def test_text_that_does_not_parse_says_so_and_recovers(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        uri = editor.open(tmp_path / "head.py", ALWAYS_ON + "def unfinished(\n")
        assert await editor.codes() == ["DRP001"]
        editor.change(uri, 2, ALWAYS_ON)
        assert await editor.codes() == ["DRP101"]

    converse(talk, tmp_path)


def test_a_document_that_was_never_saved(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        item = types.TextDocumentItem("untitled:Untitled-1", "python", 1, ALWAYS_ON)
        editor.text_document_did_open(types.DidOpenTextDocumentParams(item))
        assert await editor.codes() == ["DRP101"]

    converse(talk, tmp_path)


@pytest.mark.parametrize(
    "sent",
    [
        *(f"Content-Length: {n}\r\n\r\n{{}}".encode() for n in ("99999999999", "-5", "abc", "0", "9" * 5000)),
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 10_000,
        b"X: 1\r\n" * 100,
    ],
)
def test_a_wrong_header_is_answered_with_an_error_and_ends_the_server(sent: bytes) -> None:
    command = [sys.executable, "-m", "dropout_lint", "server"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(sent)
    server.stdin.flush()
    assert server.wait(30) == 0
    assert b'"code": -32700' in server.stdout.read()
    server.stdin.close()
    server.stdout.close()


def test_a_text_that_is_slow_to_parse_is_a_problem_and_the_server_answers(tmp_path: Path) -> None:
    slow = f"type X = int\nimport torch  # dropout\nmatch x:\n case {'(' * 40}x{')' * 40}:\n  pass\n"

    async def talk(editor: Editor) -> None:
        editor.open(tmp_path / "slow.py", slow)
        await editor.next()
        editor.open(tmp_path / "head.py", ALWAYS_ON)
        assert await editor.codes() == ["DRP101"]

    converse(talk, tmp_path)
