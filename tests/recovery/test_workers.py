"""Four workers are one site: a guess counts in all of them, and a session that ended is ended in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest

from tests import stack
from tests.factories import PASSWORD
from tests.processes import Answer, Conversation, Server, conversations, eventually, knows_workers, serving
from tests.processes import children as workers_of

pytestmark = knows_workers

ALICE, BOB, CHARLIE, RITA = (f"{name}@example.org" for name in ("alice", "bob", "charlie", "rita"))


@pytest.fixture(scope="module")
def server(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Four workers behind a proxy that says where a request comes from. Each test has people of its own."""
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("workers") / "data")
    with serving(folder, KB_WORKERS="4", KB_TRUSTED_PROXIES="1", KB_LIMITS="on") as server:
        eventually(lambda: len(workers_of(server.process.pid)) == 4)
        yield server


@dataclass
class Browser:
    """Keeps its cookies, whichever worker it talks with."""

    address: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, talk: Conversation, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        held = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": held, "X-Forwarded-For": self.address, "Host": "127.0.0.1"}
        answer = talk.ask(method, path, form, **headers)
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def post(self, talk: Conversation, path: str, page: str, **form: str) -> Answer:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.ask(talk, "GET", page).text)
        assert token, page
        return self.ask(talk, "POST", path, {**form, "csrf_token": token.group(1)})

    def sign_in(self, talk: Conversation, email: str, password: str = PASSWORD) -> Answer:
        return self.post(talk, "/sign-in", "/sign-in", email=email, password=password)


class Workers:
    """The workers of a server in turn, each over a new connection: a held one ends after seconds of rest."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._turn = cycle(workers_of(server.process.pid))
        self._last: Conversation | None = None

    def next(self) -> Conversation:
        """A conversation with the worker whose turn it is; the one before ends."""
        self.close()
        wanted = next(self._turn)
        self._last = conversations(self._server, [wanted])[wanted]
        return self._last

    def close(self) -> None:
        """End the last conversation."""
        if self._last:
            self._last.close()

    def signed_in(self, browser: Browser) -> list[bool]:
        """Whether a browser is signed in, as each worker sees it."""
        return [browser.ask(self.next(), "GET", "/account").status == 200 for _ in range(4)]


@pytest.fixture
def workers(server: Server) -> Iterator[Workers]:
    """The four workers."""
    workers = Workers(server)
    yield workers
    workers.close()


def test_the_eleventh_failure_of_an_account_is_refused_by_each_worker(workers: Workers) -> None:
    guesses = [Browser(f"192.0.2.{n}").sign_in(workers.next(), CHARLIE, "a wrong guess").status for n in range(14)]
    assert guesses == [401] * 10 + [429] * 4
    refused = Browser("192.0.2.99").sign_in(workers.next(), CHARLIE)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0
    assert Browser("192.0.2.99").sign_in(workers.next(), ALICE).status == 302


def test_the_twenty_first_failure_of_an_address_is_refused_by_each_worker(workers: Workers) -> None:
    guesses = [
        Browser("198.51.100.7").sign_in(workers.next(), f"nobody{n}@example.org", "a guess").status for n in range(24)
    ]
    assert guesses == [401] * 20 + [429] * 4
    assert Browser("192.0.2.99").sign_in(workers.next(), ALICE).status == 302


def test_a_session_ended_elsewhere_is_ended_for_each_worker(workers: Workers) -> None:
    here, there = Browser(), Browser()
    for browser in (here, there):
        assert browser.sign_in(workers.next(), ALICE).status == 302
    assert workers.signed_in(there) == [True] * 4
    assert here.post(workers.next(), "/account/sessions", "/account/sessions", end="others").status == 302
    assert workers.signed_in(there) == [False] * 4
    assert workers.signed_in(here) == [True] * 4


def test_a_changed_password_ends_the_other_sessions_for_each_worker(workers: Workers) -> None:
    here, there = Browser(), Browser()
    for browser in (here, there):
        browser.sign_in(workers.next(), BOB)
    assert workers.signed_in(there) == [True] * 4
    form = {"current": PASSWORD, "password": "another quite long phrase 7", "again": "another quite long phrase 7"}
    assert here.post(workers.next(), "/account/password", "/account/password", **form).status == 302
    assert workers.signed_in(there) == [False] * 4
    assert workers.signed_in(here) == [True] * 4


def test_who_is_disabled_is_signed_out_for_each_worker(workers: Workers) -> None:
    rita, dora = Browser(), Browser()
    rita.sign_in(workers.next(), RITA)
    dora.sign_in(workers.next(), "dora@example.org")
    assert workers.signed_in(rita) == [True] * 4
    listed = dora.ask(workers.next(), "GET", "/admin/users?q=rita").text
    page = re.search(r'href="(/admin/users/[0-9a-f-]{36})"', listed)
    assert page
    assert dora.post(workers.next(), f"{page[1]}/access", page[1], do="disable").status == 302
    assert workers.signed_in(rita) == [False] * 4
    assert rita.sign_in(workers.next(), RITA).status == 401
