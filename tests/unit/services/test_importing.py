"""Records come in as drafts, submissions or published ones; what is wrong with one costs only that one."""

from __future__ import annotations

import io
import json as stdlib
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from kb.db import Database
from kb.formats import json
from kb.models import AuditEntry, IndexOutbox, Origin, Practice, Record, Revision, RevisionKind, State, Theme
from kb.services import accounts, importing, setup
from kb.services.errors import Invalid, NotAllowed, NotFound
from kb.services.importing import Aim, Importer, Outcome, Refusal
from kb.services.practices import contact_of
from tests import factories

ALICE = "alice@example.org"
FORMER = {
    "id": "0b5e2b3e-1c1f-4d57-9f0b-0a2b9d7f1c11",
    "slug": "mentors-for-nurses",
    "version": 4,
    "published": "2024-03-01T09:30:00Z",
    "updated": "2025-06-02T10:00:00Z",
    "completeness": 0.99,
    "url": "https://elsewhere.example/practices/mentors-for-nurses",
    "origin": {"kind": "harvest", "url": "https://elsewhere.example/oai"},
}


def record(**changes: Any) -> dict[str, Any]:
    """A whole record as an export writes it."""
    return {**factories.document(), **FORMER, **changes}


def numbered(count: int) -> list[dict[str, Any]]:
    return [record(id=None, slug=f"practice-{n}", title=f"Practice {n}") for n in range(count)]


class Import:
    """One import, with what it refused."""

    def __init__(self, database: Database, aim: Aim, data: Any, owner: str | None = None, **how: bool) -> None:
        text = data if isinstance(data, bytes) else stdlib.dumps(data).encode()
        self.refused: list[Refusal] = []
        importer = Importer(database, aim, owner, self.refused.append)
        self.outcome = importer.run(lambda: json.read(io.BytesIO(text)), **how)

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [(refusal.place, refusal.field) for refusal in self.refused]


def publish(database: Database, data: Any, **how: bool) -> Import:
    return Import(database, Aim.PUBLISHED, data, **how)


