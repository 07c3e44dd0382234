"""What is too long, too large or too much is refused in a sentence by a real server, which goes on to answer."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from kb.db import Database
from kb.services import accounts
from kb.services.limits import BODY_LIMIT
from kb.web.limiting import FIELDS_LIMIT
from tests import stack
from tests.conftest import configure
from tests.processes import PATIENCE, Server, serving

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PARTS = b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' for _ in range(FIELDS_LIMIT + 1))


@pytest.fixture(scope="module")
def server(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("sizes") / "data")
    database = Database(configure(folder).database_url)
    with database.write() as session:
        JSON["Authorization"] = f"Bearer {accounts.new_token(session, 'alice@example.org')}"
    database.close()
    with serving(folder, KB_LIMITS="off", KB_WORKERS="1") as server:
        yield server


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "sentence"),
    [
        ("GET", "/practices?q=" + quote("ä" * 10_000), None, {}, 400, "Shorten the question"),
        ("GET", "/api/v1/practices?q=" + quote("ä" * 10_000), None, {}, 400, "Shorten the question"),
        ("GET", "/practices?" + "country=IT&" * 101 + "theme=housing", None, {}, 200, ""),
        ("GET", "/practices?" + "a&" * (FIELDS_LIMIT + 1), None, {}, 414, "The address is too long"),
        ("GET", "/" + "x" * 200_000, None, {}, 414, "The address is longer than this site reads."),
        ("GET", "/", None, {"X-Long": "x" * 200_000}, 431, "The headers of this request are larger"),
        ("GET", "/", None, {f"X-{n}": "x" for n in range(110)}, 431, "The headers of this request are larger"),
        ("POST", "/sign-in", b"email=" + b"x" * BODY_LIMIT, FORM, 413, "larger than this site takes"),
        ("POST", "/sign-in", b"a=b&" * (FIELDS_LIMIT + 1), FORM, 413, "larger than this site takes"),
        ("POST", "/sign-in", PARTS, {"Content-Type": "multipart/form-data; boundary=x"}, 413, "larger than this site"),
        ("POST", "/sign-in", b"x" * 33 * 1024**2, FORM, 413, "larger than this site takes"),
        ("POST", "/sign-in", b"x", {"Content-Type": "multipart/form-data"}, 400, ""),
        ("POST", "/api/v1/practices", b"x" * (BODY_LIMIT + 1), JSON, 413, "larger than this site takes"),
        ("GET", "/practices?page=1000000000", None, {}, 400, "The page number must be a whole number"),
        ("GET", "/practices?per_page=1000", None, {}, 400, "The number a page must be a whole number"),
        ("GET", "/api/v1/practices?page=99999&q=a", None, {}, 200, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_too_much_is_refused_in_a_sentence(
    server: Server, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, sentence: str
) -> None:
    said, text, _headers = ask(server, method, path, body, headers)
    assert said == status
    assert sentence in text and "Traceback" not in text
    assert ask(server, "GET", "/healthz")[0] == 200


def test_json_that_is_nested_deeper_than_can_be_read_is_refused(server: Server) -> None:
    status, text, _headers = ask(server, "POST", "/api/v1/practices", b"[" * 100_000, JSON)
    assert status == 400 and "Traceback" not in text


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/site.css", "/api/v1/themes", "/practices.csv", "/healthz"])
def test_no_answer_says_which_server_it_is(server: Server, path: str) -> None:
    status, _text, headers = ask(server, "GET", path)
    assert status in (200, 404)
    assert not {"server", "via", "x-powered-by"} & {name.lower() for name in headers}


def test_an_address_in_absolute_form_is_checked_by_its_host_header(server: Server) -> None:
    status, text, _headers = ask(server, "GET", "http://evil.example/sign-in", headers={"Host": "127.0.0.1"})
    assert status == 200 and "evil" not in text
    assert ask(server, "GET", "http://127.0.0.1/", headers={"Host": "evil.example"})[0] == 400


def test_a_request_of_http_1_0_without_a_host_is_answered(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    connection.putrequest("GET", "/healthz", skip_host=True, skip_accept_encoding=True)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()


def test_two_slashes_lead_nowhere_else(server: Server) -> None:
    for path in ("//evil.example/about", "//evil.example/practices/", "/\\evil.example"):
        status, _text, headers = ask(server, "GET", path)
        assert status in (200, 308, 404) and not re.match(r"//|https?://(?!127)", headers.get("Location", ""))
