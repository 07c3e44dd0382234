"""nginx as it is shipped in `deploy/`, before real web servers: what it hands on, what it holds back, whom it leaves.

Names, ports and paths of the shipped files are replaced, nothing else.
"""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from tests import nginx, serving, stack, uploads, webserver
from tests.factories import PASSWORD
from tests.nginx import NAME, Nginx
from tests.processes import Server, eventually, free_port
from tests.processes import serving as running
from tests.recovery.writers import hidden

pytestmark = pytest.mark.skipif(nginx.available() is not None, reason=str(nginx.available()))

BASE = {"KB_BASE_URL": f"https://{NAME}", "KB_TRUSTED_PROXIES": "1", "KB_WORKERS": "1", "KB_SECRET_KEY": "k" * 40}


class Said(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


@contextmanager
def before(folder: Path, *ports: int) -> Iterator[Nginx]:
    """nginx before servers at these ports."""
    made = Nginx(folder, free_port(), free_port(), ports, (free_port(), free_port()))
    made.start()
    try:
        yield made
    finally:
        made.stop()


def ask(site: Nginx, method: str, path: str, body: bytes | None = None, **headers: str) -> Said:
    connection = site.connection()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, {"Host": NAME, **named})
        answer = connection.getresponse()
        return Said(answer.status, answer.read(), answer.headers)
    finally:
        connection.close()


# What it hands on


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """An application that tells what it was asked."""
    length = len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    asked = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"length": length, **asked}).encode()]


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx before an application that tells what it was asked."""
    place = tmp_path_factory.mktemp("nginx") / "n"
    with serving.answering(echo) as url, before(place, int(url.rpartition(":")[2])) as made:
        yield made


@pytest.mark.parametrize("machines", [1, 2])
def test_nginx_takes_the_shipped_configuration_without_a_word_of_warning(tmp_path: Path, machines: int) -> None:
    ports = [free_port() for _ in range(machines)]
    said = Nginx(tmp_path / "n", free_port(), free_port(), ports, (free_port(), free_port())).tested()
    assert "test is successful" in said
    assert "[warn]" not in said


def test_who_asks_is_told_by_nginx_whatever_the_visitor_says(echoing: Nginx) -> None:
    lies = {"X_Forwarded_For": "203.0.113.9", "X_Real_IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    lies |= {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http", "X_Request_ID": "chosen-by-a-visitor"}
    heard = json.loads(ask(echoing, "GET", "/", **lies).body)
    assert (heard["X_FORWARDED_FOR"], heard["X_FORWARDED_PROTO"]) == ("127.0.0.1", "https")
    assert (heard["X_FORWARDED_HOST"], heard["HOST"]) == (NAME, NAME)
    assert len(heard["X_REQUEST_ID"]) == 32 and heard["X_REQUEST_ID"] != "chosen-by-a-visitor"
    assert not {"X_REAL_IP", "FORWARDED"} & heard.keys()


def test_a_body_as_large_as_an_upload_may_be_gets_through(echoing: Nginx) -> None:
    size = 32 * 1024 * 1024
    assert json.loads(ask(echoing, "POST", "/", bytes(size)).body)["length"] == size


def test_a_larger_body_is_refused_in_a_sentence_before_it_is_sent(echoing: Nginx) -> None:
    connection = echoing.connection()
    connection.putrequest("POST", "/", skip_host=True)
    for name, value in {"Host": NAME, "Content-Length": str(40 * 1024 * 1024), "Expect": "100-continue"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"Send less at once" in answer.read()
    connection.close()


def test_a_long_question_gets_through(echoing: Nginx) -> None:
    assert ask(echoing, "GET", "/practices?q=" + "a" * 40_000).status == 200


def test_plain_http_leads_to_https(echoing: Nginx) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", echoing.plain)
    connection.request("GET", "/practices?q=a+b", headers={"Host": NAME})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/practices?q=a+b")
    connection.close()


def test_the_version_of_nginx_is_told_to_nobody(echoing: Nginx) -> None:
    assert ask(echoing, "GET", "/").headers["Server"] == "nginx"


def test_an_export_that_breaks_off_does_not_look_whole(tmp_path: Path) -> None:
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/csv\r\n\r\n5\r\nid,ti\r\n"
    with webserver.serving(lambda _asked: begun) as server, before(tmp_path / "n", server.port) as site:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            ask(site, "GET", "/practices.csv")


# Two servers


@pytest.fixture(scope="module")
def folder(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the seed and people."""
    return stack.copy(town_folder, tmp_path_factory.mktemp("behind") / "data")


