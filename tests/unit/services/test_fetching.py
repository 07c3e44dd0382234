"""Going out into the web: only where everybody may go, and never for longer or for more than was allowed.

The servers are real ones, on this machine; only the parameter for tests lets the fetcher reach them.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Sequence

import pytest
import trustme

from kb.services import fetching
from kb.services.fetching import Fetcher, Limits, Unfetchable, agent, is_public
from tests.processes import PATIENCE
from tests.webserver import Answer, Asked, Server, reply, serving

AGENT = agent("Régional practices (test)", "https://kb.example.eu")
PATIENT = Limits(seconds=PATIENCE, step=PATIENCE, size=10_000)
"""For what answers: a busy machine may take its time."""

QUICK = Limits(seconds=1.0, step=0.5, size=10_000)
"""For what never does."""

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that answer as they are told."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer | bytes, tls: ssl.SSLContext | None = None) -> Server:
            say: Answer = (lambda _asked: answer) if isinstance(answer, bytes) else answer
            return stack.enter_context(serving(say, tls))

        yield start


def fetcher(limits: Limits = PATIENT, **how: object) -> Fetcher:
    """A fetcher that may reach this machine."""
    return Fetcher(AGENT, limits, loopback=True, **how)  # type: ignore[arg-type]


def home(_host: str, _port: int) -> Sequence[str]:
    """A resolver that finds every name on this machine."""
    return ["127.0.0.1"]


def refused(url: str, by: Fetcher | None = None) -> str:
    """Why an address is not fetched."""
    with pytest.raises(Unfetchable) as why:
        (by or fetcher()).fetch(url)
    return str(why.value)


# What comes back


def test_an_answer_comes_with_its_status_headers_and_body(serve: Serve) -> None:
    server = serve(reply(404, b"not here", Content_Type="text/plain"))
    answer = fetcher().fetch(server.url("/page"))
    assert (answer.status, answer.body, answer.headers["content-type"]) == (404, b"not here", "text/plain")
    assert answer.url == server.url("/page")


def test_who_asks_is_said_and_nothing_else_is_sent_along(serve: Serve) -> None:
    server = serve(lambda asked: reply(302, Location="/b", Set_Cookie="a=b") if asked.path == "/a" else reply())
    fetcher().fetch(server.url("/a"))
    assert [asked.path for asked in server.asked] == ["/a", "/b"]
    for asked in server.asked:
        assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert (
            asked.headers["user-agent"]
            == "RegionalPractices/1.0 (Rgional practices test; +https://kb.example.eu/about)"
        )


def test_head_asks_for_no_body(serve: Serve) -> None:
    server = serve(lambda asked: reply(200, b"" if asked.method == "HEAD" else b"x", content_length=1))
    assert fetcher().fetch(server.url(), "HEAD").body == b""
    assert server.asked[0].method == "HEAD"


def test_without_a_body_an_endless_one_is_left_alone(serve: Serve) -> None:
    server = serve(lambda _asked: itertools.chain([reply(content_length=10**12)], itertools.repeat(b"x" * 1000)))
    assert fetcher().fetch(server.url(), body=False).status == 200


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_packed_body_is_unpacked(serve: Serve, pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    server = serve(reply(200, pack(b"hello " * 100), Content_Encoding=encoding))
    assert fetcher().fetch(server.url()).body == b"hello " * 100


def test_redirects_are_followed_and_the_last_address_is_said(serve: Serve) -> None:
    steps = {"/a": "/b?x=1", "/b?x=1": "c", "/c": None}
    server = serve(lambda asked: reply(301, Location=steps[asked.path]) if steps[asked.path] else reply(200, b"end"))
    answer = fetcher().fetch(server.url("/a"))
    assert (answer.url, answer.body) == (server.url("/c"), b"end")


def test_a_redirect_may_bear_letters_that_no_address_has(serve: Serve) -> None:
    server = serve(lambda asked: reply(301, Location="/año 1") if asked.path == "/" else reply(200, b"end"))
    assert fetcher().fetch(server.url()).url == server.url("/a%C3%B1o%201")


def test_letters_beyond_ascii_and_fragments_are_sent_as_the_web_has_them(serve: Serve) -> None:
    server = serve(reply())
    fetcher(resolve=home).fetch(f"http://región.example:{server.port}/año%20x/?q=ö y#part")
    assert server.asked[0].path == "/a%C3%B1o%20x/?q=%C3%B6%20y"
    assert server.asked[0].headers["host"] == f"xn--regin-3ta.example:{server.port}"


# What takes too long, or is too much


def test_a_loop_of_redirects_ends(serve: Serve) -> None:
    server = serve(reply(302, Location="/again"))
    assert refused(server.url()) == fetching.ROUND_AND_ROUND
    assert len(server.asked) == 6


def test_five_redirects_are_not_too_many(serve: Serve) -> None:
    def count(asked: Asked) -> bytes:
        n = int(asked.path[1:])
        return reply(302, Location=f"/{n - 1}") if n else reply()

    assert fetcher().fetch(serve(count).url("/5")).status == 200
    assert refused(serve(count).url("/6")) == fetching.ROUND_AND_ROUND


def test_an_endless_body_ends_at_the_limit(serve: Serve) -> None:
    server = serve(lambda _asked: itertools.chain([reply(content_length=10**12)], itertools.repeat(b"x" * 1000)))
    assert refused(server.url()) == fetching.TOO_BIG


def test_a_packed_mountain_is_not_unpacked(serve: Serve) -> None:
    server = serve(reply(200, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"))
    assert refused(server.url()) == fetching.TOO_BIG


def test_a_body_of_just_the_limit_is_taken(serve: Serve) -> None:
    assert len(fetcher().fetch(serve(reply(200, b"x" * 10_000)).url()).body) == 10_000
    assert refused(serve(reply(200, b"x" * 10_001)).url()) == fetching.TOO_BIG


def drip(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Send each part a moment after the one before."""
    for part in parts:
        time.sleep(0.1)
        yield part


