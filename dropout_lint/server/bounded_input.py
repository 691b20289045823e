"""Standard input of the server with limits: a header that is wrong or asks for too much ends the conversation."""

from __future__ import annotations

import json
import re
from typing import BinaryIO

_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)
_LARGEST_BODY = 100_000_000
_LONGEST_LINE = 4_096
_MOST_HEADERS = 20
_PARSE_ERROR = -32700


class BoundedInput:
    """Reads messages for pygls, which trusts their headers. After a wrong one, tells the client, and is at its end."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._headers = 0
        self._has_length = False

    def readline(self) -> bytes:
        """The next line of the headers; empty at the end, and after a wrong one."""
        line = self._stdin.readline(_LONGEST_LINE)
        if not line:
            return b""
        self._headers += 1
        if not line.endswith(b"\n") or self._headers > _MOST_HEADERS:
            return self._refuse("the headers of a message are too long")
        if line.lower().startswith(b"content-length"):
            found = _LENGTH.fullmatch(line)
            if found is None or not 0 < int(found[1]) <= _LARGEST_BODY:
                return self._refuse(f"Content-Length must be a number from 1 to {_LARGEST_BODY}")
            self._has_length = True
            return b"Content-Length: %d\r\n" % int(found[1])
        if not line.strip() and not self._has_length:
            return self._refuse("a message has no Content-Length")
        return line

    def read(self, size: int) -> bytes:
        """The body of a message."""
        self._headers, self._has_length = 0, False
        return self._stdin.read(size)

    def _refuse(self, reason: str) -> bytes:
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": _PARSE_ERROR, "message": reason}}
        body = json.dumps(error).encode()
        self._stdout.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._stdout.flush()
        return b""