@pytest.fixture(scope="module")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx before one server with the seed and people."""
    with running(folder, **BASE) as one, before(tmp_path_factory.mktemp("nginx") / "n", one.port) as made:
        yield made


class Browser:
    """Somebody signed in."""

    def __init__(self, site: Nginx, name: str) -> None:
        self.site, self.cookies, self.csrf = site, "", ""
        form = hidden(self.ask("GET", "/sign-in").body.decode())
        said = self.post("/sign-in", email=f"{name}@example.org", password=PASSWORD, csrf_token=form["csrf_token"])
        assert said.status == 302, said.body
        self.csrf = hidden(self.ask("GET", "/account/password").body.decode())["csrf_token"]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Said:
        said = ask(self.site, method, path, body, **({"Cookie": self.cookies} if self.cookies else {}), **headers)
        held = dict(each.split("=", 1) for each in self.cookies.split("; ") if each)
        held |= dict(each.partition(";")[0].split("=", 1) for each in said.headers.get_all("Set-Cookie") or ())
        self.cookies = "; ".join(f"{name}={value}" for name, value in held.items())
        return said

    def post(self, path: str, **form: str) -> Said:
        body = urlencode({"csrf_token": self.csrf, **form}).encode()
        return self.ask("POST", path, body, Content_Type="application/x-www-form-urlencoded")


def test_people_sign_in_through_it_with_cookies_for_https_alone(site: Nginx) -> None:
    alice = Browser(site, "alice")
    assert "__Host-kb" in alice.cookies
    assert alice.ask("GET", "/my/practices").status == 200


def test_a_document_near_the_limit_is_taken_and_given_back_whole(site: Nginx) -> None:
    alice = Browser(site, "alice")
    draft = "7d6f3c52-5a8e-4a52-9a5e-3a8f5d1c2b10"
    assert alice.post("/submit", draft=draft, title="A practice with a file", do="save").status in (302, 303)
    document = uploads.pdf(padding=9_900_000)
    fields = {"csrf_token": alice.csrf, "kind": "attachment", "title": "The report"}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    named = b'Content-Disposition: form-data; name="file"; filename="r.pdf"'
    body = b"".join(parts) + b"--b\r\n" + named + b"\r\n\r\n" + document + b"\r\n--b--\r\n"
    said = alice.ask("POST", f"/my/practices/{draft}/files", body, Content_Type="multipart/form-data; boundary=b")
    assert said.status in (302, 303), said.body


def test_a_page_that_did_not_change_is_304_and_head_has_no_body(site: Nginx) -> None:
    page = ask(site, "GET", "/practices")
    assert ask(site, "GET", "/practices", If_None_Match=page.headers["ETag"]).status == 304
    head = ask(site, "HEAD", "/practices")
    assert (head.status, head.body) == (200, b"")


def test_pages_come_compressed_where_the_site_says_so(site: Nginx) -> None:
    assert ask(site, "GET", "/practices", Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert ask(site, "GET", "/practices").headers["Content-Encoding"] is None


def style(site: Nginx) -> str:
    """The address of a style sheet, with the hash of what it holds."""
    page = ask(site, "GET", "/").body.decode()
    return next(each.split('"')[0] for each in page.split('href="') if each.startswith("/static/site.css"))


def test_a_file_is_kept_for_a_year_in_both_forms_and_given_in_part(site: Nginx) -> None:
    path = style(site)
    plain, packed = ask(site, "GET", path), ask(site, "GET", path, Accept_Encoding="gzip")
    assert "max-age=31536000, immutable" in plain.headers["Cache-Control"]
    assert (plain.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == (None, "gzip")
    assert ask(site, "GET", path)[:2] == plain[:2]
    part = ask(site, "GET", path, Range="bytes=0-9")
    assert (part.status, part.body) in ((206, plain.body[:10]), (200, plain.body))


def test_every_answer_bears_the_number_that_nginx_gave_it(site: Nginx) -> None:
    numbers = {ask(site, "GET", "/").headers["X-Request-ID"] for _ in range(3)}
    assert len(numbers) == 3 and all(len(each) == 32 for each in numbers)


@contextmanager
def before_two(folder: Path, place: Path) -> Iterator[tuple[Nginx, Server, Server]]:
    """nginx before two servers on a data folder."""
    with running(folder, **BASE) as one, running(folder, **BASE) as two, before(place, one.port, two.port) as site:
        yield site, one, two


def test_a_killed_server_is_left_at_once_by_readers_and_by_who_writes(folder: Path, tmp_path: Path) -> None:
    with before_two(folder, tmp_path / "n") as (site, one, two):
        alice = Browser(site, "alice")
        one.stop(signal.SIGKILL)
        assert {ask(site, "GET", "/practices").status for _ in range(8)} == {200}
        saved = {alice.post("/submit", title=f"Written beside a dead server {n}", do="save").status for n in range(4)}
        assert saved <= {302, 303}
        two.stop(signal.SIGKILL)
        nobody = ask(site, "GET", "/practices")
        assert (nobody.status, nobody.headers["Retry-After"]) == (503, "10")
        assert b"Nothing of what was saved is lost" in nobody.body
        with running(folder, port=one.port, **BASE):
            eventually(lambda: ask(site, "GET", "/practices").status == 200)


def test_a_server_that_is_told_to_end_is_left_without_an_error(folder: Path, tmp_path: Path) -> None:
    with before_two(folder, tmp_path / "n") as (site, one, _two):
        assert {ask(site, "GET", "/practices").status for _ in range(4)} == {200}
        assert one.stop(signal.SIGTERM) == 0
        assert {ask(site, "GET", "/practices").status for _ in range(8)} == {200}
