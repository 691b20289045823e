"""Reads a Jupyter notebook as one text: its code cells in order, each below a header line ``# %%[cell 2]%%``.

Writing back changes the source lines that a fix changed, and no other byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.syntax.magics import Masked, is_skipped, mask, unmask
from dropout_lint.syntax.notebook_json import CellSource, code_sources
from dropout_lint.syntax.text import NotANotebook, SourceText

_HEADER = "# %%[cell {number}]%%"
_HEADERS = re.compile(r"^# %%\[cell (\d+)\]%%\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Cell:
    number: int
    """From 1, counting cells of all kinds."""
    source: CellSource
    masked: Masked


@dataclass(frozen=True, slots=True)
class Notebook(SourceText):
    """The Python of a notebook. IPython lines are masked in ``text``."""

    cells: tuple[_Cell, ...]

    @property
    def code(self) -> bytes:
        """The bytes of the text, without outputs and other cells."""
        return self.text.encode(errors="replace")

    def encode(self, text: str) -> bytes:
        """The notebook with the changed cells of ``text``.

        Raises ValueError if ``text`` lacks a cell or a masked IPython line.
        """
        return self._whole(text).encode()

    def shown(self, cell: int | None) -> str:
        """The source of a cell as written in the notebook."""
        return next((each.source.text for each in self.cells if each.number == cell), self.text)

    def patch_texts(self, text: str) -> tuple[str, str]:
        """The JSON before and after."""
        return self._whole(self.text), self._whole(text)

    def _whole(self, text: str) -> str:
        parts = _HEADERS.split(text)
        before, numbers, bodies = parts[0], [int(number) for number in parts[1::2]], parts[2::2]
        if numbers != [cell.number for cell in self.cells]:
            raise ValueError("the fixes would tear the cells of the notebook apart")
        raw = self.data.decode()
        pieces: list[str] = []
        done = 0
        for cell, body in zip(self.cells, bodies, strict=True):
            body, before = before + body, ""
            new = unmask(body.removesuffix("\n"), cell.masked)
            if new != cell.source.text:
                pieces += [raw[done : cell.source.start], cell.source.rewritten(raw, new)]
                done = cell.source.end
        return "".join([*pieces, raw[done:]])


def decode_notebook(data: bytes, path: Path) -> Notebook:
    """Decode a notebook. One in another language has no cells. Raises NotANotebook."""
    try:
        raw = data.decode()
        document = json.loads(raw)
    except UnicodeDecodeError as error:
        raise NotANotebook(f"not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise NotANotebook(f"no valid JSON ({error.msg.lower()})", error.lineno, error.colno) from None
    except RecursionError:
        raise NotANotebook("nested too deeply") from None
    version = document.get("nbformat") if isinstance(document, dict) else None
    if version is None:
        raise NotANotebook("'nbformat' is missing")
    if version != 4:
        raise NotANotebook(f"format {version!r}; 'jupyter nbconvert --to notebook' turns it into format 4")
    if not isinstance(document.get("cells"), list):
        raise NotANotebook("'cells' is not a list")
    cells = tuple(_python_cells(document, raw)) if _is_python(document) else ()
    text = "".join(f"{_HEADER.format(number=cell.number)}\n{cell.masked.text}\n" for cell in cells)
    return Notebook(path, text, "utf-8", bom=False, data=data, cells=cells)


def cell_starts(text: str) -> list[tuple[int, int]]:
    """The number of each cell in the text of a notebook, and the line of its header."""
    return [(int(found[1]), text.count("\n", 0, found.start()) + 1) for found in _HEADERS.finditer(text)]


def _is_header(line: str) -> bool:
    return _HEADERS.match(f"{line}\n") is not None


def _python_cells(document: dict[str, object], raw: str) -> Iterator[_Cell]:
    cells = document["cells"]
    assert isinstance(cells, list)
    for number, (cell, source) in enumerate(zip(cells, code_sources(raw), strict=True), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or source is None:
            continue
        if is_skipped(source.text) or _language_of(cell) not in (None, "python"):
            continue
        yield _Cell(number, source, mask(source.text, _is_header))


def _is_python(document: dict[str, object]) -> bool:
    metadata = document.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name in (None, "python", "ipython")


def _language_of(cell: dict[str, object]) -> object:
    metadata = cell.get("metadata")
    editor = metadata.get("vscode") if isinstance(metadata, dict) else None
    return editor.get("languageId") if isinstance(editor, dict) else None
