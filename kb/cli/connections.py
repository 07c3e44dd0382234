"""Connections: requests are read whole and answers kept until they are taken, so that no slow client holds a thread.

One thread of a process moves bytes, for all connections at once; the threads of the app get a request when its last
byte is there, and are free again when the last byte of the answer is made. Waitress does that. What is added here: who
takes too long is let go, and where as many are connected as may be, whoever has kept the server waiting longest makes
room; one request of a connection at a time; some threads are never kept by readers; what cannot be read is answered in
a sentence.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from kb.cli.receiving import HEAD_LIMIT, IN_MEMORY, SWALLOWED, Busy, Reader
from kb.config import THREADS

log = logging.getLogger(__name__)

BACKLOG = 2048

CONNECTIONS = 300
"""Connections of one process. Each costs the process some microseconds whenever any of them moves."""

BODIES = 256 * 1024 * 1024
"""Bytes of bodies that a process keeps at once, in memory and on the disk. Who brings more is told to come again."""

HELD_BACK = 2 * 1024 * 1024
"""Bytes of an answer that wait for its reader; the app makes more when some of them went. Files wait on the disk."""

SENT_AHEAD = 128 * 1024
"""Bytes of answers that the system is asked to hold for one connection (Linux takes twice as many). By itself it holds
megabytes: some answers for whoever asks for many and reads none, and for 300 of those a gigabyte."""

WAITING = max(1, THREADS - 2)
"""Threads of a process that wait until a reader took some. The next is not kept: what it makes goes to the disk."""

ANSWERS_IN_MEMORY = 256 * 1024
"""Bytes of an answer that are held in memory while they wait. More of it lies in the system's temporary folder."""

RECEIVED_AT_ONCE = 64 * 1024
"""Bytes that are read of a connection before the others have their turn."""

IDLE = 75.0
"""Seconds that a connection may rest between two requests, and before the first. Longer than nginx keeps those that it
holds ready (`keepalive_timeout` of an `upstream`, 60 s): else a request could meet a connection that is just closed."""

HEAD_TIME = 30.0
"""Seconds from the first byte of a request to the last of its headers."""

PAUSE = 60.0
"""Seconds in which some of a body has to come, or some of an answer has to go."""

REQUEST_TIME = 600.0
"""Seconds from the first byte of a request to its last: 32 MB at 55 kB/s."""

ANSWER_TIME = 600.0
"""Seconds after which an answer has to have gone at LEAST_SPEED, from its first byte on."""

LEAST_SPEED = 10_000
"""Bytes a second."""

JUST_COME = 1.0
"""Seconds after which who has connected and asked nothing is not waited for by a process that is to end."""

LOOK_EVERY = 2.0
"""Seconds between two looks for connections that take too long."""

