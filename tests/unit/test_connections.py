"""Connections that are slow, rest or break off: none of them holds up anybody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kb.cli import connections, receiving
from kb.services import limits
from tests.edge import ANSWERED, HEAD, LARGE, POST, Running, asking, gone, serving, statuses, until_the_end, whole
from tests.processes import PATIENCE, eventually
from tests.recovery.scarcity import small_files

SMALL = 16_384
"""Bytes of an answer that the system takes in for a reader who does not read."""


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for who takes too long at every step."""
    monkeypatch.setattr(connections, "LOOK_EVERY", 0.0)


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


@pytest.mark.parametrize("path", ["/large", "/whole", "/file"])
def test_clients_that_do_not_read_hold_no_thread(running: Running, path: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(running.connect(asking(path), SMALL)) for _ in range(connections.THREADS + 1)]
        assert running.answers()
        assert all(len(whole(each).partition(b"\r\n\r\n")[2]) == LARGE for each in slow)


def test_clients_that_ask_for_much_at_once_and_do_not_read_hold_no_thread(running: Running) -> None:
    asked = asking("/whole") * 2 + asking("/", "Connection: close")
    with ExitStack() as stack:
        slow = [stack.enter_context(running.connect(asked, SMALL)) for _ in range(connections.THREADS)]
        eventually(lambda: running.asked.count("/whole") >= connections.THREADS)
        assert running.answers()
        assert running.asked.count("/whole") == connections.THREADS, "one answer each, until it was taken"
        assert statuses(until_the_end(slow[0])) == [200] * 3


def test_of_answers_that_nobody_reads_the_system_holds_little(running: Running) -> None:
    with running.connect(asking("/whole"), SMALL):
        eventually(lambda: running.asked == ["/whole"])
        [channel] = running.server.active_channels.values()
        eventually(lambda: not channel.requests)
        assert channel.total_outbufs_len > LARGE - 8 * connections.SENT_AHEAD


def test_what_came_together_is_answered_in_its_order(running: Running) -> None:
    many = [f"/{number}" for number in range(300)]
    said = running.all_of(b"".join(map(asking, many)) + asking("/last", "Connection: close"))
    assert statuses(said) == [200] * 301 and running.asked == [*many, "/last"]


