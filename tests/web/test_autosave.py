"""Autosave as the script asks for it, one practice for each form, and two who save at once."""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from limits import RateLimitItemPerHour
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from kb.models import AuditEntry, Buffer, Practice, Revision, State, User, UserSession
from kb.services import buffers, limits, practices
from kb.web.autosave import LIMIT
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.web.test_submissions import FILLED, html_fields, only_practice, path_of, send


def autosave(client: FlaskClient, practice_id: Any, fields: dict[str, Any], **more: str) -> TestResponse:
    """What the script sends for a form with these fields."""
    data = {**fields, **more, "csrf_token": token(client, "/account/password")}
    return client.post(f"/my/practices/{practice_id}/autosave", data=data)


def begun(site: Site, **fields: Any) -> Practice:
    """A draft of Alice, saved once."""
    send(site.client("alice"), "/submit", {**FILLED, **fields}, do="save")
    return only_practice(site)


def rows(site: Site, table: type[Any]) -> int:
    with site.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def draft_of(client: FlaskClient) -> str:
    found = re.search(r'name="draft"[^>]*value="([^"]+)"', client.get("/submit").text)
    assert found
    return found.group(1)


def kept(site: Site) -> dict[str, str]:
    with site.database.read() as session:
        return dict(map(tuple, session.scalars(select(Buffer)).one().pairs))


def test_it_works(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    answer = autosave(alice, practice.id, {**FILLED, "title": "Another title"}, seen="1")
    assert answer.status_code == 200 and answer.get_json()["seen"] == 1 and answer.get_json()["saved"].endswith("Z")
    page = alice.get(path_of(site)).text
    assert 'value="Another title"' in page and "not saved as a draft yet" in page
    assert rows(site, Revision) == 1
    send(alice, path_of(site), {**FILLED, "title": "Another title", "seen": "1"}, do="save")
    assert rows(site, Buffer) == 0
    assert "not saved as a draft yet" not in alice.get(path_of(site)).text


# What is kept


def test_the_first_autosave_begins_the_practice_under_the_number_of_the_form(site: Site) -> None:
    alice = site.client("alice")
    draft = draft_of(alice)
    answer = autosave(alice, draft, {"title": "Men"}, draft=draft)
    assert answer.status_code == 200 and str(only_practice(site).id) == draft
    assert only_practice(site).title == "Men" and rows(site, Revision) == 1 and rows(site, Buffer) == 0


def test_text_that_no_draft_can_hold_is_kept_all_the_same(site: Site) -> None:
    alice = site.client("alice")
    draft = draft_of(alice)
    assert autosave(alice, draft, {"context": "x" * 20_001}, draft=draft).status_code == 200
    assert kept(site)["context"] == "x" * 20_001
    assert "x" * 20_001 in alice.get(path_of(site)).text


def test_what_says_the_same_as_the_draft_empties_the_buffer(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "title": "Another"}, seen="1")
    assert autosave(alice, practice.id, FILLED, seen="1").status_code == 200
    assert rows(site, Buffer) == 0


def test_json_is_understood_too(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    sent = {"pairs": [["title", "By JSON"], ["themes", "housing"], ["themes", "health-and-wellbeing"]], "seen": 1}
    headers = {"X-CSRFToken": token(alice, "/account/password")}
    answer = alice.post(f"/my/practices/{practice.id}/autosave", json=sent, headers=headers)
    assert answer.status_code == 200 and kept(site)["title"] == "By JSON"


@pytest.mark.parametrize("sent", [[], {"pairs": "x"}, {"pairs": [["a"]]}, {"pairs": [["a", 1]]}, {}])
def test_json_of_another_shape_is_refused(site: Site, sent: Any) -> None:
    alice, practice = site.client("alice"), begun(site)
    headers = {"X-CSRFToken": token(alice, "/account/password")}
    answer = alice.post(f"/my/practices/{practice.id}/autosave", json=sent, headers=headers)
    assert answer.status_code == 400 and answer.content_type == "application/problem+json"


def test_no_autosave_is_in_the_audit_log(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    before = rows(site, AuditEntry)
    autosave(alice, practice.id, {**FILLED, "title": "Another"}, seen="1")
    assert rows(site, AuditEntry) == before


def test_a_colleague_is_never_shown_what_somebody_is_typing(site: Site) -> None:
    with site.database.write() as session:
        people = session.scalars(select(User).where(User.email.in_(["alice@example.org", "charlie@example.org"])))
        factories.organisation(session, "City of Ghent", *people)
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "title": "Not finished"}, seen="1")
    charlie = site.client("charlie").get(path_of(site))
    assert charlie.status_code == 200 and "Not finished" not in charlie.text


