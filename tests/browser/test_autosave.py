"""No word is lost while one writes: a killed server, a session that ends, another person at the same browser."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from kb.db import Database
from kb.models import Buffer, Practice, Revision, UserSession
from tests import factories, stack
from tests.browser.conftest import Live, OpenPage, follow, leave, press
from tests.browser.test_reading import violations
from tests.conftest import configure
from tests.processes import eventually, serving

TITLE = "Mentors for newly arrived nurses"


def sign_in(page: Any, url: str, name: str) -> None:
    page.goto(f"{url}/sign-in")
    enter(page, name)


def enter(page: Any, name: str) -> None:
    page.locator("input[name=email]").fill(f"{name}@example.org")
    page.locator("input[name=password]").fill(factories.PASSWORD)
    press(page, "Sign in")


def title(page: Any) -> Any:
    return page.get_by_label("Title", exact=True).first


def is_saved(page: Any) -> None:
    page.locator("#saved", has_text=re.compile("^(Saved as a draft|Kept) at")).wait_for()


def type_into(page: Any, field: str, words: str) -> None:
    """Type as people do: key by key, the field keeping the focus."""
    page.locator(field).press_sequentially(words)


def copies(page: Any) -> list[str]:
    found: list[str] = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('kb:text:'))")
    return found


def end_sessions(live: Live) -> None:
    with live.site.database.write() as session:
        session.execute(delete(UserSession))


def kept(live: Live) -> dict[str, str]:
    """What the server holds of the one text that is being typed."""
    with live.site.database.read() as session:
        buffer = session.scalars(select(Buffer)).one_or_none()
        return dict(map(tuple, buffer.pairs)) if buffer else {}


def test_after_the_server_was_killed_only_the_last_seconds_are_missing_and_the_browser_offers_them(
    peopled_folder: Path, tmp_path: Path, open_page: OpenPage
) -> None:
    folder = stack.copy(peopled_folder, tmp_path / "data")
    page = open_page()
    with serving(folder) as server:
        url = f"http://127.0.0.1:{server.port}"
        sign_in(page, url, "alice")
        page.goto(f"{url}/submit")
        type_into(page, "#title", TITLE)
        is_saved(page)  # while the field still has the focus: no more than seconds after it was typed
        assert page.url.endswith("/edit")
        type_into(page, "#actions", "Pairs meet weekly.")
        eventually(lambda: "Pairs meet weekly." in str(on_disk(folder)))
        sent = on_their_way(page)
        type_into(page, "#actions", " The last words.")
        eventually(
            lambda: page.evaluate("Object.values(localStorage).some((copy) => copy.includes('The last words.'))")
        )
        server.stop(signal.SIGKILL)
    page.unroute("**/autosave")
    for each in sent:
        each.continue_()
    page.locator("#saved", has_text="Not saved").wait_for()
    with serving(folder, server.port):
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
        assert title(page).input_value() == TITLE
        assert page.locator("#actions").input_value().startswith("Pairs meet weekly.")
        offer = page.locator("#copy")
        if offer.is_visible():  # the page that was left may have brought the last words to the next server
            assert "What was done" in offer.inner_text()
            with page.expect_navigation():
                offer.get_by_role("button", name="Use it").click()
        assert page.locator("#actions").input_value() == "Pairs meet weekly. The last words."
        press(page, "Save draft")
        assert "The draft is saved" in page.get_by_role("status").first.inner_text()
        assert page.locator("#actions").input_value() == "Pairs meet weekly. The last words."
        assert copies(page) == []


def on_their_way(page: Any) -> list[Any]:
    """What a page has sent to be saved from now on, and the server has not got."""
    sent: list[Any] = []

    def hold(route: Any) -> None:
        sent.append(route)

    page.route("**/autosave", hold)
    return sent


def on_disk(folder: Path) -> list[Any]:
    database = Database(configure(folder).database_url)
    try:
        with database.read() as session:
            return list(session.scalars(select(Buffer.pairs)))
    finally:
        database.close()


def test_the_first_autosave_begins_one_practice_and_the_next_ones_make_no_revision(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    title(page).fill(TITLE)
    page.locator("#place").focus()
    is_saved(page)
    page.locator("#place").fill("Modena")
    page.locator("#summary").focus()
    eventually(lambda: kept(live).get("place") == "Modena")
    with live.site.database.read() as session:
        practice = session.scalars(select(Practice).where(Practice.owner_id.is_not(None))).one()
        assert len(session.scalars(select(Revision).where(Revision.practice_id == practice.id)).all()) == 1
    assert page.url == f"{live.url}/my/practices/{practice.id}/edit"
    press(page, "Save draft")
    assert kept(live) == {} and page.locator("#place").input_value() == "Modena"
    with live.site.database.read() as session:
        assert session.get_one(Practice, practice.id).revision_count == 2


def test_what_was_typed_is_in_the_form_on_another_computer_and_can_be_thrown_away(
    live: Live, open_page: OpenPage
) -> None:
    here, there = open_page(), open_page(javascript=False)
    live.sign_in(here, "alice")
    live.sign_in(there, "alice")
    here.goto(f"{live.url}/submit")
    title(here).fill(TITLE)
    here.locator("#place").focus()
    is_saved(here)
    here.locator("#place").fill("Modena")
    here.locator("#summary").focus()
    eventually(lambda: kept(live).get("place") == "Modena")
    there.goto(here.url)
    assert there.locator("#place").input_value() == "Modena"
    press(there, re.compile("^Go back to the saved draft of"))
    assert there.locator("#place").input_value() == "" and title(there).input_value() == TITLE


def test_a_session_that_ended_in_mid_form_loses_nothing(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    title(page).fill(TITLE)
    page.locator("#place").focus()
    is_saved(page)
    end_sessions(live)
    page.locator("#lessons").fill("Typed after the session ended.")
    page.locator("#summary").focus()
    page.locator("#saved", has_text="Your session ended").wait_for()
    with page.expect_navigation():
        page.locator("#saved").get_by_role("link", name="Sign in again").click()
    enter(page, "alice")
    assert page.url.endswith("/edit") and page.locator("#lessons").input_value() == ""
    offer = page.locator("#copy")
    assert "What was learnt" in offer.inner_text()
    with page.expect_navigation():
        offer.get_by_role("button", name="Use it").click()
    assert page.locator("#lessons").input_value() == "Typed after the session ended."
    assert title(page).input_value() == TITLE
    eventually(lambda: kept(live).get("lessons") == "Typed after the session ended.")


def test_who_signs_in_again_in_another_window_goes_on_in_this_one(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    title(page).fill(TITLE)
    page.locator("#place").focus()
    is_saved(page)
    end_sessions(live)
    page.locator("#place").fill("Modena")
    page.locator("#summary").focus()
    page.locator("#saved", has_text="Your session ended").wait_for()
    other = page.context.new_page()
    live.sign_in(other, "alice")
    page.locator("#place").fill("Modena and Parma")
    page.locator("#summary").focus()
    is_saved(page)
    assert kept(live)["place"] == "Modena and Parma"


def offline(page: Any) -> None:
    """Let no autosave through: what is typed is in the browser alone."""
    page.route("**/autosave", lambda route: route.abort())


def typed_offline(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    offline(page)
    page.goto(f"{live.url}/submit")
    title(page).fill("A secret of Alice")
    page.locator("#saved", has_text="no connection").wait_for()
    assert len(copies(page)) == 1


def test_text_of_a_practice_that_no_server_knows_yet_is_offered_on_an_empty_form(live: Live, page: Any) -> None:
    typed_offline(live, page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live.url}/submit")
    assert title(page).input_value() == ""
    with page.expect_navigation():
        page.locator("#copy").get_by_role("button", name="Use it").click()
    assert title(page).input_value() == "A secret of Alice"


def test_what_is_thrown_away_is_not_offered_again(live: Live, page: Any) -> None:
    typed_offline(live, page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live.url}/submit")
    page.locator("#copy").get_by_role("button", name="Throw it away").click()
    assert page.locator("#copy").is_hidden() and copies(page) == []


def test_signing_out_erases_the_browsers_copies(live: Live, page: Any) -> None:
    typed_offline(live, page)
    page.on("dialog", lambda dialog: dialog.accept())
    leave(page)
    eventually(lambda: copies(page) == [])


def test_another_person_at_the_same_browser_sees_nothing_of_it(live: Live, page: Any) -> None:
    typed_offline(live, page)
    page.on("dialog", lambda dialog: dialog.accept())
    end_sessions(live)
    page.goto(f"{live.url}/about")
    assert len(copies(page)) == 1  # a session that ended by itself leaves it to its writer
    live.sign_in(page, "charlie")
    page.goto(f"{live.url}/submit")
    assert page.locator("#copy").is_hidden() and "A secret of Alice" not in page.content()
    assert copies(page) == []


def test_signing_out_in_another_window_leaves_nothing_behind(live: Live, page: Any) -> None:
    typed_offline(live, page)
    other = page.context.new_page()
    other.goto(f"{live.url}/about")
    leave(other)
    eventually(lambda: copies(other) == [])
    page.locator("#place").fill("Typed after signing out elsewhere")
    page.locator("#summary").focus()
    page.locator("#saved", has_text="leave this page open").wait_for()
    assert copies(other) == []


def test_saving_leaves_no_copy_and_leaving_asks_nothing(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{live.url}/submit")
    title(page).fill(TITLE)
    page.locator("#place").focus()
    is_saved(page)
    assert copies(page) == []
    page.goto(f"{live.url}/my/practices")
    assert not asked


def test_only_the_first_save_and_a_failure_are_announced(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    page.evaluate(
        "window.announced = []; const told = document.getElementById('said');"
        " new MutationObserver(() => window.announced.push(told.textContent)).observe(told, { childList: true })"
    )
    for n, field in enumerate(("#title", "#place", "#attribution")):
        page.locator(field).fill(f"Words {n}")
        with page.expect_response("**/autosave"):
            page.locator("#summary").focus()
    is_saved(page)
    offline(page)
    page.locator("#place").fill("More words")
    page.locator("#summary").focus()
    page.locator("#saved", has_text="no connection").wait_for()
    heard = page.evaluate("window.announced")
    assert len(heard) == 2 and heard[0].startswith(("Saved", "Kept")) and "no connection" in heard[1]


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_the_second_of_two_windows_sees_both_texts_and_saves_one_made_of_both(
    live: Live, open_page: OpenPage, javascript: bool
) -> None:
    first, second = open_page(javascript=javascript), open_page(javascript=javascript)
    for page in (first, second):
        live.sign_in(page, "alice")
    first.goto(f"{live.url}/submit")
    title(first).fill(TITLE)
    press(first, "Save draft")
    second.goto(first.url)
    first.locator("#summary").fill("Nurses are paired with colleagues.")
    first.locator("#place").fill("Modena")
    press(first, "Save draft")
    second.locator("#summary").fill("Nurses are paired with senior colleagues.")
    second.locator("#lessons").fill("Begin early.")
    press(second, "Save draft")
    assert "Not saved yet" in second.get_by_role("alert").inner_text()
    assert not javascript or violations(second) == []  # without scripts axe never ends
    press(second, "Save draft")
    assert "both of you changed it" in second.get_by_role("alert").inner_text()
    second.get_by_role("group", name="Summary").get_by_label("A text made of both").first.check()
    second.locator("#text-summary").fill("Nurses are paired with senior colleagues for a year.")
    press(second, "Save draft")
    assert second.locator("#summary").input_value() == "Nurses are paired with senior colleagues for a year."
    assert second.locator("#place").input_value() == "Modena"
    assert second.locator("#lessons").input_value() == "Begin early."


def test_a_script_that_is_switched_off_leaves_the_button_to_save(live: Live, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    title(page).fill(TITLE)
    press(page, "Save draft")
    follow(page, "My practices")
    assert TITLE in page.content()
