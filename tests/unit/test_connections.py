"""Connections that are slow, rest, break off or ask for what is not HTTP: none of them holds up anybody else."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kb.cli import connections
from kb.cli.connections import Server
from tests.processes import PATIENCE, eventually

ANSWERED = b"HTTP/1.1 200 OK"
HEAD = b"Host: localhost\r\n"


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for who takes too long at every step."""
    monkeypatch.setattr(connections, "LOOK_EVERY", 0.0)


class Running:
    """A server in a thread, over an app that says the length of the body it was given."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self.working, self.go_on = threading.Event(), threading.Event()
        self.server = Server(self.app, listener)
        self._alive = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, length = environ["PATH_INFO"], int(environ.get("CONTENT_LENGTH") or 0)
        said = str(len(environ["wsgi.input"].read())).encode() if length <= connections.BODY_LIMIT else b"too large"
        if path == "/wait":
            self.working.set()
            assert self.go_on.wait(PATIENCE)
        pieces = [b"x" * 65536] * 100 if path == "/large" else [said]
        start_response("200 OK", [("Content-Length", str(sum(map(len, pieces))))])
        return pieces

    def _run(self) -> None:
        while self._alive:
            self.server.step(0.02)

    def close(self) -> None:
        self._alive = False
        self.go_on.set()
        self._thread.join()
        self.server.task_dispatcher.shutdown()
        for channel in list(self.server.active_channels.values()):
            channel.handle_close()
        self.server.close()

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(sent)
        return connection

    def raw(self, sent: bytes) -> bytes:
        """All that is answered to these bytes, until the server hangs up or the whole answer came."""
        with self.connect() as connection, suppress(ConnectionError):
            connection.sendall(sent)
            return whole(connection)
        return b""

    def answers(self) -> bool:
        """Whether an ordinary request is answered."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.request("GET", "/")
        answer = client.getresponse()
        answer.read()
        client.close()
        return answer.status == 200


def whole(connection: socket.socket) -> bytes:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.getheaders())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.read()


def gone(connection: socket.socket) -> bool:
    """Whether the server hung up."""
    connection.settimeout(0.01)
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@contextmanager
def serving() -> Iterator[Running]:
    running = Running()
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def running() -> Iterator[Running]:
    with serving() as running:
        yield running


# Slow ones


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: loc",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nsome",
        b"",
    ],
    ids=["headers", "body", "chunks", "nothing"],
)
def test_clients_that_take_their_time_hold_no_thread(running: Running, begun: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(10 * connections.THREADS):
            stack.enter_context(running.connect(begun))
        assert running.answers()


def test_clients_that_do_not_read_hold_no_thread(running: Running) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(running.connect(b"GET /large HTTP/1.1\r\n" + HEAD + b"\r\n")) for _ in range(2)]
        assert running.answers()
        assert all(len(whole(each).partition(b"\r\n\r\n")[2]) == 100 * 65536 for each in slow)