def count(database: Database, table: type[Any]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def alice(database: Database) -> str:
    with database.write() as session:
        return factories.person(session, ALICE, "member").email


def test_published_records_keep_what_they_were(database: Database) -> None:
    assert publish(database, [record()]).outcome == Outcome(1, 0, 0)
    with database.read() as session:
        kept = session.scalars(select(Record)).one()
        assert str(kept.practice_id) == FORMER["id"]
        assert (kept.practice.slug, kept.practice.version) == ("mentors-for-nurses", 4)
        assert kept.published.isoformat() == "2024-03-01T09:30:00+00:00"
        assert kept.updated.isoformat() == "2025-06-02T10:00:00+00:00"
        assert (kept.practice.origin, kept.practice.origin_url) == (Origin.HARVEST, "https://elsewhere.example/oai")
        assert kept.practice.state == State.PUBLISHED
        assert kept.completeness == 0.11  # counted anew: one of nine


def test_what_the_software_sets_may_be_left_out(database: Database) -> None:
    assert publish(database, [factories.document()]).outcome == Outcome(1, 0, 0)
    with database.read() as session:
        kept = session.scalars(select(Record)).one()
        assert (kept.practice.slug, kept.practice.version) == ("mentors-for-newly-arrived-nurses", 1)
        assert kept.practice.origin == Origin.IMPORT


def test_every_import_leaves_a_trace_and_asks_for_the_index(database: Database) -> None:
    publish(database, [record()])
    assert count(database, IndexOutbox) == 1
    with database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["practice.import"]


def test_the_same_file_again_does_nothing(database: Database) -> None:
    publish(database, numbered(3))
    with database.read() as session:
        ids = {slug: str(key) for slug, key in session.execute(select(Practice.slug, Practice.id))}
    again = [{**each, "id": ids[each["slug"]]} for each in numbered(3)]
    assert publish(database, again).outcome == Outcome(0, 3, 0)
    assert count(database, Revision) == 3


@pytest.mark.parametrize("change", [{"version": 5}, {"updated": "2026-01-01T00:00:00Z"}, {"summary": "Other words."}])
def test_a_practice_that_is_here_is_never_changed(database: Database, change: dict[str, Any]) -> None:
    publish(database, [record()])
    again = publish(database, [record(**change)])
    assert again.fields == [("record 1", "slug")]
    assert "here already, in version 4" in again.refused[0].reason


def test_a_slug_of_another_practice_is_refused_by_name(database: Database) -> None:
    publish(database, [record()])
    again = publish(database, [record(id=None)])
    assert [str(refusal) for refusal in again.refused] == [
        "record 1: slug: “mentors-for-nurses” is the address of another practice here."
    ]


def test_an_id_of_another_practice_is_refused_by_name(database: Database) -> None:
    publish(database, [record()])
    again = publish(database, [record(slug="another")])
    assert again.fields == [("record 1", "id")]
    assert "mentors-for-nurses" in again.refused[0].reason


@pytest.mark.parametrize("twice", [{"slug": "another"}, {"id": "7c1f7d5e-6a94-4f0e-8f80-0b0b3f5c9a01"}])
def test_an_id_or_slug_twice_in_a_file_is_refused_once(database: Database, twice: dict[str, Any]) -> None:
    done = publish(database, [record(), *numbered(600), record(**twice)])
    assert done.outcome == Outcome(601, 0, 1)
    assert "stands in the file already: record 1" in done.refused[0].reason


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("id", {"id": "no-uuid"}),
        ("id", {"id": "{0b5e2b3e-1c1f-4d57-9f0b-0a2b9d7f1c11}"}),
        ("slug", {"slug": "Not A Slug"}),
        ("slug", {"slug": "a" * 200}),
        ("slug", {"slug": ["a"]}),
        ("version", {"version": 0}),
        ("version", {"version": True}),
        ("version", {"version": "4"}),
        ("published", {"published": "2024-03-01T09:30:00"}),
        ("updated", {"updated": "yesterday"}),
        ("updated", {"updated": "0001-01-01T00:00:00+14:00"}),
        ("origin.kind", {"origin": {"kind": "elsewhere"}}),
        ("origin.kind", {"origin": [1]}),
        ("origin.url", {"origin": {"kind": "seed", "url": "javascript:alert(1)"}}),
        ("nonsense", {"nonsense": 1}),
        ("themes", {"themes": ["no-such-theme"]}),
        ("region", {"region": "ZZ99"}),
        ("summary", {"summary": "word " * 101}),
        ("sources", {"sources": []}),
        ("contact.email", {"contact": {"role": "officer", "email": "nobody"}}),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused_by_field(
    database: Database, field: str, change: dict[str, Any]
) -> None:
    done = publish(database, [record(**change)])
    assert done.outcome == Outcome(0, 0, 1)
    assert ("record 1", field) in done.fields
    assert count(database, Practice) == 0


def test_everything_wrong_with_a_record_is_named_at_once(database: Database) -> None:
    done = publish(database, [record(slug="NO", summary=None, nonsense=1)])
    assert {field for _place, field in done.fields} >= {"slug", "nonsense"}


def test_good_records_are_kept_beside_bad_ones(database: Database) -> None:
    data = numbered(1200)
    data[5]["title"] = "x"
    data[700] = "no record"  # type: ignore[call-overload]
    done = publish(database, data)
    assert done.outcome == Outcome(1198, 0, 2)
    assert done.fields == [("record 6", "title"), ("record 701", "")]


def test_a_line_that_is_not_json_is_named_by_its_number(database: Database) -> None:
    text = b"\n".join([stdlib.dumps(record()).encode(), b"{oops", stdlib.dumps(numbered(1)[0]).encode()])
    done = publish(database, text)
    assert done.outcome == Outcome(2, 0, 1)
    assert done.fields == [("line 2", "")]


def test_what_the_database_itself_refuses_costs_one_record(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON records WHEN new.title = 'Practice 1' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    done = publish(database, numbered(3))
    assert done.outcome == Outcome(2, 0, 1)
    assert str(done.refused[0]) == "record 2: The database refused it: not this one."
    assert count(database, Practice) == count(database, Record) == count(database, IndexOutbox) == 2


def test_all_or_nothing_takes_all(database: Database) -> None:
    assert publish(database, numbered(600), all_or_nothing=True).outcome == Outcome(600, 0, 0)
    assert count(database, Record) == 600


def test_all_or_nothing_takes_none_where_one_is_bad(database: Database) -> None:
    data = numbered(600)
    data[599]["title"] = "x"
    done = publish(database, data, all_or_nothing=True)
    assert done.outcome == Outcome(0, 0, 1)
    assert count(database, Practice) == count(database, IndexOutbox) == 0


def test_a_dry_run_says_what_would_happen_and_writes_nothing(database: Database) -> None:
    publish(database, [record()])
    done = publish(database, [record(), *numbered(2), record(id=None)], dry_run=True)
    assert done.outcome == Outcome(2, 1, 1)
    assert count(database, Practice) == 1


def test_drafts_are_the_owners_own(database: Database, alice: str) -> None:
    data = {"title": "Begun", "language": "ga", "slug": "not-kept", "id": FORMER["id"], "version": 9,
            "contact": {"role": "officer", "email": ""}}  # fmt: skip
    done = Import(database, Aim.DRAFT, [data], alice)
    assert done.outcome == Outcome(1, 0, 0)
    with database.read() as session:
        practice = session.scalars(select(Practice)).one()
        assert practice.owner is not None and practice.owner.email == alice
        assert (practice.state, practice.slug, practice.version) == (State.DRAFT, None, 0)
        assert (practice.origin, str(practice.id) != FORMER["id"]) == (Origin.IMPORT, True)
        assert contact_of(practice)["role"] == "officer"
        assert session.scalars(select(Record)).first() is None


def test_a_draft_needs_a_title_and_a_language(database: Database, alice: str) -> None:
    done = Import(database, Aim.DRAFT, [{"summary": "No title"}], alice)
    assert done.fields == [("record 1", "title"), ("record 1", "language")]


def test_submissions_wait_for_an_editor(database: Database, alice: str) -> None:
    done = Import(database, Aim.SUBMITTED, [record(contact=factories.CONTACT)], alice)
    assert done.outcome == Outcome(1, 0, 0)
    with database.read() as session:
        practice = session.scalars(select(Practice)).one()
        assert practice.state == State.SUBMITTED
        kinds = session.scalars(select(Revision.kind).order_by(Revision.number)).all()
        assert kinds == [RevisionKind.SAVED, RevisionKind.SUBMITTED]


def test_an_incomplete_submission_is_refused_whole(database: Database, alice: str) -> None:
    done = Import(database, Aim.SUBMITTED, [{"title": "Begun", "language": "ga"}], alice)
    assert done.outcome == Outcome(0, 0, 1)
    assert count(database, Practice) == 0


def test_drafts_need_an_owner(database: Database) -> None:
    with pytest.raises(Invalid):
        Import(database, Aim.DRAFT, [], None)


def test_the_owner_must_be_there(database: Database) -> None:
    with pytest.raises(NotFound):
        Import(database, Aim.DRAFT, [], "nobody@example.org")


def test_a_reader_or_a_disabled_member_owns_nothing(database: Database, alice: str) -> None:
    with database.write() as session:
        factories.person(session, "rita@example.org", "reader")
        accounts.disable(session, alice)
    for owner in (alice, "rita@example.org"):
        with pytest.raises(NotAllowed):
            Import(database, Aim.DRAFT, [], owner)


def test_a_file_of_another_kind_is_refused(database: Database) -> None:
    with pytest.raises(json.NotJson):
        publish(database, b"id,title\r\n1,x\r\n")


def test_an_empty_base_gets_vocabularies_but_no_practice(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('empty') / 'kb.sqlite'}")
    setup.migrate(database)
    importing.prepare(database)
    assert count(database, Theme) > 0
    assert count(database, Practice) == 0
    importing.prepare(database)
    assert publish(database, [record()]).outcome == Outcome(1, 0, 0)
    database.close()


def test_rows_are_read_as_they_are_needed(database: Database) -> None:
    """A generator that fails late shows that earlier batches were written before it was read to its end."""

    def rows() -> Iterator[json.Row]:
        for n, data in enumerate(numbered(importing.BATCH)):
            yield json.Row(f"record {n}", data)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Importer(database, Aim.PUBLISHED, None, lambda refusal: None).run(rows)
    assert count(database, Record) == importing.BATCH