SENTENCES = {
    400: "This request could not be read: it is not HTTP as RFC 9112 defines it.",
    413: "What was sent is larger than this site takes. Send less at once.",
    414: "The address is longer than this site reads. Shorten the question or choose fewer filters.",
    431: "The headers of this request are larger than this site reads, or too many. Delete this site's cookies.",
    500: "Something broke here. The fault is ours. Try again in a minute.",
    501: "This request is encoded in a way that this site does not know. Send it without Transfer-Encoding.",
    503: "As much is being sent here as this site can take in at once. Try again in a minute.",
    507: "There is no room for what was sent. Nothing of it was kept. Try again later.",
}
"""What is answered where the app is not reached: to programs, since what people bring about the app answers itself."""


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
        if error.code == Busy.code:
            self.response_headers.append(("Retry-After", "60"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Answer(WSGITask):
    """The answer of the app. One that breaks off ends with a reset: HTTP/1.0 could not tell it from a whole one."""

    def execute(self) -> None:
        try:
            super().execute()
        except BaseException:
            self.channel.broken = self.wrote_header
            raise


class _Connection(HTTPChannel):
    """One connection, which knows since when it has kept the server waiting. Moments are those of a steady clock."""

    parser_class = Reader
    task_class = _Answer
    error_task_class = _Refusal

    request: Any = None
    outbufs: list[Any]
    answering: float | None = None
    taken = 0
    ahead = b""
    broken = False

    def __init__(self, *values: Any, **named: Any) -> None:
        self.began = self.moved = time.monotonic()
        super().__init__(*values, **named)

    # What comes in

    def received(self, data: bytes) -> bool:
        """Read on, up to the end of one request. What is behind it waits until its answer was taken.

        Were all of them read, each answer would be made while those before it wait for their reader, and a thread with
        them (RFC 9112, section 9.3.2, leaves it to the server).
        """
        now = time.monotonic()
        if self.request is None:
            data = data.lstrip()  # blank lines before a request (RFC 9112, section 2.2): nobody is waited for longer
            if not data:
                return False
            self.request, self.began = self.parser_class(self.adj), now
            self.answering, self.taken = None, 0
        self.moved, reader = now, self.request
        going_on = bool(super().received(data))
        self.ahead = reader.behind
        if reader.body is not None and reader.body.kept > IN_MEMORY and self.server.bodies > BODIES:
            reader.body.refuse(Busy(""))
        return going_on

    def go_on(self) -> None:
        """Read the next request, where it came together with the last one and that is answered. Or hang up at once."""
        if self.broken and self.will_close:
            self.handle_close()
        elif self.ahead and super().readable():
            ahead, self.ahead = self.ahead, b""
            self.received(ahead)

    def readable(self) -> bool:
        """Whether to read more: not before what came earlier."""
        return not self.ahead and bool(super().readable())

    # What goes out

    def write_soon(self, data: Any) -> int:
        """Take some of an answer. Raises ClientDisconnected where there is nobody, or no room, for it."""
        if self.answering is None:
            self.answering = time.monotonic()
        if not self.total_outbufs_len:
            self.moved = time.monotonic()  # until now there was nothing to take
        try:
            return int(super().write_soon(data))
        except OSError as error:  # those of the connection are caught below
            log.error("an answer broke off, there was no room for it: %s", error.strerror)
            self._give_up()
            raise ClientDisconnected from error

    def _give_up(self) -> None:
        """Let go of an answer: what is in its buffers is no longer what the app said."""
        with self.outbuf_lock:
            for outbuf in self.outbufs:
                with suppress(OSError):
                    outbuf.close()
            self.outbufs, self.total_outbufs_len = [OverflowableBuffer(ANSWERS_IN_MEMORY)], 0
            self.broken = self.will_close = True

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.total_outbufs_len > HELD_BACK and self.server.may_wait.acquire(blocking=False):
            try:
                super()._flush_outbufs_below_high_watermark()
            finally:
                self.server.may_wait.release()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send some; returns how many bytes went."""
        sent = int(super().send(data, do_close=do_close))
        if sent:
            self.moved = time.monotonic()
            self.taken += sent
        return sent

    def handle_close(self) -> None:
        """Hang up; with a reset where an answer broke off."""
        if self.broken and self.socket is not None:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().handle_close()

    # How long it takes

    def too_slow(self, now: float) -> bool:
        """Whether its client has taken longer than it may."""
        if self.total_outbufs_len:
            return now - self.moved > PAUSE or self._dawdles(now)
        if self.requests:
            return False
        if self.request is None:
            return now - self.moved > IDLE
        if not self.request.headers_finished:
            return now - self.began > HEAD_TIME
        return now - self.moved > PAUSE or now - self.began > REQUEST_TIME

    def _dawdles(self, now: float) -> bool:
        took = now - self.answering if self.answering is not None else 0.0
        return took > ANSWER_TIME and self.taken < took * LEAST_SPEED

    @property
    def waited_for(self) -> float | None:
        """Since when its client has been waited for; None while the app works for it."""
        if self.requests:
            return None
        return self.began if self.request is not None else self.moved

    @property
    def waits(self) -> bool:
        """Whether its client waits for an answer, is in the middle of a request, or has come a moment ago to ask."""
        if self.requests or self.total_outbufs_len or self.ahead or self.request is not None:
            return True
        return self.answering is None and time.monotonic() - self.began < JUST_COME

    @property
    def bodies(self) -> int:
        """Bytes that are kept of bodies."""
        reading = self.request
        readers = [*self.requests, *([reading] if reading is not None else [])]
        return sum(each.body.kept for each in readers if each.body is not None)


class Server(TcpWSGIServer):
    """What answers at a socket that listens already, for one process. Only `pull_trigger` is for other threads."""

    channel_class = _Connection
    next_channel_cleanup: float = 0.0

    def __init__(self, app: Callable[..., Any], listener: socket.socket) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait for a thread is no news
        self.may_wait = threading.BoundedSemaphore(WAITING)
        adjustments = Adjustments(
            sockets=[listener],
            threads=THREADS,
            backlog=BACKLOG,
            recv_bytes=RECEIVED_AT_ONCE,
            connection_limit=CONNECTIONS,
            max_request_header_size=HEAD_LIMIT,
            max_request_body_size=SWALLOWED,
            inbuf_overflow=IN_MEMORY,
            outbuf_overflow=ANSWERS_IN_MEMORY,
            outbuf_high_watermark=HELD_BACK,
            asyncore_use_poll=True,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,  # KB_TRUSTED_PROXIES says whom to believe; the app looks
            server_name="127.0.0.1",
            ident=None,
        )
        adjustments.socket_options = [*Adjustments.socket_options, (socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)]
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
        for channel in list(self.active_channels.values()):
            channel.go_on()
        if len(self._map) >= self.adj.connection_limit:
            self._make_room()
        wasyncore.loop(seconds, True, self._map, 1)

    def stop_accepting(self) -> None:
        """Take no more connections."""
        self.accepting = False

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, is in the middle of a request, or has come a moment ago to ask."""
        return any(each.waits for each in list(self.active_channels.values()))

    @property
    def bodies(self) -> int:
        """Bytes that are kept of bodies, of all connections."""
        return sum(each.bodies for each in list(self.active_channels.values()))

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
