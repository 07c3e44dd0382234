"""Requests as they come in: how much of one is read, how much of it is kept, and what is refused before the app.

Waitress parses. What is added: a body that is too large, or for which there is no room, is read and not kept, so that
the client hears why; nothing that two programs might read in two ways is let through, nor what takes long to parse; and
of what came together only one request is read, the rest is there for whoever asks for it.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from kb.services.limits import BODY_LIMIT, UPLOAD_BODY_LIMIT

log = logging.getLogger(__name__)

HEAD_LIMIT = 160 * 1024
"""Bytes of a request's first line and headers: room for a question of 10,000 characters, percent-encoded, so that the
app itself answers it."""

FIELDS_LIMIT = 100
"""Headers of a request."""

SWALLOWED = 256 * 1024 * 1024
"""Bytes of a body that are read and thrown away, so that a browser sees the page which says that it is too large: it
shows none of a server that hangs up on it."""

CHUNK_LINE_LIMIT = 1024
"""Bytes of the line before a chunk of a body: its length, and what programs may say of it, which none does."""

TRAILER_LIMIT = 8 * 1024
"""Bytes of the headers behind the last chunk, which nobody reads."""

CHUNKS_AT_ONCE = 4096
"""Bytes of a body in chunks that are parsed at once: to parse many small chunks in one piece takes the square of it."""

IN_MEMORY = 64 * 1024
"""Bytes of a body that are held in memory. More of it lies in the system's temporary folder."""

UPLOADS = re.compile(r"/my/practices/[0-9A-Fa-f-]{36}/files|/admin/import")
"""Addresses that take files."""

_FIRST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+( HTTP/[0-9]\.[0-9])?")
"""What a request line may be made of: anything else has to be percent-encoded (RFC 9112, section 3)."""

_UNREADABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\n[ \t]")
"""What no header may hold: control characters, and a line that goes on in the next (RFC 9112, section 5.2)."""

_PADDING = re.compile(rb"^([^:\r\n]*:)[ \t]+", re.MULTILINE)
"""Blanks before a header's value. Waitress takes the square of their number to skip them: minutes for 160 kB."""


class _AddressTooLong(BadRequest):
    code = 414
    reason = "URI Too Long"


class _NoRoom(Error):
    code = 507
    reason = "Insufficient Storage"


class Busy(Error):
    """More bodies are being taken in than this process has room for."""

    code = 503
    reason = "Service Unavailable"


class Body(OverflowableBuffer):
    """A body as long as it may be kept; then only its length is known, with why where the app is not to see it."""

    def __init__(self, most: int) -> None:
        super().__init__(IN_MEMORY)
        self._most = most
        self._length = 0
        self.error: Error | None = None

    def __len__(self) -> int:
        """Bytes that came. The app sees by them that a body is too large."""
        return self._length

    @property
    def kept(self) -> int:
        """Bytes that are here."""
        return super().__len__()

    def append(self, s: bytes) -> None:
        """Take some more."""
        self._length += len(s)
        if self.error is not None:
            return
        if self._length > self._most:
            self._drop()
            return
        try:
            super().append(s)
        except OSError as error:
            log.warning("there is no room for a request's body: %s", error.strerror)
            self.refuse(_NoRoom(""))

    def refuse(self, error: Error) -> None:
        """Keep nothing of it; whoever sent it is told why when its last byte came."""
        self.error = error
        self._drop()

    def _drop(self) -> None:
        with suppress(OSError):  # what is on a full disk cannot even be closed without a complaint
            self.close()
        self.buf, self.strbuf = None, b""


class Reader(HTTPRequestParser):
    """One request, as it comes in."""

    error: Any = None
    expect_continue: bool = False
    content_length: int = 0
    body: Body | None = None
    behind: bytes = b""
    """What came together with the request's last byte, and is not of it."""

    def received(self, data: bytes) -> int:
        """Take some bytes; returns how many need not be given again. When the request is whole, that is all of them."""
        taken = int(super().received(data[:CHUNKS_AT_ONCE] if self.chunked else data))
        if isinstance(self.error, RequestHeaderFieldsTooLarge) and b"\r\n" not in self.header_plus + data:
            self.error = _AddressTooLong("")
        if self.chunked and self.error is None:
            self._bound_chunks()
        if not self.completed:
            return taken
        if self.body is not None and self.error is None:
            self.error = self.body.error
        self.behind = data[taken:]
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """Read the first line and the headers. Raises ParsingError for what two programs might read in two ways."""
        if header_plus.count(b"\r\n") > FIELDS_LIMIT + 2:
            super().parse_header(b"GET / HTTP/1.0\r\n")
            self.error = RequestHeaderFieldsTooLarge("")
            return
        first, newline, fields = header_plus.partition(b"\r\n")
        if not _FIRST_LINE.fullmatch(first.rstrip()):
            raise ParsingError("the first line")
        if _UNREADABLE.search(newline + fields):
            raise ParsingError("a header")
        try:
            super().parse_header(first + newline + _PADDING.sub(rb"\1", fields))
        except ValueError as error:  # a length of thousands of digits, an address that is none
            raise ParsingError("a number or an address") from error
        if (self.chunked and "CONTENT_LENGTH" in self.headers) or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("two lengths")
        self._await_body()

    def _await_body(self) -> None:
        """Make ready for the body, of which nothing is kept that is known to be too large."""
        most = self._most()
        if self.content_length > most and self.expect_continue:  # the client waits to hear whether it is welcome
            self.content_length, self.body_rcv = 0, None
            self.headers["CONNECTION"] = "close"
        if self.body_rcv is None:
            self.expect_continue = False  # nothing comes that could be welcome
        else:
            self.body = self.body_rcv.buf = Body(0 if self.content_length > most else most)

    def _bound_chunks(self) -> None:
        receiver: Any = self.body_rcv
        if len(receiver.control_line) > CHUNK_LINE_LIMIT:
            self.error, self.completed = BadRequest(""), True
        elif len(receiver.trailer) > TRAILER_LIMIT:
            self.error, self.completed = RequestHeaderFieldsTooLarge(""), True
        elif self.body_bytes_received > 2 * self._most():
            self.error, self.completed = RequestEntityTooLarge(""), True

    def _most(self) -> int:
        """Bytes of a body that are kept. Only who is signed in brings files, and only to where they are taken."""
        signed_in = "kb=" in self.headers.get("COOKIE", "")
        return UPLOAD_BODY_LIMIT if signed_in and UPLOADS.fullmatch(self.path) else BODY_LIMIT
