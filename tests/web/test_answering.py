"""Answering the editors: in the list of practices, in the form, and on the page of questions."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from sqlalchemy import select

from kb.models import User
from kb.services import moderation
from tests import factories
from tests.conftest import Site

LETTER = "Please say how many took part."


@pytest.fixture
def asked(site: Site) -> uuid.UUID:
    """A practice of Alice's that Bob asks changes of, and one that she saved after it."""
    with site.database.write() as session:
        alice, bob = (
            session.scalars(select(User).where(User.email == f"{name}@example.org")).one() for name in ("alice", "bob")
        )
        practice = factories.submitted(session, alice, title="Asked about")
        moderation.request_changes(session, bob, practice, LETTER, {"results": "A number?", "start": "Which month?"})
        session.flush()
        factories.draft(session, alice, title="Written since")
        return practice.id


def text(site: Site, path: str, who: str = "alice") -> str:
    return html.unescape(site.client(who).get(path).get_data(as_text=True))


def test_a_practice_that_changes_are_asked_of_stands_first(site: Site, asked: uuid.UUID) -> None:
    page = text(site, "/my/practices")
    assert page.index("Asked about") < page.index("Written since")


def test_the_list_says_how_many_questions_are_open(site: Site, asked: uuid.UUID) -> None:
    page = text(site, "/my/practices")
    link = rf'<a class="btn btn-line btn-sm" href="/my/practices/{asked}/questions">Answer the editors \(2\)'
    assert re.search(link, page)


def test_question_and_answer_stand_below_the_field(site: Site, asked: uuid.UUID) -> None:
    page = text(site, f"/my/practices/{asked}/edit")
    assert page.index('id="results"') < page.index('id="results-n"') < page.index('id="difficulties"')


def test_the_answer_has_a_label_that_is_seen(site: Site, asked: uuid.UUID) -> None:
    page = text(site, f"/my/practices/{asked}/edit")
    labels = re.findall(r'<label class="([^"]*)" for="answer-[^"]+">Your answer to the editor<', page)
    assert len(labels) == 2 and "visually-hidden" not in labels


def test_the_page_of_questions_shows_the_letter(site: Site, asked: uuid.UUID) -> None:
    assert LETTER in text(site, f"/my/practices/{asked}/questions")
