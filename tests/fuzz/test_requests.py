"""What a request is made of beside a form: its address, its headers, its cookies, its tokens."""

from __future__ import annotations

import random
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.mutating import mutated_text
from kb.services import links, previews, sessions
from kb.services.errors import NotFound, ServiceError
from kb.services.query import KNOWN
from tests.fuzz.pages import Town
from tests.fuzz.strategies import RUNS, TEXT, each_of, mistaken, often, read_as

# Headers

READ = (
    "/", "/practices", "/practices?q=housing", "/practices.csv?q=housing", "/practices.atom",
    "/practices/catalonia-acol-line",    "/practices/catalonia-acol-line.docx",
    "/practices/catalonia-acol-line.json", "/feed.atom", "/oai?verb=Identify",
    "/catalog.ttl", "/vocabularies/themes.ttl", "/sitemap.xml", "/robots.txt", "/api/v1/practices", "/api/v1/themes",
    "/api/v1/my/practices", "/api/v1/practices/catalonia-acol-line", "/suggest?q=hou", "/static/css/site.css",
    "/sign-in", "/my/practices", "/favicon.ico", "/healthz", "/readyz", "/metrics", "/files/{sha}.jpg", "/language/de",
)  # fmt: skip

HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": ("text/html", "application/json;q=0.9, */*;q=0.1", "text/html;level=1;q=NaN", "*/*;q=1e999"),
    "Accept-Language": ("de-AT, fr;q=0.8, *;q=0.1", "en;q=-1", "x-" + "a" * 200, "zh-Hant-CN-x-private1-private2"),
    "Accept-Encoding": ("gzip, br;q=0", "gzip;q=0.0001", "identity;q=0, *;q=0"),
    "If-None-Match": ('"abc", W/"def"', "*", 'W/"' + "a" * 3000 + '"', '"', "W/"),
    "If-Match": ('"abc"', "*", "W/*"),
    "If-Modified-Since": ("Wed, 21 Oct 2026 07:28:00 GMT", "Thu, 01 Jan 0001 00:00:00 +2359",
                          "Fri, 31 Dec 9999 23:59:59 -2359"),
    "If-Unmodified-Since": ("Wed, 21 Oct 2026 07:28:00 GMT", "Thu, 01 Jan 0001 00:00:00 +2359"),
    "If-Range": ('"abc"', "Wed, 21 Oct 2026 07:28:00 GMT"),
    "Range": ("bytes=0-10", "bytes=-1", "bytes=5-2", "bytes=0-0,1-1,2-2", "bytes=99999999999999999999-", "lines=1-2"),
    "Content-Type": ("application/json", "multipart/form-data; boundary=x", "text/html; charset=\"\\"),
    "Authorization": ("Bearer ripkb_x", "Basic YTpi", "Basic ====", "Bearer", "Bearer a b",
                      "Digest username=\"a\", nonce=\""),
    "Cookie": ("kb=x.y.z", "lang=de; lang=xx", "kb=\"\\303\\251\"", "a" * 5000, "kb=eyJ9.a.b; kb=", "=; ;;=;"),
    "Host": ("localhost", "127.0.0.1:99999", "evil.example", "[::1", "localhost:abc", "LOCALHOST.", "a" * 300),
    "X-Forwarded-For": ("1.2.3.4, ::1", "unknown", "1.2.3.4" * 200),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Proto": ("https", "javascript"),
    "X-Forwarded-Prefix": ("/evil",),
    "X-HTTP-Method-Override": ("DELETE",),
    "X-Request-Id": ("a" * 5000, "a\tb"),
    "Origin": ("null", "https://evil.example", "http://[::1"),
    "Referer": ("http://[::1", "javascript:alert(1)", "//evil.example"),
    "User-Agent": ("Mozilla/5.0", "() { :; }; echo", "%s%n" * 100),
    "X-CSRFToken": ("x", "a.b.c"),
    "Content-Length": ("0", "-1", "99999999999", "abc", "1_0"),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "identity"),
    "Expect": ("100-continue", "200-ok"),
    "Upgrade": ("h2c", "websocket"),
}  # fmt: skip
"""Headers that somebody reads, with values that are right, nearly right and wrong."""

