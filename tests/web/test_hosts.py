"""Which host names are answered, and which headers of proxies are believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import request
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from kb.config import SettingError, host_of
from tests import stack
from tests.conftest import Site, configure

SENTENCE = "This site does not answer to that host name."


@pytest.fixture(scope="module")
def named(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., FlaskClient]]:
    """A stranger's browser on a site with certain settings; each site is made once."""
    made: dict[tuple[tuple[str, str], ...], Site] = {}

    def client(**env: str) -> FlaskClient:
        key = tuple(sorted(env.items()))
        if key not in made:
            folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("hosts") / "data")
            made[key] = Site(configure(folder, **env))
            made[key].app.add_url_rule("/seen", "seen", lambda: f"{request.remote_addr} {request.url_root}")
        return made[key].client()

    yield client
    for site in made.values():
        site.close()


Named = Callable[..., FlaskClient]
EXAMPLE = "https://practices.example.eu"


def asked(client: FlaskClient, host: str) -> int:
    return client.get("/healthz", headers={"Host": host}).status_code


@pytest.mark.parametrize(
    "host",
    ["practices.example.eu", "PRACTICES.example.EU", "practices.example.eu.", "practices.example.eu:443",
     "practices.example.eu.:8000", "localhost", "127.0.0.1:8000", "[::1]", "[::1]:8000", "[0:0:0:0:0:0:0:1]"],
)  # fmt: skip
def test_the_sites_own_names_are_answered_however_they_are_written(named: Named, host: str) -> None:
    assert asked(named(KB_BASE_URL=EXAMPLE), host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "practices.example.eu.evil.example", "evilpractices.example.eu", "www.practices.example.eu",
     "practices.example.eu..", "practices.example.eu:", "practices.example.eu:99999", "practices.example.eu:port",
     "practices.example.eu@evil.example", "evil.example/practices.example.eu", "[::2]", "[::1", "::1", "[", "",
     "practices.example.eu, evil.example", "127.0.0.2", "practices.example.eu evil", "\xe9.example"],
)  # fmt: skip
def test_any_other_name_is_refused_in_a_sentence(named: Named, host: str) -> None:
    client = named(KB_BASE_URL=EXAMPLE, KB_TRUSTED_HOSTS="practices.example.eu,[::1],127.0.0.1")
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 400 and SENTENCE in answer.text


def test_the_api_says_the_same(named: Named) -> None:
    answer = named().get("/api/v1/themes", headers={"Host": "evil.example"})
    assert answer.status_code == 400 and answer.get_json()["detail"] == SENTENCE


def test_a_dot_before_a_name_stands_for_all_hosts_below_it(named: Named) -> None:
    client = named(KB_TRUSTED_HOSTS=".example.eu")
    assert [asked(client, host) for host in ("a.example.eu", "b.a.EXAMPLE.eu", "example.eu", "badexample.eu")] == [
        200, 200, 200, 400,
    ]  # fmt: skip


def test_a_site_may_be_a_number_of_ipv6(named: Named) -> None:
    assert asked(named(KB_BASE_URL="https://[2001:DB8::7]:8443"), "[2001:db8:0::7]:8443") == 200


@pytest.mark.parametrize("text", ["https://a.example", "a.example/x", "a b", "[::1", "a:b:c", "é.example"])
def test_a_setting_that_names_no_host_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match="KB_TRUSTED_HOSTS"):
        configure(tmp_path, KB_TRUSTED_HOSTS=text)


@pytest.mark.parametrize("text", ["https://user:pass@a.example", "https://é.example", "https://a_b@c"])
def test_a_public_address_with_more_than_a_host_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match="KB_BASE_URL"):
        configure(tmp_path, KB_BASE_URL=text)


@given(st.text(st.sampled_from("aB1.-_:[]@/ \\%é\0\t"), max_size=20) | st.text(max_size=20))
@example("[" + ":" * 40 + "]")
@example("a:65536")
@example("1..")
def test_a_host_in_one_spelling_stays_as_it_is(text: str) -> None:
    host = host_of(text)
    assert host is None or (host_of(host) == host and host == host.lower() and not set(host) & set("@/ \\%\0\t"))


# Proxies

FORGED = {
    "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "practices.example.eu",
    "X-Forwarded-Port": "444", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=203.0.113.9;host=evil.example",
    "X-Real-IP": "203.0.113.9", "X-Forwarded-Scheme": "https", "X-Forwarded-Server": "evil.example",
}  # fmt: skip


def seen(client: FlaskClient, **headers: str) -> str:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/seen", headers={"Host": "localhost", **sent}).text


def test_without_proxies_no_header_is_believed(named: Named) -> None:
    answer = named(KB_BASE_URL=EXAMPLE).get("/seen", headers={"Host": "localhost", **FORGED})
    assert answer.text == "127.0.0.1 http://localhost/"


def test_one_proxy_says_where_a_request_came_from_and_what_was_asked_for(named: Named) -> None:
    answer = named(KB_BASE_URL=EXAMPLE, KB_TRUSTED_PROXIES="1").get("/seen", headers={"Host": "localhost", **FORGED})
    assert answer.text == "203.0.113.9 https://practices.example.eu/"


@pytest.mark.parametrize(("proxies", "address"), [("1", "192.0.2.3"), ("2", "192.0.2.2"), ("3", "192.0.2.1")])
def test_of_several_addresses_that_of_the_outermost_proxy_counts(named: Named, proxies: str, address: str) -> None:
    client = named(KB_TRUSTED_PROXIES=proxies)
    assert seen(client, X_Forwarded_For="6.6.6.6, 192.0.2.1, 192.0.2.2, 192.0.2.3").split()[0] == address


def test_a_header_that_fewer_proxies_wrote_than_there_are_is_not_believed(named: Named) -> None:
    assert seen(named(KB_TRUSTED_PROXIES="2"), X_Forwarded_For="6.6.6.6").split()[0] == "127.0.0.1"


def test_a_host_that_a_proxy_forwards_is_checked_too(named: Named) -> None:
    answer = named(KB_TRUSTED_PROXIES="1").get("/", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 400 and SENTENCE in answer.text and "evil" not in answer.text


@given(
    st.fixed_dictionaries(
        {},
        optional={name: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30) for name in FORGED},
    )
)
@example({"X-Forwarded-Proto": "javascript"})
@example({"X-Forwarded-For": ",,,"})
@example({"X-Forwarded-Host": "[::1"})
def test_no_header_of_a_proxy_breaks_an_answer(named: Named, headers: dict[str, str]) -> None:
    answer = named(KB_TRUSTED_PROXIES="1").get("/sign-in", headers={"Host": "localhost", **headers})
    assert answer.status_code in (200, 400)
    assert "evil" not in answer.text
