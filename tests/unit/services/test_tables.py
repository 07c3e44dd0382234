"""Tables come in as records: what is exported comes back equal; what is wrong is named by row, column and reason."""

from __future__ import annotations

import contextlib
import csv as stdlib
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from xlsxwriter import Workbook

from kb.db import Database
from kb.formats import csv, table, xlsx
from kb.formats.about import About
from kb.models import Origin, Practice, State
from kb.services import catalogue, exporting, publishing, tables
from kb.services.checking import check
from kb.services.importing import Aim, Importer, Outcome
from kb.services.practices import contact_of, working_copy
from kb.services.record import shape, tidy
from kb.services.refusals import Refusal
from tests import factories, stack
from tests.conftest import configure
from tests.planted import PLANTED, cells, planted
from tests.unit.services.documents import DOCUMENTS

BASE = "https://practices.example.eu"
ALICE = "alice@example.org"
ABOUT = About(
    "Practices", BASE, "All", BASE, datetime(2026, 11, 23, tzinfo=UTC), "en", lambda _f, v: v, lambda _d: None
)

Sheets = Mapping[str, Sequence[Sequence[Any]]]


def as_csv(*rows: Sequence[Any]) -> bytes:
    buffer = io.StringIO(newline="")
    stdlib.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def as_xlsx(sheets: Sheets) -> bytes:
    buffer = io.BytesIO()
    with Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for n, row in enumerate(rows):
                sheet.write_row(n, 0, row)
    return buffer.getvalue()


class Import:
    """One import in Alice's name, with what it refused."""

    def __init__(self, database: Database, data: bytes, aim: Aim = Aim.SUBMITTED, **how: bool) -> None:
        self.refused: list[Refusal] = []
        importer = Importer(database, aim, None if aim is Aim.PUBLISHED else ALICE, self.refused.append)
        self.outcome = importer.run(lambda: tables.read(io.BytesIO(data), "table.csv", aim.needed), **how)

    @property
    def named(self) -> list[tuple[str, int | None, str]]:
        """Sheet, row and column of everything refused."""
        return [tuple(refusal.spot) for refusal in self.refused if refusal.spot]

    @property
    def reasons(self) -> str:
        return " ".join(refusal.reason for refusal in self.refused)


def with_cells(*changes: dict[str, str], drop: Sequence[str] = ()) -> bytes:
    """A CSV table with a row for each of the changes to a good practice."""
    rows = [{**cells(n), **change} for n, change in enumerate(changes)]
    header = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in drop]
    return as_csv(header, *([row.get(name, "") for name in header] for row in rows))


def main_sheet(*changes: dict[str, str], drop: Sequence[str] = ("sources",)) -> list[list[str]]:
    text = with_cells(*changes, drop=drop).decode()
    return list(stdlib.reader(io.StringIO(text, newline="")))


@pytest.fixture
def base(database: Database) -> Database:
    """A base with Alice and no practice."""
    with database.write() as session:
        factories.person(session, ALICE, "member")
    return database


def documents(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return [working_copy(session, each) for each in session.scalars(select(Practice).order_by(Practice.created))]


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Practice)) or 0


# Round trips


