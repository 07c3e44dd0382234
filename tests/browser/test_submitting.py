"""A member's story in a real browser, with and without JavaScript: write, be told, be asked, be published, be found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import FOCUSED, Live, OpenPage, follow, press, tab_to

SUMMARY = "Hospitals of the region pair newly arrived nurses with senior colleagues for a year."


def write(page: Any) -> None:
    """Fill in a practice but for its summary and its source."""
    page.get_by_label("Title", exact=True).first.fill("Mentors for newly arrived nurses")
    page.get_by_label("Language of the text").select_option("en")
    page.locator("#region-code").fill("Emilia-Romagna")
    page.get_by_role("group", name="Level", exact=True).get_by_label("Regional").check()
    page.get_by_role("group", name="Status", exact=True).get_by_label("Running").check()
    page.locator("#lead_organisation-name").fill("Regional health service")
    page.get_by_label("What was done").fill("Pairs meet weekly; zanzaraword.")
    page.get_by_label("Main theme").select_option("labour-inclusion")
    page.get_by_role("group", name="Target groups").get_by_label("Migrant workers").check()
    page.locator("#contact-role").fill("Project officer")
    page.locator("#contact-email").fill("office@example.org")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_practice_goes_from_the_first_word_to_the_next_search(
    live: Live, open_page: OpenPage, javascript: bool
) -> None:
    author, editor = open_page(javascript=javascript), open_page(javascript=javascript)
    live.sign_in(author, "alice")
    live.sign_in(editor, "bob")

    author.goto(f"{live.url}/submit")
    write(author)
    press(author, "Submit to the editors")

    alert = author.get_by_role("alert")
    assert "Summary" in alert.inner_text() and "Add at least one source" in alert.inner_text()
    follow(author, "Write something under “Summary”")
    assert author.url.endswith("#summary")
    assert author.get_by_label("What was done").input_value() == "Pairs meet weekly; zanzaraword."
    assert author.locator("#region-code").input_value().startswith("Emilia-Romagna")

    author.get_by_label("Summary", exact=True).fill(SUMMARY)
    press(author, "Add a source")
    author.locator("#sources-1-title").fill("Programme page")
    author.locator("#sources-1-url").fill("https://example.org/nurses")
    press(author, "Remove Source 1")
    assert author.locator("#sources-0-url").input_value() == "https://example.org/nurses"
    assert author.get_by_label("Summary", exact=True).input_value() == SUMMARY
    press(author, "Submit to the editors")
    assert "is with the editors" in author.get_by_role("status").first.inner_text()

    editor.goto(f"{live.url}/review")
    follow(editor, "Mentors for newly arrived nurses")
    press(editor, "I am reviewing it")
    editor.get_by_text("Comment on: Status").first.click()
    editor.locator("#comment-status").fill("Running since when?")
    press(editor, "Ask for changes")

    author.goto(f"{live.url}/my/practices")
    follow(author, "Mentors for newly arrived nurses")
    assert author.get_by_text("Running since when?").first.is_visible()
    author.get_by_label("Start").fill("2021-09")
    press(author, "Submit to the editors")

    editor.goto(f"{live.url}/review")
    follow(editor, "Mentors for newly arrived nurses")
    press(editor, "Publish version 1")
    assert editor.url.endswith("/practices/mentors-for-newly-arrived-nurses")

    reader = open_page(javascript=javascript)
    reader.goto(f"{live.url}/practices?q=zanzaraword")
    follow(reader, "Mentors for newly arrived nurses")
    assert reader.get_by_text("Running since 2021").first.is_visible()


def test_the_enter_key_saves_and_removes_nothing(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    page.get_by_label("Title", exact=True).first.fill("Kept by Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "The draft is saved" in page.get_by_role("status").first.inner_text()
    assert page.get_by_label("Title", exact=True).first.input_value() == "Kept by Enter"


def test_a_practice_is_written_and_sent_by_keyboard_alone(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for label, keys in (
        ("Title", "Typed by keyboard"),
        ("Language of the text", "English"),  # the letters of an option choose it
        ("Summary", SUMMARY),
        ("Region", "Emilia-Romagna"),
    ):
        tab_to(page, label)
        page.keyboard.type(keys)
    _choose(page, "Level", "Regional")
    _choose(page, "Status", "Running")
    for label, keys in (
        ("Name", "Regional health service"),
        ("What was done", "Pairs meet weekly."),
        ("Main theme", "Labour"),
        ("Migrant workers", " "),
        ("Title", "Programme page"),
        ("Web address", "https://example.org/nurses"),
        ("Role", "Project officer"),
        ("E-mail", "office@example.org"),
    ):
        tab_to(page, label)
        page.keyboard.type(keys)
    tab_to(page, "Submit to the editors")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "is with the editors" in page.get_by_role("status").first.inner_text()


def _choose(page: Any, group: str, choice: str) -> None:
    """Go to a group of radio buttons with the tab key, and to one of them with the arrows."""
    within = "document.activeElement.closest('fieldset')?.querySelector('legend').textContent.trim() ?? ''"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(within).startswith(group):
            break
    page.keyboard.press("Space")
    while not page.evaluate(FOCUSED).startswith(choice):
        page.keyboard.press("ArrowDown")
    assert page.get_by_role("group", name=group, exact=True).get_by_label(choice).is_checked()
