"""What the practice form says of itself: who sees a draft, how far it is, what a missing tick means, where one is."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from sqlalchemy import select

from kb.models import Practice, User
from kb.services import practices
from tests import factories
from tests.conftest import Site, token

TICKED = {"title": "Mentors", "language": "en", "themes": ["", "housing", "labour-inclusion"]}


@pytest.fixture
def draft(site: Site) -> str:
    """The address of the form of a draft of Alice's."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        return f"/my/practices/{factories.draft(session, alice, title='Mentors').id}"


def text(site: Site, path: str) -> str:
    return html.unescape(site.client("alice").get(path).get_data(as_text=True))


def send(site: Site, fields: dict[str, Any], do: str) -> str:
    alice = site.client("alice")
    sent = {**fields, "do": do, "csrf_token": token(alice, "/submit")}
    return html.unescape(alice.post("/submit", data=sent).get_data(as_text=True))


def only(site: Site) -> Practice:
    with site.database.read() as session:
        return session.scalars(select(Practice)).one()


def themes(site: Site) -> list[str]:
    with site.database.read() as session:
        return practices.working_copy(session, session.get_one(Practice, only(site).id))["themes"]  # type: ignore[no-any-return]


# Themes


def test_a_ticked_theme_is_never_made_the_main_one(site: Site) -> None:
    send(site, TICKED, "save")
    page = text(site, f"/my/practices/{only(site).id}/edit")
    main = page[page.index('<select class="form-select" id="themes"') :]
    assert " selected" not in main[: main.index("</select>")]
    assert re.findall(r'name="themes" value="([^"]+)" checked', page) == ["housing", "labour-inclusion"]


def test_a_submission_without_a_main_theme_asks_for_it(site: Site) -> None:
    page = send(site, TICKED, "submit")
    assert '<a href="#themes">Choose the main theme.</a>' in page


def test_the_main_theme_stands_first_once_it_is_chosen(site: Site) -> None:
    send(site, {**TICKED, "themes": ["labour-inclusion", "housing"]}, "save")
    assert themes(site) == ["labour-inclusion", "housing"]


def test_the_history_says_that_there_is_no_main_theme_yet(site: Site) -> None:
    send(site, TICKED, "save")
    page = text(site, f"/my/practices/{only(site).id}/history/1")
    assert "No main theme yet" in page


# Words


@pytest.mark.parametrize("path", ["/submit", "/my/practices"])
def test_who_sees_a_draft_is_said_as_it_is(site: Site, path: str) -> None:
    assert re.search("[Oo]nly you and those you ask to write with you see", text(site, path))


def test_the_history_says_what_a_private_link_shows(site: Site, draft: str) -> None:
    assert "a private link shows the newest text to whoever has it" in text(site, f"{draft}/history")


def test_a_name_without_consent_is_said_not_to_be_shown(site: Site, draft: str) -> None:
    assert "Without this tick the name is not shown." in text(site, f"{draft}/edit")


def test_the_name_of_the_contact_is_marked_as_optional(site: Site, draft: str) -> None:
    assert re.search(r'<label for="contact-name">Name <span class="opt">\(optional\)', text(site, f"{draft}/edit"))


def test_an_old_practice_is_written_under_my_practices(site: Site, draft: str) -> None:
    page = text(site, f"{draft}/edit")
    assert re.findall(r'aria-current="true">([^<]+)<', page) == ["My practices"]


def test_the_crumb_says_the_state(site: Site, draft: str) -> None:
    page = text(site, f"{draft}/edit")
    assert "<li>Draft</li>" in page[page.index('class="crumbs"') : page.index("</ol>", page.index('class="crumbs"'))]


def test_a_draft_is_saved_from_the_bar_at_the_foot_of_the_window(site: Site, draft: str) -> None:
    page = text(site, f"{draft}/edit")
    assert 'name="do" value="save">Save draft</button>' in page[page.index('<div class="saved">') :]


def test_what_was_typed_and_not_saved_leads_back_to_the_saved_draft(site: Site, draft: str) -> None:
    alice = site.client("alice")
    fields = {"title": "Other", "seen": "1", "csrf_token": token(alice, "/submit")}
    alice.post(f"{draft}/autosave", data=fields)
    page = text(site, f"{draft}/edit")
    assert "not saved as a draft yet" in page and re.search(r"Go back to the saved draft of \d.* UTC", page)


def test_autosave_says_whether_a_draft_says_the_same(site: Site, draft: str) -> None:
    alice = site.client("alice")
    fields = {"title": "Other", "seen": "1", "csrf_token": token(alice, "/submit")}
    assert alice.post(f"{draft}/autosave", data=fields).get_json()["draft"] is False


def test_two_windows_of_one_person_are_called_windows(site: Site, draft: str) -> None:
    alice = site.client("alice")
    fields = {"language": "en", "seen": "1", "do": "save", "csrf_token": token(alice, "/submit")}
    alice.post(f"{draft}/edit", data={**fields, "title": "One"})
    page = html.unescape(alice.post(f"{draft}/edit", data={**fields, "title": "Two"}).get_data(as_text=True))
    assert "Changed in both windows." in page and "Both of you" not in page
