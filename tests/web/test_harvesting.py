"""Practices from other installations on the pages: where they come from, what waits, and who decides."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.models import HarvestSource, Practice, State
from kb.services import accounts, harvesting, practices, publishing
from kb.services.checking import check
from kb.services.errors import Message
from kb.services.record import Document
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.harvests import THERE, came


@pytest.fixture(scope="module")
def town(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without practices, which all tests share."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path_factory.mktemp("town") / "data")))
    yield site
    site.close()


def harvested(
    site: Site, title: str, owner: str = "alice", *, public: bool = True, waiting: str = "", gone: bool = False
) -> uuid.UUID:
    """A practice that came from elsewhere. `waiting` is the title of a text that waits, `gone`: it is no more there."""
    with site.database.write() as session:
        person = accounts.get(session, f"{owner}@example.org")
        practice = came(session, person, title, waiting=text(waiting) if waiting else None, gone=gone)
        if public:
            document = check(practices.working_copy(session, practice), factories.vocabulary(session))
            publishing.publish(session, practice, document)
        return practice.id


def text(title: str) -> Document:
    return factories.document(title=title, summary="Now for doctors too.")


def page(site: Site, name: str, path: str) -> str:
    return site.client(name).get(path).get_data(as_text=True)


def decide(site: Site, name: str, practice_id: uuid.UUID, do: str, seen: str = "") -> int:
    client = site.client(name)
    address = f"/my/practices/{practice_id}/harvest"
    form = {"csrf_token": token(client, "/account"), "do": do, "seen": seen}
    return client.post(address, data=form).status_code


def state(site: Site, practice_id: uuid.UUID) -> tuple[State, int, str]:
    with site.database.read() as session:
        practice = session.get_one(Practice, practice_id)
        return practice.state, practice.version, practice.title


def test_it_works(town: Site) -> None:
    harvested(town, "Mentors from afar")
    said = page(town, "bob", "/admin/harvest")
    assert THERE in said and "Mentors from afar" in said


def test_a_run_that_failed_says_why(town: Site) -> None:
    harvested(town, "Any practice")
    with town.database.write() as session:
        why = Message(
            "%(url)s answered with the status %(status)d. Run the command again later.", {"url": THERE, "status": 500}
        )
        session.query(HarvestSource).one().error = harvesting.written(why)
    assert f"{THERE} answered with the status 500" in page(town, "bob", "/admin/harvest")


def test_a_draft_of_somebody_else_is_not_shown_to_editors(town: Site) -> None:
    key = harvested(town, "A secret draft title", public=False, waiting="The public title there")
    said = page(town, "bob", "/admin/harvest")
    assert "A secret draft title" not in said and "The public title there" in said
    assert town.client("bob").get(f"/my/practices/{key}/harvest").status_code == 404
    assert decide(town, "bob", key, "take") == 404


def test_the_author_of_a_draft_compares_and_takes_the_text_over(town: Site) -> None:
    key = harvested(town, "Our title", public=False, waiting="Their title")
    assert f"/my/practices/{key}/harvest" in page(town, "alice", "/my/practices")
    said = page(town, "alice", f"/my/practices/{key}/harvest")
    assert "<ins>" in said and "doctors" in said
    assert decide(town, "alice", key, "take") == 302
    assert state(town, key) == (State.DRAFT, 0, "Their title")
    assert f"/my/practices/{key}/harvest" not in page(town, "alice", "/my/practices")


def test_an_editor_takes_a_text_over_as_an_update_of_a_public_practice(town: Site) -> None:
    key = harvested(town, "Public and ours", waiting="Public and theirs")
    assert decide(town, "bob", key, "take") == 302
    assert state(town, key) == (State.DRAFT, 1, "Public and theirs")
    with town.database.read() as session:
        record = session.get_one(Practice, key).record
        assert record is not None and record.title == "Public and ours"


def test_who_leaves_a_text_sees_it_no_more(town: Site) -> None:
    key = harvested(town, "We stay as we are", waiting="Something else")
    assert decide(town, "bob", key, "leave") == 302
    assert state(town, key) == (State.PUBLISHED, 1, "We stay as we are")
    assert f"/my/practices/{key}/harvest" not in page(town, "bob", "/admin/harvest")


def test_who_keeps_what_is_gone_is_not_asked_again(town: Site) -> None:
    key = harvested(town, "Gone over there", gone=True)
    assert f"/my/practices/{key}/harvest" in page(town, "bob", "/admin/harvest")
    assert f"/review/{key}/step/archive" in page(town, "bob", f"/my/practices/{key}/harvest")
    assert decide(town, "bob", key, "keep") == 302
    assert f"/my/practices/{key}/harvest" not in page(town, "bob", "/admin/harvest")
    assert state(town, key)[0] == State.PUBLISHED


def test_an_outsider_finds_nothing(town: Site) -> None:
    key = harvested(town, "Not Charlie’s", waiting="Else")
    for name in ("charlie", "rita"):
        assert town.client(name).get(f"/my/practices/{key}/harvest").status_code == 404
        assert decide(town, name, key, "take") == 404


def test_a_text_that_was_compared_with_another_is_not_taken(town: Site) -> None:
    key = harvested(town, "Written since", waiting="Theirs")
    assert decide(town, "bob", key, "take", seen="1") == 409
    assert state(town, key)[2] == "Written since"


def test_a_second_click_says_that_it_is_done(town: Site) -> None:
    key = harvested(town, "Clicked twice", waiting="Theirs, clicked")
    assert [decide(town, "alice", key, "leave"), decide(town, "alice", key, "leave")] == [302, 409]
    assert decide(town, "alice", key, "dance") == 400


def test_my_practices_say_where_a_practice_came_from(town: Site) -> None:
    harvested(town, "With its origin", "dora", public=False)
    said = page(town, "dora", "/my/practices")
    assert "Taken over from there.example.eu" in said and f'href="{THERE}/practices/nurses"' in said


def test_the_page_of_a_practice_says_where_it_came_from(town: Site) -> None:
    key = harvested(town, "Read by everybody")
    with town.database.read() as session:
        slug = session.get_one(Practice, key).slug
    assert f'href="{THERE}/practices/nurses"' in town.client().get(f"/practices/{slug}").get_data(as_text=True)
