"""Another process holds the database for longer than anybody waits: a sentence, the words back, and then it works."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import db
from kb.services import accounts, tokens
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.recovery.scarcity import held

WORDS = "Every word of a long afternoon"


@pytest.fixture
def impatient(town_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site with practices that waits for the database for a moment only."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT", 0.05)
    site = Site(configure(stack.copy(town_folder, tmp_path / "data")))
    yield site
    site.close()


def database(site: Site) -> Path:
    assert site.config.database_path is not None
    return site.config.database_path


def test_what_is_sent_while_somebody_holds_the_database_comes_back_word_for_word_and_can_be_sent_again(
    impatient: Site,
) -> None:
    client, path = impatient.client("alice"), "/submit"
    form = {"title": WORDS, "summary": WORDS, "language": "en", "do": "save", "csrf_token": token(client, path)}
    with held(database(impatient)):
        busy = client.post(path, data=form)
        assert busy.status_code == 503 and busy.text.count(WORDS) >= 2
    assert client.post(path, data=form).status_code == 302


def test_a_form_without_a_guard_of_its_own_gives_its_words_back_too(impatient: Site) -> None:
    client, path = impatient.client("dora"), "/admin/organisations"
    form = {"name": WORDS, "csrf_token": token(client, path)}
    with held(database(impatient)):
        busy = client.post(path, data=form)
    assert busy.status_code == 503 and busy.headers["Retry-After"] == "60"
    assert WORDS in busy.text and "Send it again" in busy.text


def test_a_password_is_not_shown_again(impatient: Site) -> None:
    client = impatient.client()
    form = {"email": "rita@example.org", "password": factories.PASSWORD, "csrf_token": token(client, "/sign-in")}
    with held(database(impatient)):
        busy = client.post("/sign-in", data=form)
    assert busy.status_code == 503 and factories.PASSWORD not in busy.text
    assert client.post("/sign-in", data=form).status_code == 302


def test_a_program_is_told_when_to_come_again(impatient: Site) -> None:
    with impatient.database.write() as session:
        bearer = tokens.make(session, accounts.get(session, "alice@example.org"))
    ask = {
        "json": {**factories.document(), "contact": factories.CONTACT},
        "headers": {"Authorization": f"Bearer {bearer}"},
    }
    client = impatient.client()
    with held(database(impatient)):
        busy = client.post("/api/v1/practices", **ask)
    assert (busy.status_code, busy.content_type) == (503, "application/problem+json")
    assert int(busy.headers["Retry-After"]) > 0
    assert client.post("/api/v1/practices", **ask).status_code == 201


def test_reading_goes_on_while_somebody_holds_the_database(impatient: Site) -> None:
    readers = impatient.client(), impatient.client("alice")
    with held(database(impatient)):
        for reader in readers:
            for address in ("/", "/practices?q=talent", "/practices/catalonia-acol-line", "/api/v1/practices"):
                assert reader.get(address).status_code == 200, address


def test_the_log_names_what_is_wrong_with_the_database_and_nothing_that_was_typed(
    impatient: Site, caplog: pytest.LogCaptureFixture
) -> None:
    client = impatient.client("alice")
    form = {"title": WORDS, "language": "en", "do": "save", "csrf_token": token(client, "/submit")}
    with held(database(impatient)):
        client.post("/submit", data=form)
    assert "SQLITE_BUSY" in caplog.text and WORDS not in caplog.text


def addresses(site: Site) -> list[str]:
    """Every address that takes a form, of a practice that is there, or of nothing."""
    with site.database.read() as session:
        person = accounts.get(session, "rita@example.org").id
    known = {"practice_id": uuid.uuid4(), "slug": "catalonia-acol-line", "user_id": person}
    found = []
    for rule in site.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            path = re.sub(
                r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>",
                lambda part: str(known.get(part[2]) or (uuid.uuid4() if part[1] == "uuid" else 1)),
                rule.rule,
            )
            found.append(path)
    return sorted(found)


def test_no_form_of_the_site_is_answered_with_a_fault_while_somebody_holds_the_database(impatient: Site) -> None:
    client = impatient.client("dora")
    sent = {"csrf_token": token(client, "/account/password"), "message": WORDS, "do": "save", "reason": WORDS}
    with held(database(impatient)):
        answers = {path: client.post(path, data=sent).status_code for path in addresses(impatient)}
    faults = {path: status for path, status in answers.items() if status >= 500 and status != 503}
    assert faults == {} and 503 in answers.values()
