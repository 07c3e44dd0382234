"""What somebody typed comes back to them, whatever changed while they typed it."""

from __future__ import annotations

import html
import io
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kb.models import Buffer, Comment, Practice, PracticeAuthor, Role, State, User
from kb.services import (
    accounts,
    authors,
    claims,
    lifecycle,
    mending,
    moderation,
    practices,
    reports,
    vocabularies,
)
from kb.services.reports import Said
from kb.web import keeping
from tests import factories, uploads
from tests.conftest import Site, token

WORDS = "An hour's words of <b>mine</b>."


def user(session: Any, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


def sent(site: Site) -> str:
    with site.database.write() as session:
        return f"/review/{factories.submitted(session, user(session, 'alice')).id}"


def draft(site: Site, *others: str) -> str:
    """A draft of Alice's, with co-authors; the address of its form."""
    with site.database.write() as session:
        practice = factories.draft(session, user(session, "alice"))
        practice.authors += [PracticeAuthor(user_id=user(session, name).id) for name in others]
        return f"/my/practices/{practice.id}/edit"


def of(path: str) -> uuid.UUID:
    return uuid.UUID(re.findall(r"[0-9a-f-]{36}", path)[0])


def post(client: FlaskClient, path: str, csrf: str, **fields: str) -> tuple[int, str]:
    """Send a form; the status, and the page as a reader's browser holds it."""
    answer = client.post(path, data={"csrf_token": csrf, **fields})
    return answer.status_code, html.unescape(answer.get_data(as_text=True))


def withdrawn(site: Site, path: str) -> None:
    with site.database.write() as session:
        practices.withdraw(session, user(session, "alice"), session.get_one(Practice, of(path)))


def submitted(site: Site, path: str) -> None:
    with site.database.write() as session:
        practice = session.get_one(Practice, of(path))
        practices.submit(session, user(session, "alice"), practice, vocabularies.load(session))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for somebody else's writing."""
    monkeypatch.setattr("kb.db.BUSY_TIMEOUT", 0.2)


@contextmanager
def busy(site: Site) -> Iterator[None]:
    """Somebody else is writing for longer than anybody waits."""
    other = sqlite3.connect(site.config.data_dir / "kb.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


# Who may no longer see it


def test_a_decision_on_what_its_author_took_back_comes_back_to_the_editor(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    csrf = token(bob, review)
    withdrawn(site, review)
    status, page = post(bob, review, csrf, do="request-changes", message=WORDS, **{"comment-summary": "Which year?"})
    assert status == 409 and WORDS in page and "Which year?" in page and "readonly" in page


def test_an_editors_notes_outlive_the_author_taking_it_back(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    csrf = token(bob, review)
    withdrawn(site, review)
    post(bob, review, csrf, do="request-changes", message=WORDS)
    submitted(site, review)
    assert WORDS in html.unescape(bob.get(review).get_data(as_text=True))


def test_an_editor_who_never_saw_it_keeps_no_notes_on_it(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    withdrawn(site, review)
    assert post(bob, f"{review}/notes", token(bob, "/review"), message=WORDS)[0] == 404
    with site.database.read() as session:
        assert session.scalars(select(Buffer)).all() == []


def test_a_button_without_a_word_is_answered_as_before(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    csrf = token(bob, review)
    withdrawn(site, review)
    assert post(bob, review, csrf, do="take", message=" ")[0] == 404


def test_a_mend_of_what_its_author_took_back_comes_back(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    csrf = token(bob, review)
    withdrawn(site, review)
    status, page = post(bob, f"{review}/mend", csrf, summary=WORDS, note="A typo.")
    assert status == 409 and WORDS in page and "A typo." in page


def test_a_mend_of_what_was_decided_meanwhile_comes_back(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    csrf = token(bob, review)
    with site.database.write() as session:
        moderation.request_changes(session, user(session, "dora"), session.get_one(Practice, of(review)), "Which year?")
    status, page = post(bob, f"{review}/mend", csrf, summary=WORDS, note="A typo.")
    assert status == 409 and WORDS in page and "A typo." in page


def test_a_co_author_who_was_taken_out_while_writing_gets_the_text_back(site: Site) -> None:
    edit = draft(site, "charlie")
    charlie = site.client("charlie")
    csrf = token(charlie, edit)
    with site.database.write() as session:
        practice = session.get_one(Practice, of(edit))
        authors.remove(session, user(session, "alice"), practice, user(session, "charlie").id)
    status, page = post(charlie, edit, csrf, do="save", actions=WORDS, **{"sources-0-title": "A source"})
    assert status == 409 and WORDS in page and "Sources 1: Title" in page


def test_an_owner_who_lost_the_role_while_writing_gets_the_text_back(site: Site) -> None:
    edit = draft(site)
    alice = site.client("alice")
    csrf = token(alice, edit)
    with site.database.write() as session:
        accounts.set_role(session, "alice@example.org", Role.READER, actor=user(session, "dora"))
    status, page = post(alice, edit, csrf, do="save", actions=WORDS)
    assert status == 409 and WORDS in page


def test_a_new_text_of_someone_who_lost_the_role_comes_back(site: Site) -> None:
    alice = site.client("alice")
    csrf = token(alice, "/submit")
    with site.database.write() as session:
        accounts.set_role(session, "alice@example.org", Role.READER, actor=user(session, "dora"))
    status, page = post(alice, "/submit", csrf, do="save", actions=WORDS)
    assert status == 409 and WORDS in page


def test_what_was_typed_and_not_saved_is_shown_while_it_cannot_be_changed(site: Site) -> None:
    edit = draft(site, "charlie")
    charlie = site.client("charlie")
    csrf = token(charlie, edit)
    submitted(site, edit)
    post(charlie, edit.replace("/edit", "/autosave"), csrf, actions=WORDS)
    assert WORDS in html.unescape(charlie.get(edit).get_data(as_text=True))
    assert WORDS not in html.unescape(site.client("alice").get(edit).get_data(as_text=True))


# Two editors mend at once


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of a form of texts."""
    found = dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL))
    lines = re.findall(r'<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"', page)
    return {name: html.unescape(text) for name, text in [*found.items(), *lines]}


def mended(site: Site, review: str, **texts: str) -> None:
    """Dora mends a submission."""
    with site.database.write() as session:
        practice = session.get_one(Practice, of(review))
        mending.mend(session, user(session, "dora"), practice, vocabularies.load(session), texts, "Clearer.")


def texts_of(site: Site, review: str) -> dict[str, Any]:
    with site.database.read() as session:
        return practices.working_copy(session, session.get_one(Practice, of(review)))


def test_a_second_press_does_not_undo_the_other_editors_mend(site: Site) -> None:
    bob, mend = site.client("bob"), sent(site) + "/mend"
    typed = {**form_of(bob.get(mend).get_data(as_text=True)), "summary": "Bob mends this.", "note": "A typo."}
    mended(site, mend, actions="Dora mends this.")
    first = bob.post(mend, data=typed)
    assert first.status_code == 409
    assert bob.post(mend, data=form_of(first.get_data(as_text=True))).status_code == 302
    held = texts_of(site, mend)
    assert (held["summary"], held["actions"]) == ("Bob mends this.", "Dora mends this.")


def test_a_text_that_both_editors_mended_stands_beside_the_other(site: Site) -> None:
    bob, mend = site.client("bob"), sent(site) + "/mend"
    typed = {**form_of(bob.get(mend).get_data(as_text=True)), "summary": "Bob mends this.", "note": "A typo."}
    mended(site, mend, summary="Dora mends this.")
    page = bob.post(mend, data=typed).get_data(as_text=True)
    assert form_of(page)["summary"] == "Bob mends this." and ">Dora mends this.</p>" in page


def test_a_mend_that_outlived_the_session_does_not_undo_the_other_editors(site: Site) -> None:
    bob, mend = site.client("bob"), sent(site) + "/mend"
    typed = {**form_of(bob.get(mend).get_data(as_text=True)), "summary": "Bob mends this.", "csrf_token": "old"}
    mended(site, mend, actions="Dora mends this.")
    form = form_of(bob.post(mend, data=typed).get_data(as_text=True))
    assert (form["summary"], form["actions"]) == ("Bob mends this.", "Dora mends this.")


# While the site is busy


@pytest.mark.usefixtures("impatient")
def test_two_texts_come_back_while_the_site_is_busy(site: Site) -> None:
    edit = draft(site)
    alice = site.client("alice")
    csrf = token(alice, edit)
    mine = json.dumps({**factories.document(actions=WORDS), "contact": dict(factories.CONTACT)})
    path = edit.replace("/edit", "/reconcile")
    fields = {"mine": mine, "began": "1", "seen": "1", "text-actions": "Of both", "choose-actions": "own"}
    with busy(site):
        answer = alice.post(path, data={"csrf_token": csrf, **fields})
    form = form_of(answer.get_data(as_text=True))
    assert answer.status_code == 503 and {name: form[name] for name in fields} == fields


@pytest.mark.usefixtures("impatient")
def test_answers_come_back_while_the_site_is_busy(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.submitted(session, user(session, "alice"))
        moderation.request_changes(session, user(session, "bob"), practice, "", {"summary": "Which year?"})
        question = session.scalars(select(Comment.id)).one()
        path = f"/my/practices/{practice.id}/questions"
    alice = site.client("alice")
    csrf = token(alice, path)
    with busy(site):
        status, page = post(alice, path, csrf, **{f"answer-{question}": WORDS})
    assert status == 503 and form_of(page)[f"answer-{question}"] == WORDS


@pytest.mark.usefixtures("impatient")
def test_a_claim_comes_back_while_the_site_is_busy(site: Site) -> None:
    with site.database.write() as session:
        path = f"/practices/{factories.published(session, None).slug}/claim"
    charlie = site.client("charlie")
    csrf = token(charlie, path)
    with busy(site):
        status, page = post(charlie, path, csrf, reason=WORDS)
    assert status == 503 and form_of(page)["reason"] == WORDS


@pytest.mark.usefixtures("impatient")
def test_a_readers_report_is_sent_again_from_the_page_of_a_busy_site(site: Site) -> None:
    with site.database.write() as session:
        path = f"/practices/{factories.published(session, user(session, 'alice')).slug}/report"
    reader = site.client()
    csrf = token(reader, path)
    with busy(site):
        answer = reader.post(path, data={"csrf_token": csrf, "body": WORDS, "field": "results"})
    assert answer.status_code == 503 and "Set-Cookie" not in answer.headers
    again = reader.post(path, data=form_of(answer.get_data(as_text=True)))
    assert again.status_code == 200
    with site.database.read() as session:
        [report] = reports.open_reports(session)
        assert (report.body, report.field) == (WORDS, "results")


@pytest.mark.usefixtures("impatient")
def test_an_answer_to_a_report_comes_back_while_the_site_is_busy(site: Site) -> None:
    path, bob = reported(site), site.client("bob")
    csrf = token(bob, "/review/reports")
    with busy(site):
        status, page = post(bob, path, csrf, answer=WORDS, do="answer")
    form = form_of(page)
    assert status == 503 and (form["answer"], form["do"]) == (WORDS, "answer")


# When somebody was faster


def reported(site: Site) -> str:
    """The address to which the answer to a report goes."""
    with site.database.write() as session:
        practice = factories.published(session, user(session, "alice"))
        report = reports.make(session, None, str(practice.slug), Said("Wrong", "", "joe@example.org"))
        return f"/review/reports/{report.id}"


def claimed(site: Site) -> str:
    """The address to which the decision on a claim of Charlie's goes."""
    with site.database.write() as session:
        practice = factories.published(session, None)
        return f"/review/claims/{claims.make(session, user(session, 'charlie'), str(practice.slug), 'Mine').id}"


def test_an_answer_to_a_report_that_was_closed_meanwhile_comes_back(site: Site) -> None:
    path, bob = reported(site), site.client("bob")
    csrf = token(bob, "/review/reports")
    with site.database.write() as session:
        reports.close(session, user(session, "dora"), of(path), "Done")
    status, page = post(bob, path, csrf, answer=WORDS, do="answer")
    assert status == 409 and WORDS in page


def test_an_answer_to_a_claim_that_was_decided_meanwhile_comes_back(site: Site) -> None:
    path, bob = claimed(site), site.client("bob")
    csrf = token(bob, "/review/claims")
    with site.database.write() as session:
        claims.decide(session, user(session, "dora"), of(path), False, "No")
    status, page = post(bob, path, csrf, answer=WORDS, do="refuse")
    assert status == 409 and WORDS in page


def test_the_reason_for_a_step_that_cannot_be_made_any_more_comes_back(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.published(session, user(session, "alice"))
        path = f"/review/{practice.id}/step/unpublish"
    bob = site.client("bob")
    csrf = token(bob, path)
    with site.database.write() as session:
        lifecycle.unpublish(session, user(session, "dora"), session.get_one(Practice, of(path)), "Wrong")
    status, page = post(bob, path, csrf, reason=WORDS)
    assert status in (403, 409) and WORDS in page


@pytest.mark.parametrize("kind", ["report", "claim"])
def test_an_answer_of_an_editor_who_was_signed_out_can_be_sent(site: Site, kind: str) -> None:
    path, do = (reported(site), "answer") if kind == "report" else (claimed(site), "refuse")
    bob = site.client("bob")
    bob.get(f"/review/{kind}s")
    page = bob.post(path, data={"csrf_token": "old", "answer": WORDS, "do": do}).get_data(as_text=True)
    assert bob.post(path, data=form_of(page)).status_code == 302
    assert WORDS in html.unescape(bob.get(f"/review/{kind}s").get_data(as_text=True))


def test_a_step_whose_session_ended_can_be_made_with_the_reason(site: Site) -> None:
    with site.database.write() as session:
        path = f"/review/{factories.published(session, user(session, 'alice')).id}/step/unpublish"
    bob = site.client("bob")
    bob.get(path)
    page = bob.post(path, data={"csrf_token": "old", "seen": "1", "reason": WORDS}).get_data(as_text=True)
    assert bob.post(path, data=form_of(page)).status_code == 302
    with site.database.read() as session:
        assert session.get_one(Practice, of(path)).state != State.PUBLISHED


@pytest.mark.parametrize("which", ["", "/" + "0" * 64])
def test_words_for_a_file_come_back_when_it_was_submitted_meanwhile(site: Site, which: str) -> None:
    edit = draft(site)
    path = edit.replace("/edit", "/files")
    alice = site.client("alice")
    csrf = token(alice, path)
    submitted(site, edit)
    fields = {"kind": "image", "alt": WORDS, "credit": "Me"}
    answer = alice.post(
        path + which, data={"csrf_token": csrf, **fields, "file": (io.BytesIO(uploads.picture()), "a.png")}
    )
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 409 and WORDS in page


def test_words_for_a_file_outlive_the_session(site: Site) -> None:
    path = draft(site).replace("/edit", "/files")
    alice = site.client("alice")
    alice.get(path)
    status, page = post(alice, f"{path}/{'0' * 64}", "old", kind="image", alt=WORDS, do="save")
    assert status == 400 and form_of(page)["alt"] == WORDS


# What is said of a text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("comment-summary", "Question about: Summary"),
        ("answer-7", "Answer"),
        ("text-actions", "What was done"),
        ("sources-0-title", "Sources 1: Title"),
        ("sources.0.title", "Sources 1: Title"),
        ("odd", "odd"),
    ],
)
def test_each_text_is_called_what_its_form_calls_it(site: Site, name: str, said: str) -> None:
    with site.app.test_request_context():
        assert keeping.label(name) == said
