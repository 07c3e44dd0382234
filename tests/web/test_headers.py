"""What every answer says of itself: each rule is held against every address of the site, and every kind of answer.

The rules are those that Mozilla's HTTP Observatory scores (https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring):
whoever keeps all of them gets an A+, with points for what goes beyond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from tests import stack
from tests.conftest import Site, configure
from tests.test_routes import ROWS, World

HTTPS = "https://practices.example.eu"


@dataclass(frozen=True)
class Said:
    """One answer: who asked for what, and what was said."""

    who: str
    path: str
    status: int
    headers: Headers
    text: str

    @property
    def html(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    def __repr__(self) -> str:
        return f"{self.status} {self.path} to {self.who}"


@pytest.fixture(scope="module")
def world(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(stack.copy(peopled_folder, tmp_path_factory.mktemp("headers") / "data"))
    yield world
    world.site.close()


@pytest.fixture(scope="module")
def answers(world: World) -> list[Said]:
    """Everything that is read, by a stranger and by an administrator, and every kind of answer that no row has."""
    found = []
    for who in ("stranger", "administrator"):
        client = world.browser(who)
        for method, _rule, address, _answers in ROWS:
            if method == "GET":
                found.append(asked(client, who, address.format(**world.ids)))
        found += others(world, client, who)
    return found


def asked(client: FlaskClient, who: str, path: str, method: str = "GET", **more: Any) -> Said:
    answer = client.open(path, method=method, **more)
    said = Said(who, f"{method} {path}", answer.status_code, answer.headers, answer.data.decode(errors="replace"))
    answer.close()
    return said


def others(world: World, client: FlaskClient, who: str) -> Iterator[Said]:
    """Static files, an upload, and what goes wrong or is not sent again."""
    site, csrf = world.site, {"csrf_token": world.csrf}
    yield asked(client, who, "/static/site.css")
    yield asked(client, who, "/static/missing.css")
    yield asked(client, who, "/bootstrap/static/missing.css")
    yield asked(world.browser("reader"), "reader", "/admin/users")
    yield asked(client, who, "/nowhere")
    yield asked(client, who, "/api/v1/nowhere")
    yield asked(client, who, "/practices?country=XX")
    yield asked(client, who, "/api/v1/practices?nothing=1")
    yield asked(client, who, "/about", "DELETE")
    yield asked(client, who, "/about", "OPTIONS")
    yield asked(client, who, "/about", "HEAD")
    yield asked(client, who, "/api/v1/practices", "OPTIONS")
    yield asked(client, who, "/sign-in", "POST", data={"email": "x"})
    yield asked(client, who, "/sign-in", "POST", data={"email": "x" * 5 * 1024**2, **csrf})
    yield asked(client, who, "/about", headers={"Host": "elsewhere.example"})
    yield asked(client, who, "/practices/")
    tag = client.get("/practices").headers.get("ETag")
    yield asked(client, who, "/practices", headers={"If-None-Match": tag or "*"})
    mark = client.get("/api/v1/themes").headers["ETag"]
    yield asked(client, who, "/api/v1/themes", headers={"If-None-Match": mark})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(site.app.view_functions, "pages.about", broken)
        yield asked(client, who, "/about")


def broken(*_args: Any, **_named: Any) -> Any:
    raise RuntimeError("on purpose")


def test_every_kind_of_answer_is_looked_at(answers: list[Said]) -> None:
    assert {each.status for each in answers} >= {200, 302, 303, 304, 400, 401, 403, 404, 405, 413, 500}


def wrong(answers: list[Said], holds: Any) -> list[Said]:
    return [each for each in answers if not holds(each)]


# The content policy


def directives(said: Said) -> dict[str, list[str]]:
    policy = said.headers.get("Content-Security-Policy", "")
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}


def test_every_answer_has_a_content_policy_that_allows_nothing_it_does_not_name(answers: list[Said]) -> None:
    assert wrong(answers, lambda each: directives(each).get("default-src") == ["'none'"]) == []


def test_no_policy_has_anything_unsafe(answers: list[Said]) -> None:
    assert wrong(answers, lambda each: "unsafe" not in each.headers["Content-Security-Policy"]) == []


def test_no_policy_lets_code_in_from_elsewhere(answers: list[Said]) -> None:
    def holds(said: Said) -> bool:
        rules = directives(said)
        return all(set(rules.get(name, [])) <= {"'self'", "'none'"} for name in rules if name != "img-src")

    assert wrong(answers, holds) == []
    assert wrong(answers, lambda each: set(directives(each).get("img-src", [])) <= {"'self'", "data:"}) == []


@pytest.mark.parametrize("name", ["frame-ancestors", "base-uri"])
def test_every_policy_says_what_default_src_does_not_cover(answers: list[Said], name: str) -> None:
    assert wrong(answers, lambda each: directives(each).get(name) == ["'none'"]) == []


def test_every_policy_says_where_forms_may_go(answers: list[Said]) -> None:
    assert wrong(answers, lambda each: directives(each).get("form-action") in (["'self'"], ["'none'"])) == []


def test_no_page_has_code_or_style_that_the_policy_forbids(answers: list[Said]) -> None:
    inline = re.compile(
        r"<script(?![^>]*\b(?:src|type=.application/(?:ld\+)?json))|<style|\son\w+=|\sstyle=|javascript:"
    )
    assert [(each, inline.findall(each.text)) for each in answers if each.html and inline.search(each.text)] == []


def test_pages_load_code_and_style_from_this_site_alone(answers: list[Said]) -> None:
    loaded = re.compile(r"<(?:script[^>]*\ssrc|link[^>]*rel=.stylesheet.[^>]*\shref|img[^>]*\ssrc)=[\"']([^\"']+)")
    elsewhere = [
        (each, source)
        for each in answers
        if each.html
        for source in loaded.findall(each.text)
        if not re.match(r"/(?!/)|data:image/", source)
    ]
    assert elsewhere == []


# The other headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ],
)
def test_every_answer_says(answers: list[Said], name: str, value: str) -> None:
    assert wrong(answers, lambda each: each.headers.getlist(name) == [value]) == []


def test_no_link_tells_other_sites_which_page_it_was_on(answers: list[Said]) -> None:
    told_origin_at_most = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
    assert wrong(answers, lambda each: each.headers.get("Referrer-Policy") in told_origin_at_most) == []


def test_no_page_may_use_anything_of_the_device(answers: list[Said]) -> None:
    def holds(said: Said) -> bool:
        named = said.headers["Permissions-Policy"].split(", ")
        return len(named) > 30 and all(re.fullmatch(r"[a-z-]+=\(\)", each) for each in named)

    assert wrong(answers, holds) == []


def test_other_sites_may_show_what_their_scripts_may_read_and_nothing_else(answers: list[Said]) -> None:
    def holds(said: Said) -> bool:
        path = said.path.split()[1]
        shared = path.startswith("/api/") or said.headers.get("Access-Control-Allow-Origin") == "*"
        return said.headers.get("Cross-Origin-Resource-Policy") == ("cross-origin" if shared else "same-origin")

    assert wrong(answers, holds) == []


def test_the_scripts_of_other_sites_read_no_page_and_nothing_with_a_cookie(answers: list[Said]) -> None:
    pages = [each for each in answers if each.html and each.text]
    assert wrong(pages, lambda each: "Access-Control-Allow-Origin" not in each.headers) == []
    assert wrong(answers, lambda each: "Access-Control-Allow-Credentials" not in each.headers) == []


def test_no_answer_says_what_it_was_made_with(answers: list[Said]) -> None:
    telling = {"Server", "X-Powered-By", "Via", "X-Generator", "X-AspNet-Version"}
    assert wrong(answers, lambda each: not telling & set(each.headers.keys())) == []


def test_every_answer_says_how_long_it_may_be_kept(answers: list[Said]) -> None:
    assert wrong(answers, lambda each: each.headers.get("Cache-Control")) == []


def test_what_somebody_signed_in_is_shown_is_kept_nowhere(answers: list[Said]) -> None:
    mine = [each for each in answers if each.who == "administrator"]
    public = ("/static/", "/bootstrap/", "/api/")
    kept = [
        each
        for each in mine
        if not each.path.split()[1].startswith(public) and "no-store" not in each.headers["Cache-Control"]
    ]
    assert kept == []


def test_where_cookies_count_caches_are_told(answers: list[Said]) -> None:
    ignored = ("/static/", "/bootstrap/", "/api/")
    told = [each for each in answers if not each.path.split()[1].startswith(ignored)]
    assert wrong(told, lambda each: {"cookie", "accept-language"} <= {name.lower() for name in varying(each)}) == []


def varying(said: Said) -> list[str]:
    return re.split(r",\s*", said.headers.get("Vary", ""))


def test_http_is_not_said_to_be_https(answers: list[Said]) -> None:
    assert wrong(answers, lambda each: "Strict-Transport-Security" not in each.headers) == []


# Where the public address is https


@pytest.fixture(scope="module")
def secure(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("https") / "data")
    site = Site(configure(folder, KB_BASE_URL=HTTPS))
    yield site
    site.close()


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/site.css", "/api/v1/themes", "/favicon.ico"])
def test_a_browser_is_to_keep_to_https_for_a_year_at_least(secure: Site, path: str) -> None:
    said = asked(secure.client(), "stranger", path, base_url=HTTPS).headers.getlist("Strict-Transport-Security")
    assert len(said) == 1
    found = re.fullmatch(r"max-age=(\d+); includeSubDomains", said[0])
    assert found and int(found[1]) >= 31_536_000


def cookies_of(site: Site, base_url: str) -> list[str]:
    client = site.app.test_client()
    page = client.get("/sign-in", base_url=base_url)
    client.get("/language/en", base_url=base_url)
    chosen = client.get("/language/it", base_url=base_url)
    return [*page.headers.getlist("Set-Cookie"), *chosen.headers.getlist("Set-Cookie")]


def test_cookies_go_over_https_to_this_host_alone(secure: Site) -> None:
    cookies = cookies_of(secure, HTTPS)
    assert len(cookies) == 2
    for each in cookies:
        flags = {part.strip() for part in each.split(";")[1:]}
        assert each.startswith("__Host-") and {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= flags
        assert not any(flag.startswith("Domain") for flag in flags)


def test_cookies_over_http_keep_scripts_and_other_sites_out(world: World) -> None:
    cookies = cookies_of(world.site, "http://localhost")
    assert len(cookies) == 2 and all("HttpOnly" in each and "SameSite=Lax" in each for each in cookies)


def test_a_reader_gets_no_cookie(answers: list[Said]) -> None:
    forms = (
        "/sign-in",
        "/register",
        "/reset",
        "/link/",
        "/invitation/",
        "/preview/",
        "/account/address/",
        "/language/",
    )
    readers = [each for each in answers if each.who == "stranger" and each.path.startswith("GET")]
    given = [each for each in readers if "Set-Cookie" in each.headers]
    assert [each for each in given if not each.path.split()[1].startswith(forms) and "/report" not in each.path] == []