def test_what_was_typed_is_thrown_away_at_a_click(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "title": "Another"}, seen="1")
    form = {"csrf_token": token(alice, path_of(site))}
    assert alice.post(f"/my/practices/{practice.id}/autosave/discard", data=form).status_code == 302
    assert rows(site, Buffer) == 0


def test_fields_that_no_form_sends_do_not_bar_the_page(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    many = {f"partners-{n}-name": f"Partner {n}" for n in range(101)}
    assert autosave(alice, practice.id, {**FILLED, **many}, seen="1").status_code == 200
    assert alice.get(path_of(site)).status_code == 200


# What is refused


def test_a_session_that_ended_is_said_as_json(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    form = {"title": "Typed late", "csrf_token": token(alice, "/account/password")}
    with site.database.write() as session:
        session.execute(delete(UserSession))
    for client in (alice, site.client()):
        answer = client.post(f"/my/practices/{practice.id}/autosave", data=form)
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    site.forget("alice")


def test_who_signed_in_anew_gets_a_new_token_for_the_open_form(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    path = f"/my/practices/{practice.id}/autosave"
    answer = alice.post(path, data={**FILLED, "title": "Another", "seen": "1", "csrf_token": "of an earlier session"})
    held = answer.get_json()
    with site.database.read() as session:
        person = session.scalars(select(User).where(User.email == "alice@example.org")).one()
    assert answer.status_code == 400 and held["user"] == str(person.id)
    again = alice.post(path, data={**FILLED, "title": "Another", "seen": "1", "csrf_token": held["csrf_token"]})
    assert again.status_code == 200 and kept(site)["title"] == "Another"


def test_without_a_token_nothing_is_kept(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    assert alice.post(f"/my/practices/{practice.id}/autosave", data={"title": "Forged"}).status_code == 400
    assert rows(site, Buffer) == 0


def test_a_reader_begins_nothing(site: Site) -> None:
    assert autosave(site.client("rita"), uuid.uuid4(), {"title": "Mine"}).status_code == 403
    assert rows(site, Practice) == 0


def test_an_editor_does_not_write_into_a_submission(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    assert autosave(site.client("bob"), only_practice(site).id, FILLED).status_code == 403


def test_what_moved_on_is_told_and_the_words_are_kept(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    send(alice, path_of(site), {**FILLED, "place": "Modena", "seen": "1"}, do="save")
    answer = autosave(alice, practice.id, {**FILLED, "title": "Older"}, seen="1")
    assert answer.status_code == 409 and answer.get_json()["saved"] and kept(site)["title"] == "Older"
    page = alice.get(path_of(site)).text
    assert 'value="Older"' in page and "you will see both texts" in page
    assert html_fields(page)["seen"] == ["1"]


def test_what_is_with_the_editors_is_told_and_the_words_are_kept(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="submit")
    answer = autosave(alice, only_practice(site).id, {**FILLED, "lessons": "Typed late"}, seen="1")
    assert answer.status_code == 409 and kept(site)["lessons"] == "Typed late"


def test_too_much_is_refused(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    assert autosave(alice, practice.id, {"context": "x" * LIMIT}, seen="1").status_code == 413


def test_more_than_a_form_holds_is_refused(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    answer = autosave(alice, practice.id, {"context": "x" * buffers.LIMIT}, seen="1")
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")
    assert rows(site, Buffer) == 0


@pytest.fixture
def limited(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site with its limits on, where two practices may be begun in an hour."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    yield site
    site.close()


@pytest.fixture
def two_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BEGIN_LIMIT", RateLimitItemPerHour(2))


@pytest.mark.usefixtures("two_an_hour")
def test_nobody_begins_practices_without_end(limited: Site) -> None:
    alice = limited.client("alice")
    answers = [autosave(alice, uuid.uuid4(), {"title": "Flood"}) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert rows(limited, Practice) == 2


@pytest.mark.usefixtures("two_an_hour")
def test_who_began_too_many_is_told_in_json_when_to_come_back(limited: Site) -> None:
    alice = limited.client("alice")
    for _ in range(3):
        answer = autosave(alice, uuid.uuid4(), {"title": "Flood"})
    assert answer.content_type == "application/problem+json" and int(answer.headers["Retry-After"]) > 0
    assert "Wait 60 min" in answer.get_json()["detail"]


@pytest.mark.usefixtures("two_an_hour")
def test_who_began_too_many_goes_on_with_those(limited: Site) -> None:
    alice, number = limited.client("alice"), uuid.uuid4()
    for each in (number, uuid.uuid4()):
        autosave(alice, each, {"title": "Flood"})
    for title in ("One", "Two", "Three"):
        assert autosave(alice, number, {"title": title}, seen="1").status_code == 200


@pytest.mark.usefixtures("two_an_hour")
def test_each_person_has_a_count_of_their_own(limited: Site) -> None:
    for _ in range(2):
        autosave(limited.client("alice"), uuid.uuid4(), {"title": "Flood"})
    assert autosave(limited.client("charlie"), uuid.uuid4(), {"title": "Mine"}).status_code == 200


# One form, one practice


def test_each_empty_form_has_a_number_of_its_own(site: Site) -> None:
    alice = site.client("alice")
    assert draft_of(alice) != draft_of(alice)


def test_a_second_click_on_save_makes_no_second_draft(site: Site) -> None:
    alice = site.client("alice")
    form = {**FILLED, "draft": draft_of(alice)}
    for _ in range(2):
        assert send(alice, "/submit", form, do="save").status_code == 302
    assert rows(site, Practice) == 1 and rows(site, Revision) == 1


def test_a_second_click_on_submit_says_again_that_it_is_with_the_editors(site: Site) -> None:
    alice = site.client("alice")
    form = {**FILLED, "draft": draft_of(alice)}
    for _ in range(2):
        answer = send(alice, "/submit", form, do="submit")
        assert answer.status_code == 302 and answer.location == "/my/practices"
    assert rows(site, Practice) == 1 and only_practice(site).state == State.SUBMITTED


def test_the_back_button_and_another_text_go_on_with_the_same_draft(site: Site) -> None:
    alice = site.client("alice")
    form = {**FILLED, "draft": draft_of(alice)}
    send(alice, "/submit", form, do="save")
    assert send(alice, "/submit", {**form, "title": "Changed after going back"}, do="save").status_code == 302
    assert rows(site, Practice) == 1 and only_practice(site).title == "Changed after going back"
    assert only_practice(site).revision_count == 2


def test_two_windows_of_one_form_make_one_practice_and_neither_text_is_lost(site: Site) -> None:
    alice = site.client("alice")
    form = {**FILLED, "draft": draft_of(alice)}
    send(alice, "/submit", form, do="save")
    send(alice, path_of(site), {**FILLED, "title": "In the first window", "seen": "1"}, do="save")
    answer = send(alice, "/submit", {**form, "title": "In the second window"}, do="save")
    assert answer.status_code == 409 and rows(site, Practice) == 1
    assert "In the first window" in answer.text and "In the second window" in html.unescape(answer.text)


def test_the_number_of_somebody_elses_practice_makes_a_new_one(site: Site) -> None:
    practice = begun(site)
    answer = send(site.client("charlie"), "/submit", {**FILLED, "draft": str(practice.id)}, do="save")
    assert answer.status_code == 302 and rows(site, Practice) == 2
    with site.database.read() as session:
        assert session.get_one(Practice, practice.id).revision_count == 1


def test_an_entry_added_to_a_new_form_leaves_its_number(site: Site) -> None:
    alice = site.client("alice")
    draft = draft_of(alice)
    page = send(alice, "/submit", {**FILLED, "draft": draft}, add="partners").text
    assert html_fields(page)["draft"] == [draft]


def test_the_browser_is_told_which_of_its_copies_is_saved(site: Site) -> None:
    answer = send(site.client("alice"), "/submit", {**FILLED, "copy": "abc123"}, do="save")
    assert answer.location.endswith("/edit?saved=abc123")


def test_a_made_up_name_of_a_copy_goes_nowhere(site: Site) -> None:
    answer = send(site.client("alice"), "/submit", {**FILLED, "copy": "a&b=c"}, do="save")
    assert answer.location.endswith("/edit")


def test_text_for_the_form_is_shown_in_it_and_not_saved(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    answer = send(alice, path_of(site), {**FILLED, "title": "From the browser", "seen": "1"}, do="show")
    assert answer.status_code == 200 and 'value="From the browser"' in answer.text
    with site.database.read() as session:
        assert session.get_one(Practice, practice.id).revision_count == 1


# Two at once


def clash(site: Site, mine: dict[str, str], theirs: dict[str, str]) -> tuple[TestResponse, str]:
    """Both save from revision 1; what the second one is answered, and the address of the form."""
    alice = site.client("alice")
    begun(site)
    path = path_of(site)
    send(alice, path, {**FILLED, **theirs, "seen": "1"}, do="save")
    return send(alice, path, {**FILLED, **mine, "seen": "1"}, do="save"), path


def reconcile(site: Site, answer: TestResponse, path: str, **choices: str) -> TestResponse:
    sent = {**html_fields(answer.text), **choices}
    return site.client("alice").post(
        path.replace("/edit", "/reconcile"), data={**sent, "csrf_token": token(site.client("alice"), "/account")}
    )


def working(site: Site) -> dict[str, Any]:
    with site.database.read() as session:
        return practices.working_copy(session, only_practice(site))


def test_what_only_one_changed_goes_in_without_asking(site: Site) -> None:
    answer, path = clash(site, {"lessons": "Begin early."}, {"place": "Modena"})
    assert answer.status_code == 409 and "Changed in this window only." in answer.text
    assert reconcile(site, answer, path).status_code == 302
    assert (working(site)["lessons"], working(site)["place"]) == ("Begin early.", "Modena")


def test_what_both_changed_has_to_be_chosen(site: Site) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    again = reconcile(site, answer, path)
    assert again.status_code == 422 and 'href="#choose-place"' in again.text and 'id="choose-place"' in again.text
    assert "Parma" in again.text and "Modena" in again.text and working(site)["place"] == "Modena"


@pytest.mark.parametrize(("choice", "place"), [("mine", "Parma"), ("theirs", "Modena"), ("own", "Modena and Parma")])
def test_a_field_says_what_was_chosen(site: Site, choice: str, place: str) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    more = {"choose-place": choice, "text-place": "Modena and Parma"}
    assert reconcile(site, answer, path, **more).status_code == 302
    assert working(site)["place"] == place and only_practice(site).revision_count == (2 if choice == "theirs" else 3)


def test_both_lists_may_be_had(site: Site) -> None:
    answer, path = clash(site, {"partners-0-name": "Union"}, {"partners-0-name": "Chamber"})
    assert reconcile(site, answer, path, **{"choose-partners": "both"}).status_code == 302
    assert [entry["name"] for entry in working(site)["partners"]] == ["Chamber", "Union"]


def test_another_contact_is_asked_about_too(site: Site) -> None:
    answer, path = clash(site, {"contact-email": "mine@example.org"}, {"place": "Modena"})
    assert "mine@example.org" in answer.text and "office@example.org" in answer.text
    assert reconcile(site, answer, path, **{"choose-contact": "mine"}).status_code == 302
    with site.database.read() as session:
        contact = practices.contact_of(session.get_one(Practice, only_practice(site).id))
    assert contact["email"] == "mine@example.org" and working(site)["place"] == "Modena"


def test_the_second_ones_whole_text_is_in_the_buffer_until_it_is_saved(site: Site) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    assert kept(site)["place"] == "Parma"
    reconcile(site, answer, path, **{"choose-place": "mine"})
    assert rows(site, Buffer) == 0


def test_a_third_one_in_between_is_shown_and_nothing_is_lost(site: Site) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    send(site.client("alice"), path, {**FILLED, "place": "Bologna", "seen": "2"}, do="save")
    again = reconcile(site, answer, path, **{"choose-place": "mine"})
    assert again.status_code == 409 and "Parma" in again.text and "Bologna" in again.text
    assert reconcile(site, again, path, **{"choose-place": "mine"}).status_code == 302
    assert working(site)["place"] == "Parma"


def test_the_page_of_two_texts_outlives_the_session(site: Site) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    stranger = site.client()
    sent = {**html_fields(answer.text), "choose-place": "mine"}
    page = stranger.post(path.replace("/edit", "/reconcile"), data=sent).text
    held = html.unescape(re.search(r'name="kept"[^>]*value="([^"]*)"', page).group(1))
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    person = {"email": "alice@example.org", "password": factories.PASSWORD, "csrf_token": fresh}
    back = stranger.post("/sign-in", data={**person, "next": path.replace("/edit", "/reconcile"), "kept": held})
    assert back.status_code == 200 and "Parma" in back.text and "Modena" in back.text


@pytest.mark.parametrize("mine", ["", "[]", "{", json.dumps({"nobody": "knows"}), "[" * 5000])
def test_a_text_that_no_page_of_ours_carries_is_refused(site: Site, mine: str) -> None:
    answer, path = clash(site, {"place": "Parma"}, {"place": "Modena"})
    assert reconcile(site, answer, path, mine=mine).status_code == 400


def test_who_saved_is_named(site: Site) -> None:
    with site.database.write() as session:
        people = session.scalars(select(User).where(User.email.in_(["alice@example.org", "charlie@example.org"])))
        factories.organisation(session, "City of Ghent", *people)
    begun(site)
    send(site.client("charlie"), path_of(site), {**FILLED, "place": "Modena", "seen": "1"}, do="save")
    answer = send(site.client("alice"), path_of(site), {**FILLED, "place": "Parma", "seen": "1"}, do="save")
    assert "Charlie saved this practice on" in answer.text and "Theirs, saved on" in answer.text