SENT = st.sampled_from(sorted(HEADERS)).flatmap(
    lambda name: st.tuples(st.just(name), (st.sampled_from(HEADERS[name]) | mistaken(*HEADERS[name])).map(
        lambda text: re.sub("[^\t -~\xa0-\xff]", "?", text)[:8000]))  # what a server hands on of a header
)  # fmt: skip


@often(30)
@given(path=st.sampled_from(READ), headers=st.lists(SENT, min_size=1, max_size=4), who=st.sampled_from([None, "alice"]),
       method=st.sampled_from(["GET", "GET", "HEAD", "OPTIONS", "POST"]))  # fmt: skip
def test_any_headers_are_answered(town: Town, path: str, headers: Any, who: str | None, method: str) -> None:
    client = town.browser(who)
    answer = client.open(path.format(sha="a" * 64), method=method, headers=headers)
    town.judged(answer, f"{method} {path} {headers}")
    town.undo()


# Addresses


def rules(town: Town, method: str) -> list[Any]:
    """The rules that take a method."""
    return sorted(
        (rule for rule in town.site.app.url_map.iter_rules() if method in rule.methods), key=lambda rule: rule.rule
    )


NUMBERS = ("0", "1", "2", "00001", str(2**31), str(2**63), str(2**64), "9" * 400, "9" * 4299, "9" * 6000, "-1",
           "1e3", "²", "٣", "+1", "1.0")  # fmt: skip
WORDS = (
    "catalonia-acol-line",
    "themes",
    "en",
    "reset",
    "csv",
    "json",
    "unpublish",
    "unknown",
    "a.b",
    "..",
    ".",
    "%00",
    "a b",
)


@st.composite
def addresses(draw: st.DrawFn, town: Town, rule: str) -> str:
    """An address under a rule, its gaps filled with good and bad values."""

    def put(found: re.Match[str]) -> str:
        kind = found[1]
        good = st.sampled_from(
            NUMBERS if kind == "int" else sorted(set(town.names.values())) if kind == "uuid" else WORDS
        )
        text = draw(good | good | st.sampled_from(sorted(set(town.names.values()))) | TEXT | mistaken(*WORDS))
        return quote(text.encode("utf-8", "surrogatepass")[:20_000], safe=draw(st.sampled_from(("", "/", ".%"))))

    return re.sub(r"<(?:([a-z]+):)?[a-z0-9_]+>", put, rule)


PARAMS = st.lists(
    st.tuples(
        st.sampled_from([*KNOWN, "lang", "into", "list", "next", "page", "q", "state", "to", "v", "version",
        "whose",
                         "since",                         "object", "actor", "action", "fields",
                         "draft", "p", "verb", "metadataPrefix", "saved", "from",
                         "until", "set", "identifier", "resumptionToken", "updated_since"]) | TEXT,
        TEXT | mistaken("1", "100", "housing", "ES51", "2026-11-22", "alice@example.org", "oai_dc", "ListRecords"),
    ), max_size=4)  # fmt: skip


def query(pairs: list[tuple[str, str]]) -> str:
    """Parameters as they stand in an address; half a surrogate pair as the bytes that are no UTF-8."""
    return "&".join("=".join(quote(each.encode("utf-8", "surrogatepass")[:3000]) for each in pair) for pair in pairs)


def test_every_address_answers_whatever_stands_in_it(town: Town) -> None:
    def ask(rule: Any) -> None:
        @often(2, share=20)
        @given(path=addresses(town, rule.rule), params=PARAMS, who=st.sampled_from([None, "alice", "bob", "dora"]))
        def asked(path: str, params: Any, who: str | None) -> None:
            headers = {"Authorization": f"Bearer {town.api_token}"}
            answer = town.browser(who).get(f"{path}?{query(params)}", headers=headers)
            town.judged(answer, f"GET {path[:3000]} {params}")
            town.undo()

        asked()

    each_of([rule for rule in rules(town, "GET") if RUNS or "<" in rule.rule], ask)


