"""A harvest: practices of another installation become drafts, once; what changes there comes after, or waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.models import AuditEntry, Harvested, HarvestSource, MailMessage, Origin, Practice, State, User
from kb.services import harvested, harvesting, moderation, practices, redaction
from kb.services.errors import Conflict, NotAllowed, NotFound, ServiceError
from tests import factories, stack
from tests.conftest import configure
from tests.harvests import HERE, There, harvest, there


@pytest.fixture(scope="module")
def installation(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    """Another installation, which all tests share."""
    with there(stack.copy(peopled_folder, tmp_path_factory.mktemp("there") / "data")) as site:
        yield site


@pytest.fixture
def other(installation: There) -> There:
    """Another installation, without practices."""
    return installation.empty()


@pytest.fixture
def base(peopled_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """This installation's database, with people and without practices."""
    database = Database(configure(stack.copy(peopled_folder, tmp_path / "here")).database_url)
    yield database
    database.close()


def taken(database: Database) -> dict[str, tuple[State, int, int]]:
    """The practices of this installation by title: their state, version and number of revisions."""
    with database.read() as session:
        return {
            each.title: (each.state, each.version, each.revision_count) for each in session.scalars(select(Practice))
        }


def text(database: Database, key: str, slug: str) -> Any:
    """A field of the working copy of what is `slug` there."""
    with database.read() as session:
        return practices.working_copy(session, held(session, slug).practice)[key]


def held(session: Any, slug: str) -> Harvested:
    return session.scalars(select(Harvested).where(Harvested.remote_slug == slug)).one()


