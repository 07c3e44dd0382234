"""Pictures and documents on the site: bringing them, and who may read which."""

from __future__ import annotations

import html
import io
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from waitress.buffers import ReadOnlyFileBasedBuffer
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, create_environ, stream_encode_multipart

from kb.models import Practice, StoredFile, User, UserSession
from kb.services import (
    files,
    lifecycle,
    merging,
    practice_files,
    practices,
    previews,
    publishing,
    redaction,
    room,
    vocabularies,
)
from kb.services.errors import Unavailable
from kb.services.files import Store
from kb.services.practice_files import Words
from kb.web.files import SANDBOX
from tests import factories, uploads
from tests.conftest import Site, token


def made(site: Site, make: Any = factories.draft, owner: str = "alice", **changes: Any) -> uuid.UUID:
    """A practice of somebody."""
    with site.database.write() as session:
        user = session.scalars(select(User).where(User.email == f"{owner}@example.org")).one()
        practice: Practice = make(session, user, **changes)
        return practice.id


def brought(site: Site, practice_id: uuid.UUID, data: bytes, kind: Any = "image", owner: str = "alice") -> str:
    """The address of a file that its owner brought to a practice."""
    store = Store(site.config.files_dir)
    with files.receive(store, io.BytesIO(data), "file", kind) as taken, site.database.write() as session:
        actor = session.scalars(select(User).where(User.email == f"{owner}@example.org")).one()
        practice = session.get_one(Practice, practice_id)
        practice_files.add(session, actor, store, practice, kind, taken, Words("Title", "What it shows", "Sam"))
        return taken.address


def publish(site: Site, practice_id: uuid.UUID) -> None:
    """Submit a practice and publish it."""
    with site.database.write() as session:
        alice, bob = (
            session.scalars(select(User).where(User.email == f"{name}@example.org")).one() for name in ("alice", "bob")
        )
        practice, vocabulary = session.get_one(Practice, practice_id), vocabularies.load(session)
        practices.submit(session, alice, practice, vocabulary)
        document = practices.working_copy(session, practice)
        publishing.publish(session, practice, document, author_id=bob.id)


def file_of(data: bytes, name: str) -> FileStorage:
    """A file as a form sends it."""
    return FileStorage(io.BytesIO(data), filename=name)


def post(client: FlaskClient, path: str, form: dict[str, Any]) -> TestResponse:
    """Send a form with a file; its body stays in memory, where Werkzeug's own client would leave a file open."""
    stream, length, boundary = stream_encode_multipart(form, threshold=10**9)
    headers = {"Content-Length": str(length), "Content-Type": f'multipart/form-data; boundary="{boundary}"'}
    return client.post(path, input_stream=stream, headers=headers)


def upload(client: FlaskClient, practice_id: uuid.UUID, data: bytes, name: str, **fields: str) -> TestResponse:
    path = f"/my/practices/{practice_id}/files"
    form: dict[str, Any] = {"csrf_token": token(client, path), "kind": "image", "alt": "A wall", **fields}
    return post(client, path, {**form, "file": file_of(data, name)})


def images(site: Site, practice_id: uuid.UUID) -> list[dict[str, Any]]:
    with site.database.read() as session:
        found: list[dict[str, Any]] = practices.working_copy(session, session.get_one(Practice, practice_id))["images"]
        return found


def on_disk(site: Site) -> list[Path]:
    return [path for path in site.config.files_dir.rglob("*") if path.is_file()]


# Bringing them


def test_a_picture_is_uploaded_and_stands_on_the_page(site: Site) -> None:
    practice_id, alice = made(site), site.client("alice")
    answer = upload(alice, practice_id, uploads.picture(), "photo.jpg", title="Wall", credit="Sam")
    assert answer.status_code == 302 and answer.location.endswith(f"/my/practices/{practice_id}/files#images")
    [image] = images(site, practice_id)
    page = alice.get(f"/my/practices/{practice_id}/files").text
    assert f'src="{image["url"]}"' in page and 'value="A wall"' in page and 'width="60" height="40"' in page
    assert "is with the practice now" in page


def test_the_pages_of_files_are_for_nobodys_cache(site: Site) -> None:
    answer = site.client("alice").get(f"/my/practices/{made(site)}/files")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("name", ["page.jpg", "drawing.svg", "wall.png", "bomb.docx", "large.pdf"])
