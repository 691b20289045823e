"""Reading and writing source files: encodings, newlines, modes, links, and files that are no source text."""

from __future__ import annotations

import ast
import os
import stat
import sys
from pathlib import Path

import pytest

from dropout_lint import atomic_write
from dropout_lint.atomic_write import write_atomically
from dropout_lint.diagnostic import Span
from dropout_lint.syntax.positions import Lines, column_of_byte
from dropout_lint.syntax.reading import decode_source, read_source
from dropout_lint.syntax.text import UnreadableSource

HERE = Path("x.py")


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"x = 1\r\ny = 2\rz = 3\n", "x = 1\r\ny = 2\rz = 3\n", "utf-8", False),
        (b"\xef\xbb\xbfx = '\xc3\xa9'", "x = 'é'", "utf-8", True),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n", "iso-8859-1", False),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'", None, "cp1252", False),
        (b"# coding: latin-1 \xe9\nx = '\xe9'\n", "# coding: latin-1 é\nx = 'é'\n", "iso-8859-1", False),
        (b"#\n# \x93\xfa coding: shift_jis\nx = '\x93\xfa'\n", None, "shift_jis", False),
        (b"# a\rx = 'coding: nonsense'\ry = 1\r# coding: latin-1\r", None, "utf-8", False),
        (b"", "", "utf-8", False),
    ],
)
def test_text_is_decoded_and_comes_back_byte_for_byte(data: bytes, text: str | None, encoding: str, bom: bool) -> None:
    source = decode_source(data, HERE)
    assert (source.encoding, source.bom) == (encoding, bom)
    assert text is None or source.text == text
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x = 1\n\n\ny = '\xe9'\n", "not UTF-8 text (byte 13), and no coding cookie"),
        (b"x = '\xe9'\n", "not UTF-8 text (byte 5), and no coding cookie"),
        (b"\xef\xbb\xbf\n\n\n\xff", "(byte 6)"),
        (b"# coding: klingon\n", "unknown encoding in the coding cookie: klingon"),
        (b"# coding: rot13\nk = 1", "unknown encoding in the coding cookie: rot13"),
        (b"# coding: ascii\n\nx = '\xe9'", "not text in encoding ascii"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "contradicts the UTF-8 byte order mark"),
        (b"x = 1\0", "null bytes (first at byte 5)"),
    ],
)
def test_bytes_that_are_no_source_text_give_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableSource) as caught:
        decode_source(data, HERE)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_encoding_that_lacks_a_character_or_has_two_spellings_is_not_written() -> None:
    latin = decode_source(b"# coding: latin-1\n", HERE)
    with pytest.raises(ValueError, match="codec can't encode"):
        latin.encode("x = '\u2028'")
    shifted = decode_source(b"# coding: utf-7\nx = '+AGE-'\n", HERE)
    assert "'a'" in shifted.text
    with pytest.raises(ValueError, match="cannot be written back"):
        shifted.encode(shifted.text + "y = 1\n")


def test_missing_files_directories_and_broken_links_give_a_reason(tmp_path: Path) -> None:
    (tmp_path / "x.py").mkdir()
    (tmp_path / "link.py").symlink_to(tmp_path / "gone.py")
    for name, reason in [("x.py", "is a directory"), ("link.py", "broken symbolic link"), ("no.py", "no such file")]:
        with pytest.raises(UnreadableSource, match=reason):
            read_source(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(UnreadableSource, match="permission denied"):
        read_source(path)
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        write_atomically(path, b"y")
    assert path.read_bytes() == b"x"


def test_writing_keeps_the_mode_and_the_link(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "real.py"
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to(target)
    write_atomically(link, b"new\r\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"new\r\n"
    assert target.stat().st_mode & 0o777 == 0o750
    assert [p.name for p in target.parent.iterdir()] == ["real.py"]


def test_a_failed_write_leaves_the_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.py"]
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_and_devices_are_written_to_and_stay(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for name in (pipe, link):
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        write_atomically(name, b"report")
        assert os.read(reader, 100) == b"report"
        os.close(reader)
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    null = tmp_path / "null"
    null.symlink_to(os.devnull)
    write_atomically(null, b"report")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "null", "pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="hard links are seldom there")
def test_hard_links_stay_links(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_bytes(b"old, and longer")
    other.hardlink_to(one)
    write_atomically(one, b"new")
    assert other.read_bytes() == b"new"
    assert one.samefile(other)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="needs extended attributes")
def test_extended_attributes_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write_atomically(path, b"new")
    assert (path.read_bytes(), os.getxattr(path, "user.note")) == (b"new", b"kept")


def test_a_file_whose_attributes_cannot_be_copied_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")
    before = path.stat().st_ino
    monkeypatch.setattr(atomic_write, "_is_like", lambda *_: False)
    write_atomically(path, b"new")
    assert (path.read_bytes(), path.stat().st_ino) == (b"new", before)
    assert [p.name for p in tmp_path.iterdir()] == ["x.py"]


def test_a_copy_is_private_until_it_is_like_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"secret")
    path.chmod(0o640)
    modes = []

    def look(copy: Path, original: Path, status: os.stat_result) -> bool:
        modes.append(copy.stat().st_mode & 0o777)
        return is_like(copy, original, status)

    is_like = atomic_write._is_like
    monkeypatch.setattr(atomic_write, "_is_like", look)
    write_atomically(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640 or sys.platform == "win32"
    assert modes == [0o600] or sys.platform == "win32"


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (".dropout-lint-1.tmp", ".dropout-lint-2.tmp", "mine.tmp"))
    for path in (old, young, other):
        path.write_bytes(b"")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_atomically(tmp_path / "x.py", b"new")
    assert sorted(p.name for p in tmp_path.iterdir()) == [young.name, other.name, "x.py"]


def test_lines_end_where_the_tokenizer_ends_them() -> None:
    text = "a\x0cb\u2028c\x85\r\nd\re\nf"
    index = Lines(text)
    assert index.count == 4
    assert [index.line_text(n) for n in range(1, 5)] == ["a\x0cb\u2028c\x85", "d", "e", "f"]
    for offset in range(len(text) + 1):
        assert index.offset(*index.position(offset)) == offset


@pytest.mark.parametrize(("line", "column"), [(0, 1), (1, 0), (1, 4), (3, 1), (2, 2)])
def test_positions_outside_of_the_text_are_refused(line: int, column: int) -> None:
    with pytest.raises(ValueError, match=r"no position|no column"):
        Lines("x\n").offset(line, column)


def test_columns_of_ast_are_bytes_and_ours_are_characters() -> None:
    text = "x = 1\r\n\u00e4 = (\rf('\U0001f600'), y)"
    (node,) = (statement.value for statement in ast.parse(text).body[1:] if isinstance(statement, ast.Assign))
    assert isinstance(node, ast.Tuple)
    lines = Lines(text)
    assert lines.code(node) == "(\rf('\U0001f600'), y)"
    assert lines.span(node.elts[1]) == Span(3, 9, 3, 10)
    assert lines.block(2, 3) == text[7:]
    assert column_of_byte("a\u00e4b", 3) == 3


@pytest.mark.parametrize(("number", "newline"), [(1, "\r\n"), (2, "\r"), (3, "\n"), (4, "\n")])
def test_a_line_break_is_that_of_the_line_or_of_the_one_before(number: int, newline: str) -> None:
    assert Lines("a\r\nb\rc\nd").newline(number) == newline
    assert Lines("a").newline(1) == "\n"