@pytest.mark.parametrize("inside", ["body", "headers", "redirects"])
def test_whoever_drips_is_not_waited_for_longer_than_in_all(serve: Serve, inside: str) -> None:
    def answer(asked: Asked) -> Iterator[bytes]:
        if inside == "redirects":
            return drip(iter([reply(302, Location=asked.path + "x")] * 1))
        head = reply(content_length=10**6) if inside == "body" else b"HTTP/1.1 200 OK\r\nX-Long: "
        return drip(itertools.chain([head], itertools.repeat(b"a")))

    server = serve(answer)
    limits = Limits(seconds=0.7, step=0.5, redirects=100)
    assert refused(server.url(), fetcher(limits)) == fetching.NO_ANSWER  # without the limit in all it would never end


def test_a_server_that_says_nothing_is_left(serve: Serve) -> None:
    server = serve(lambda _asked: iter(time.sleep(1) or b"" for _ in range(20)))
    assert refused(server.url(), fetcher(QUICK)) == fetching.NO_ANSWER


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
     reply(200, b"no gzip", Content_Encoding="gzip"), reply(200, b"x", Content_Encoding="br")],
    ids=["another protocol", "nothing", "a bad header", "wrongly packed", "unknown packing"],
)  # fmt: skip
def test_what_is_no_answer_of_a_web_server_is_said_so(serve: Serve, said: bytes) -> None:
    assert refused(serve(said).url()) == fetching.NOT_HTTP


def test_a_port_where_nobody_listens_is_said_so(serve: Serve) -> None:
    with serving(lambda _asked: reply()) as server:
        pass
    assert refused(server.url()) == fetching.NO_CONNECTION


