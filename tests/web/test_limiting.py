"""How much an address may ask for in a minute, and what it is told of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from limits import RateLimitItem
from werkzeug.test import TestResponse

from kb.services import limits
from kb.services.limits import Requests
from kb.web import limiting
from tests import stack
from tests.conftest import Site, configure, token

OPERATING = Path("docs/operations.md").read_text()


@pytest.fixture
def limited(peopled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An app that counts, and lets three requests a minute through."""
    monkeypatch.setattr(limiting, "LIMITS", dict.fromkeys(limiting.LIMITS, 3))
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    yield site
    site.close()


def spend(client: FlaskClient, path: str) -> None:
    for _ in range(3):
        assert client.get(path).status_code == 200


def test_the_limits_are_those_of_the_contract() -> None:
    assert (limiting.LIMITS["api"], limiting.LIMITS["exports"]) == (600, 120)
    assert (limits.ACCOUNT_LIMIT.amount, limits.ADDRESS_LIMIT.amount) == (10, 20)
    assert limits.ACCOUNT_LIMIT.get_expiry() == limits.ADDRESS_LIMIT.get_expiry() == 15 * 60


def in_words(limit: RateLimitItem) -> str:
    period = limit.GRANULARITY.name if limit.multiples == 1 else f"{limit.multiples} {limit.GRANULARITY.name}s"
    return f"{limit.amount} in {'an' if period == 'hour' else 'a' if limit.multiples == 1 else ''} {period}".replace(
        "  ", " "
    )


@pytest.mark.parametrize(("what", "by", "limit"), limits.LIMITS)
def test_every_limit_is_documented(what: str, by: str, limit: RateLimitItem) -> None:
    assert f"| {what} | {by} | {in_words(limit)} |" in OPERATING


def test_every_limit_that_there_is_stands_in_the_table() -> None:
    made = {id(each) for each in vars(limits).values() if isinstance(each, RateLimitItem)}
    assert made == {id(limit) for _what, _by, limit in limits.LIMITS}


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/practices/none/versions/1...2", None),
        ("/my/practices/00000000-0000-0000-0000-000000000000/history/1...2", "alice"),
        ("/suggest?q=hou", None),
        ("/link/guessed", None),
        ("/reset/guessed", None),
        ("/preview/guessed", None),
    ],
)
def test_what_costs_or_invites_to_guess_is_counted(limited: Site, path: str, who: str | None) -> None:
    client = limited.client(who)
    answers = [client.get(path) for _ in range(4)]
    assert 429 not in [each.status_code for each in answers[:3]]
    assert answers[3].status_code == 429 and int(answers[3].headers["Retry-After"]) >= 1


def test_what_is_kept_while_writing_is_counted_for_each_session(limited: Site) -> None:
    def keep(name: str) -> TestResponse:
        client = limited.client(name)
        fields = {"csrf_token": token(client, "/account"), "title": "x"}
        return client.post("/my/practices/00000000-0000-4000-8000-000000000000/autosave", data=fields)

    answers = [keep("alice") for _ in range(4)]
    assert answers[3].status_code == 429 and answers[3].content_type == "application/problem+json"
    assert keep("charlie").status_code != 429


def test_answers_say_how_the_address_stands(limited: Site) -> None:
    headers = limited.client().get("/api/v1/themes").headers
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("3", "2")
    assert 1 <= int(headers["RateLimit-Reset"]) <= 60


def test_too_much_of_the_api_is_a_problem_that_says_when_to_come_back(limited: Site) -> None:
    client = limited.client()
    spend(client, "/api/v1/themes")
    answer = client.get("/api/v1/regions")
    assert answer.status_code == 429 and answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
    assert answer.headers["RateLimit-Remaining"] == "0" and "3 requests" in answer.get_json()["detail"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_too_many_exports_are_a_page_with_the_same_sentence(limited: Site) -> None:
    client = limited.client()
    spend(client, "/feed.atom")
    answer = client.get("/feed.atom")
    assert answer.status_code == 429 and answer.mimetype == "text/html" and answer.headers["Retry-After"]
    assert "3 requests" in answer.get_data(as_text=True)


def test_what_is_not_there_counts_too(limited: Site) -> None:
    client = limited.client()
    for _ in range(3):
        assert client.get("/api/v1/nothing").status_code == 404
    assert client.get("/api/v1/nothing").status_code == 429


def test_pages_exports_and_the_api_are_counted_apart(limited: Site) -> None:
    client = limited.client()
    spend(client, "/api/v1/themes")
    assert client.get("/feed.atom").status_code == client.get("/practices").status_code == 200


def test_another_address_is_not_touched(limited: Site) -> None:
    client = limited.client()
    spend(client, "/api/v1/themes")
    assert client.get("/api/v1/themes", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_browser_that_asks_first_is_not_counted(limited: Site) -> None:
    client = limited.client()
    for _ in range(4):
        assert client.options("/api/v1/themes").status_code == 200


def test_off_nothing_is_counted(site: Site) -> None:
    assert "RateLimit-Limit" not in site.client().get("/api/v1/themes").headers
    assert not (site.config.data_dir / "limits.sqlite").exists()


OWN = ("/admin", "/review", "/account", "/import", "/static", "/bootstrap")
"""What is behind these is for people with an account, or is a file of the pages."""


def test_every_file_for_programs_is_counted(reading_site: Site) -> None:
    rules = [rule for rule in reading_site.app.url_map.iter_rules() if not rule.rule.startswith(OWN)]
    files = [rule for rule in rules if re.search(r"\.(<\w+>|[a-z]{2,7})$", rule.rule) and rule.rule != "/favicon.ico"]
    assert len(files) > 5
    for rule in files:
        assert limiting.group_of(rule.endpoint, rule.rule) is not None, rule.rule


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_later_it_begins_anew(tmp_path: Path) -> None:
    clock = Clock()
    requests = Requests(tmp_path / "limits.sqlite", clock=clock)
    stands = [requests.count("api", 2, "192.0.2.1") for _ in range(3)]
    assert [each.over for each in stands if each] == [False, False, True]
    clock.now += 60
    again = requests.count("api", 2, "192.0.2.1")
    assert again and (again.left, again.reset, again.over) == (1, 60, False)


def test_two_workers_count_together(tmp_path: Path) -> None:
    one, other = Requests(tmp_path / "limits.sqlite"), Requests(tmp_path / "limits.sqlite")
    one.count("api", 5, "192.0.2.1")
    stands = other.count("api", 5, "192.0.2.1")
    assert stands and stands.left == 3


def test_one_network_of_ipv6_is_one_address(tmp_path: Path) -> None:
    requests = Requests(tmp_path / "limits.sqlite")
    requests.count("api", 5, "2001:db8::1")
    stands = requests.count("api", 5, "2001:db8::2")
    assert stands and stands.left == 3


def test_a_file_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    requests = Requests(path)
    requests.count("api", 5, "192.0.2.1")
    for each in tmp_path.iterdir():
        each.unlink()
    stands = requests.count("api", 5, "192.0.2.1")
    assert stands and stands.left == 4 and path.exists()


def test_a_file_that_cannot_be_used_lets_requests_pass_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "limits.sqlite"
    path.write_bytes(b"not a database" * 100)
    with caplog.at_level(logging.WARNING):
        assert Requests(path).count("api", 1, "192.0.2.1") is None
    assert "nothing is counted" in caplog.text
