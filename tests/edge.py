"""The server of `kb run` in a thread, over an app of the test's own, and clients that say exactly what they want."""

from __future__ import annotations

import http.client
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from kb.cli.connections import Server
from kb.services.limits import BODY_LIMIT
from tests.processes import PATIENCE

ANSWERED = b"HTTP/1.1 200 OK"
HEAD = b"Host: localhost\r\n"
GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HEAD
LARGE = 100 * 65536
"""Bytes of what is at /large, in a hundred pieces, at /whole, in one, and at /file, which the server itself reads."""


Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Running:
    """A server over an app that says the length of the body it was given, and has other answers at other addresses."""

    def __init__(self, app: Wsgi | None = None) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self.working, self.go_on = threading.Event(), threading.Event()
        self.asked: list[str] = []
        self.server = Server(app or self.app, listener)
        self._alive = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, length = environ["PATH_INFO"], int(environ.get("CONTENT_LENGTH") or 0)
        self.asked.append(path)
        kept = len(environ["wsgi.input"].read())
        if path == "/wait":
            self.working.set()
            assert self.go_on.wait(PATIENCE)
        if path == "/file":
            start_response("200 OK", [("Content-Length", str(LARGE))])
            file: Iterable[bytes] = environ["wsgi.file_wrapper"](_file())
            return file
        if path.startswith("/breaks"):
            return self._breaking(start_response, path)
        pieces = {"/large": [b"x" * 65536] * 100, "/whole": [b"x" * LARGE]}.get(path, [str(kept).encode()])
        status = "413 Content Too Large" if length > kept else "200 OK"
        start_response(status, [("Content-Length", str(sum(map(len, pieces))))])
        return pieces

    def _breaking(self, start_response: Callable[..., Any], path: str) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "1000")] if path == "/breaks/known" else [])
        yield b"begun"
        raise RuntimeError("it broke")

    def _run(self) -> None:
        while self._alive:
            self.server.step(0.02)

    def close(self) -> None:
        self._alive = False
        self.go_on.set()
        self._thread.join()
        for channel in list(self.server.active_channels.values()):
            channel.handle_close()  # before its thread is waited for: it may wait for the reader
        self.server.task_dispatcher.shutdown()
        self.server.close()

    def connect(self, sent: bytes = b"", room: int = 0) -> socket.socket:
        """A connection on which these bytes were sent; `room`: bytes of answers that the system takes in for it."""
        connection = socket.socket()
        if room:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(sent)
        return connection

    def raw(self, sent: bytes) -> bytes:
        """The answer to these bytes; nothing where the server hung up."""
        with self.connect() as connection, suppress(ConnectionError):
            connection.sendall(sent)
            return whole(connection)
        return b""

    def all_of(self, sent: bytes) -> bytes:
        """Everything that is answered to these bytes, until the server hangs up."""
        with self.connect(sent) as connection:
            return until_the_end(connection)

    def answers(self) -> bool:
        """Whether an ordinary request is answered."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.request("GET", "/")
        answer = client.getresponse()
        answer.read()
        client.close()
        return answer.status == 200


def _file() -> IO[bytes]:
    file = tempfile.TemporaryFile()
    file.truncate(LARGE)
    return file


def whole(connection: socket.socket) -> bytes:
    """One answer, read by Python's own client, as it would be without chunks."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.getheaders())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.read()


def until_the_end(connection: socket.socket) -> bytes:
    """Everything that the server sends until it hangs up, with a mark where it did so by a reset."""
    said = []
    try:
        while some := connection.recv(65536):
            said.append(some)
    except ConnectionResetError:
        said.append(b"(reset)")
    return b"".join(said)


def statuses(said: bytes) -> list[int]:
    """The statuses of all answers."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]


def gone(connection: socket.socket) -> bool:
    """Whether the server hung up."""
    connection.settimeout(0.01)
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def asking(path: str, *headers: str) -> bytes:
    """A request for an address."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def body(more: int = 1) -> bytes:
    """A body that is larger than may be by so many bytes."""
    return b"x" * (BODY_LIMIT + more)


@contextmanager
def serving(app: Wsgi | None = None) -> Iterator[Running]:
    """A server, gone afterwards; over another app than its own, where one is given."""
    running = Running(app)
    try:
        yield running
    finally:
        running.close()