# Where it goes


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
     "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
     "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
     "2002:7f00:1::", "2001::1", "100::1", "3fff::1", "fec0::1", "not an address", ""],
)  # fmt: skip
def test_addresses_inside_a_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2001:4860:4860::8888", "2a00:1450:4001::1"])
def test_addresses_of_the_web_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://localhost./", "http://127.1/", "http://0x7f.0.0.1/",
     "http://2130706433/", "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::]/",
     "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/"],
)  # fmt: skip
def test_this_machine_and_its_network_are_not_fetched(url: str) -> None:
    assert refused(url, Fetcher(AGENT, QUICK)) in (fetching.NOT_PUBLIC, fetching.NOT_FOUND)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/x", "file:///etc/passwd", "gopher://example.org", "javascript:alert(1)", "mailto:a@b.example",
     "//example.org/", "/etc/passwd", "", "http://", "http:///x", "http://exa mple.org/", "http://a_b\x00c/",
     "http://user:secret@example.org/", "http://user@example.org/", "http://example.org:99999/", "http://[::1/",
     "http://example.org\\@127.0.0.1/", "http://" + "a" * 300 + ".example/"],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused_without_a_look(url: str) -> None:
    def never(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError("it was looked up")

    assert refused(url, Fetcher(AGENT, QUICK, resolve=never)) == fetching.NOT_AN_ADDRESS


@pytest.mark.parametrize("port", [1, 22, 25, 6379, 8000, 11211, 65535])
def test_ports_where_the_web_is_not_are_refused(port: int) -> None:
    assert refused(f"http://8.8.8.8:{port}/", Fetcher(AGENT, QUICK)) == fetching.NOT_PUBLIC


def test_a_name_that_has_one_inner_address_among_public_ones_is_refused() -> None:
    mixed = Fetcher(AGENT, QUICK, resolve=lambda _host, _port: ["8.8.8.8", "10.0.0.1"])
    assert refused("http://mixed.example/", mixed) == fetching.NOT_PUBLIC


def test_a_name_that_nobody_has_is_said_so() -> None:
    def nobody(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    assert refused("http://nobody.example/", Fetcher(AGENT, QUICK, resolve=nobody)) == fetching.NOT_FOUND


def test_a_redirect_into_the_network_is_not_followed(serve: Serve) -> None:
    inner = serve(reply(200, b"secret"))
    names = {"outer.example": ["127.0.0.1"], "inner.example": ["192.168.0.7"]}
    outer = serve(lambda _asked: reply(302, Location=inner.url(host="inner.example")))
    by = fetcher(resolve=lambda host, _port: names[host])
    assert refused(outer.url(host="outer.example"), by) == fetching.NOT_PUBLIC
    assert inner.asked == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "http://user:x@127.0.0.1/", "http://["])
def test_a_redirect_out_of_the_web_is_not_followed(serve: Serve, target: str) -> None:
    server = serve(reply(302, Location=target))
    assert refused(server.url()) == fetching.NOT_AN_ADDRESS


def test_the_connection_goes_to_the_address_that_was_looked_at(serve: Serve) -> None:
    server = serve(reply(200, b"the first"))
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])  # a name that resolves to another address each time
    by = fetcher(resolve=lambda _host, _port: next(answers))
    assert by.fetch(server.url(host="rebinding.example")).body == b"the first"
    assert next(answers) == ["10.0.0.1"]  # it was looked up once, and never again for the connection
    assert server.asked[0].headers["host"] == f"rebinding.example:{server.port}"


def test_a_name_is_looked_at_again_after_each_redirect(serve: Serve) -> None:
    server = serve(lambda _asked: reply(302, Location="/again"))
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    by = fetcher(resolve=lambda _host, _port: next(answers))
    assert refused(server.url(host="rebinding.example"), by) == fetching.NOT_PUBLIC
    assert len(server.asked) == 1


# Certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def secured(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server needs to show a certificate of these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> Fetcher:
    """A fetcher that trusts the tests' authority and finds every name on this machine."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return fetcher(resolve=home, tls=context)


def test_a_certificate_of_the_name_is_taken_though_the_connection_goes_to_a_number(
    serve: Serve, authority: trustme.CA
) -> None:
    server = serve(reply(200, b"safe"), secured(authority, "good.example"))
    assert trusting(authority).fetch(server.url(host="good.example", scheme="https")).body == b"safe"


def test_a_certificate_of_another_name_is_refused(serve: Serve, authority: trustme.CA) -> None:
    server = serve(reply(200, b"spy"), secured(authority, "other.example"))
    assert refused(server.url(host="good.example", scheme="https"), trusting(authority)) == fetching.BAD_CERTIFICATE
    assert server.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Serve, authority: trustme.CA) -> None:
    server = serve(reply(200, b"spy"), secured(authority, "good.example"))
    assert refused(server.url(host="good.example", scheme="https"), fetcher(resolve=home)) == fetching.BAD_CERTIFICATE


def test_a_host_of_the_local_network_is_reached_where_the_operator_allows_it() -> None:
    with serving(lambda _asked: reply(body=b"inside")) as server:
        assert Fetcher(AGENT, local=("127.0.0.1",)).fetch(server.url()).body == b"inside"


def test_another_host_of_the_local_network_is_not() -> None:
    with serving(lambda _asked: reply(body=b"inside")) as server, pytest.raises(Unfetchable, match="not open"):
        Fetcher(AGENT, local=("localhost",)).fetch(server.url())


def test_an_allowed_host_leads_to_no_other_one_inside() -> None:
    with serving(lambda _asked: reply(body=b"inside")) as hidden:
        with serving(lambda _asked: reply(302, location=hidden.url())) as server:
            with pytest.raises(Unfetchable, match="not open"):
                Fetcher(AGENT, local=("localhost",)).fetch(server.url(host="localhost"))
