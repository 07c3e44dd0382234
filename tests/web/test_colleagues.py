"""Carol goes on with what her colleague Alice began."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from kb.models import Practice, User
from tests import factories
from tests.conftest import Site, token


@pytest.fixture
def draft(site: Site) -> str:
    """The id of a draft of Alice's, who shares an organisation with Carol."""
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        carol = factories.person(session, "carol@example.org", "member")
        factories.organisation(session, "Region of Example", alice, carol)
        return str(factories.draft(session, alice, title="Begun by Alice").id)


@pytest.fixture
def carol(site: Site, draft: str) -> FlaskClient:
    """Carol's browser."""
    return site.client("carol")


def test_a_colleagues_practice_stands_among_ones_own_with_its_authors_name(carol: FlaskClient) -> None:
    page = carol.get("/my/practices").get_data(as_text=True)
    assert "Begun by Alice" in page and "Written by Alice" in page


def test_ones_own_practice_bears_no_name(site: Site, draft: str) -> None:
    page = site.client("alice").get("/my/practices").get_data(as_text=True)
    assert "Begun by Alice" in page and "Written by" not in page


def test_an_outsider_sees_none_of_it(site: Site, draft: str) -> None:
    assert "Begun by Alice" not in site.client("charlie").get("/my/practices").get_data(as_text=True)
    assert site.client("charlie").get(f"/my/practices/{draft}/edit").status_code == 404


def test_a_colleague_saves_and_the_practice_stays_its_authors(site: Site, carol: FlaskClient, draft: str) -> None:
    path = f"/my/practices/{draft}/edit"
    answer = carol.post(path, data={"title": "Carried on by Carol", "do": "save", "csrf_token": token(carol, path)})
    assert answer.status_code == 302
    assert "Carried on by Carol" in site.client("alice").get("/my/practices").get_data(as_text=True)
    with site.database.read() as session:
        practice = session.query(Practice).one()
        assert practice.owner is not None and practice.owner.email == "alice@example.org"


def test_whoever_has_not_written_yet_learns_who_will_see_a_draft(site: Site) -> None:
    with site.database.write() as session:
        carol = factories.person(session, "carol@example.org", "member")
        factories.organisation(session, "Region of Example", carol)
    page = site.client("carol").get("/my/practices").text
    assert "only you, the members of Region of Example and those you ask to write with you" in page
