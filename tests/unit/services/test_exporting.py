"""Everything public into one file, and back again."""

from __future__ import annotations

import contextlib
import io
import json as stdlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.db import Database
from kb.formats import json
from kb.models import Origin, Practice, State
from kb.services import exporting, publishing
from kb.services.checking import check
from kb.services.importing import Aim, Importer, Refusal
from kb.services.record import KEYS, shape
from tests import factories, stack
from tests.conftest import configure
from tests.unit.services.documents import DOCUMENTS

BASE = "https://practices.example.eu"


def export(database: Database, path: Path) -> bytes:
    with database.read() as session:
        exporting.to_file(session, path, BASE)
    return path.read_bytes()


def bring(database: Database, path: Path) -> list[Refusal]:
    """Import a file as published records; what was refused."""

    def rows() -> Iterator[json.Row]:
        with path.open("rb") as file:
            yield from json.read(file)

    refused: list[Refusal] = []
    Importer(database, Aim.PUBLISHED, None, refused.append).run(rows)
    return refused


def test_an_export_is_an_array_of_whole_records_by_slug(seeded_database: Database, tmp_path: Path) -> None:
    records = stdlib.loads(export(seeded_database, tmp_path / "all.json"))
    assert len(records) == 120
    assert [record["slug"] for record in records] == sorted(record["slug"] for record in records)
    assert all(tuple(record) == KEYS for record in records)


def test_an_array_has_one_record_a_line_in_plain_utf8(seeded_database: Database, tmp_path: Path) -> None:
    lines = export(seeded_database, tmp_path / "all.json").decode().split("\n")
    assert (lines[0], lines[-2:], len(lines)) == ("[", ["]", ""], 123)
    assert "línia ACOL" in "".join(lines)


def test_a_name_in_jsonl_gives_json_lines(seeded_database: Database, tmp_path: Path) -> None:
    array = stdlib.loads(export(seeded_database, tmp_path / "all.json"))
    lines = export(seeded_database, tmp_path / "all.jsonl").decode().splitlines()
    assert [stdlib.loads(line) for line in lines] == array


def test_a_stream_gets_what_a_file_gets(seeded_database: Database, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with seeded_database.read() as session:
        assert exporting.to_stream(session, stream, BASE) == 120
    assert stream.getvalue() == export(seeded_database, tmp_path / "all.json")


def test_drafts_are_in_no_export(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.draft(session, alice, title="Not for readers yet")
        factories.published(session, alice, title="For readers")
    assert [record["title"] for record in stdlib.loads(export(database, tmp_path / "all.json"))] == ["For readers"]


def test_an_empty_base_exports_an_empty_array(database: Database, tmp_path: Path) -> None:
    assert export(database, tmp_path / "all.json") == b"[]\n"


def test_an_export_that_breaks_off_leaves_the_file_that_was_there(seeded_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text("what was there")

    def breaking(items: Any, _total: int) -> Iterator[Any]:
        for n, item in enumerate(items):
            if n == 50:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt), seeded_database.read() as session:
        exporting.to_file(session, path, BASE, breaking)
    assert path.read_text() == "what was there"
    assert list(tmp_path.glob(".all.json*")) == []


def test_the_seed_comes_back_as_it_was(seeded_database: Database, other_database: Database, tmp_path: Path) -> None:
    first = export(seeded_database, tmp_path / "first.json")
    assert bring(other_database, tmp_path / "first.json") == []
    assert export(other_database, tmp_path / "second.json") == first


def test_json_lines_come_back_as_they_were(seeded_database: Database, other_database: Database, tmp_path: Path) -> None:
    first = export(seeded_database, tmp_path / "first.jsonl")
    assert bring(other_database, tmp_path / "first.jsonl") == []
    assert export(other_database, tmp_path / "second.jsonl") == first


@pytest.fixture(scope="module")
def base(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A base in which nothing is ever kept: each example undoes what it wrote."""
    folder = stack.copy(bare_folder, tmp_path_factory.mktemp("base") / "data")
    database = Database(configure(folder).database_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def importer(base: Database) -> Importer:
    """Takes published records in, and fails the test where one is refused."""
    return Importer(base, Aim.PUBLISHED, None, lambda refusal: pytest.fail(str(refusal)))


class Undone(Exception):
    """Ends a transaction of which nothing is to be kept."""


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_any_record_comes_back_as_it_was(base: Database, importer: Importer, documents: list[Any]) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    with contextlib.suppress(Undone), base.write() as session:
        for document in documents:
            practice = Practice(id=uuid.uuid4(), origin=Origin.MEMBER, state=State.DRAFT, version=0, revision_count=0)
            session.add(practice)
            publishing.publish(session, practice, check(shape(document), importer.vocabulary))
        session.flush()
        exporting.to_stream(session, first, BASE)
        raise Undone
    with contextlib.suppress(Undone), base.write() as session:
        for row in json.read(io.BytesIO(first.getvalue())):
            importer.keep(session, importer.checked(row))
        session.flush()
        exporting.to_stream(session, second, BASE)
        raise Undone
    assert second.getvalue() == first.getvalue()