def person(session: Any, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


def change(database: Database, slug: str, act: Callable[[Any, Practice], object]) -> None:
    """Do something here with what is `slug` there."""
    with database.write() as session:
        act(session, held(session, slug).practice)


def owner(practice: Practice) -> User:
    assert practice.owner is not None
    return practice.owner


def submit(session: Any, practice: Practice) -> None:
    practices.submit(session, owner(practice), practice, factories.vocabulary(session))


def publish(session: Any, practice: Practice) -> None:
    submit(session, practice)
    bob = person(session, "bob")
    moderation.take(session, bob, practice)
    moderation.publish(session, bob, practice, factories.vocabulary(session))


def rewrite(title: str) -> Callable[[Any, Practice], object]:
    def act(session: Any, practice: Practice) -> None:
        document = {**practices.working_copy(session, practice), "title": title}
        practices.save(session, owner(practice), practice, document, None)

    return act


def test_everything_public_there_becomes_a_draft_of_the_owner(other: There, base: Database) -> None:
    slugs = [other.publish(title=f"Practice number {n}") for n in range(3)]
    ran = harvest(base, other.url, "alice@example.org")
    assert ran.counts() == {"added": 3} and ran.refused == []
    with base.read() as session:
        found = list(session.scalars(select(Practice).order_by(Practice.title)))
        assert [(each.state, each.origin, each.owner.email) for each in found] == [  # type: ignore[union-attr]
            (State.DRAFT, Origin.HARVEST, "alice@example.org")
        ] * 3
        assert [each.origin_url for each in found] == [f"{other.url}/practices/{slug}" for slug in slugs]
        assert [each.record for each in found] == [None] * 3


def test_a_draft_says_what_the_record_there_says(other: There, base: Database) -> None:
    slug = other.publish(beneficiaries=380, start="2016-05", translations=[{"language": "it", "title": "Mentori"}])
    harvest(base, other.url)
    assert text(base, "beneficiaries", slug) == 380
    assert text(base, "start", slug) == "2016-05"
    assert text(base, "translations", slug)[0]["title"] == "Mentori"
    assert text(base, "sources", slug) == [{"title": "Programme page", "url": "https://example.org/nurses"}]


def test_a_second_run_brings_nothing_twice(other: There, base: Database) -> None:
    other.publish()
    harvest(base, other.url)
    before = taken(base)
    assert harvest(base, other.url).counts() == {"kept": 1}
    assert taken(base) == before


def test_a_list_of_several_pages_is_read_to_its_end(
    other: There, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.services.harvest_reading.PER_PAGE", 2)
    for n in range(5):
        other.publish(title=f"Practice number {n}")
    assert harvest(base, other.url).counts() == {"added": 5}
    assert len([path for path in other.asked if "page=" in path]) == 3


def test_a_run_that_was_cut_off_goes_on_with_the_next(
    other: There, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.services.harvest_reading.PER_PAGE", 1)
    for n in range(3):
        other.publish(title=f"Practice number {n}")
    other.twist = lambda path, _body: (500, {}, b"{}") if "&page=3" in path else None
    with pytest.raises(ServiceError):
        harvest(base, other.url)
    assert len(taken(base)) == 2
    other.twist = None
    assert harvest(base, other.url).counts() == {"added": 1, "kept": 2}


def test_a_list_that_broke_off_proves_nothing_gone(
    other: There, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.services.harvest_reading.PER_PAGE", 1)
    slug = other.publish(title="A practice")
    other.publish(title="The practice after it")
    harvest(base, other.url)
    other.step(slug, "unpublish")
    other.publish(title="Zebras on the road")
    other.twist = lambda path, _body: (500, {}, b"{}") if "&page=2" in path else None
    with pytest.raises(ServiceError):
        harvest(base, other.url)
    with base.read() as session:
        assert held(session, slug).gone is None


def test_a_new_version_there_is_the_new_text_of_an_untouched_draft(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"updated": 1}
    assert text(base, "summary", slug) == "Now for doctors too."
    assert harvest(base, other.url).counts() == {"kept": 1}


def test_a_new_version_there_starts_an_update_of_what_is_public_here(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url, "alice@example.org")
    change(base, slug, publish)
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"updated": 1}
    with base.read() as session:
        practice = held(session, slug).practice
        assert (practice.state, practice.version) == (State.DRAFT, 1)
        assert practice.record is not None and practice.record.summary.startswith("Hospitals of the region")
    assert text(base, "summary", slug) == "Now for doctors too."


def test_a_new_version_waits_where_somebody_wrote_here(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    change(base, slug, rewrite("Our own title"))
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"waiting": 1}
    assert text(base, "title", slug) == "Our own title"
    assert text(base, "summary", slug).startswith("Hospitals of the region")
    assert harvest(base, other.url).counts() == {"kept": 1}


def test_a_new_version_waits_while_the_practice_is_with_the_editors(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    change(base, slug, submit)
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"waiting": 1}
    with base.read() as session:
        assert held(session, slug).practice.state == State.SUBMITTED


def test_what_waited_comes_in_once_the_review_is_over_and_nobody_wrote(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url, "alice@example.org")
    change(base, slug, submit)
    other.update(slug, summary="Now for doctors too.")
    harvest(base, other.url)
    change(base, slug, lambda session, practice: practices.withdraw(session, owner(practice), practice))
    assert harvest(base, other.url).counts() == {"updated": 1}
    with base.read() as session:
        assert held(session, slug).waiting is None


def test_taking_over_puts_the_text_in_and_keeps_the_other_in_the_history(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url, "alice@example.org")
    change(base, slug, rewrite("Our own title"))
    other.update(slug, summary="Now for doctors too.")
    harvest(base, other.url)
    with base.write() as session:
        row = held(session, slug)
        differences, language = harvested.compare(session, row)
        assert [each.key for each in differences] == ["title", "summary"] and language == "en"
        harvested.take_over(session, person(session, "alice"), row)
    assert text(base, "summary", slug) == "Now for doctors too."
    with base.read() as session:
        assert held(session, slug).practice.revision_count == 3
    assert harvest(base, other.url).counts() == {"kept": 1}


def test_leaving_a_text_out_leaves_it_out_until_the_next_version(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url, "alice@example.org")
    change(base, slug, rewrite("Our own title"))
    other.update(slug, summary="Now for doctors too.")
    harvest(base, other.url)
    with base.write() as session:
        harvested.leave(session, person(session, "alice"), held(session, slug))
    assert harvest(base, other.url).counts() == {"kept": 1}
    other.update(slug, summary="Now for midwives too.")
    assert harvest(base, other.url).counts() == {"waiting": 1}


def test_what_an_editor_or_author_added_here_survives_a_new_text(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url, "bob@example.org")
    note = lambda session, practice: practices.save(  # noqa: E731 (one of two alike)
        session, practice.owner, practice, {**practices.working_copy(session, practice), "editor_note": "Seen."}, None
    )
    change(base, slug, note)
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"updated": 1}
    assert text(base, "editor_note", slug) == "Seen."


@pytest.mark.parametrize("action", ["unpublish"])
def test_what_is_no_longer_there_is_a_notice_and_stays_here(other: There, base: Database, action: str) -> None:
    slug, stays = other.publish(), other.publish(title="It stays there")
    harvest(base, other.url)
    other.step(slug, action)
    before = taken(base)
    assert harvest(base, other.url).counts() == {"kept": 1, "gone": 1}
    assert taken(base) == before
    with base.read() as session:
        assert held(session, slug).gone is not None and held(session, stays).gone is None
    assert harvest(base, other.url).counts() == {"kept": 1}


def test_what_comes_back_is_no_longer_gone(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    other.step(slug, "unpublish")
    harvest(base, other.url)
    other.step(slug, "republish")
    assert harvest(base, other.url).counts() == {"kept": 1}
    with base.read() as session:
        assert held(session, slug).gone is None


def test_what_only_left_the_list_is_not_gone(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    other.step(slug, "archive")
    assert harvest(base, other.url).counts() == {}
    with base.read() as session:
        assert held(session, slug).gone is None


def test_a_text_that_was_removed_here_does_not_come_back(other: There, base: Database) -> None:
    slug = other.publish()
    harvest(base, other.url)
    change(base, slug, publish)
    change(
        base, slug, lambda session, practice: redaction.redact(session, person(session, "dora"), practice.id, 1, "Law.")
    )
    other.update(slug, summary="Now for doctors too.")
    assert harvest(base, other.url).counts() == {"kept": 1}
    with base.read() as session:
        assert held(session, slug).waiting is None and held(session, slug).practice.title == ""


def test_what_came_from_here_is_not_taken_back(other: There, base: Database) -> None:
    slug = other.publish()
    with other.site.database.write() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        practice.origin, practice.origin_url = Origin.HARVEST, f"{HERE}/practices/ours"
    assert harvest(base, other.url).counts() == {"here": 1}
    assert taken(base) == {}


def test_a_practice_that_both_have_from_the_seed_is_not_taken_again(other: There, base: Database) -> None:
    slug = other.publish()
    with other.site.database.read() as session:
        key = session.scalars(select(Practice.id).where(Practice.slug == slug)).one()
    with base.write() as session:
        practices.start(session, person(session, "alice"), factories.document(), None, practice_id=key)
    assert harvest(base, other.url).counts() == {"here": 1}


def test_an_installation_does_not_harvest_itself(other: There, base: Database) -> None:
    with pytest.raises(Conflict, match="this installation itself"):
        harvest(base, other.url, base_url=other.url)


def test_an_installation_knows_itself_under_another_name(other: There, base: Database) -> None:
    other.publish()
    with pytest.raises(Conflict, match="this installation itself"):
        harvest(base, other.url.replace("127.0.0.1", "localhost"), base_url=other.url)
    assert taken(base) == {}


def test_documents_become_links_and_pictures_stay_there(other: There, base: Database) -> None:
    files = {
        "attachments": [{"title": "Report", "url": f"/files/{'a' * 64}.pdf", "media_type": "application/pdf",
                         "bytes": 12, "sha256": "a" * 64}],
        "images": [{"title": None, "url": f"/files/{'b' * 64}.png", "media_type": "image/png", "bytes": 12,
                    "sha256": "b" * 64, "alt": "A house", "credit": None}],
    }  # fmt: skip
    slug = other.publish(**files)
    assert harvest(base, other.url).counts() == {"added": 1}
    assert text(base, "links", slug) == [{"title": "Report", "url": f"{other.url}/files/{'a' * 64}.pdf"}]
    assert text(base, "attachments", slug) == text(base, "images", slug) == []
    change(base, slug, submit)


def test_only_known_practices_are_named_as_models(other: There, base: Database) -> None:
    with base.write() as session:
        model = factories.published(session, title="Known to both").slug
    slug = other.publish(adapted_from=[{"slug": model, "changes": "Smaller."}, {"slug": "unknown", "changes": None}])
    harvest(base, other.url)
    assert text(base, "adapted_from", slug) == [{"slug": model, "changes": "Smaller."}]


# In whose name


def test_without_an_owner_the_first_administrator_has_the_drafts(other: There, base: Database) -> None:
    other.publish()
    assert harvest(base, other.url).outcome.owner == "dora@example.org"


def test_without_an_owner_the_last_one_has_the_drafts(other: There, base: Database) -> None:
    harvest(base, other.url, "alice@example.org")
    other.publish()
    assert harvest(base, other.url).outcome.owner == "alice@example.org"


def test_a_reader_can_own_no_drafts(other: There, base: Database) -> None:
    with pytest.raises(NotAllowed):
        harvest(base, other.url, "rita@example.org")
    with pytest.raises(NotFound):
        harvest(base, other.url, "nobody@example.org")
    with base.read() as session:
        assert list(session.scalars(select(HarvestSource))) == []


def test_the_owner_gets_one_mail_a_run_that_brought_something(other: There, base: Database) -> None:
    first = other.publish()
    other.publish(title="Another practice")
    harvest(base, other.url, "alice@example.org")
    harvest(base, other.url)
    other.update(first, summary="Now for doctors too.")
    harvest(base, other.url)
    with base.read() as session:
        mails = list(session.scalars(select(MailMessage).order_by(MailMessage.id)))
    numbers = [[mail.data[name] for name in ("added", "updated", "waiting", "gone")] for mail in mails]
    assert [mail.address for mail in mails] == ["alice@example.org"] * 2
    assert numbers == [[2, 0, 0, 0], [0, 1, 0, 0]]


def test_the_log_says_that_a_run_was_and_what_it_brought(other: There, base: Database) -> None:
    other.publish()
    harvest(base, other.url)
    with base.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "harvest.run")).one()
        source = session.scalars(select(HarvestSource)).one()
    assert entry.detail == {"added": 1, "updated": 0, "waiting": 0, "gone": 0, "refused": 0}
    assert source.ran is not None and harvesting.trouble_of(source) is None


# What the other side may send


def items(change: Callable[[dict[str, Any]], Any]) -> Callable[[str, bytes], bytes | None]:
    """Let a list say something else of its first record."""

    def twist(path: str, body: bytes) -> bytes | None:
        if "fields=" not in path:
            return None
        said = json.loads(body)
        if said["items"]:
            said["items"][0] = change(said["items"][0])
        return json.dumps(said).encode()

    return twist


def test_a_record_that_is_refused_is_named_and_costs_only_itself(other: There, base: Database) -> None:
    slug = other.publish(title="A bad one")
    other.publish(title="The good one")
    other.twist = items(lambda record: {**record, "themes": ["no-such-theme"]})
    ran = harvest(base, other.url)
    assert ran.counts() == {"added": 1, "refused": 1}
    assert list(taken(base)) == ["The good one"]
    assert ran.refused == [f"record 1 ({slug}): themes: Not in the list: no-such-theme."]


def test_a_record_too_big_to_be_read_costs_only_itself(
    other: There, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        other.publish(title=f"Practice number {n:02}")

    def twist(path: str, body: bytes) -> bytes | None:
        said = json.loads(body)
        for record in said.get("items", ()):
            if record["title"].endswith("04"):
                record["actions"] = "x" * 17_000_000
        return json.dumps(said).encode()

    other.twist = twist
    ran = harvest(base, other.url)
    assert ran.counts() == {"added": 11, "refused": 1}
    assert ran.refused[0].startswith("record 5")


@pytest.mark.parametrize("begins", ["javascript:alert(1)/", "https://phish.example"])
def test_scripts_and_foreign_addresses_are_no_origin(other: There, base: Database, begins: str) -> None:
    slug = other.publish()
    other.twist = items(lambda record: {**record, "url": f"{begins}/practices/{slug}"})
    harvest(base, other.url)
    with base.read() as session:
        assert held(session, slug).practice.origin_url == f"{other.url}/practices/{slug}"


def test_a_page_that_is_no_list_of_practices_is_refused(other: There, base: Database) -> None:
    for said in (b"[]", b'{"total": -1, "items": []}', b'{"total": true, "items": []}', b'{"total": 3}'):
        other.twist = lambda _path, _body, said=said: said
        with pytest.raises(ServiceError, match="does not answer as an installation"):
            harvest(base, other.url)
    with base.read() as session:
        assert list(session.scalars(select(HarvestSource))) == []


def test_a_server_that_asks_to_wait_is_asked_again_after_that(other: There, base: Database) -> None:
    other.publish()
    answers = iter([(429, {"Retry-After": "7"}, b"{}")])
    other.twist = lambda _path, _body: next(answers, None)
    ran = harvest(base, other.url)
    assert (ran.counts(), ran.waited) == ({"added": 1}, [7.0])


def test_a_server_that_asks_to_wait_for_long_is_left_alone(other: There, base: Database) -> None:
    other.twist = lambda _path, _body: (429, {"Retry-After": "3600"}, b"{}")
    with pytest.raises(ServiceError, match="3600 seconds"):
        harvest(base, other.url)


def test_why_a_run_failed_is_kept_with_the_source(other: There, base: Database) -> None:
    other.publish()
    harvest(base, other.url)
    other.twist = lambda _path, _body: (500, {}, b"{}")
    with pytest.raises(ServiceError):
        harvest(base, other.url)
    with base.read() as session:
        trouble = harvesting.trouble_of(session.scalars(select(HarvestSource)).one())
    assert trouble is not None and "500" in str(trouble)
