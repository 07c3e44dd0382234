"""What an editor finds on the page of a review and around it: the buttons, the way, what the site knows already."""

from __future__ import annotations

import re
import uuid
from typing import Any

from sqlalchemy import select

from kb.models import Practice, User
from kb.services import lifecycle, moderation, practices, vocabularies
from tests import factories
from tests.conftest import Site


def someone(session: Any, name: str) -> User:
    found: User = session.scalars(select(User).where(User.email == f"{name}@example.org")).one()
    return found


def made(site: Site, kind: str, **changes: Any) -> uuid.UUID:
    """A practice of Alice's."""
    with site.database.write() as session:
        practice: Practice = getattr(factories, kind)(session, someone(session, "alice"), **changes)
        return practice.id


def asked(site: Site, practice_id: uuid.UUID) -> None:
    """Bob asks for changes, with a question, and Alice sends it again."""
    with site.database.write() as session:
        alice, bob = (someone(session, name) for name in ("alice", "bob"))
        practice = session.get_one(Practice, practice_id)
        moderation.request_changes(session, bob, practice, "A figure, please.", {"results": "How many?"})
        practices.save(session, alice, practice, factories.document(results="Many."), None)
        practices.submit(session, alice, practice, vocabularies.load(session))


def page(site: Site, who: str, path: str) -> str:
    """A page as it is read: without tags, but for where links lead."""
    text = site.client(who).get(path).text
    return " ".join(re.sub(r'<a [^>]*href="([^"]*)"[^>]*>|<[^>]*>', r" \1 ", text).split())


# The decision


def test_the_checklist_stands_before_what_is_decided_on_it(site: Site) -> None:
    text = page(site, "bob", f"/review/{made(site, 'submitted')}")
    places = [
        text.index(each) for each in ("To look at", "A word to the author", "Ask for changes", "Publish version 1")
    ]
    assert places == sorted(places)


def test_the_checklist_folds_its_hints(site: Site) -> None:
    text = site.client("bob").get(f"/review/{made(site, 'submitted')}").text
    assert re.search(r'<details id="found-eligible"><summary>', text)


def test_that_publishing_settles_questions_is_said_before_the_button(site: Site) -> None:
    practice = made(site, "submitted")
    asked(site, practice)
    text = page(site, "bob", f"/review/{practice}")
    assert text.index("Publishing settles the open question") < text.index("Publish version 1")


def test_a_submission_is_shown_as_readers_will_see_it(site: Site) -> None:
    practice = made(site, "submitted")
    assert f"/my/practices/{practice}/preview As readers will see it" in page(site, "bob", f"/review/{practice}")
    assert "Preview, not public" in page(site, "bob", f"/my/practices/{practice}/preview")


def test_the_review_of_what_is_public_says_so_and_leads_there(site: Site) -> None:
    text = page(site, "bob", f"/review/{made(site, 'published')}")
    assert "Version 1 is public. /practices/mentors" in text
    assert "Update to version" not in text and "Recommended fields" not in text


# The way


def test_an_editor_reads_that_a_practice_is_public(site: Site) -> None:
    practice = made(site, "published")
    text = page(site, "bob", f"/my/practices/{practice}/edit")
    assert "Version 1 is public. Its author can write an update." in text and f"/review/{practice} " in text
    assert "offline" not in text.lower()


def test_an_editors_way_to_a_history_leads_over_the_review(site: Site) -> None:
    practice = made(site, "submitted")
    text = site.client("bob").get(f"/my/practices/{practice}/history").text
    way = text[text.index('class="crumbs"') :][:400]
    assert "Review queue" in way and f'href="/review/{practice}"' in way and "My practices" not in way


def test_an_authors_way_to_a_history_leads_over_their_practices(site: Site) -> None:
    practice = made(site, "submitted")
    text = site.client("alice").get(f"/my/practices/{practice}/history").text
    assert "My practices" in text[text.index('class="crumbs"') :][:400]


def test_an_author_reads_when_it_was_taken_offline(site: Site) -> None:
    practice = made(site, "published")
    with site.database.write() as session:
        lifecycle.unpublish(session, someone(session, "bob"), session.get_one(Practice, practice), "Not ours to show.")
    text = page(site, "alice", f"/my/practices/{practice}/edit")
    assert re.search(r"An editor took it offline on \d+ \w+ \d{4}", text) and "put away" not in text


def test_what_came_online_again_has_no_day_on_which_it_went(site: Site) -> None:
    practice = made(site, "published")
    with site.database.write() as session:
        bob, held = someone(session, "bob"), session.get_one(Practice, practice)
        lifecycle.unpublish(session, bob, held, "A mistake.")
        lifecycle.republish(session, bob, held)
        assert lifecycle.offline_since(session, held) is None


# Beside it


def test_in_what_two_practices_are_alike_is_a_list(site: Site) -> None:
    made(site, "published")
    site.drain()
    assert re.search(r"Alike: .*title.*region", page(site, "bob", f"/review/{made(site, 'submitted')}"))


def test_a_colleague_is_asked_to_write_or_to_take_over(site: Site) -> None:
    text = page(site, "alice", f"/my/practices/{made(site, 'draft')}/sharing")
    order = ("Ask a colleague", "To write it with me", "To take it over from me", "I stay on as co-author", "Send the")
    places = [text.index(each) for each in order]
    assert places == sorted(places) and "Counts only where it is taken over." in text
