"""Connections: requests are read whole and answers kept until they are taken, so that no slow client holds a thread.

One thread of a process moves bytes, for all connections at once; the threads of the app get a request when its last
byte is there, and are free again when the last byte of the answer is made. Waitress does that. What is added here: who
takes too long is let go, and where as many are connected as may be, whoever has kept the server waiting longest makes
room; a body that is too large is not kept; what cannot be read is answered in a sentence.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from kb.config import THREADS
from kb.services.limits import BODY_LIMIT, UPLOAD_BODY_LIMIT

BACKLOG = 2048

CONNECTIONS = 300
"""Connections of one process. Each costs the process some microseconds whenever any of them moves."""

HEAD_LIMIT = 160 * 1024
"""Bytes of a request's first line and headers: room for a question of 10,000 characters, percent-encoded, so that the
app itself answers it."""

FIELDS_LIMIT = 100
"""Headers of a request."""

SWALLOWED = 256 * 1024 * 1024
"""Bytes of a body that are read and thrown away, so that a browser sees the page which says that it is too large: it
shows none of a server that hangs up on it."""

HELD_BACK = 2 * 1024 * 1024
"""Bytes of an answer that wait for its reader; the app makes more when some of them went. Files wait on the disk."""

RECEIVED_AT_ONCE = 64 * 1024
"""Bytes that are read of a connection before the others have their turn."""

IDLE = 20.0
"""Seconds that a connection may rest between two requests, and before the first."""

HEAD_TIME = 30.0
"""Seconds from the first byte of a request to the last of its headers."""

PAUSE = 60.0
"""Seconds in which some of a body has to come, or some of an answer has to go."""

REQUEST_TIME = 600.0
"""Seconds from the first byte of a request to its last: 32 MB at 55 kB/s."""

LOOK_EVERY = 2.0
"""Seconds between two looks for connections that take too long."""

_TARGET = re.compile(rb"[\x21-\x7e]+( [\x21-\x7e]+)*")
"""What a request line may be made of: anything else has to be percent-encoded (RFC 3986, section 2)."""

SENTENCES = {
    400: "This request could not be read: it is not HTTP as RFC 9112 defines it.",
    413: "What was sent is larger than this site takes. Send less at once.",
    414: "The address is longer than this site reads. Shorten the question or choose fewer filters.",
    431: "The headers of this request are larger than this site reads, or too many. Delete this site's cookies.",
    500: "Something broke here. The fault is ours. Try again in a minute.",
    501: "This request is encoded in a way that this site does not know. Send it without Transfer-Encoding.",
    507: "There is no room for what was sent. Nothing of it was kept. Try again later.",
}
"""What is answered where the app is not reached: to programs, since what people bring about the app answers itself."""


class _AddressTooLong(BadRequest):
    code = 414
    reason = "URI Too Long"


class _NoRoom(Error):
    code = 507
    reason = "Insufficient Storage"


class _Swallowed(FixedStreamReceiver):
    """A body of which nothing is kept. The app sees by its length that it is too large."""

    def received(self, data: bytes) -> int:
        taken = min(len(data), self.remain)
        self.remain -= taken
        self.completed = self.remain == 0
        return taken


class _Reader(HTTPRequestParser):
    """One request, as it comes in."""

    body_rcv: Any = None
    error: Any = None
    expect_continue: bool = False
    _full = False

    def received(self, data: bytes) -> int:
        """Take some bytes; returns how many of them belong to this request."""
        try:
            taken = int(super().received(data))
        except OSError:  # no room on the disk: the rest is read, so that the client hears of it
            self._full = True
            self.body_rcv = _Swallowed(getattr(self.body_rcv, "remain", len(data)), OverflowableBuffer(0))
            taken = int(super().received(data))
        if isinstance(self.error, RequestHeaderFieldsTooLarge) and b"\r\n" not in self.header_plus + data:
            self.error = _AddressTooLong("")
        if self.chunked and self.body_bytes_received > self._most():
            self.error, self.completed = RequestEntityTooLarge(""), True
        if self._full and self.completed:
            self.error = _NoRoom("")
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the first line and the headers. Raises ParsingError for what two programs might read in two ways."""
        if header_plus.count(b"\r\n") > FIELDS_LIMIT + 2:
            super().parse_header(b"GET / HTTP/1.0\r\n")
            self.error = RequestHeaderFieldsTooLarge("")
            return
        if not _TARGET.fullmatch(header_plus.partition(b"\r\n")[0].rstrip()):
            raise ParsingError("the first line")
        super().parse_header(header_plus)
        if (self.chunked and "CONTENT_LENGTH" in self.headers) or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("two lengths")
        if self.content_length > self._most():
            self._refuse_body()

    def _refuse_body(self) -> None:
        if self.expect_continue:  # the client waits to hear whether it is welcome
            self.expect_continue, self.content_length, self.body_rcv = False, 0, None
            self.headers["CONNECTION"] = "close"
        else:
            self.body_rcv = _Swallowed(self.content_length, OverflowableBuffer(0))

    def _most(self) -> int:
        """Bytes of a body that are kept. Only who is signed in brings files."""
        return UPLOAD_BODY_LIMIT if "kb=" in self.headers.get("COOKIE", "") else BODY_LIMIT