@pytest.fixture(scope="module")
def lasting(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A base in which nothing is ever kept: each example undoes what it wrote."""
    folder = stack.copy(bare_folder, tmp_path_factory.mktemp("base") / "data")
    database = Database(configure(folder).database_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def importer(lasting: Database) -> Importer:
    """Takes published records in, and fails the test where one is refused."""
    return Importer(lasting, Aim.PUBLISHED, None, lambda refusal: pytest.fail(str(refusal)))


class Undone(Exception):
    """Ends a transaction of which nothing is to be kept."""


HOSTILE = [
    "=1+1", "+49 30", "@SUM(A1)", "-- drop", "'quoted'", "''", "_x0041_", "a\nb", '"', ";", "[]", "[1", "true",
    "0012", "1e5", "\t=1", "#example", "ș ț", "\u2028x", "https://x.example, y",
]  # fmt: skip
CELLS = st.sampled_from(HOSTILE).filter(lambda text: len(tidy(text) or "") >= 3)


def _hostile(document: dict[str, Any], title: str, text: str) -> dict[str, Any]:
    partners = [{"name": text, "type": None, "url": None}]
    return {**document, "title": title, "actions": text, "place": text, "partners": partners, "attribution": text}


ANY = DOCUMENTS | st.builds(_hostile, DOCUMENTS, CELLS, CELLS)


@pytest.mark.parametrize("writer", [csv, xlsx], ids=["csv", "xlsx"])
@settings(max_examples=10, deadline=None)
@given(held=st.lists(ANY, min_size=1, max_size=3))
def test_any_record_comes_back_as_it_was(lasting: Database, importer: Importer, writer: Any, held: list[Any]) -> None:
    first, second, pieces = io.BytesIO(), io.BytesIO(), []
    with contextlib.suppress(Undone), lasting.write() as session:
        for document in held:
            practice = Practice(id=uuid.uuid4(), origin=Origin.MEMBER, state=State.DRAFT, version=0, revision_count=0)
            session.add(practice)
            publishing.publish(session, practice, check(shape(document), importer.vocabulary))
        session.flush()
        exporting.to_stream(session, first, BASE)
        pieces = list(writer.many(catalogue.every(session, BASE), ABOUT))
        raise Undone
    data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    with contextlib.suppress(Undone), lasting.write() as session:
        for row in tables.read(io.BytesIO(data), f"table.{writer.__name__}", Aim.PUBLISHED.needed):
            importer.keep(session, importer.checked(row))
        session.flush()
        exporting.to_stream(session, second, BASE)
        raise Undone
    assert second.getvalue() == first.getvalue()


@pytest.mark.parametrize("writer", [csv, xlsx], ids=["csv", "xlsx"])
def test_the_seed_comes_back_as_it_was(seeded_database: Database, other_database: Database, writer: Any) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    with seeded_database.read() as session:
        exporting.to_stream(session, first, BASE)
        pieces = list(writer.many(catalogue.every(session, BASE), ABOUT))
    data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    assert Import(other_database, data, Aim.PUBLISHED).outcome == Outcome(120, 0, 0)
    with other_database.read() as session:
        exporting.to_stream(session, second, BASE)
    assert second.getvalue() == first.getvalue()


# Planted errors


def test_five_thousand_rows_with_37_errors_name_exactly_those_and_all_or_nothing_takes_none(base: Database) -> None:
    data, expected = planted(5000)
    done = Import(base, data, all_or_nothing=True)
    assert len(expected) == len(done.refused) == len(PLANTED) == 37
    assert done.named == [("", each.row, each.column) for each in expected]
    assert all(each.reason in refusal.reason for each, refusal in zip(expected, done.refused, strict=True))
    assert (done.outcome, count(base)) == (Outcome(0, 0, 37), 0)


def test_the_good_rows_are_taken_and_the_37_others_are_not(base: Database) -> None:
    data, expected = planted(185)
    done = Import(base, data)
    assert done.named == [("", each.row, each.column) for each in expected]
    assert (done.outcome, count(base)) == (Outcome(148, 0, 37), 148)


def test_a_workbook_with_37_errors_names_exactly_those(base: Database) -> None:
    data, expected = planted(185)
    rows = list(stdlib.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    done = Import(base, as_xlsx({"practices": rows}), dry_run=True)
    assert done.named == [("practices", each.row, each.column) for each in expected]
    assert (done.outcome, count(base)) == (Outcome(148, 0, 37), 0)


# The file as a whole


def test_a_missing_column_is_named_once_and_nothing_is_taken(base: Database) -> None:
    done = Import(base, with_cells({}, {}, {}, drop=["summary", "themes"]))
    assert done.named == [("", 1, "summary"), ("", 1, "themes")]
    assert (done.outcome.unfit, count(base)) == (True, 0)


def test_a_draft_needs_two_columns_only(base: Database) -> None:
    assert Import(base, as_csv(["title", "language"], ["A house", "en"]), Aim.DRAFT).outcome == Outcome(1, 0, 0)


def test_an_unknown_column_is_named_once_with_the_one_that_was_meant(base: Database) -> None:
    done = Import(base, with_cells({"sumary": "x"}, {"sumary": "y"}))
    assert done.named == [("", 1, "sumary")]
    assert "Did you mean “summary”?" in done.reasons


def test_two_columns_of_one_name_are_refused(base: Database) -> None:
    done = Import(base, as_csv(["title", "language", "Title"], ["A house", "en", "B house"]), Aim.DRAFT)
    assert (done.named, done.outcome.unfit) == ([("", 1, "title")], True)


def test_names_of_columns_may_be_written_as_people_write_them(base: Database) -> None:
    done = Import(base, as_csv(["TITLE ", "Language", "region-code"], ["A house", "en", "ITH5"]), Aim.DRAFT)
    assert done.outcome == Outcome(1, 0, 0)
    assert documents(base)[0]["region"] == {"code": "ITH5", "name": None}


def test_a_cell_beside_the_named_columns_is_refused(base: Database) -> None:
    done = Import(base, as_csv(["title", "language"], ["A house", "en", "and this"]), Aim.DRAFT)
    assert done.named == [("", 2, "C")]


def test_an_old_workbook_is_refused_with_the_remedy(base: Database) -> None:
    done = Import(base, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    assert done.outcome.unfit and ".xlsx" in done.reasons


# Rows


def test_the_same_title_at_the_same_place_twice_in_a_file_is_refused(base: Database) -> None:
    done = Import(base, with_cells({"title": "A house"}, {}, {"title": "a House"}))
    assert done.named == [("", 4, "title")]
    assert "row 2" in done.reasons and count(base) == 2


def test_a_row_that_shows_how_it_is_done_is_left_out_and_counted(base: Database) -> None:
    assert Import(base, with_cells({"title": "#example A house"}, {})).outcome == Outcome(1, 0, 0, examples=1)


def test_terms_and_addresses_may_be_written_without_any_signs_of_json(base: Database) -> None:
    Import(
        base, with_cells({"themes": "housing; labour-inclusion", "sources": "https://a.example/x\nhttps://b.example/y"})
    )
    (document,) = documents(base)
    assert document["themes"] == ["housing", "labour-inclusion"]
    assert [each["url"] for each in document["sources"]] == ["https://a.example/x", "https://b.example/y"]


def test_a_contact_comes_in_its_own_columns(base: Database) -> None:
    given = {
        "contact_role": "Officer",
        "contact_email": "sam@example.org",
        "contact_name": "Sam",
        "contact_consent": "yes",
    }
    assert Import(base, with_cells(given)).outcome.added == 1
    with base.read() as session:
        contact = contact_of(session.scalars(select(Practice)).one())
    assert contact == {"role": "Officer", "email": "sam@example.org", "name": "Sam", "consent": True}


def test_a_wrong_contact_is_named_by_its_column(base: Database) -> None:
    done = Import(base, with_cells({"contact_role": "Officer", "contact_email": "sam at home"}))
    assert done.named == [("", 2, "contact_email")]


def test_a_cell_that_a_spreadsheet_cut_is_refused(base: Database) -> None:
    done = Import(base, with_cells({"partners": '[{"name": "' + "x" * 32_756}))
    assert done.named == [("", 2, "partners")]
    assert "cut" in done.reasons


# Workbooks


def test_the_entries_of_a_list_stand_on_its_sheet_by_title_slug_or_id(base: Database) -> None:
    sources = [["practice", "title", "url"], ["practice 0", "Page", "https://a.example"],
               ["Practice 1", "", "https://b.example"], ["Practice 0", "Two", "https://c.example"]]  # fmt: skip
    done = Import(base, as_xlsx({"practices": main_sheet({}, {}), "sources": sources}))
    assert done.outcome == Outcome(2, 0, 0)
    urls = [[each["url"] for each in document["sources"]] for document in documents(base)]
    assert sorted(urls) == [["https://a.example", "https://c.example"], ["https://b.example"]]


def test_what_is_wrong_on_the_sheet_of_a_list_is_named_there(base: Database) -> None:
    sources = [["practice", "url"], ["Practice 0", "https://a.example"], [], ["Practice 0", "nothing"]]
    done = Import(base, as_xlsx({"practices": main_sheet({}), "sources": sources}))
    assert done.named == [("sources", 4, "url")]
    assert str(done.refused[0]).startswith("sheet sources, row 4: url: “nothing” is not a web address")


def test_a_row_of_a_list_that_belongs_to_no_practice_is_named(base: Database) -> None:
    sources = [["practice", "url"], ["Practice 0", "https://a.example"], ["Practise 0", "https://b.example"]]
    done = Import(base, as_xlsx({"practices": main_sheet({}), "sources": sources}))
    assert (done.named, count(base)) == ([("sources", 3, "practice")], 1)


def test_a_sheet_that_the_import_does_not_know_is_refused_unless_it_is_empty(base: Database) -> None:
    sheets = {"practices": main_sheet({}, drop=()), "Sheet2": []}
    assert Import(base, as_xlsx(sheets), dry_run=True).outcome == Outcome(1, 0, 0)
    done = Import(base, as_xlsx({**sheets, "source": [["practice", "url"]]}), dry_run=True)
    assert (done.outcome.unfit, done.named) == (True, [("source", None, "")])


def test_the_one_sheet_of_a_workbook_may_bear_any_name(base: Database) -> None:
    assert Import(base, as_xlsx({"Tabelle1": main_sheet({}, drop=())})).outcome == Outcome(1, 0, 0)


def test_a_formula_costs_its_row_only(base: Database) -> None:
    buffer = io.BytesIO()
    with Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate([["title", "language"], ["A house", "en"], ["B house", "en"]]):
            sheet.write_row(n, 0, row)
        sheet.write_formula(1, 0, "=CONCAT(1,2)")
    done = Import(base, buffer.getvalue(), Aim.DRAFT)
    assert done.named == [("Sheet1", 2, "title")]
    assert done.outcome == Outcome(1, 0, 1)


def test_every_column_but_the_softwares_own_can_be_planted_with_an_error() -> None:
    assert {column for column, _, _ in PLANTED} <= set(table.NAMES)
