"""No other site can send a form in somebody's name, and looking changes nothing: held against all addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from sqlalchemy import select

from kb.db import Base
from tests import stack
from tests.test_routes import ROWS, World

OPEN = ("/oai", "/api/v1/practices", "/api/v1/practices/<slug>", "/unsubscribe/<token>", "/unsubscribe/search/<token>")
"""What looks at no cookie: a harvester's questions, what programs write with a token in a header, and the button of a
mail program, which sends the secret of the mail (RFC 8058)."""

KEEPING = {
    ("POST", "/account/searches"): 302,
    ("POST", "/account/shortlist"): 302,
    ("POST", "/practices/<slug>/transfer-check"): 302,
}
"""Nothing is kept, and one is led back to the search, the practices or the answers that one wanted to keep."""

LED_BACK = {
    "administrator": KEEPING,
    "editor": KEEPING,
    "owner": KEEPING,
    "stranger": {("POST", "/sign-out"): 302},
}
"""What a form without its token is answered by, where that is no refusal."""


@pytest.fixture(scope="module")
def world(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(stack.copy(peopled_folder, tmp_path_factory.mktemp("forgery") / "data"))
    yield world
    world.site.close()


def everything(world: World) -> dict[str, list[Any]]:
    """Every row of every table, but for the hour of somebody's last visit, and who has which submission before them."""
    with world.site.database.read() as session:
        return {
            table.name: sorted(
                map(repr, session.execute(select(*(each for each in table.columns if each.name != "seen"))))
            )
            for table in Base.metadata.sorted_tables
            if table.name != "last_looks"
        }


@pytest.mark.parametrize("who", LED_BACK)
def test_a_form_without_its_token_is_refused_everywhere_and_changes_nothing(world: World, who: str) -> None:
    browser = world.browser(who)
    before = everything(world)
    answers = {
        (method, rule): browser.open(address.format(**world.ids), method=method, data={"title": "Forged", "do": "save"})
        for method, rule, address, _answers in ROWS
        if method != "GET" and rule not in OPEN
    }
    refused = {400, 401, 403, 404}
    assert {key: said.status_code for key, said in answers.items() if said.status_code not in refused} == LED_BACK[who]
    assert everything(world) == before


@pytest.mark.parametrize("token", ["x", "IjEi.aaaa.bbbb", "\x00", "a" * 5000])
def test_a_token_that_is_none_is_refused(world: World, token: str) -> None:
    browser, before = world.browser("owner"), everything(world)
    answer = browser.post("/submit", data={"title": "Forged", "do": "save", "csrf_token": token})
    assert answer.status_code == 400 and everything(world) == before


def test_the_token_of_another_session_is_refused(world: World) -> None:
    browser = world.site.client("alice")  # whose session has another secret than the world's
    before = everything(world)
    answer = browser.post("/submit", data={"title": "Forged", "do": "save", "csrf_token": world.csrf})
    assert answer.status_code == 400 and everything(world) == before


@pytest.mark.parametrize("rule", OPEN[1:3])
def test_the_api_does_not_know_who_is_signed_in(world: World, rule: str) -> None:
    method = next(row[0] for row in ROWS if row[1] == rule and row[0] != "GET")
    browser, before = world.browser("owner"), everything(world)
    answer = browser.open(rule.replace("<slug>", world.ids["draft"]), method=method, json={"title": "x"})
    assert answer.status_code == 401 and everything(world) == before


@pytest.mark.parametrize("who", ["administrator", "owner"])
def test_looking_at_a_page_changes_nothing(world: World, who: str) -> None:
    browser = world.browser(who)
    before = everything(world)
    for method, _rule, address, _answers in ROWS:
        if method == "GET":
            browser.get(address.format(**world.ids)).close()
    assert everything(world) == before


ELSEWHERE = "//evil.example/\\evil.example"
NAMES = ("next", "to", "from", "url", "return", "redirect", "back", "continue", "kept", "q")
"""Parameters that might say where to go."""


@pytest.mark.parametrize("who", ["stranger", "owner"])
def test_no_address_leads_to_another_site(world: World, who: str) -> None:
    browser = world.browser(who)
    asked = urlencode(dict.fromkeys(NAMES, ELSEWHERE))
    for method, _rule, address, _answers in ROWS:
        if method == "GET":
            with closing(browser.get(f"{address.format(**world.ids)}?{asked}")) as answer:
                led = urljoin("http://localhost/", answer.headers.get("Location", "").replace("\\", "/"))
                assert urlsplit(led).netloc == "localhost", address
