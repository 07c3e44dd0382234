"""Requests that are not HTTP, or too much of it, and bodies: what is read, what is kept, what is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kb.cli import connections, receiving
from kb.services.limits import BODY_LIMIT, UPLOAD_BODY_LIMIT
from kb.web import files
from tests.conftest import Site
from tests.edge import ANSWERED, GET, HEAD, POST, Running, asking, body, serving, whole
from tests.processes import eventually
from tests.recovery.scarcity import small_files


@pytest.fixture
def running() -> Iterator[Running]:
    with serving() as running:
        yield running


SOME = "0b6e4a0c-5d53-4f6e-9a53-6f9d8f3a7c11"
"""The number of a practice; the same each time, as the names of tests have to be in every process."""


# What is not HTTP, or too much of it


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * receiving.HEAD_LIMIT, 414),
        (GET + b"X: " + b"x" * receiving.HEAD_LIMIT, 431),
        (GET + b"X: x\r\n" * 110 + b"\r\n", 431),
        (b"GET /\x01 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"get / HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"nothing\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (GET + b"No colon\r\n\r\n", 400),
        (GET + b"X: a\x00b\r\n\r\n", 400),
        (GET + b"X: goes\r\n on\r\n\r\n", 400),
        (GET + b"Host: a\nX: b\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1, 2\r\n\r\n", 400),
        (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * receiving.CHUNK_LINE_LIMIT, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * receiving.TRAILER_LIMIT, 431),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (POST + b"Content-Length: %d\r\n\r\n" % receiving.SWALLOWED, 413),
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


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET + b"X:" + b" " * 150_000 + b"a\r\n\r\n", 200),
        (GET + b"X:" + b"\t" * 150_000 + b"\x01\r\n\r\n", 400),
        (b"GET http://" + b"1" * 150_000 + b" x\r\n\r\n", 400),
        (b"\r\n" * 30_000 + GET + HEAD + b"\r\n", 200),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n", 200),
    ],
    ids=["blanks", "blanks in vain", "digits", "blank lines", "chunks"],
)
def test_nothing_takes_long_to_parse(running: Running, sent: bytes, status: int) -> None:
    """Waitress alone takes minutes for the first three of them, in which nobody else is served."""
    assert running.raw(sent).startswith(b"HTTP/1.1 %d " % status)


def test_chunks_are_parsed_a_few_at_a_time(running: Running) -> None:
    reader = receiving.Reader(running.server.adj)
    head, chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000
    assert reader.received(head + chunks) == len(head)
    assert reader.received(chunks) == receiving.CHUNKS_AT_ONCE


def test_headers_are_handed_on_as_they_were_sent(running: Running) -> None:
    reader = receiving.Reader(running.server.adj)
    sent = GET + b"A:b\r\nC:   d: e  \r\nEmpty:\r\n\r\n"
    assert reader.received(sent + b"more") == len(sent + b"more") and reader.behind == b"more"
    assert reader.headers == {"A": "b", "C": "d: e", "EMPTY": ""}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_given_to_the_app_whole(running: Running, chunked: bool) -> None:
    sent = b"x" * 100_000
    framed = (
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent)
        if chunked
        else POST + b"Content-Length: %d\r\n\r\n%s" % (len(sent), sent)
    )
    assert running.raw(framed).endswith(b"\r\n\r\n100000")


def test_of_a_body_that_is_too_large_the_app_sees_the_length_alone_and_the_client_the_answer(running: Running) -> None:
    with running.connect() as connection:
        for _ in range(2):  # and the connection goes on
            connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body()) + body())
            assert whole(connection).startswith(b"HTTP/1.1 413 ")


def test_of_a_body_in_chunks_that_is_too_large_the_app_sees_the_length_alone(running: Running) -> None:
    framed = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    assert running.raw(framed % (BODY_LIMIT + 1, body())).startswith(b"HTTP/1.1 413 Content Too Large")
    assert running.raw(framed % (BODY_LIMIT, body(0))).startswith(ANSWERED)


def test_of_a_body_in_chunks_no_more_than_twice_the_limit_is_read(running: Running) -> None:
    framed = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (10 * BODY_LIMIT)
    with running.connect(framed) as connection:
        connection.sendall(b"x" * (2 * BODY_LIMIT + 1 - len(b"%x\r\n" % (10 * BODY_LIMIT))))
        assert connections.SENTENCES[413].encode() in whole(connection)


def test_whoever_asks_first_whether_a_large_body_is_welcome_hears_that_it_is_not(running: Running) -> None:
    said = running.raw(POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body()))
    assert said.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in said


def test_whoever_asks_first_whether_a_body_is_welcome_hears_that_it_is(running: Running) -> None:
    with running.connect(POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"here")
        assert whole(connection).endswith(b"\r\n\r\n4")


def test_whoever_asks_whether_a_body_is_welcome_and_brings_none_is_answered(running: Running) -> None:
    assert running.raw(asking("/", "Expect: 100-continue")).startswith(ANSWERED)


@pytest.mark.parametrize(
    ("path", "cookie", "kept"),
    [
        (f"/my/practices/{SOME}/files", "a=b; kb=held", 1001),
        ("/admin/import", "__Host-kb=held", 1001),
        ("/admin/import", "a=b", 0),
        ("/my/practices", "kb=held", 0),
        (f"/my/practices/{SOME}/edit", "kb=held", 0),
    ],
)
def test_who_is_signed_in_may_send_more_to_where_files_are_taken(
    running: Running, monkeypatch: pytest.MonkeyPatch, path: str, cookie: str, kept: int
) -> None:
    monkeypatch.setattr(receiving, "BODY_LIMIT", 1000)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Length: 1001\r\n\r\n"
    assert running.raw(head.encode() + b"x" * 1001).endswith(b"\r\n\r\n%d" % kept)


def test_files_are_taken_at_the_addresses_that_may_be_sent_more(site: Site) -> None:
    taking = set()
    for rule in site.app.url_map.iter_rules():
        path = str(rule).replace("<uuid:practice_id>", SOME).replace("<sha256>", "a" * 64)
        if "POST" in (rule.methods or ()) and receiving.UPLOADS.fullmatch(path):
            taking.add(rule.endpoint)
    assert taking == set(files.UPLOADS) and UPLOAD_BODY_LIMIT > BODY_LIMIT


def test_a_process_keeps_no_more_bodies_than_it_has_room_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODIES", 250_000)
    sent = POST + b"Content-Length: 150000\r\n\r\n" + b"x" * 150_000
    with running.connect(sent[:-1]) as first:
        eventually(lambda: running.server.bodies == 149_999)
        said = running.raw(sent)
        assert said.startswith(b"HTTP/1.1 503 ") and connections.SENTENCES[503].encode() in said
        assert b"Retry-After: 60" in said
        assert running.raw(POST + b"Content-Length: 4\r\n\r\nhere").startswith(ANSWERED)
        first.sendall(b"x")
        assert whole(first).endswith(b"\r\n\r\n150000")
    eventually(lambda: running.server.bodies == 0)
    assert running.raw(sent).startswith(ANSWERED)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_for_which_the_disk_has_no_room_is_said_to_be(running: Running, chunked: bool) -> None:
    framed = POST + (
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (2_000_000, b"x" * 2_000_000)
        if chunked
        else b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000
    )
    with small_files(200_000):
        said = running.raw(framed)
    assert said.startswith(b"HTTP/1.1 507 ") and connections.SENTENCES[507].encode() in said
    assert running.raw(framed).startswith(ANSWERED)
