"""A real server with two workers, and requests that no program sends: it answers, logs no fault, loses no worker.

`KB_TEST_RUNS=2000 make test ARGS=tests/fuzz/test_server.py` sends so many of each kind, with a seed that a failure
tells.
"""

from __future__ import annotations

import http.client
import random
import re
import secrets
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import session as cookie
from flask_wtf.csrf import generate_csrf

from bench.mutating import mutated, mutated_text
from kb.models import LinkPurpose
from kb.services import accounts, links, previews, sessions
from kb.web.accounts import TOKEN
from tests import factories, stack, uploads
from tests.conftest import Site, configure
from tests.fuzz.pages import in_parts
from tests.fuzz.strategies import RUNS, read_as
from tests.planted import planted
from tests.processes import PATIENCE, Server, children, conversations, knows_workers, serving, workers

SEED = secrets.randbits(32) if RUNS else 9
BATCH = 100
"""Requests after which every worker has to answer."""

FAULTS = re.compile(r"Traceback|\bfault [0-9a-f]{8}\b|WORKER TIMEOUT|CRITICAL|was sent SIG|Exception in worker")
"""What a server says when something of ours broke."""


class Target:
    """A running server, what opens doors there, and its workers as they were at the start."""

    def __init__(self, server: Server, cookies: dict[str, str], csrf: str, tokens: dict[str, str], draft: str) -> None:
        self.server = server
        self.cookies, self.csrf, self.tokens, self.draft = cookies, csrf, tokens, draft
        self.workers = workers(server)

    def raw(self, data: bytes) -> bytes:
        """Send bytes, end the request there, and return all that comes back."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.server.port), PATIENCE) as connection:
            with suppress(ConnectionError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    answer += piece
        return answer

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Ask over a connection of its own; returns the status and the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def is_well(self) -> None:
        """Fail where a fault was logged, or where a worker is another one or does not answer."""
        said = self.server.said()
        found = FAULTS.search(said)
        assert not found, f"seed {SEED}: {said[max(0, found.start() - 500) :][:5000] if found else ''}"
        assert children(self.server.process.pid) == self.workers, f"seed {SEED}: {said[-3000:]}"
        for talk in conversations(self.server, self.workers).values():
            assert talk.ask("GET", "/healthz").status == 200
            talk.close()


@pytest.fixture(scope="module")
def target(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("target") / "data")
    site = Site(configure(folder))
    with site.app.test_request_context():
        csrf = generate_csrf()
        kept = cookie["csrf_token"]
    with site.database.write() as session:
        people = {name: accounts.get(session, f"{name}@example.org") for name in ("alice", "bob", "dora", "rita")}
        factories.published(session, people["alice"])
        draft = factories.draft(session, people["alice"], title="A draft to look at")
        opened = {name: sessions.open_session(session, user) for name, user in people.items()}
        tokens = {
            "api": accounts.new_token(session, "alice@example.org"),
            "link": links.new_link(session, LinkPurpose.SIGN_IN, people["dora"]),
            "preview": previews.make(session, people["alice"], draft, 30)[1],
        }
        draft_id = str(draft.id)
    site.drain()
    cookies = {}
    for name, token in opened.items():
        client = site.app.test_client()
        with client.session_transaction() as held:
            held["csrf_token"], held[TOKEN], held.permanent = kept, token, True
        made = client.get_cookie("kb")
        assert made
        cookies[name] = made.value
    site.close()
    with serving(folder, KB_SECRET_KEY="k" * 40, KB_LIMITS="off", KB_WORKERS="2") as server:
        yield Target(server, cookies, csrf, tokens, draft_id)


def rounds(few: int) -> Iterator[random.Random]:
    """A source of chance for each request: so many in `make test`, always the same."""
    for number in range(RUNS or few):
        yield random.Random(f"{SEED} {number}")


def requests(target: Target) -> list[bytes]:
    """Requests that are right, each a whole one."""
    host = b"Host: 127.0.0.1:%d\r\n" % target.server.port
    signed = b"Cookie: kb=%s; lang=de\r\n" % target.cookies["alice"].encode()
    form = f"csrf_token={quote(target.csrf)}&title=A+title&do=save".encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(form[n : n + 30]), form[n : n + 30]) for n in range(0, len(form), 30))
    post = b"POST /my/practices/%s/edit HTTP/1.1\r\n" % target.draft.encode() + host + signed
    plain = b"Content-Type: application/x-www-form-urlencoded\r\n"
    body, kind = in_parts([("csrf_token", target.csrf), ("kind", "image")], [("file", "a.png", uploads.picture("PNG"))])
    get = b"GET /practices?q=nurses&country=IT HTTP/1.1\r\n" + host + b"Accept-Language: de, en;q=0.5\r\n\r\n"
    return [
        get,
        get + get.replace(b"/practices?q=nurses&country=IT", b"/healthz"),
        b"GET /my/practices HTTP/1.0\r\n" + host + signed + b"\r\n",
        b"HEAD /practices.csv HTTP/1.1\r\n" + host + b"Range: bytes=0-99\r\nIf-None-Match: \"x\"\r\n\r\n",
        post + plain + b"Content-Length: %d\r\n\r\n" % len(form) + form,
        post + plain + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
        post + plain + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(form) + form + get,
        b"POST /my/practices/%s/files HTTP/1.1\r\n" % target.draft.encode() + host + signed +
        b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind.encode(), len(body)) + body,
        b"POST /api/v1/practices?draft=1 HTTP/1.1\r\n" + host +
        b"Authorization: Bearer %s\r\n" % target.tokens["api"].encode() +
        b"Content-Type: application/json\r\nContent-Length: 33\r\n\r\n" + b'{"title": "ABC", "language":"en"}',
        b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n",
    ]  # fmt: skip


@knows_workers
def test_bytes_that_are_no_request_are_answered_or_hung_up_on(target: Target) -> None:
    good = requests(target)
    for number, chance in enumerate(rounds(40)):
        sent = mutated(chance, chance.choice(good), good)
        answer = target.raw(sent)
        statuses = re.findall(rb"(?:^|\r\n|\n)HTTP/1\.[01] (\d{3}) ", answer)
        assert answer == b"" or answer.startswith(b"HTTP/1."), (
            f"seed {SEED}, {number}: {sent[:2000]!r}: {answer[:300]!r}"
        )
        assert not [each for each in statuses if each >= b"500" and each != b"501"], (
            f"seed {SEED}, {number}: {sent[:3000]!r}\n{answer[:2000]!r}"
        )
        if number % BATCH == BATCH - 1:
            target.is_well()
    target.is_well()


@knows_workers
def test_what_opens_a_door_opens_none_once_it_was_changed(target: Target) -> None:
    theirs = list(target.cookies.values())
    for number, chance in enumerate(rounds(15)):
        who = chance.choice(list(target.cookies))
        said = mutated_text(chance, target.cookies[who], theirs)
        held = re.sub(r"[^!#-+\--:<-\[\]-~]", "", said)[:8000]
        status, page = target.ask("GET", "/account", Cookie=f"kb={held}")
        seen = {name for name in target.cookies if f"{name}@example.org" in page}
        theirs_too = {name for name, good in target.cookies.items() if read_as(good) in read_as(held)}
        assert status in (200, 302) and seen <= theirs_too, f"seed {SEED}, {number}: {who} became {seen} with {held}"
        kind = chance.choice(list(target.tokens))
        token = mutated_text(chance, target.tokens[kind], list(target.tokens.values()))
        if read_as(token) in map(read_as, target.tokens.values()):
            continue
        address = quote(token.encode("utf-8", "surrogatepass")[:20_000], safe="")
        for where in ("link", "preview", "invitation", "reset"):
            status, page = target.ask("GET", f"/{where}/{address}")
            assert status < 500 and "A draft to look at" not in page, f"seed {SEED}, {number}: /{where}/{address}"
        bearer = re.sub(r"[^!-~]", "", token)[:8000]
        if target.tokens["api"] not in bearer:
            status, _page = target.ask("GET", "/api/v1/my/practices", Authorization=f"Bearer {bearer}")
            assert status == 401, f"seed {SEED}, {number}: {bearer}"
        if number % BATCH == BATCH - 1:
            target.is_well()
    target.is_well()


FILES = {
    "image": (uploads.picture(), uploads.picture("PNG"), uploads.picture("WEBP"), uploads.located(), uploads.moving()),
    "attachment": (uploads.pdf(), uploads.docx(), uploads.odt(), uploads.locked_pdf()),
}
TABLES = (planted(74)[0][:20_000], b'[{"title": "A house", "language": "en"}]', uploads.docx())


@knows_workers
def test_a_damaged_upload_is_taken_or_refused(target: Target) -> None:
    practice = target.draft
    every = [data for held in (*FILES.values(), TABLES) for data in held]
    for number, chance in enumerate(rounds(5)):
        if number % 8 == 7:
            practice = _begun(target)
        kind = chance.choice((*FILES, "table"))
        data = mutated(chance, chance.choice(TABLES if kind == "table" else FILES[kind]), every)
        words = [("csrf_token", target.csrf), ("kind", kind), ("title", "T"), ("alt", "A"), ("aim", "draft")]
        body, written = in_parts(words, [("file", "a.csv" if kind == "table" else "a.bin", data)])
        if chance.random() < 0.2:  # and now and then the envelope, not the letter
            body = mutated(chance, body, every)
        where, who = ("/admin/import", "bob") if kind == "table" else (f"/my/practices/{practice}/files", "alice")
        status, page = target.ask("POST", where, body, Cookie=f"kb={target.cookies[who]}", Content_Type=written)
        if staged := re.search(r"/admin/import/[0-9a-f-]{36}", page):  # few files may wait for somebody at a time
            dropped = f"csrf_token={quote(target.csrf)}&do=drop".encode()
            form = "application/x-www-form-urlencoded"
            target.ask("POST", staged[0], dropped, Cookie=f"kb={target.cookies['bob']}", Content_Type=form)
        assert status in (302, 400, 409, 413, 422), f"seed {SEED}, {number}: {where} {status}\n{page[:2000]}"
        if number % 20 == 19:
            target.is_well()
    target.is_well()


def _begun(target: Target) -> str:
    """A new practice of Alice's, which has room for files."""
    practice = str(uuid.uuid4())
    said = f"csrf_token={quote(target.csrf)}&draft={practice}&title=Files&language=en".encode()
    kind = "application/x-www-form-urlencoded"
    status, page = target.ask(
        "POST", f"/my/practices/{practice}/autosave", said, Cookie=f"kb={target.cookies['alice']}", Content_Type=kind
    )
    assert status == 200, page
    return practice