def test_a_bad_file_gives_the_form_back_with_a_sentence_and_every_word(site: Site, name: str) -> None:
    practice_id, (data, kind, words) = made(site), uploads.REFUSED[name]
    answer = upload(site.client("alice"), practice_id, data, name, kind=kind, title="My title", alt="My words")
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert answer.text.count(words) == 2 and f'href="#new-{kind}-file"' in answer.text
    assert 'value="My title"' in answer.text and (kind != "image" or 'value="My words"' in answer.text)
    assert on_disk(site) == [] and images(site, practice_id) == []
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_what_is_missing_is_said_at_once(site: Site) -> None:
    answer = upload(site.client("alice"), made(site), b"", "", alt=" ")
    assert answer.status_code == 422
    assert "Choose a file." in answer.text and "Describe the image" in answer.text


def test_a_body_beyond_all_bounds_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.web.files.UPLOAD_BODY_LIMIT", 5 * 1024**2)
    answer = upload(site.client("alice"), made(site), b"x" * 6 * 1024**2, "x.pdf", kind="attachment")
    assert answer.status_code == 413 and "larger than this site takes" in answer.text


def test_no_other_address_takes_so_large_a_body(site: Site) -> None:
    alice = site.client("alice")
    form = {"csrf_token": token(alice, "/submit"), "title": "x", "file": file_of(b"x" * 5 * 1024**2, "x")}
    assert post(alice, "/submit", form).status_code == 413


def test_a_stranger_cannot_send_so_large_a_body(site: Site) -> None:
    practice_id = made(site)
    form = {"file": file_of(b"x" * 5 * 1024**2, "x")}
    path = f"/my/practices/{practice_id}/files"
    assert post(site.client(), path, form).status_code == 413


def test_a_full_disk_is_said_with_every_word_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any) -> None:
        raise Unavailable(room.NO_ROOM)

    monkeypatch.setattr(files, "look_into", full)
    answer = upload(site.client("alice"), made(site), uploads.picture(), "photo.jpg", alt="My words")
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
    assert "no room for the file" in answer.text and 'value="My words"' in answer.text and on_disk(site) == []


def test_a_disk_that_is_full_before_the_form_is_read_is_said_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    practice_id, alice = made(site), site.client("alice")
    csrf = token(alice, f"/my/practices/{practice_id}/files")
    monkeypatch.setattr("werkzeug.wrappers.Request._get_file_stream", full)
    form = {"csrf_token": csrf, "file": file_of(uploads.picture(), "x.jpg")}
    answer = post(alice, f"/my/practices/{practice_id}/files", form)
    assert answer.status_code == 507 and "no room" in answer.text


def test_a_submission_with_the_editors_takes_no_file(site: Site) -> None:
    practice_id, alice = made(site), site.client("alice")
    csrf = token(alice, f"/my/practices/{practice_id}/files")
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.submit(session, owner, session.get_one(Practice, practice_id), vocabularies.load(session))
    assert alice.get(f"/my/practices/{practice_id}/files").status_code == 302
    form = {"csrf_token": csrf, "alt": "A nurse at work", "file": file_of(uploads.picture(), "x.jpg")}
    answer = post(alice, f"/my/practices/{practice_id}/files", form)
    assert answer.status_code == 409 and "A nurse at work" in answer.text and on_disk(site) == []


def test_words_and_order_change_and_a_picture_goes(site: Site) -> None:
    practice_id, alice = made(site), site.client("alice")
    addresses = [brought(site, practice_id, uploads.picture(kind)) for kind in ("JPEG", "PNG")]
    first, second = (address[7:71] for address in addresses)
    page = f"/my/practices/{practice_id}/files"

    def send(sha256: str, **fields: str) -> int:
        form = {"csrf_token": token(alice, page), "kind": "image", **fields}
        return alice.post(f"{page}/{sha256}", data=form).status_code

    assert send(first, do="down") == 302
    assert [image["sha256"] for image in images(site, practice_id)] == [second, first]
    assert send(first, do="save", alt="Other words", title="", credit="Kim") == 302
    assert images(site, practice_id)[1]["alt"] == "Other words" and images(site, practice_id)[1]["credit"] == "Kim"
    assert send(first, do="save", alt="") == 422
    assert send(second, do="remove") == 302 and len(images(site, practice_id)) == 1
    assert send(second, do="remove") == 404
    assert send(first, do="explode") == 400


def test_what_was_typed_into_the_form_is_saved_on_the_way_to_the_files(site: Site) -> None:
    alice = site.client("alice")
    form = {"csrf_token": token(alice, "/submit"), "title": "Not lost", "language": "en", "do": "files"}
    answer = alice.post("/submit", data=form)
    assert answer.status_code == 302 and re.fullmatch(r"/my/practices/[0-9a-f-]{36}/files(\?.*)?", answer.location)
    assert "Not lost" in alice.get(answer.location).text