class _Refusal(ErrorTask):
    """The answer to what never reaches the app."""

    def execute(self) -> None:
        error = self.request.error
        body = f"{SENTENCES[error.code]}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Connection(HTTPChannel):
    """One connection, which knows since when it has kept the server waiting. Moments are those of a steady clock."""

    parser_class = _Reader
    error_task_class = _Refusal

    def __init__(self, *values: Any, **named: Any) -> None:
        self.began = self.moved = time.monotonic()
        super().__init__(*values, **named)

    def received(self, data: bytes) -> bool:
        self.moved = time.monotonic()
        if self.request is None:
            self.began = self.moved
        return bool(super().received(data))

    def _flush_some(self, do_close: bool = True) -> bool:
        sent = bool(super()._flush_some(do_close=do_close))
        if sent:
            self.moved = time.monotonic()
        return sent

    def too_slow(self, now: float) -> bool:
        """Whether its client has taken longer than it may."""
        if self.total_outbufs_len:
            return now - self.moved > PAUSE
        if self.requests:
            return False
        if self.request is None:
            return now - self.moved > IDLE
        if not self.request.headers_finished:
            return now - self.began > HEAD_TIME
        return now - self.moved > PAUSE or now - self.began > REQUEST_TIME

    @property
    def waited_for(self) -> float | None:
        """Since when its client has been waited for; None while the app works for it."""
        if self.requests:
            return None
        return self.began if self.request is not None else self.moved


class Server(TcpWSGIServer):
    """What answers at a socket that listens already, for one process. Only `pull_trigger` is for other threads."""

    channel_class = _Connection
    next_channel_cleanup: float = 0.0

    def __init__(self, app: Callable[..., Any], listener: socket.socket) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait for a thread is no news
        adjustments = Adjustments(
            sockets=[listener],
            threads=THREADS,
            backlog=BACKLOG,
            recv_bytes=RECEIVED_AT_ONCE,
            connection_limit=CONNECTIONS,
            max_request_header_size=HEAD_LIMIT,
            max_request_body_size=SWALLOWED,
            outbuf_high_watermark=HELD_BACK,
            asyncore_use_poll=True,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,  # KB_TRUSTED_PROXIES says whom to believe; the app looks
            server_name="127.0.0.1",
            ident=None,
        )
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(adjustments.threads)
        named = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(app, {}, True, listener, threads, adjustments, named, bind_socket=False)

    def step(self, seconds: float = 1.0) -> None:
        """Move what can be moved, and wait for at most so long where that is nothing."""
        now = time.monotonic()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = now + LOOK_EVERY
            self.maintenance(now)
        if len(self._map) >= self.adj.connection_limit:
            self._make_room()
        wasyncore.loop(seconds, True, self._map, 1)

    def stop_accepting(self) -> None:
        """Take no more connections."""
        self.accepting = False

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or is in the middle of a request."""
        channels = list(self.active_channels.values())
        return any(each.requests or each.total_outbufs_len or each.request is not None for each in channels)

    def readable(self) -> bool:
        """Whether to take one more connection."""
        return bool(self.accepting) and len(self._map) < self.adj.connection_limit

    def maintenance(self, now: float) -> None:
        """Let those go who take too long."""
        for channel in list(self.active_channels.values()):
            if channel.too_slow(now):
                channel.handle_close()

    def _make_room(self) -> None:
        waiting = [channel for channel in self.active_channels.values() if channel.waited_for is not None]
        if waiting:
            min(waiting, key=lambda channel: channel.waited_for).handle_close()
