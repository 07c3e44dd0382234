"""A review in a real browser: by keyboard alone, with notes that outlive a closed window."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from kb.models import User
from kb.services import comments, moderation, practices, vocabularies
from tests import factories
from tests.browser.conftest import Live, OpenPage, button, press, tab_to


def resubmitted(live: Live) -> str:
    """The address of a submission that Bob gave back with questions and Alice answered and sent again."""
    with live.site.database.write() as session:
        alice, bob = (
            session.scalars(select(User).where(User.email == f"{name}@example.org")).one() for name in ("alice", "bob")
        )
        practice = factories.submitted(session, alice)
        asked = {"results": "How many?", "title": "Could it be shorter?"}
        moderation.request_changes(session, bob, practice, "Two questions.", asked)
        threads = comments.threads(session, practice)
        comments.answer(session, alice, practice, threads["results"][0].question.id, "86, by our count.")
        comments.settle(session, bob, practice, threads["title"][0].question.id)
        practices.save(session, alice, practice, factories.document(results="86 pairs."), None)
        practices.submit(session, alice, practice, vocabularies.load(session))
        return f"{live.url}/review/{practice.id}"


def test_a_review_is_done_by_keyboard_alone(live: Live, page: Any) -> None:
    live.sign_in(page, "bob")
    page.goto(resubmitted(live))
    tab_to(page, "Mark as settled")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "The question is settled" in page.get_by_role("status").first.inner_text()
    tab_to(page, "Comment on: What came of it")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Of how many?")
    tab_to(page, "A word to the author")
    page.keyboard.type("Nearly there.")
    tab_to(page, "It has run for at least a year")
    page.keyboard.press("Space")
    tab_to(page, "Ask for changes")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "The author finds your questions" in page.get_by_role("status").first.inner_text()


def test_the_enter_key_on_a_tick_decides_nothing(live: Live, page: Any) -> None:
    live.sign_in(page, "bob")
    page.goto(resubmitted(live))
    page.get_by_label("Text and pictures may be published").check()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_label("Text and pictures may be published").is_checked()
    assert button(page, "Ask for changes").is_visible()


def test_notes_outlive_a_closed_window(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    live.sign_in(page, "bob")
    path = resubmitted(live)
    page.goto(path)
    with page.expect_response(lambda answer: answer.url.endswith("/notes")) as kept:
        page.get_by_label("A word to the author").fill("Half a thought")
    assert kept.value.status == 204
    again = page.context.new_page()
    page.close()
    again.goto(path)
    assert again.get_by_label("A word to the author").input_value() == "Half a thought"


def test_without_javascript_a_button_keeps_the_notes(live: Live, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    live.sign_in(page, "bob")
    page.goto(resubmitted(live))
    page.get_by_label("A word to the author").fill("Half a thought")
    press(page, "Keep my notes")
    assert page.get_by_label("A word to the author").input_value() == "Half a thought"


def test_a_typo_is_mended_from_the_review(live: Live, page: Any) -> None:
    live.sign_in(page, "bob")
    page.goto(resubmitted(live))
    page.get_by_label("A word to the author").fill("Half a thought")
    press(page, "Mend What came of it")
    assert page.url.endswith("/mend#results")
    page.get_by_label("What came of it").fill("86 couples.")
    page.get_by_label("What you mended").fill("A word.")
    press(page, "Keep the mended text")
    assert "The text is mended" in page.get_by_role("status").first.inner_text()
    assert page.get_by_label("A word to the author").input_value() == "Half a thought"
