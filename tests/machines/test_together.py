"""What people do on one machine is there on the other: two apps share a database, an engine and a folder of files."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kb.models import IndexOutbox, Practice, Theme, User
from kb.services import file_keeping, files, practice_files, staging, vocabularies
from kb.services.files import Store
from kb.services.locks import LockLost
from kb.services.practice_files import Words
from tests import factories, postgres, uploads
from tests.conftest import Site, token
from tests.machines.test_locks import cut
from tests.processes import eventually

Two = tuple[Site, Site]
PASSWORD = factories.PASSWORD


def on(site: Site, client: FlaskClient) -> FlaskClient:
    """The same browser, when the next request comes to another machine."""
    cookie = client.get_cookie("kb")
    assert cookie is not None
    there = site.app.test_client()
    there.set_cookie("kb", cookie.value)
    return there


def signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def found(site: Site, words: str) -> int:
    return int(site.client().get(f"/api/v1/practices?q={words}").get_json()["total"])


def person(site: Site, name: str) -> User:
    with site.database.read() as session:
        return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


def test_who_signs_in_on_one_machine_is_known_on_the_other(machines: Two) -> None:
    one, other = machines
    client = one.app.test_client()
    page = on_page(client)
    assert on(other, client).post("/sign-in", data=page).status_code == 302  # the form of one, the answer of the other
    assert signed_in(on(other, one.client("alice")))


def on_page(client: FlaskClient) -> dict[str, str]:
    """What Alice sends with the form for signing in."""
    return {"email": "alice@example.org", "password": PASSWORD, "csrf_token": token(client, "/sign-in")}


def test_sessions_ended_on_one_machine_are_ended_on_the_other(machines: Two) -> None:
    one, other = machines
    here, elsewhere = one.client("alice"), other.client("alice")
    sent = {"end": "others", "csrf_token": token(here, "/account/sessions")}
    assert here.post("/account/sessions", data=sent).status_code == 302
    assert signed_in(on(other, here)) and not signed_in(elsewhere)


def test_guesses_on_both_machines_count_together(machines: Two) -> None:
    for n in range(10):
        client = machines[n % 2].app.test_client()
        assert client.post("/sign-in", data={**on_page(client), "password": "a wrong one"}).status_code != 429
    client = machines[1].app.test_client()
    assert client.post("/sign-in", data=on_page(client)).status_code == 429


def test_requests_to_both_machines_count_together(machines: Two) -> None:
    left = [int(machines[n % 2].client().get("/api/v1/practices").headers["RateLimit-Remaining"]) for n in range(3)]
    assert left == [left[0], left[0] - 1, left[0] - 2]


def test_a_draft_saved_on_one_machine_is_edited_on_the_other(machines: Two) -> None:
    one, other = machines
    with one.database.write() as session:
        alice = session.merge(person(one, "alice"), load=True)
        key = factories.draft(session, alice, title="Written on one machine").id
    page = on(other, one.client("alice")).get(f"/my/practices/{key}/edit")
    assert page.status_code == 200 and "Written on one machine" in page.text


def test_a_file_uploaded_on_one_machine_is_read_on_the_other(machines: Two) -> None:
    one, other = machines
    address = brought(one)
    assert other.client().get(address).status_code == 404  # of a draft, to a stranger
    with on(other, one.client("alice")).get(address) as answer:
        assert answer.status_code == 200


def brought(site: Site) -> str:
    """The address of a picture that Alice brought to a draft of hers."""
    store = Store(site.config.files_dir)
    with (
        files.receive(store, io.BytesIO(uploads.picture()), "file", "image") as taken,
        site.database.write() as session,
    ):
        alice = session.get_one(User, person(site, "alice").id)
        practice: Practice = factories.draft(session, alice)
        practice_files.add(session, alice, store, practice, "image", taken, Words("Title", "What it shows", "Sam"))
        return taken.address


def test_a_sweep_on_one_machine_leaves_what_another_is_bringing(machines: Two) -> None:
    one, other = machines
    store, place = Store(one.config.files_dir), staging.folder(one.config.shared_dir)
    now = datetime.now(UTC)
    with (
        files.receive(store, io.BytesIO(uploads.picture()), "file", "image") as taken,
        staging.received(place, io.BytesIO(b"[]")) as draft,
    ):
        assert file_keeping.sweep_folder(other.database, other.config.files_dir, now) == 0
        assert staging.sweep_folder(other.database, other.config.shared_dir, now - staging.GRACE) == 0
        assert taken.draft.exists() and draft.exists()


def test_a_publication_on_one_machine_is_found_on_the_other(machines: Two) -> None:
    one, other = machines
    with one.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    one.parts.indexer.after_commit()
    eventually(lambda: found(other, "zanzara") == 1)
    assert found(one, "zanzara") == 1


def test_what_one_machine_leaves_behind_the_other_brings_into_the_index(machines: Two) -> None:
    one, other = machines
    with one.database.write() as session:  # and dies
        factories.published(session, title="Zanzara mentoring")
    assert other.client().get("/healthz").status_code == 200  # its follower begins with its first request
    eventually(lambda: waiting(one) == 0 and found(other, "zanzara") == 1)


def waiting(site: Site) -> int:
    with site.database.read() as session:
        return session.scalar(select(func.count()).select_from(IndexOutbox)) or 0


def test_of_two_followers_one_drains_at_a_time(machines: Two) -> None:
    one, other = machines
    with one.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    with one.parts.locks.hold("index"):
        assert not other.parts.indexer.drain(wait=0)
    assert other.parts.indexer.drain() and one.parts.indexer.drain()
    eventually(lambda: found(one, "zanzara") == 1)


class Cutting:
    """An engine that takes documents in, and whose machine loses its connections to the database meanwhile."""

    def __init__(self, engine: Any, server: postgres.Server, url: str) -> None:
        self._engine, self._server, self._url = engine, server, url

    def update(self, documents: Any, gone: Any = ()) -> None:
        self._engine.update(documents, gone)
        cut(self._server, self._url)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_what_was_indexed_while_the_right_to_it_was_lost_is_indexed_once_more(
    machines: Two, server: postgres.Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machines
    with one.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    monkeypatch.setattr(one.parts.indexer, "engine", Cutting(one.parts.engine, server, url))
    with pytest.raises(LockLost):
        one.parts.indexer.drain()
    assert waiting(one) > 0
    assert other.parts.indexer.drain() and waiting(other) == 0
    eventually(lambda: found(other, "zanzara") == 1)


def test_a_vocabulary_edited_on_one_machine_is_seen_on_the_other(machines: Two) -> None:
    one, other = machines
    assert "Roofs" not in other.client().get("/api/v1/themes").text  # it has read the vocabularies
    with one.database.write() as session:
        session.get_one(Theme, "housing").synonyms = {"en": ["Roofs over heads"]}
        vocabularies.moved(session)
    assert "Roofs over heads" in other.client().get("/api/v1/themes").text
