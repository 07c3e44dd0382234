"""What the log and the counts keep of requests, and what they must not: who asked, and in which words."""

from __future__ import annotations

import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kb import logs
from kb.formats import csv
from kb.models import Scope
from kb.services import accounts, catalogue, previews, tokens
from kb.web import observing
from tests import edge, factories, stack
from tests.conftest import Site, configure, token


class Log:
    """Everything that is logged, as the lines of JSON that an operator gets."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(logs.JsonLines())

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The lines of requests, also of such as took long: this machine may be busy."""
        return [line for line in self.lines() if line["message"] in ("request", "slow request")]

    def lines(self, message: str | None = None) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if message in (None, line["message"])]


@pytest.fixture
def log() -> Iterator[Log]:
    log, root, ours = Log(), logging.getLogger(), logging.getLogger("kb")
    level = ours.level
    root.addHandler(log.handler)
    ours.setLevel(logging.INFO)
    yield log
    root.removeHandler(log.handler)
    ours.setLevel(level)


@pytest.fixture
def strict(peopled_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes a site with other settings."""
    made: list[Site] = []

    def make(**env: str) -> Site:
        folder = stack.copy(peopled_folder, tmp_path / f"data{len(made)}")
        made.append(Site(configure(folder, **env)))
        return made[-1]

    yield make
    for site in made:
        site.close()


# The line of a request


def test_a_request_is_a_line_with_rule_status_time_size_kind_of_person_and_number(site: Site, log: Log) -> None:
    answer = site.client().get("/themes/housing?utm_source=zanzibar", buffered=True)
    (line,) = log.requests
    assert line["request"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"], line["person"]) == ("GET", "/themes/<slug>", 200, "reader")
    assert line["bytes"] == len(answer.data) and line["ms"] > 0


@pytest.mark.parametrize(
    ("who", "kind"), [("rita", "reader"), ("alice", "member"), ("bob", "editor"), ("dora", "admin")]
)
def test_a_line_tells_the_kind_of_person_and_not_who(site: Site, log: Log, who: str, kind: str) -> None:
    site.client(who).get("/account", buffered=True)
    (line,) = log.requests
    assert line["person"] == kind and who not in log.text


def test_a_program_is_the_kind_of_person_whose_token_it_has(site: Site, log: Log) -> None:
    with site.database.write() as session:
        secret = tokens.make(session, accounts.get(session, "alice@example.org"), "Ours", Scope.SUBMIT, 90)
    site.client().get("/api/v1/my/practices", headers={"Authorization": f"Bearer {secret}"}, buffered=True)
    assert log.requests[0]["person"] == "member"


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("/preview/kept-by-nobody-else", "/preview/<token>"),
        ("/reset/kept-by-nobody-else", "/reset/<token>"),
        ("/no/such/address", "-"),
        ("/practices?q=zanzibar", "/practices"),
    ],
)
def test_a_line_has_the_rule_and_never_the_address(site: Site, log: Log, address: str, rule: str) -> None:
    site.client().get(address, buffered=True)
    assert [line["path"] for line in log.requests] == [rule]


def test_a_streamed_list_is_a_line_with_all_its_bytes(reading_site: Site, log: Log) -> None:
    answer = reading_site.client().get("/practices.csv", buffered=True)
    size = len(answer.data)
    assert [line["bytes"] for line in log.requests] == [size] and size > 100_000


def test_a_file_sent_as_it_is_has_a_line_too(reading_site: Site, log: Log) -> None:
    reading_site.client().get("/static/icon.svg").close()
    assert [line["path"] for line in log.requests] == ["/static/<path:filename>"]


def test_an_answer_that_nobody_reads_to_its_end_is_a_line(reading_site: Site, log: Log) -> None:
    answer = reading_site.client().get("/practices.json", buffered=False)
    answer.close()
    assert len(log.requests) == 1


def test_an_answer_that_breaks_off_is_logged_once_without_the_address(
    reading_site: Site, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = "zanzibar"

    def broken(*_: Any) -> Iterator[str]:
        yield "x" * 100_000
        raise RuntimeError(f"{word} has gone")

    monkeypatch.setattr("kb.web.exports.FORMATS", {"csv": csv_format(broken)})
    answer = reading_site.client().get(f"/practices.csv?q={word}", buffered=False)
    with pytest.raises(observing.BrokenOff):
        list(answer.iter_encoded())
    answer.close()
    (line,) = log.lines("an answer broke off")
    assert line["request"] == answer.headers["X-Request-ID"] == log.requests[0]["request"]
    assert "RuntimeError: [left out] has gone" in line["exception"] and word not in log.text


def test_a_list_that_breaks_off_does_not_look_whole_to_who_takes_it(
    reading_site: Site, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[str]:
        yield "x" * 100_000
        raise RuntimeError("gone")

    monkeypatch.setattr("kb.web.exports.FORMATS", {"csv": csv_format(broken)})
    with edge.serving(reading_site.app) as running:
        said = running.all_of(edge.asking("/practices.csv"))
        older = running.all_of(b"GET /practices.csv HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert edge.statuses(said) == edge.statuses(older) == [200]
    assert b"x" * 1000 in said and not said.removesuffix(b"(reset)").endswith(b"\r\n0\r\n\r\n")
    assert older.endswith(b"x(reset)")
    assert len(log.lines("an answer broke off")) == 2


def csv_format(write: Callable[..., Iterator[str]]) -> Any:
    from kb.web.exports import Format

    return Format("csv", csv.MEDIA_TYPE, write, "CSV", "")


def test_a_request_that_takes_long_is_a_warning(strict: Callable[..., Site], log: Log) -> None:
    strict(KB_SLOW_MS="1").client().get("/help", buffered=True)
    (line,) = log.lines("slow request")
    assert line["level"] == "warning" and line["path"] == "/help" and not log.lines("request")


def test_no_request_is_slow_where_nobody_minds(strict: Callable[..., Site], log: Log) -> None:
    strict(KB_SLOW_MS="0").client().get("/help", buffered=True)
    assert [line["message"] for line in log.lines()] == ["request"]


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_machines_that_watch_over_the_site_make_no_noise(strict: Callable[..., Site], log: Log, address: str) -> None:
    assert strict(KB_SLOW_MS="0").client().get(address, buffered=True).status_code == 200
    assert not log.text


# Nobody is in it


def test_nobody_and_nothing_that_was_typed_is_in_the_log(site: Site, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        secret = tokens.make(session, alice, "Ours", Scope.SUBMIT, 90)
        draft = factories.draft(session, alice, title="Zebra crossing")
        preview = previews.make(session, alice, draft, 14)[1]
    words = play(site, secret, preview)
    monkeypatch.setattr("kb.services.catalogue.figures", lambda *_: fail(f"no {words['query']} of {words['email']}"))
    monkeypatch.setattr(
        "kb.services.accounts.authenticate", lambda *_a, **_k: fail(f"{words['email']} {words['password']}")
    )
    play(site, secret, preview)
    assert len(log.lines("fault")) >= 3 and len(log.requests) > 15
    assert all("ZanzibarError" in line["exception"] for line in log.lines("fault"))
    found = {name for name, word in words.items() if word.lower() in log.text.replace("ZanzibarError", "").lower()}
    assert not found, log.text


class ZanzibarError(Exception):
    """A fault that says all it knows."""


def fail(says: str) -> None:
    raise ZanzibarError(says)


def play(site: Site, secret: str, preview: str) -> dict[str, str]:
    """Typical requests; returns what of them must be nowhere in the log."""
    email, password, query, address = "alice@example.org", "harbour-lantern-9", "xylophone", "203.0.113.77"
    away = {"REMOTE_ADDR": address}
    client = site.app.test_client()
    for path in (
        f"/?q={query}",
        f"/practices?q={query}",
        f"/about?q={query}",
        f"/api/v1/practices?q={query}",
        f"/suggest?q={query}",
    ):
        client.get(path, environ_base=away, buffered=True)
    client.get(f"/about?q={query}", headers={"Referer": f"https://a.example/{query}"}, environ_base=away, buffered=True)
    client.get(f"/preview/{preview}", environ_base=away, buffered=True)
    client.get(f"/preview/{preview[:-4]}nope", environ_base=away, buffered=True)
    client.get("/reset/reset-token-of-somebody", environ_base=away, buffered=True)
    form = {"csrf_token": token(client, "/sign-in"), "email": email, "password": password}
    client.post("/sign-in", data=form, environ_base=away, buffered=True)
    client.post("/reset", data=form, environ_base=away, buffered=True)
    bearer = {"Authorization": f"Bearer {secret}"}
    client.get("/api/v1/my/practices", headers=bearer, environ_base=away, buffered=True)
    client.post("/api/v1/practices", json={"title": query, "contact": {"email": email}}, headers=bearer, buffered=True)
    client.get(f"/{query}/{secret}", environ_base=away, buffered=True)
    site.client("alice").get(f"/practices?q={query}", environ_base=away, buffered=True)
    return {
        "email": email, "name": email.partition("@")[0], "password": password, "query": query, "address": address,
        "token": secret, "preview": preview, "reset": "reset-token-of-somebody", "csrf": form["csrf_token"],
    }  # fmt: skip


# The number of a request


def test_the_number_on_the_page_of_a_fault_finds_the_line_with_its_trace(
    reading_site: Site, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "figures", lambda *_: 1 / 0)
    answer = reading_site.client().get("/about")
    found = re.search(r"Number of the fault: (\w+)", answer.text)
    assert found and found[1] == answer.headers["X-Request-ID"]
    (line,) = [line for line in log.lines("fault") if line["request"] == found[1]]
    assert "ZeroDivisionError" in line["exception"] and line["path"] == "/about" and line["level"] == "error"


def test_the_number_of_a_fault_is_in_a_problem_of_the_api_too(
    reading_site: Site, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "search", lambda *_a, **_k: 1 / 0)
    answer = reading_site.client().get("/api/v1/practices")
    assert answer.status_code == 500
    assert json.loads(answer.data)["instance"] == f"urn:fault:{answer.headers['X-Request-ID']}"


def test_a_number_is_taken_from_a_proxy_that_is_trusted(strict: Callable[..., Site]) -> None:
    number = uuid.uuid4().hex
    answer = strict(KB_TRUSTED_PROXIES="1").client().get("/help", headers={"X-Request-ID": number})
    assert answer.headers["X-Request-ID"] == number


def test_a_number_is_taken_from_nobody_else(site: Site) -> None:
    number = uuid.uuid4().hex
    assert site.client().get("/help", headers={"X-Request-ID": number}).headers["X-Request-ID"] != number


@pytest.mark.parametrize("number", ["short", "x" * 65, "with blanks in it", "<script>alert(1)</script>", "ünicode-1"])
def test_a_number_that_does_not_look_right_is_replaced(strict: Callable[..., Site], number: str) -> None:
    client = strict(KB_TRUSTED_PROXIES="1").client()
    answer = client.get("/help", environ_base={"HTTP_X_REQUEST_ID": number})
    assert re.fullmatch(r"[0-9a-f]{12}", answer.headers["X-Request-ID"])


def test_no_two_requests_have_one_number(reader: FlaskClient) -> None:
    assert len({reader.get("/help").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_what_caches_keep_for_others_has_no_number(reader: FlaskClient) -> None:
    first = reader.get("/themes")
    again = reader.get("/themes", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, "X-Request-ID" in again.headers) == (304, False)
    style = re.search(r'href="(/static/[^"]+\.css\?v=[^"]+)"', first.text)
    assert style and "X-Request-ID" not in reader.get(style[1], buffered=True).headers
