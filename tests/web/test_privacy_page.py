"""`/privacy` says what is really stored: every table that holds people has a note, and every note is on the page."""

from __future__ import annotations

from html import unescape

import pytest
from sqlalchemy import Table

from kb.models import schema
from kb.services import privacy
from kb.services.retention import KEPT
from tests.conftest import Site, configure

TABLES = schema().sorted_tables
NOTED = [table for table in TABLES if "privacy" in table.info]
NOBODY = {"generations", "jobs", "agreements"}
"""Tables with such a column that holds nobody: the name of a counter, a job, a setting."""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_that_may_hold_people_has_a_note(table: Table) -> None:
    refers = any(key.column.table.name == "users" for key in table.foreign_keys)
    names = {"email", "name", "address"} & set(table.columns.keys())
    if (refers or names or table.name == "users") and table.name not in NOBODY:
        assert table.info.get("privacy") and table.info.get("called")


def test_how_long_is_said_of_every_table_with_a_note() -> None:
    assert set(KEPT) == {table.name for table in NOTED}


@pytest.fixture(scope="module")
def page(reading_site: Site) -> str:
    return unescape(reading_site.client().get("/privacy").get_data(as_text=True))


@pytest.mark.parametrize("table", NOTED, ids=lambda table: table.name)
def test_every_note_is_on_the_page(page: str, table: Table) -> None:
    assert table.info["called"] in page and table.info["privacy"] in page
    assert str(KEPT[table.name]) in page


def test_the_notes_of_columns_are_on_the_page(page: str) -> None:
    columns = [column for table in TABLES for column in table.columns if "privacy" in column.info]
    assert columns and all(column.info["privacy"] in page for column in columns)
    assert len(privacy.notes()) == len(NOTED)


@pytest.mark.parametrize("path", ["/account/data", "/account/delete", "/account/mail"])
def test_the_page_leads_to_what_one_can_do(page: str, path: str) -> None:
    assert f'href="{path}"' in page


def test_a_reader_of_the_page_gets_no_cookie(reading_site: Site) -> None:
    answer = reading_site.client().get("/privacy")
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_is_the_one_that_the_page_names(site: Site, page: str) -> None:
    answer = site.client().get("/sign-in")
    name = answer.headers["Set-Cookie"].partition("=")[0]
    assert f"“{name}”" in page


def test_who_answers_is_on_the_page(site: Site) -> None:
    other = Site(configure(site.config.data_dir, KB_CONTROLLER="Town of X, privacy@x.example"))
    assert "Town of X, privacy@x.example" in other.client().get("/privacy").get_data(as_text=True)
    other.close()


def test_every_page_leads_to_it(reading_site: Site) -> None:
    assert 'href="/privacy"' in reading_site.client().get("/").get_data(as_text=True)
