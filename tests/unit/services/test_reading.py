"""Public records read in one statement are what is made of each alone."""

from __future__ import annotations

import uuid

from sqlalchemy import event, select

from kb.db import Database
from kb.models import Practice
from kb.services import publishing, reading
from kb.services.publishing import as_document, public_records
from tests.factories import published
from tests.unit.services.test_publishing import FULL

URL = "https://kb.example"


def test_records_read_together_are_as_each_alone(database: Database) -> None:
    with database.write() as session:
        published(session, **FULL)
        published(session)
        published(session, title="A whole country", level="national", region=None)
    with database.read() as session:
        ids = list(session.scalars(select(Practice.id)))
        alone = {key: as_document(record, URL) for key, record in public_records(session, ids).items()}
        assert len(alone) == 3 and reading.documents(session, ids, URL) == alone


def test_terms_and_regions_keep_the_order_in_which_they_were_given(database: Database) -> None:
    themes = ["labour-inclusion", "housing", "arts-and-culture"]
    regions = [{"country": "AT", "code": "AT33"}, {"country": "CH", "code": None}, {"country": "AT", "code": "AT11"}]
    with database.write() as session:
        practice_id = published(session, themes=themes, other_regions=regions).id
    with database.read() as session:
        read = reading.documents(session, [practice_id], URL)[str(practice_id)]
    assert read["themes"] == themes
    assert [{"country": each["country"], "code": each["code"]} for each in read["other_regions"]] == regions


def test_one_statement_reads_all(database: Database) -> None:
    with database.write() as session:
        ids = [published(session, **FULL).id for _ in range(5)]
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with database.read() as session:
        assert len(reading.documents(session, ids, URL)) == 5
    assert [each[:6] for each in statements if each != "BEGIN"] == ["SELECT"]


def test_what_is_not_public_is_not_there(database: Database) -> None:
    with database.write() as session:
        practice = published(session)
        publishing.unpublish(session, practice)
        gone = practice.id
    with database.read() as session:
        assert reading.documents(session, [gone, uuid.uuid4()], URL) == {}
        assert reading.documents(session, [], URL) == {}


def test_what_a_list_says_of_records_is_what_they_say_whole(database: Database) -> None:
    with database.write() as session:
        national = published(session, title="A whole country", level="national", region=None)
        ids = [published(session, **FULL).id, national.id]
    with database.read() as session:
        whole, listed = reading.documents(session, ids, URL), reading.listed(session, ids)
    assert listed.keys() == whole.keys() and len(listed) == 2
    for key, brief in listed.items():
        name = {"lead_organisation": {"name": whole[key]["lead_organisation"]["name"]}}
        assert brief == {each: whole[key][each] for each in brief} | name
