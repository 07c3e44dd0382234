"""Help while writing, in a real browser, with and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Live, OpenPage, button, follow, press

SUMMARY = (
    "Homes are found for refugee families in villages, with a landlord and a mentor for each of them, for three years."
)


def write(page: Any) -> None:
    """Fill in what a submission needs but for themes and target groups."""
    page.locator("#title").fill("Startblok: refugees and Dutch starters sharing homes")
    page.locator("#language").select_option("en")
    page.locator("#summary").fill(SUMMARY)
    page.locator("#region-code").fill("Noord-Holland (NL32)")
    page.get_by_role("group", name="Level", exact=True).get_by_label("Local").check()
    page.get_by_role("group", name="Status", exact=True).get_by_label("Running").check()
    page.locator("#lead_organisation-name").fill("Lieven de Key (housing association)")
    page.locator("#actions").fill("565 places in studios and shared flats.")
    page.locator("#sources-0-url").fill("https://www.nul20.nl/dossiers/startblok")
    page.locator("#contact-role").fill("Officer")
    page.locator("#contact-email").fill("office@example.org")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_writer_is_helped_from_the_first_word_to_the_submission(
    live: Live, open_page: OpenPage, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    summary = page.locator("#summary")
    page.locator(".field", has=summary).get_by_text("An example").click()
    assert page.get_by_text("The contract is the missing piece").is_visible()

    write(page)
    press(page, "Suggest terms from the text")
    assert summary.input_value() == SUMMARY
    for name in ("Housing", "Refugees"):
        suggestion = button(page, f"Choose: {name}")
        if javascript:
            suggestion.click()
        else:
            with page.expect_navigation():
                suggestion.click()
    assert page.locator("#themes").input_value() == "housing"
    assert page.get_by_role("group", name="Target groups").get_by_label("Refugees").is_checked()

    press(page, "Save and preview")
    assert page.get_by_text("Preview, not public.").is_visible() and page.get_by_text(SUMMARY).is_visible()
    follow(page, "Go on writing")
    press(page, "Submit to the editors")
    assert page.get_by_role("heading", name="Is it one of these already?").is_visible()
    assert page.get_by_role("link", name="Startblok Riekerhaven").is_visible()
    press(page, "It is another one: submit it")
    assert "is with the editors" in page.get_by_role("status").first.inner_text()


def test_what_is_missing_is_counted_while_one_types(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    assert page.get_by_text("Needed before you submit: 13").is_visible()
    write(page)
    page.get_by_text("Needed before you submit: 2").wait_for()
    page.locator("#context").fill("Homes were missing.")
    page.get_by_text("1 of 9 recommended fields").wait_for()
    page.locator("#context").fill("  ")
    page.get_by_text("0 of 9 recommended fields").wait_for()
    parts = page.get_by_role("navigation", name="Parts of the form")
    assert (parts.get_by_text("Done").count(), parts.get_by_text("2 still needed").count()) == (3, 1)


def test_a_counter_is_heard_at_thresholds_only(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    heard = page.locator("main > [role=status].visually-hidden")
    field, shown = page.locator("#summary"), page.locator("#summary-c")
    field.press_sequentially("one two three ")
    assert shown.inner_text() == "3 of 100 words" and heard.inner_text() == ""
    field.fill("word " * 90)
    assert heard.inner_text() == "90 of 100 words"
    field.press_sequentially("and more ")
    assert shown.inner_text() == "92 of 100 words" and heard.inner_text() == "90 of 100 words"
    field.fill("word " * 101)
    assert heard.inner_text() == shown.inner_text() == "101 of 100 words, 1 too many"
    field.fill("word " * 5)
    field.blur()
    assert heard.inner_text() == "5 of 100 words"


def test_the_keyboard_stays_at_the_suggestions(live: Live, page: Any) -> None:
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    page.locator("#title").fill("Homes for refugees")
    press(page, "Suggest terms from the text")
    button(page, "Choose: Housing").focus()
    page.keyboard.press("Enter")
    assert page.locator("#themes").input_value() == "housing"
    assert page.evaluate("document.activeElement.name") in ("suggest", "themes")
