"""The command `send-mail` as a person types it."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from kb.db import Database
from kb.services import mail
from tests import stack
from tests.conftest import configure
from tests.mailserver import MailServer
from tests.unit.test_cli import runner


@pytest.fixture
def folder(bare_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(bare_folder, tmp_path / "data")


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    database = Database(configure(folder).database_url)
    yield database
    database.close()


def tell(database: Database, count: int = 1) -> None:
    with database.write() as session:
        for number in range(count):
            mail.tell(session, "reset", f"person{number}@example.org", url="/reset/abc")


def test_out_of_the_box_mail_becomes_files_in_the_data_folder(folder: Path, database: Database) -> None:
    tell(database)
    assert runner(folder)("send-mail").output == "1 sent. 0 waiting.\n"
    [file] = (folder / "mail").iterdir()
    message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert message["To"] == "person0@example.org" and message["Subject"] == "Set a new password"
    assert "http://127.0.0.1:8000/reset/abc" in message.get_body(("plain",)).get_content()


def test_with_a_limit_the_rest_waits(folder: Path, database: Database) -> None:
    tell(database, 3)
    assert runner(folder)("send-mail", "--limit", 2).output == "2 sent. 1 waiting.\n"


def test_nothing_to_send_is_no_fault(folder: Path) -> None:
    assert runner(folder)("send-mail").output == "0 sent. 0 waiting.\n"


def test_what_could_not_be_sent_is_said_with_status_1(folder: Path, database: Database) -> None:
    tell(database, 2)
    done = runner(folder)("send-mail", status=1, env={"KB_MAIL_URL": MailServer().url})
    assert done.output == "0 sent. 2 could not be sent. 2 waiting.\n"
