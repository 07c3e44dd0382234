"""An editor's story on the page: what is new, questions and answers, notes that survive, mending, handing over."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import AuditEntry, Buffer, Comment, LastLook, Practice, Review, Revision, State, User
from kb.services import leaving, practices, vocabularies
from tests import factories
from tests.conftest import Site, token


def user(session: Any, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()  # type: ignore[no-any-return]


def sent(site: Site, **changes: Any) -> str:
    """Alice submits a practice; returns the address of its review."""
    with site.database.write() as session:
        return f"/review/{factories.submitted(session, user(session, 'alice'), **changes).id}"


def again(site: Site, review: str, **changes: Any) -> None:
    """Alice takes the submission back where it is still with the editors, changes it and sends it again."""
    with site.database.write() as session:
        alice, practice = user(session, "alice"), session.get_one(Practice, of(review))
        if practice.state != State.CHANGES_REQUESTED:
            practices.withdraw(session, alice, practice)
        practices.save(session, alice, practice, factories.document(**changes), None)
        practices.submit(session, alice, practice, vocabularies.load(session))


def of(review: str) -> uuid.UUID:
    return uuid.UUID(review.split("/")[2])


def held(site: Site, review: str) -> Practice:
    with site.database.read() as session:
        return session.get_one(Practice, of(review))


def question(site: Site, review: str) -> Comment:
    """The first question about a submission."""
    with site.database.read() as session:
        return session.scalars(
            select(Comment).where(Comment.practice_id == of(review), Comment.parent_id.is_(None))
        ).first()  # type: ignore[return-value]


def press(client: FlaskClient, path: str, do: str, **fields: Any) -> TestResponse:
    """Send a page's form with one of its buttons, and with what its hidden fields hold."""
    page = client.get(path).get_data(as_text=True)
    seen = re.search(r'name="seen" value="(\d+)"', page)
    given = {"seen": seen.group(1) if seen else "", **fields}
    return client.post(path, data={**given, "do": do, "csrf_token": token(client, path)})


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def words(page: str) -> str:
    """The page as it is read, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_it_works(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, title="Mentors")
    assert press(bob, review, "take").status_code == 302
    answer = press(bob, review, "request-changes", **{"comment-results": "How many?", "check": ["eligible"]})
    assert answer.status_code == 302 and held(site, review).state == State.CHANGES_REQUESTED
    again(site, review, title="Mentors", results="86 pairs.")
    page = text(bob, review)
    assert "How many?" in page and "Since I last looked" in page and '<span class="visually-hidden">Added:' in page
    assert press(bob, review, "publish").status_code == 302
    assert held(site, review).version == 1


# What is new


def test_a_new_practice_is_shown_whole(site: Site) -> None:
    page = text(site.client("bob"), sent(site, title="Mentors"))
    assert "fields filled" in page and "<ins>" not in page and "Since I last looked" not in page


def test_what_changed_since_the_last_look_is_shown_word_by_word(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, actions="Pairs meet weekly.")
    bob.get(review)
    again(site, review, actions="Pairs meet daily.")
    page = text(bob, review)
    assert "Removed: weekly" in words(page) and "Added: daily" in words(page)
    assert 'id="c-actions"' in page and 'id="c-summary"' not in page


def test_what_is_new_stays_on_a_second_look(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, actions="Pairs meet weekly.")
    bob.get(review)
    again(site, review, actions="Pairs meet daily.")
    bob.get(review)
    assert "Removed: weekly" in words(text(bob, review))


def test_another_editor_has_not_looked_yet(site: Site) -> None:
    review = sent(site, actions="Pairs meet weekly.")
    site.client("bob").get(review)
    again(site, review, actions="Pairs meet daily.")
    assert "weekly" not in text(site.client("dora"), review)


def test_an_editor_chooses_what_to_compare_with(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, actions="Pairs meet weekly.")
    press(bob, review, "request-changes", message="How often?")
    again(site, review, actions="Pairs meet daily.")
    dora = site.client("dora")
    assert "Removed: weekly" in words(text(dora, review))
    whole = text(dora, f"{review}?since=whole")
    assert 'id="c-summary"' in whole and "weekly" not in whole


def test_a_comparison_that_nobody_knows_is_the_usual_one(site: Site) -> None:
    assert site.client("bob").get(f"{sent(site)}?since=nonsense").status_code == 200


def test_an_update_is_compared_with_the_public_version(site: Site) -> None:
    with site.database.write() as session:
        alice = user(session, "alice")
        practice = factories.published(session, alice, actions="Pairs meet weekly.")
        practices.save(
            session, alice, practice, factories.document(actions="Pairs meet daily."), dict(factories.CONTACT)
        )
        practices.submit(session, alice, practice, vocabularies.load(session))
        review = f"/review/{practice.id}"
    page = text(site.client("bob"), review)
    assert "Since the public version" in page and "Removed: weekly" in words(page)


def test_looking_is_noted_once_a_version(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    for _ in range(2):
        bob.get(review)
    with site.database.read() as session:
        [seen] = session.scalars(select(LastLook)).all()
        assert (seen.revision_number, seen.before) == (2, None)


def test_a_question_stands_beside_its_field_though_that_did_not_change(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, title="Mentors")
    press(bob, review, "request-changes", **{"comment-summary": "For whom?"})
    again(site, review, title="Mentors for nurses")
    page = text(bob, review)
    section = page[page.index('id="c-summary"') :]
    assert "Not changed" in section and "For whom?" in section


# Questions and answers


def test_the_author_answers_beside_the_field(site: Site) -> None:
    bob, alice, review = site.client("bob"), site.client("alice"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    asked = question(site, review)
    path = f"/my/practices/{of(review)}/edit"
    assert f'name="answer-{asked.id}"' in text(alice, path)
    fields = {"title": "Mentors", "language": "en", f"answer-{asked.id}": "86, by our count."}
    alice.post(path, data={**fields, "do": "save", "csrf_token": token(alice, path)})
    assert "86, by our count." in text(bob, review)


def test_an_answer_survives_a_form_that_is_refused(site: Site) -> None:
    bob, alice, review = site.client("bob"), site.client("alice"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    asked, path = question(site, review), f"/my/practices/{of(review)}/edit"
    again(site, review, title="Mentors again")  # in another window
    fields = {"title": "Mentors", f"answer-{asked.id}": "86, by our count."}
    answer = alice.post(path, data={**fields, "do": "save", "csrf_token": token(alice, path)})
    assert answer.status_code == 409 and "86, by our count." in answer.get_data(as_text=True)


def test_an_author_answers_while_the_practice_is_with_the_editors(site: Site) -> None:
    bob, alice, review = site.client("bob"), site.client("alice"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    again(site, review, title="Mentors again")
    asked, path = question(site, review), f"/my/practices/{of(review)}/questions"
    assert path in text(alice, f"/my/practices/{of(review)}/edit")
    fields = {f"answer-{asked.id}": "86, by our count.", "csrf_token": token(alice, path)}
    assert alice.post(path, data=fields).status_code == 302
    assert "86, by our count." in text(alice, path) and "86, by our count." in text(bob, review)


def test_an_answer_that_is_too_long_comes_back(site: Site) -> None:
    bob, alice, review = site.client("bob"), site.client("alice"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    asked, path = question(site, review), f"/my/practices/{of(review)}/questions"
    answer = alice.post(path, data={f"answer-{asked.id}": "x" * 5001, "csrf_token": token(alice, path)})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'href="#answer-{asked.id}"' in page and "x" * 5001 in page


def test_a_practice_without_questions_says_so(site: Site) -> None:
    assert "No question is open" in text(site.client("alice"), f"/my/practices/{of(sent(site))}/questions")


def test_an_editor_answers_and_settles_on_the_page(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    asked = question(site, review)
    press(bob, review, f"answer:{asked.id}", **{f"answer-{asked.id}": "An estimate would do."})
    assert "An estimate would do." in text(bob, review)
    press(bob, review, f"settle:{asked.id}")
    assert "1 settled question" in text(bob, f"{review}?since=whole")
    press(bob, review, f"reopen:{asked.id}")
    assert question(site, review).resolved is None


def test_an_answer_without_a_word_is_refused_beside_its_box(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    again(site, review, title="Mentors again")
    asked = question(site, review)
    answer = press(bob, review, f"answer:{asked.id}", message="half a thought")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'href="#answer-{asked.id}"' in page and "half a thought" in page


@pytest.mark.parametrize("key", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_comment_that_is_not_there_is_not_found(site: Site, key: str) -> None:
    assert press(site.client("bob"), sent(site), f"settle:{key}").status_code == 404


def test_a_decision_sends_the_answers_that_were_typed(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    again(site, review, title="Mentors again")
    asked = question(site, review)
    press(bob, review, "request-changes", message="Once more.", **{f"answer-{asked.id}": "Still missing."})
    with site.database.read() as session:
        assert session.scalars(select(Comment.body).where(Comment.parent_id == asked.id)).all() == ["Still missing."]


def test_the_queue_says_how_many_questions_are_open(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?", "comment-title": "Shorter?"})
    again(site, review, title="Mentors again")
    assert "2 questions open" in text(bob, "/review")


# Notes


def test_notes_are_kept_without_a_decision_and_come_back(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "keep", message="Half a thought", **{"comment-title": "Shorter?", "check": ["clear"]})
    page = text(bob, review)
    assert "Half a thought" in page and "Shorter?" in page and "Your notes of" in page
    assert re.search(r'value="clear"[^>]* checked', page)
    assert held(site, review).state == State.SUBMITTED


def test_notes_are_their_editors_alone(site: Site) -> None:
    review = sent(site)
    press(site.client("bob"), review, "keep", message="Half a thought")
    assert "Half a thought" not in text(site.client("dora"), review)


def test_the_pages_script_keeps_notes_too(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    fields = {"message": "Half a thought", "seen": "2", "csrf_token": token(bob, review)}
    assert bob.post(f"{review}/notes", data=fields).status_code == 204
    assert "Half a thought" in text(bob, review)


def test_notes_that_were_emptied_are_gone(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "keep", message="Half a thought")
    press(bob, review, "keep", message=" ")
    assert "Your notes of" not in text(bob, review)


@pytest.mark.parametrize("do", ["take", "mend:summary"])
def test_what_is_typed_survives_whatever_else_is_done(site: Site, do: str) -> None:
    bob, review = site.client("bob"), sent(site)
    assert press(bob, review, do, message="Half a thought").status_code == 302
    assert "Half a thought" in text(bob, review)


def test_a_decision_ends_the_notes(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "keep", message="Half a thought")
    press(bob, review, "request-changes", message="A whole one")
    with site.database.read() as session:
        assert session.scalar(select(Buffer)) is None


# The checklist


def test_what_was_ticked_is_kept_with_the_decision_and_remembered(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", message="Why?", check=["eligible", "rights", "poison"])
    with site.database.read() as session:
        ticks = session.scalars(select(Review.checklist)).one()
    assert ticks == {"eligible": True, "clear": False, "evidence": False, "transferable": False, "rights": True}
    again(site, review, title="Mentors again")
    page = text(bob, review)
    assert re.search(r'value="rights"[^>]* checked', page) and not re.search(r'value="clear"[^>]* checked', page)


def test_the_page_says_what_the_record_says_of_each_item(site: Site) -> None:
    page = words(text(site.client("bob"), sent(site, start="2021")))
    assert "The record suggests: yes. Why? It began in 2021." in page
    assert "“What another region needs” is empty." in page


# Who has it


def test_the_page_says_who_has_it(site: Site) -> None:
    review = sent(site)
    press(site.client("bob"), review, "take")
    assert "Bob has this in review" in text(site.client("dora"), review)
    assert "Bob has this in review" not in text(site.client("bob"), review)


def test_a_review_goes_back_into_the_queue(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "take")
    press(bob, review, "release")
    assert (held(site, review).state, held(site, review).editor_id) == (State.SUBMITTED, None)


def test_a_review_is_handed_over(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "take")
    with site.database.read() as session:
        dora = user(session, "dora").id
    assert f'<option value="{dora}">Dora</option>' in text(bob, review)
    press(bob, review, "hand-over", editor=str(dora))
    assert held(site, review).editor_id == dora


def test_a_review_is_taken_over(site: Site) -> None:
    review = sent(site)
    press(site.client("bob"), review, "take")
    with site.database.read() as session:
        dora = user(session, "dora").id
    press(site.client("dora"), review, f"hand-over:{dora}")
    assert held(site, review).editor_id == dora


@pytest.mark.parametrize("name", ["", "nonsense", "alice"])
def test_only_to_an_editor_is_a_review_handed_over(site: Site, name: str) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "take")
    with site.database.read() as session:
        editor = str(user(session, "alice").id) if name == "alice" else name
    answer = press(bob, review, "hand-over", editor=editor, message="Half a thought")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'href="#editor"' in page and "Half a thought" in page


def test_filters_of_the_queue(site: Site) -> None:
    mine, nobodys, asked = sent(site, title="Mine"), sent(site, title="Nobodys"), sent(site, title="Asked")
    bob = site.client("bob")
    press(bob, mine, "take")
    press(bob, asked, "request-changes", message="Why?")
    found = {whose: sorted(re.findall(r'<h2 class="h3"><a[^>]*>(\w+)<', text(bob, f"/review?whose={whose}")))
             for whose in ("all", "mine", "unassigned", "with-author", "nonsense")}  # fmt: skip
    assert found == {
        "all": ["Mine", "Nobodys"],
        "mine": ["Mine"],
        "unassigned": ["Nobodys"],
        "with-author": ["Asked"],
        "nonsense": ["Mine", "Nobodys"],
    }
    assert nobodys in bob.get("/review").get_data(as_text=True)


def test_what_was_sent_again_is_with_whoever_asked_until_somebody_takes_it(site: Site) -> None:
    bob, dora, review = site.client("bob"), site.client("dora"), sent(site, title="Answered")
    press(bob, review, "request-changes", message="Why?")
    again(site, review, title="Answered")
    assert "You asked for changes" in text(bob, "/review?whose=mine")
    assert "Answered" not in text(dora, "/review?whose=mine") and "Bob asked for changes" in text(dora, "/review")
    press(dora, review, "take")
    assert "Answered" not in text(bob, "/review?whose=mine") and "asked for changes" not in text(bob, "/review")


def test_a_title_in_another_language_says_so(site: Site) -> None:
    sent(site, title="Tutoria", language="ca")
    assert re.search(r'<a href="[^"]*" lang="ca">Tutoria</a>', text(site.client("bob"), "/review"))
    assert re.search(r'<a href="[^"]*" lang="ca">Tutoria</a>', text(site.client("alice"), "/my/practices"))


# Decisions


def test_a_submission_is_turned_down_with_a_reason(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    assert press(bob, review, "reject", message=" ").status_code == 422
    assert press(bob, review, "reject", message="It is not about integration.").status_code == 302
    assert held(site, review).state == State.REJECTED


def test_the_author_reads_what_was_written_with_a_publication(site: Site) -> None:
    bob, alice, review = site.client("bob"), site.client("alice"), sent(site)
    press(bob, review, "publish", message="Well told.", **{"comment-lessons": "Next time, what was learnt?"})
    page = text(alice, f"/my/practices/{of(review)}/edit")
    assert "Well told." in page and page.count("Next time, what was learnt?") == 2
    assert "asks for changes" not in page


def test_the_second_of_two_editors_keeps_what_they_typed(site: Site) -> None:
    review = sent(site)
    dora = site.client("dora")
    dora.get(review)
    fields = {"seen": "2", "comment-title": "Shorter?", "csrf_token": token(dora, review)}
    press(site.client("bob"), review, "publish")
    answer = dora.post(review, data={**fields, "do": "publish"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "moved on" in page and 'role="alert"' in page


def test_ones_own_submission_is_refused_with_what_was_typed(site: Site) -> None:
    with site.database.write() as session:
        review = f"/review/{factories.submitted(session, user(session, 'bob')).id}"
    answer = press(site.client("bob"), review, "publish", message="I like it")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403 and "Another editor has to publish this" in page and "I like it" in page


def test_a_button_that_there_is_not_is_refused_with_what_was_typed(site: Site) -> None:
    answer = press(site.client("bob"), sent(site), "nonsense", message="Half a thought")
    assert answer.status_code == 422 and "Half a thought" in answer.get_data(as_text=True)


# Mending


def test_a_typo_is_mended(site: Site) -> None:
    bob, review = site.client("bob"), sent(site, summary="Hospitals pair nurzes.")
    bob.get(review)
    assert "Hospitals pair nurzes." in text(bob, f"{review}/mend")
    answer = press(bob, f"{review}/mend", "", summary="Hospitals pair nurses.", note="A typo.")
    assert answer.status_code == 302 and "Hospitals pair nurses." in text(bob, f"{review}?since=whole")
    with site.database.read() as session:
        assert session.scalars(select(Revision.note).where(Revision.mended)).all() == ["A typo."]


def test_a_mend_that_is_refused_keeps_every_word(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    answer = press(bob, f"{review}/mend", "", summary="", note="Shorter & better", **{"sources.0.url": "nowhere"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'role="alert"' in page
    assert 'href="#summary"' in page and 'href="#sources-0-url"' in page
    assert "Shorter &amp; better" in page and 'value="nowhere"' in page


def test_a_mend_of_an_old_text_is_refused_and_gives_the_text_back(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    again(site, review, title="Changed meanwhile")
    answer = press(bob, f"{review}/mend", "", summary="My wording.", note="Clearer.", seen="2")
    assert answer.status_code == 409 and "My wording." in answer.get_data(as_text=True)


def test_what_is_with_its_author_offers_nothing_to_mend(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", message="Why?")
    assert "nothing to mend" in text(bob, f"{review}/mend")


def test_a_mend_of_a_signed_out_editor_is_kept(site: Site) -> None:
    review, stranger = sent(site), site.client()
    answer = stranger.post(f"{review}/mend", data={"summary": "My wording.", "note": "Clearer."})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]*)"', page).group(1))  # type: ignore[union-attr]
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)  # type: ignore[union-attr]
    person = {"email": "bob@example.org", "password": factories.PASSWORD}
    back = stranger.post("/sign-in", data={**person, "next": f"{review}/mend", "kept": kept, "csrf_token": fresh})
    assert back.status_code == 200 and "My wording." in back.get_data(as_text=True)


# What is left behind


def test_every_change_is_in_the_log_and_says_no_word(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "take")
    press(bob, f"{review}/mend", "", summary="Hospitals pair nurses.", note="Secret note")
    press(bob, review, "request-changes", **{"comment-results": "Secret question"})
    asked = question(site, review)
    press(bob, review, f"settle:{asked.id}")
    with site.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(of(review)))).all()
    done = [entry.action for entry in entries if entry.action not in ("practice.start", "practice.submit")]
    assert done == ["practice.take", "practice.mend", "practice.request-changes", "comment.settle"]
    assert "Secret" not in str([entry.detail for entry in entries])


def test_ones_own_comments_are_in_the_copy_of_ones_data(site: Site) -> None:
    bob, review = site.client("bob"), sent(site)
    press(bob, review, "request-changes", **{"comment-results": "How many?"})
    data = bob.post("/account/data", data={"csrf_token": token(bob, "/account/data")}).get_json()
    assert [each["body"] for each in data["comments"]] == ["How many?"] and len(data["last_looks"]) == 1


def test_whoever_left_is_not_named_beside_their_comment(site: Site) -> None:
    review = sent(site)
    press(site.client("bob"), review, "request-changes", **{"comment-results": "How many?"})
    with site.database.write() as session:
        leaving.leave(session, user(session, "bob"))
        assert session.scalar(select(LastLook)) is None
    page = text(site.client("dora"), review)
    assert "someone who left" in page and "Bob" not in page


@pytest.mark.parametrize("do", ["take", "request-changes", "reject", "publish"])
def test_a_decision_that_does_not_say_which_text_was_read_is_refused(site: Site, do: str) -> None:
    bob, review = site.client("bob"), sent(site)
    answer = press(bob, review, do, seen="", message="Kept words")
    assert answer.status_code == 409 and "Kept words" in answer.get_data(as_text=True)
    assert held(site, review).state == State.SUBMITTED
