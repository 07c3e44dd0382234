"""The adoption trail on the site: said by a member, confirmed by the owner or an editor, seen by everybody."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from kb.models import Adoption
from kb.services import accounts
from tests import factories
from tests.conftest import Site, token

FORM = {
    "region": "Navarra", "status": "considering", "changes": "We pay by result.",
    "organisation": "Government of Navarra",
    "contact-role": "Project officer", "contact-email": "office@navarra.example.org", "contact-name": "Ane Ruiz",
    "contact-consent": "",
}  # fmt: skip


@pytest.fixture
def slug(site: Site) -> str:
    """A public practice of Alice."""
    with site.database.write() as session:
        slug = factories.published(session, accounts.get(session, "alice@example.org"), title="The original").slug
    site.drain()
    return str(slug)


def send(site: Site, who: str, path: str, **fields: str) -> TestResponse:
    """Post a form in somebody's browser."""
    client = site.client(who)
    return client.post(path, data={"csrf_token": token(client, "/help"), **fields})


def say(site: Site, slug: str, who: str = "charlie", **changes: str) -> str:
    """Say that a region takes a practice up; returns the number of the adoption."""
    answer = send(site, who, f"/practices/{slug}/adoptions", **{**FORM, **changes})
    assert answer.status_code == 302, answer.text
    with site.database.read() as session:
        return str(session.query(Adoption).order_by(Adoption.created.desc()).first().id)


def confirm(site: Site, number: str, who: str = "alice", do: str = "confirm", answer: str = "") -> int:
    """Decide on an adoption; returns the status of the answer."""
    return send(site, who, f"/adoptions/{number}/decision", do=do, answer=answer).status_code


def test_it_works(site: Site, slug: str) -> None:
    number = say(site, slug)
    assert "Navarra" not in site.client().get(f"/practices/{slug}").text
    assert "Navarra" in site.client("alice").get(f"/practices/{slug}/adoptions").text
    assert confirm(site, number) == 302
    for page in (f"/practices/{slug}", f"/practices/{slug}/adoptions", "/regions/ES22"):
        seen = site.client().get(page).text
        assert "We pay by result." in seen, page
    assert "Ane Ruiz" not in site.client("charlie").get(f"/practices/{slug}").text
    assert "office@navarra" not in site.client().get(f"/practices/{slug}").text
    assert "office@navarra" in site.client("charlie").get(f"/practices/{slug}").text