def test_the_form_says_which_files_are_there_and_a_save_keeps_them(site: Site) -> None:
    practice_id, alice = made(site), site.client("alice")
    brought(site, practice_id, uploads.picture())
    path = f"/my/practices/{practice_id}/edit"
    assert "Picture: What it shows" in alice.get(path).text
    answer = alice.post(path, data={"csrf_token": token(alice, path), "title": "New title", "do": "save"})
    assert answer.status_code == 302 and len(images(site, practice_id)) == 1


def test_words_sent_after_the_session_ended_come_back_with_the_next_one(site: Site) -> None:
    practice_id, alice = made(site), site.client("alice")
    path = f"/my/practices/{practice_id}/files"
    csrf = token(alice, path)
    with site.database.write() as session:
        session.execute(delete(UserSession))
    large = uploads.picture("PNG") + b"x" * 5 * 1024**2
    answer = post(
        alice, path, {"csrf_token": csrf, "kind": "image", "alt": "My words", "file": file_of(large, "x.png")}
    )
    assert answer.status_code == 401 and "Your text is kept" in answer.text
    kept = re.search(r'name="kept"[^>]*value="([^"]+)"', answer.text)
    assert kept
    form = {"email": "alice@example.org", "password": factories.PASSWORD, "next": path,
            "kept": html.unescape(kept.group(1)), "csrf_token": csrf}  # fmt: skip
    back = alice.post("/sign-in", data=form, follow_redirects=True)
    assert 'value="My words"' in back.text and "Choose the file once more" in back.text
    site.forget("alice")


# Reading them


def read(site: Site, address: str, who: str | None = None, **headers: str) -> TestResponse:
    """What somebody is sent, whole, so that the file is closed again."""
    return site.client(who).get(address, headers=headers, buffered=True)


def asked(site: Site, who: str | None, address: str) -> int:
    return read(site, address, who).status_code


SIGNED = ("rita", "charlie", "bob", "dora", "alice")