@pytest.mark.parametrize(
    ("limit", "begun"),
    [
        ("IDLE", b""),
        ("HEAD_TIME", b"GET / HTTP/1.1\r\nHost: loc"),
        ("PAUSE", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome"),
        ("REQUEST_TIME", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome"),
        ("PAUSE", b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ],
)
def test_who_takes_too_long_is_let_go(
    running: Running, monkeypatch: pytest.MonkeyPatch, limit: str, begun: bytes
) -> None:
    with running.connect(begun):
        eventually(lambda: len(running.server.active_channels) == 1)
        monkeypatch.setattr(connections, limit, 0.0)
        eventually(lambda: not running.server.active_channels)


def test_a_reader_who_is_let_go_frees_the_thread_that_made_more_for_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        for _ in range(connections.THREADS):
            stack.enter_context(running.connect(b"GET /large HTTP/1.1\r\n" + HEAD + b"\r\n"))
        monkeypatch.setattr(connections, "PAUSE", 0.0)
        assert running.answers()


def test_while_the_app_works_nobody_is_too_slow(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with running.connect(b"GET /wait HTTP/1.1\r\n" + HEAD + b"\r\n") as connection:
        assert running.working.wait(PATIENCE)
        for limit in ("IDLE", "HEAD_TIME", "PAUSE", "REQUEST_TIME"):
            monkeypatch.setattr(connections, limit, 0.0)
        [channel] = running.server.active_channels.values()
        assert not channel.too_slow(channel.moved + 3600)
        monkeypatch.undo()
        running.go_on.set()
        assert whole(connection).startswith(ANSWERED)


# Many


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A server that takes few connections."""
    monkeypatch.setattr(connections, "CONNECTIONS", 8)
    with serving() as running:
        yield running


def test_where_all_places_are_taken_who_waits_longest_makes_room(narrow: Running) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(narrow.connect(b"GET / HTTP/1.1\r\nHost: loc")) for _ in range(20)]
        assert narrow.answers()
        eventually(lambda: gone(held[0]))
        assert len(narrow.server.active_channels) <= 8


def test_who_is_being_answered_makes_no_room(narrow: Running) -> None:
    with narrow.connect(b"GET /wait HTTP/1.1\r\n" + HEAD + b"\r\n") as working, ExitStack() as stack:
        assert narrow.working.wait(PATIENCE)
        for _ in range(20):
            stack.enter_context(narrow.connect())
        assert narrow.answers()
        narrow.go_on.set()
        assert whole(working).startswith(ANSWERED)


# What is not HTTP, or too much of it

GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HEAD


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * connections.HEAD_LIMIT, 414),
        (GET + b"X: " + b"x" * connections.HEAD_LIMIT, 431),
        (GET + b"X: x\r\n" * 110 + b"\r\n", 431),
        (b"GET /\x01 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"get / HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"nothing\r\n\r\n", 400),
        (GET + b"No colon\r\n\r\n", 400),
        (GET + b"Host: a\nX: b\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1, 2\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (POST + b"Content-Length: %d\r\n\r\n" % connections.SWALLOWED, 413),
    ],
)
def test_what_cannot_be_read_is_answered_in_a_sentence(running: Running, sent: bytes, status: int) -> None:
    said = running.raw(sent)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert body.decode() == f"{connections.SENTENCES[status]}\n"
    assert b"Server:" not in head and b"nosniff" in head and b"default-src 'none'" in head and b"no-store" in head
    assert running.answers()


def test_a_question_of_ten_thousand_characters_reaches_the_app(running: Running) -> None:
    assert running.raw(b"GET /?q=" + b"%E4%BD%A0" * 10_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n").startswith(ANSWERED)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_given_to_the_app_whole(running: Running, chunked: bool) -> None:
    sent = b"x" * 100_000
    framed = (
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent)
        if chunked
        else POST + b"Content-Length: %d\r\n\r\n%s" % (len(sent), sent)
    )
    assert running.raw(framed).endswith(b"\r\n\r\n100000")


def large(more: int = 1) -> bytes:
    return b"x" * (connections.BODY_LIMIT + more)


def test_of_a_body_that_is_too_large_the_app_sees_the_length_alone_and_the_client_the_answer(running: Running) -> None:
    with running.connect() as connection:
        for _ in range(2):  # and the connection goes on
            connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(large()) + large())
            assert whole(connection).endswith(b"\r\n\r\ntoo large")


def test_whoever_asks_first_whether_a_large_body_is_welcome_hears_that_it_is_not(running: Running) -> None:
    asked = POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(large())
    said = running.raw(asked)
    assert said.endswith(b"\r\n\r\ntoo large") and b"Connection: close" in said


def test_whoever_asks_first_whether_a_body_is_welcome_hears_that_it_is(running: Running) -> None:
    with running.connect(POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"here")
        assert whole(connection).endswith(b"\r\n\r\n4")


def test_a_chunked_body_that_is_too_large_is_refused_in_a_sentence(running: Running) -> None:
    sent = large(70_000)
    said = running.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent))
    assert said.startswith(b"HTTP/1.1 413 ") or said == b""  # a client that goes on sending may see no answer
    assert running.answers()


def test_who_is_signed_in_may_send_more(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_LIMIT", 1000)
    body = b"x" * 1001
    signed = POST + b"Cookie: a=b; kb=held\r\nContent-Length: 1001\r\n\r\n" + body
    monkeypatch.setattr(Running, "app", saying_length)
    with serving() as server:
        assert server.raw(signed).endswith(b"\r\n\r\n1001")
        assert server.raw(POST + b"Content-Length: 1001\r\n\r\n" + body).endswith(b"\r\n\r\n0")


def saying_length(_self: Running, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    said = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]


def test_a_body_for_which_the_disk_has_no_room_is_said_to_be(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_values: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(connections.OverflowableBuffer, "_set_large_buffer", full)
    said = running.raw(POST + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
    assert said.startswith(b"HTTP/1.1 507 ") and connections.SENTENCES[507].encode() in said
    monkeypatch.undo()
    assert running.answers()


# What is written of it


@pytest.mark.parametrize(
    "row",
    [
        f"| between two requests, and before the first | {connections.IDLE:.0f} s |",
        f"| the first line and headers of a request | {connections.HEAD_TIME:.0f} s |",
        f"| some more of a body, or of an answer being taken | {connections.PAUSE:.0f} s |",
        f"| a request from its first byte to its last | {connections.REQUEST_TIME / 60:.0f} minutes |",
        f"together | {connections.HEAD_LIMIT // 1024} kB, {connections.FIELDS_LIMIT} headers |",
        f"| body of a request | {connections.BODY_LIMIT >> 20} MB; {connections.UPLOAD_BODY_LIMIT >> 20} MB of an",
        f"all its connections (at most {connections.CONNECTIONS})",
    ],
)
def test_every_limit_is_documented(row: str) -> None:
    assert row in Path("docs/operating.md").read_text()
