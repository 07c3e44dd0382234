"""The command `send-alerts`: from a kept search to the mail that goes out, through all parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from kb import config as settings
from kb import create_app
from kb.db import Database
from kb.models import SavedSearch, User
from kb.services import accounts, searches
from kb.services.query import CatalogueQuery
from tests import factories, stack
from tests.conftest import configure
from tests.unit.test_cli import runner

ASKED = CatalogueQuery(theme=("labour-inclusion",))


@pytest.fixture
def folder(bare_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(bare_folder, tmp_path / "data")


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    database = Database(configure(folder).database_url)
    yield database
    database.close()


@pytest.fixture
def search(database: Database) -> SavedSearch:
    """Somebody keeps a search, and then a practice that it finds is published."""
    with database.write() as session:
        alice = accounts.add_user(session, "alice@example.org", "member")
        alice.language = "es"
        search, _new = searches.keep(session, alice, ASKED, "Work for nurses", ())
        factories.published(session)
    return search


def sent(folder: Path) -> EmailMessage:
    [file] = (folder / "mail").iterdir()
    message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert isinstance(message, EmailMessage)
    return message


def test_what_is_new_goes_out_and_the_link_in_it_stops_this_search(
    folder: Path, database: Database, search: SavedSearch
) -> None:
    said = runner(folder)("send-alerts", "--all").output
    assert said == "1 new or changed, told in 1 mail.\n1 sent. 0 waiting.\n"
    message = sent(folder)
    assert message["To"] == "alice@example.org" and "Work for nurses" in message["Subject"]
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Mentors for newly arrived nurses (Italia)" in text
    assert "http://127.0.0.1:8000/practices/mentors-for-newly-arrived-nurses\n" in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch("<http://127.0.0.1:8000(/unsubscribe/search/.+)>", message["List-Unsubscribe"])
    assert found and found.group(1) in text
    own = {"KB_DATA_DIR": str(folder), **stack.environment(folder)}
    app = create_app(settings.load(own))  # with the key that the command made
    with app.test_client() as client:
        assert client.post(found.group(1), data={"List-Unsubscribe": "One-Click"}).status_code == 200
    app.extensions["kb"].postman.stop()
    with database.read() as session:
        assert session.get_one(SavedSearch, search.id).stopped is not None
        assert session.get_one(User, search.user_id).notify


def test_the_next_run_tells_nothing_again(folder: Path, search: SavedSearch) -> None:
    kb = runner(folder)
    kb("send-alerts", "--all")
    assert kb("send-alerts", "--all").output == "0 new or changed, told in 0 mails.\n0 sent. 0 waiting.\n"


def test_a_search_that_was_asked_today_waits(folder: Path, search: SavedSearch) -> None:
    assert runner(folder)("send-alerts").output == "0 new or changed, told in 0 mails.\n0 sent. 0 waiting.\n"