def test_a_drafts_file_is_its_owners(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    assert {who: asked(site, who, address) for who in (None, *SIGNED)} == {
        None: 404, "rita": 404, "charlie": 404, "bob": 404, "dora": 404, "alice": 200}  # fmt: skip


def test_a_submissions_file_is_its_owners_and_the_editors(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.submit(session, owner, session.get_one(Practice, practice_id), vocabularies.load(session))
    assert {who: asked(site, who, address) for who in (None, *SIGNED)} == {
        None: 404, "rita": 404, "charlie": 404, "bob": 200, "dora": 200, "alice": 200}  # fmt: skip


def test_a_public_practices_file_is_everybodys(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    assert {who: asked(site, who, address) for who in (None, *SIGNED)} == dict.fromkeys((None, *SIGNED), 200)


def test_a_file_of_an_update_is_not_public_before_it_is_published(site: Site) -> None:
    practice_id = made(site)
    publish(site, practice_id)
    address = brought(site, practice_id, uploads.picture())
    assert (asked(site, None, address), asked(site, "charlie", address), asked(site, "alice", address)) == (
        404,
        404,
        200,
    )


def test_an_archived_practices_file_can_still_be_read(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    with site.database.write() as session:
        bob = session.scalars(select(User).where(User.email == "bob@example.org")).one()
        lifecycle.archive(session, bob, session.get_one(Practice, practice_id), "It ended.")
    assert asked(site, None, address) == 200


def test_a_file_of_an_earlier_version_can_still_be_read(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = session.get_one(Practice, practice_id)
        practice_files.remove(session, owner, practice, "image", address[7:71])
    publish(site, practice_id)
    with site.database.read() as session:
        assert session.get_one(Practice, practice_id).version == 2
    assert asked(site, None, address) == 200


def test_a_file_goes_offline_with_its_practice(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    with site.database.write() as session:
        publishing.unpublish(session, session.get_one(Practice, practice_id))
    assert (asked(site, None, address), asked(site, "charlie", address)) == (404, 404)


def test_a_redacted_versions_file_is_nobodys(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    with site.database.write() as session:
        dora = session.scalars(select(User).where(User.email == "dora@example.org")).one()
        redaction.redact(session, dora, practice_id, 1, "It showed a child.")
    assert {who: asked(site, who, address) for who in (None, *SIGNED)} == dict.fromkeys((None, *SIGNED), 404)


def test_a_file_that_another_practice_shows_stays_public(site: Site) -> None:
    first, second = made(site, title="One practice"), made(site, title="Another practice")
    address = brought(site, first, uploads.picture())
    assert brought(site, second, uploads.picture()) == address
    publish(site, first)
    publish(site, second)
    with site.database.write() as session:
        publishing.unpublish(session, session.get_one(Practice, first))
    assert asked(site, None, address) == 200


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "a" * 64 + ".jpg",
        "..%2f..%2fsecret.key",
        "A" * 64 + ".JPG",
        "{sum}.png",
        "{sum}.jpg.html",
        "{sum}",
        "%00.jpg",
    ],
)
def test_there_is_nothing_at_other_names(site: Site, name: str) -> None:
    address = brought(site, made(site), uploads.picture())
    assert asked(site, "alice", f"/files/{name.format(sum=address[7:71])}") == 404


def test_a_file_that_is_lost_is_not_found(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    for path in on_disk(site):
        path.unlink()
    assert asked(site, "alice", address) == 404


def test_an_image_is_shown_and_can_do_nothing(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.picture())
    publish(site, practice_id)
    answer = read(site, address)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, max-age=300, must-revalidate"
    assert "Set-Cookie" not in answer.headers


def test_a_document_is_to_be_saved_under_its_title(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.pdf(), "attachment")
    publish(site, practice_id)
    answer = read(site, address)
    assert answer.headers["Content-Disposition"] == "attachment; filename=title.pdf" and answer.data == uploads.pdf()
    assert answer.headers["Content-Type"] == "application/pdf"


def test_what_is_not_public_is_kept_by_no_cache(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    headers = read(site, address, "alice").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_browser_that_has_a_file_is_not_sent_it_again(site: Site) -> None:
    practice_id = made(site)
    address = brought(site, practice_id, uploads.pdf(), "attachment")
    publish(site, practice_id)
    etag = read(site, address).headers["ETag"]
    assert read(site, address, **{"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("wanted", ["bytes=0-3", "bytes=99999999-", "bytes=0-0,2-2", "lines=1-2"])
def test_a_file_is_sent_whole_by_the_server_whatever_part_is_asked_for(site: Site, wanted: str) -> None:
    """Parts would be made by a thread of the app, which waits for their reader."""
    practice_id = made(site)
    address = brought(site, practice_id, uploads.pdf(), "attachment")
    publish(site, practice_id)
    environ = create_environ(address, headers={"Range": wanted})
    environ["wsgi.file_wrapper"] = ReadOnlyFileBasedBuffer
    said: list[str] = []
    sent = site.app.wsgi_app(environ, lambda status, _headers: said.append(status))
    assert said == ["200 OK"] and isinstance(sent, ReadOnlyFileBasedBuffer)
    assert sent.prepare() == len(uploads.pdf())
    sent.close()


def test_the_practices_page_shows_pictures_and_documents(site: Site) -> None:
    practice_id = made(site)
    image, document = (
        brought(site, practice_id, uploads.picture()),
        brought(site, practice_id, uploads.pdf(), "attachment"),
    )
    publish(site, practice_id)
    with site.database.read() as session:
        slug = session.get_one(Practice, practice_id).slug
    page = site.client().get(f"/practices/{slug}").text
    assert re.search(
        rf'<img class="img-fluid" src="{image}" alt="What it shows" width="60" height="40" loading="lazy"', page
    )
    assert "Picture: Sam" in page and f'href="{document}"' in page and "PDF, 1 kB" in page


def test_a_picture_of_another_site_is_a_link(site: Site) -> None:
    made(site, factories.published, images=[{"title": "Far", "url": "https://a.example/b.png", "alt": "x"}])
    page = site.client().get("/practices/mentors-for-newly-arrived-nurses").text
    assert 'href="https://a.example/b.png"' in page and 'src="https://a.example' not in page


def test_editors_see_the_pictures_of_an_update_beside_what_changed(site: Site) -> None:
    practice_id = made(site)
    publish(site, practice_id)
    image = brought(site, practice_id, uploads.picture())
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.submit(session, owner, session.get_one(Practice, practice_id), vocabularies.load(session))
    page = site.client("bob").get(f"/review/{practice_id}").text
    assert f'src="{image}"' in page and "Title, What it shows, Sam" in page


def test_editors_see_the_pictures_in_review(site: Site) -> None:
    practice_id = made(site)
    image = brought(site, practice_id, uploads.picture())
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.submit(session, owner, session.get_one(Practice, practice_id), vocabularies.load(session))
    page = site.client("bob").get(f"/review/{practice_id}").text
    assert f'src="{image}"' in page and 'alt="What it shows"' in page


# Through the API


def sent(site: Site, body: dict[str, Any], owner: str = "alice", query: str = "") -> TestResponse:
    from kb.services import accounts

    with site.database.write() as session:
        made_token = accounts.new_token(session, f"{owner}@example.org")
    return site.client().post(f"/api/v1/practices{query}", json=body, headers={"Authorization": f"Bearer {made_token}"})


def body(**changes: Any) -> dict[str, Any]:
    document = factories.document(**changes)
    return {**{key: value for key, value in document.items() if value not in (None, [])}, "contact": factories.CONTACT}


def test_the_api_names_a_file_that_its_sender_may_see(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    answer = sent(site, body(images=[{"sha256": address[7:71], "alt": "A wall"}]))
    assert answer.status_code == 201, answer.text
    [image] = images(site, uuid.UUID(answer.get_json()["id"]))
    assert (image["url"], image["media_type"]) == (address, "image/jpeg") and image["bytes"] > 0


@pytest.mark.parametrize("owner", ["charlie", "alice"])
def test_the_api_names_no_file_that_is_hidden_from_its_sender_or_not_there(site: Site, owner: str) -> None:
    address = brought(site, made(site), uploads.picture())
    sha256 = address[7:71] if owner == "charlie" else "0" * 64
    answer = sent(site, body(images=[{"sha256": sha256, "alt": "A wall"}]), owner)
    assert answer.status_code == 422
    [error] = answer.get_json()["errors"]
    assert error["field"] == "images.0.sha256" and error["message"].startswith("There is no such file here.")
    assert asked(site, "charlie", address) == 404


def test_a_draft_of_the_api_that_names_anothers_file_opens_nothing(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    answer = sent(site, body(images=[{"sha256": address[7:71], "url": address, "alt": "x"}]), "charlie", "?draft=1")
    assert answer.status_code == 201 and asked(site, "charlie", address) == 404


def test_a_picture_without_a_description_cannot_be_submitted(site: Site) -> None:
    address = brought(site, made(site), uploads.picture())
    answer = sent(site, body(images=[{"sha256": address[7:71]}]))
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["field"] == "images.0.alt"


# Through a private link


def test_a_private_link_shows_the_drafts_files_and_no_others(site: Site) -> None:
    practice_id = made(site)
    image, other = brought(site, practice_id, uploads.picture()), brought(site, made(site), uploads.picture("PNG"))
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        link, secret = previews.make(session, owner, session.get_one(Practice, practice_id))
        link_id = link.id
    page = site.client().get(f"/preview/{secret}").text
    assert f'src="/preview/{secret}{image}"' in page
    answer = read(site, f"/preview/{secret}{image}")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert asked(site, None, f"/preview/{secret}{other}") == asked(site, None, image) == 404
    with site.database.write() as session:
        owner = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        previews.withdraw(session, owner, session.get_one(Practice, practice_id), link_id)
    assert asked(site, None, f"/preview/{secret}{image}") == 410


def test_the_files_of_a_merged_practice_are_public_no_more(site: Site) -> None:
    old = made(site)
    address = brought(site, old, uploads.picture())
    publish(site, old)
    other = made(site, factories.published, "charlie", title="The same")
    assert asked(site, None, address) == 200
    with site.database.write() as session:
        bob = session.scalars(select(User).where(User.email == "bob@example.org")).one()
        merging.merge(session, bob, session.get_one(Practice, old), session.get_one(Practice, other))
    assert asked(site, None, address) == 404


@pytest.mark.parametrize("key", ["images", "attachments"])
@pytest.mark.parametrize("page", ["history/1", "files", "history/1...2"])
def test_what_is_typed_in_the_place_of_an_address_is_no_link(site: Site, key: str, page: str) -> None:
    entry: dict[str, Any] = {
        "title": "Look",
        "url": "javascript:alert(1)",
        "media_type": None,
        "bytes": None,
        "sha256": None,
    }
    more = {"alt": "A table", "credit": None} if key == "images" else {}
    typed: dict[str, Any] = {key: [{**entry, **more}]}
    practice_id = made(site, factories.draft, **typed)
    with site.database.write() as session:
        practice = session.get_one(Practice, practice_id)
        changed = factories.document(**{key: [{**entry, **more, "title": "Look there"}]})
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.save(session, alice, practice, changed, None)
    text = site.client("alice").get(f"/my/practices/{practice_id}/{page}").text
    assert "Look" in text and 'href="javascript:' not in text
