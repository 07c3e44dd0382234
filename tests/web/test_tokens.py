"""The page of one's tokens: seen, made and shown once, revoked."""

from __future__ import annotations

import re
from typing import Any

from kb.models import Scope
from kb.services import accounts, tokens
from tests.conftest import Site, token
from tests.factories import PASSWORD

PATH = "/account/tokens"
MADE = re.compile(r"<pre[^>]*>(ripkb_[\w-]+)</pre>")


def ask(site: Site, who: str = "alice", **fields: str) -> Any:
    """Send the form as it stands, with some fields put in place of others."""
    client = site.client(who)
    form = {"name": "Our database", "scope": "draft", "days": "90", "current": PASSWORD, **fields}
    return client.post(PATH, data={"csrf_token": token(client, PATH), **form})


def made(site: Site, **fields: str) -> str:
    found = MADE.search(ask(site, **fields).get_data(as_text=True))
    assert found
    return found.group(1)


def test_a_token_is_shown_once_and_works(site: Site) -> None:
    secret = made(site)
    page = site.client("alice").get(PATH)
    assert secret not in page.text and secret[-4:] in page.text and "Our database" in page.text
    with site.database.read() as session:
        held = tokens.bearer(session, secret)
        assert (held.user.email, held.scope) == ("alice@example.org", Scope.DRAFT)


def test_no_cache_keeps_a_token(site: Site) -> None:
    assert "no-store" in ask(site).headers["Cache-Control"]


def test_a_token_needs_the_password(site: Site) -> None:
    answer = ask(site, current="something else")
    assert answer.status_code == 422 and "not your present password" in answer.get_data(as_text=True)
    with site.database.read() as session:
        assert tokens.of(session, accounts.get(session, "alice@example.org")) == []


def test_what_was_chosen_wrongly_is_said_and_the_name_is_still_there(site: Site) -> None:
    answer = ask(site, scope="publish", days="7", name="Mine")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "Choose what the token may do." in text
    assert "Choose how long the token holds." in text and 'value="Mine"' in text


def test_a_token_may_hold_until_it_is_revoked(site: Site) -> None:
    made(site, days="none")
    assert "Holds until you revoke it." in site.client("alice").get(PATH).text


def test_a_revoked_token_is_gone_from_the_page_and_opens_nothing(site: Site) -> None:
    secret = made(site)
    client = site.client("alice")
    answer = client.post(PATH, data={"csrf_token": token(client, PATH), "revoke": tokens.digest(secret)})
    assert answer.status_code == 302 and "Our database" not in client.get(PATH).text
    answer = site.client().get("/api/v1/my/practices", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401 and "revoked" in answer.get_json()["detail"]


def test_revoking_twice_is_no_error(site: Site) -> None:
    key = tokens.digest(made(site))
    client = site.client("alice")
    for _ in range(2):
        assert client.post(PATH, data={"csrf_token": token(client, PATH), "revoke": key}).status_code == 302


def test_nobody_revokes_anothers_token(site: Site) -> None:
    secret = made(site)
    charlie = site.client("charlie")
    charlie.post(PATH, data={"csrf_token": token(charlie, PATH), "revoke": tokens.digest(secret)})
    with site.database.read() as session:
        assert tokens.bearer(session, secret).user.email == "alice@example.org"


def test_a_reader_has_no_tokens(site: Site) -> None:
    assert site.client("rita").get(PATH).status_code == 403