def test_nothing_is_read_before_what_came_earlier(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with running.connect():
        eventually(lambda: len(running.server.active_channels) == 1)
        [channel] = running.server.active_channels.values()
        monkeypatch.setattr(channel, "go_on", lambda: None)
        assert channel.readable()
        channel.ahead = asking("/")
        assert not channel.readable()


def test_after_an_answer_that_ends_the_connection_nothing_more_is_answered(running: Running) -> None:
    said = running.all_of(asking("/", "Connection: close") + asking("/more"))
    assert statuses(said) == [200] and running.asked == ["/"]


def test_bodies_that_came_together_go_to_the_requests_that_they_are_of(running: Running) -> None:
    first, second = POST + b"Content-Length: 5\r\n\r\nfirst", POST + b"Transfer-Encoding: chunked\r\n\r\n"
    said = running.all_of(first + second + b"7\r\nseconds\r\n0\r\n\r\n" + asking("/", "Connection: close"))
    assert [part.partition(b"\r\n\r\n")[2] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"5", b"7", b"0"]


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


def test_of_the_threads_some_are_never_kept_by_readers_and_the_others_free_when_those_are_let_go(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = running.server.task_dispatcher
    with ExitStack() as stack:
        for _ in range(connections.THREADS + 1):
            stack.enter_context(running.connect(asking("/large"), SMALL))
        eventually(lambda: running.asked.count("/large") == connections.THREADS + 1)
        eventually(lambda: threads.active_count == connections.WAITING)
        monkeypatch.setattr(connections, "PAUSE", 0.0)
        eventually(lambda: not running.server.active_channels)
        eventually(lambda: threads.active_count == 0)


def test_a_reader_who_takes_little_at_a_time_is_let_go_in_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.connect(asking("/large"), SMALL) as slow:
        assert slow.recv(1)
        monkeypatch.setattr(connections, "LEAST_SPEED", 10**12)
        monkeypatch.setattr(connections, "ANSWER_TIME", 0.0)
        eventually(lambda: not running.server.active_channels)


def test_a_reader_who_takes_enough_may_take_long(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with running.connect(asking("/large"), SMALL) as slow:
        assert slow.recv(1)
        [channel] = running.server.active_channels.values()
        monkeypatch.setattr(connections, "ANSWER_TIME", 0.0)
        monkeypatch.setattr(connections, "LEAST_SPEED", 0)
        assert not channel.too_slow(channel.moved + connections.PAUSE - 1)


def test_who_brings_a_body_slowly_has_all_the_time_of_an_answer_left(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.connect(POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        [channel] = running.server.active_channels.values()
        assert channel.answering is None
        connection.sendall(b"here")
        assert whole(connection).startswith(ANSWERED)


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


# Answers that break off


def test_an_answer_that_breaks_off_has_no_end_and_is_logged(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    said = running.all_of(asking("/breaks"))
    assert b"Transfer-Encoding: chunked" in said and b"5\r\nbegun\r\n" in said and b"\r\n0\r\n" not in said
    assert "Exception while serving /breaks" in caplog.text and "it broke" in caplog.text
    assert running.answers()


def test_an_answer_of_a_known_length_that_breaks_off_is_too_short(running: Running) -> None:
    said = running.all_of(asking("/breaks/known"))
    assert b"Content-Length: 1000" in said and said.removesuffix(b"(reset)").endswith(b"\r\n\r\nbegun")


def test_to_a_client_that_knows_no_chunks_an_answer_that_breaks_off_ends_with_a_reset(running: Running) -> None:
    said = running.all_of(b"GET /breaks HTTP/1.0\r\n\r\n")
    assert said.endswith(b"\r\n\r\nbegun(reset)")
    assert not running.all_of(b"GET / HTTP/1.0\r\n\r\n").endswith(b"(reset)")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # waitress drops a file that it could not fill
def test_an_answer_for_which_the_disk_has_no_room_breaks_off_and_is_logged(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    threads = running.server.task_dispatcher
    with running.connect(room=SMALL) as slow:
        with small_files(2 * connections.ANSWERS_IN_MEMORY):
            slow.sendall(asking("/large"))
            eventually(lambda: bool(caplog.records) and not running.server.active_channels)
            eventually(lambda: threads.active_count == 0)
        said = until_the_end(slow)
    assert len(said) < LARGE and said.endswith(b"(reset)")
    [line] = [record for record in caplog.records if record.name == connections.__name__]
    assert line.levelno == logging.ERROR and line.getMessage().startswith("an answer broke off, there was no room")
    assert running.answers()


# What is written of it


@pytest.mark.parametrize(
    "row",
    [
        f"| between two requests, and before the first | {connections.IDLE:.0f} s |",
        f"| the first line and headers of a request | {connections.HEAD_TIME:.0f} s |",
        f"| some more of a body, or of an answer being taken | {connections.PAUSE:.0f} s |",
        f"| a request from its first byte to its last | {connections.REQUEST_TIME / 60:.0f} minutes |",
        f"| an answer that goes at less than {connections.LEAST_SPEED // 1000} kB a second | "
        f"{connections.ANSWER_TIME / 60:.0f} minutes |",
        f"| bodies of a process, together | {connections.BODIES >> 20} MB | 503 |",
        f"Bodies over {receiving.IN_MEMORY >> 10} kB and answers over {connections.ANSWERS_IN_MEMORY >> 10} kB",
        f"at most {connections.WAITING} of the {connections.THREADS} threads",
        f"together | {receiving.HEAD_LIMIT // 1024} kB, {receiving.FIELDS_LIMIT} headers |",
        f"| body of a request | {limits.BODY_LIMIT >> 20} MB; {limits.UPLOAD_BODY_LIMIT >> 20} MB of an",
        f"all its connections (at most {connections.CONNECTIONS})",
    ],
)
def test_every_limit_is_documented(row: str) -> None:
    assert row in Path("docs/operations.md").read_text()