# Cookies and tokens

FORGED = "Forged"
"""What is written where nobody may write: as a name and as a title."""


@often(20)
@given(
    seed=st.integers(0, 2**64), who=st.sampled_from(["alice", "bob", "dora"]), other=st.sampled_from(["alice", "rita"])
)
def test_a_cookie_that_was_changed_is_whose_it_was_or_nobodys(town: Town, seed: int, who: str, other: str) -> None:
    cookie = mutated_text(random.Random(seed), town.cookies[who], [town.cookies[other], town.cookies[None]])
    cookie = re.sub(r"[^!#-+\--:<-\[\]-~]", "", cookie)[:4000]
    client = town.site.app.test_client()
    client.set_cookie("kb", cookie)
    answer = town.judged(client.get("/account"), cookie)
    if answer.status_code == 200:
        seen = {each for each in ("alice", "bob", "dora", "rita") if f"{each}@example.org" in answer.text}
        assert seen <= {each for each in (who, other) if read_as(town.cookies[each]) in read_as(cookie)}


@often(10)
@given(seed=st.integers(0, 2**64))
def test_a_form_with_a_token_that_was_changed_changes_nothing(town: Town, seed: int) -> None:
    token = mutated_text(random.Random(seed), town.csrf, [town.csrf[::-1]])
    if read_as(token) == read_as(town.csrf):
        return
    data = f"csrf_token={quote(token.encode('utf-8', 'surrogatepass'))}&name={FORGED}"
    answer = town.browser("alice").post("/account", data=data, content_type="application/x-www-form-urlencoded")
    town.judged(answer, token)
    assert answer.status_code == 400 and not town.holds(FORGED)


LINKS = ("link", "used", "invitation", "registration", "reset", "address", "preview", "preview_over", "offer", "search",
         "unsubscribe")  # fmt: skip


@often(8)
@given(seed=st.integers(0, 2**64), name=st.sampled_from(LINKS), other=st.sampled_from(LINKS))
def test_a_link_that_was_changed_opens_nothing(town: Town, seed: int, name: str, other: str) -> None:
    token = mutated_text(random.Random(seed), town.names[name], [town.names[other]])
    if read_as(token) in {read_as(town.names[each]) for each in LINKS}:
        return
    with town.site.database.read() as session:
        with pytest.raises(NotFound):
            links.check_link(session, token)
        with pytest.raises(ServiceError):
            previews.opened(session, token)
        assert sessions.found(session, token) == (None, False)
    path = quote(token.encode("utf-8", "surrogatepass")[:5000], safe="")
    for where in ("link", "invitation", "register", "reset", "preview", "unsubscribe", "unsubscribe/search", "offers"):
        answer = town.judged(town.browser("charlie").get(f"/{where}/{path}"), f"{where} {token}")
        assert answer.status_code in (200, 301, 302, 308, 400, 404, 405) and (not token or answer.status_code != 200
               or "/" in token or "." in token), f"{where} {token}"  # fmt: skip


@often(10)
@given(seed=st.integers(0, 2**64), prefix=st.sampled_from(["Bearer ", "bearer ", "", "Bearer\t", "Basic ", "Token "]))
def test_a_token_of_the_api_that_was_changed_writes_nothing(town: Town, seed: int, prefix: str) -> None:
    token = re.sub("[^\t -~\xa0-\xff]", "?", mutated_text(random.Random(seed), town.api_token))[:4000]
    if token.strip() == town.api_token:
        return
    client = town.site.app.test_client()
    for answer in (
        client.get("/api/v1/my/practices", headers={"Authorization": prefix + token}),
        client.post(
            "/api/v1/practices", json={"title": FORGED, "language": "en"}, headers={"Authorization": prefix + token}
        ),
    ):
        assert town.judged(answer, f"{prefix}{token}").status_code == 401
    assert not town.holds(FORGED)
