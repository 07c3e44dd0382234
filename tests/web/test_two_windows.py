"""Two windows, or two people, at one practice: whatever is saved, no word of the other one is lost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from kb.models import Buffer, Practice, PracticeAuthor, State, User
from kb.services import history, practices
from tests import factories
from tests.conftest import Site, token
from tests.web.test_autosave import autosave, begun, kept, rows
from tests.web.test_submissions import FILLED, html_fields, only_practice, path_of, send


def shown(site: Site, who: str = "alice") -> dict[str, Any]:
    """The form of the practice as this person sees it now."""
    return html_fields(site.client(who).get(path_of(site)).text)


def with_charlie(site: Site) -> Practice:
    """A draft of Alice, with Charlie as an author."""
    practice = begun(site)
    with site.database.write() as session:
        charlie = session.scalars(select(User).where(User.email == "charlie@example.org")).one()
        session.add(PracticeAuthor(practice_id=practice.id, user_id=charlie.id))
    send(site.client("alice"), path_of(site), shown(site), do="save")  # with what the form itself chooses
    return practice


def contact(site: Site) -> dict[str, Any]:
    with site.database.read() as session:
        return practices.contact_of(session.get_one(Practice, only_practice(site).id))


def save(site: Site, practice: Practice, **changes: Any) -> None:
    """A save of Alice's that is none of the form."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        found = session.get_one(Practice, practice.id)
        practices.save(session, alice, found, {**practices.working_copy(session, found), **changes}, None)


# Saved from elsewhere


def test_words_typed_outlive_an_earlier_text_brought_back_and_meet_the_page_of_two_texts(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    save(site, practice, place="Modena")
    autosave(alice, practice.id, {**FILLED, "place": "Typed only"}, seen="2")
    with site.database.write() as session:
        person = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        history.restore(session, person, session.get_one(Practice, practice.id), 1, 2)
    fields = shown(site)
    assert fields["place"] == ["Typed only"] and fields["seen"] == ["2"]
    answer = send(alice, path_of(site), fields, do="save")
    assert answer.status_code == 409 and "Typed only" in answer.text


# Two windows of one person


def test_a_second_window_does_not_overwrite_what_the_first_one_typed(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "actions": "TABONE"}, seen="1", copy="one")
    answer = autosave(alice, practice.id, {**FILLED, "summary": "TABTWO"}, seen="1", copy="two")
    assert answer.status_code == 409 and "saved" not in answer.get_json() and kept(site)["actions"] == "TABONE"


def test_saving_in_the_second_window_leaves_what_the_first_one_typed(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "actions": "TABONE"}, seen="1", copy="one")
    send(alice, path_of(site), {**FILLED, "summary": "TABTWO", "seen": "1", "copy": "two"}, do="save")
    assert kept(site)["actions"] == "TABONE"


def test_a_window_that_was_filled_with_what_was_typed_goes_on_with_it(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "actions": "TABONE"}, seen="1", copy="one")
    fields = shown(site)
    answer = autosave(alice, practice.id, {**fields, "actions": ["TABONE and more"], "copy": "two"})
    assert answer.status_code == 200 and kept(site)["actions"] == "TABONE and more"


def test_without_a_script_saving_the_words_offered_empties_the_buffer(site: Site) -> None:
    alice, practice = site.client("alice"), begun(site)
    autosave(alice, practice.id, {**FILLED, "actions": "TABONE"}, seen="1", copy="one")
    send(alice, path_of(site), shown(site), do="save")
    assert rows(site, Buffer) == 0 and only_practice(site).revision_count == 2


# The contact


def test_who_did_not_touch_the_contact_does_not_put_an_older_one_back(site: Site) -> None:
    with_charlie(site)
    before = shown(site, "charlie")
    send(site.client("alice"), path_of(site), {**shown(site), "contact-email": "new@example.org"}, do="save")
    answer = send(site.client("charlie"), path_of(site), {**before, "title": "Charlie's title"}, do="save")
    assert answer.status_code == 302 and contact(site)["email"] == "new@example.org"


def test_two_new_contacts_have_to_be_chosen_from(site: Site) -> None:
    with_charlie(site)
    before = shown(site, "charlie")
    send(site.client("alice"), path_of(site), {**shown(site), "contact-email": "new@example.org"}, do="save")
    answer = send(site.client("charlie"), path_of(site), {**before, "contact-email": "his@example.org"}, do="save")
    assert answer.status_code == 409 and contact(site)["email"] == "new@example.org"
    assert "new@example.org" in answer.text and "his@example.org" in answer.text


# What somebody saw is what is sent


def submit_anyway(site: Site, **fields: str) -> Any:
    alice = site.client("alice")
    data = {**fields, "csrf_token": token(alice, "/account/password")}
    return alice.post(path_of(site).replace("/edit", "/duplicates"), data=data)


def test_what_was_saved_since_is_not_submitted_with_it(site: Site) -> None:
    practice = begun(site)
    save(site, practice, actions="Half-finished")
    assert submit_anyway(site, seen="1").location == path_of(site)
    assert only_practice(site).state == State.DRAFT


def test_submitting_without_saying_which_text_is_refused(site: Site) -> None:
    begun(site)
    assert submit_anyway(site).location == path_of(site) and only_practice(site).state == State.DRAFT


def test_the_form_is_not_submitted_without_saying_what_it_began_from(site: Site) -> None:
    begun(site)
    answer = send(site.client("alice"), path_of(site), {**FILLED, "place": "Modena", "seen": ""}, do="submit")
    assert answer.status_code == 409 and only_practice(site).state == State.DRAFT


def test_a_second_click_says_again_that_it_is_with_the_editors(site: Site) -> None:
    begun(site)
    for _click in range(2):
        assert submit_anyway(site, seen="1").location == "/my/practices"
    assert only_practice(site).state == State.SUBMITTED and only_practice(site).revision_count == 2


def test_an_update_that_went_on_meanwhile_is_not_given_up(site: Site) -> None:
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.published(session, alice)
    save(site, practice, place="Modena")
    save(site, practice, place="Bologna")
    client = site.client("alice")
    data = {"seen": "2", "csrf_token": token(client, "/account/password")}
    assert client.post(f"/my/practices/{practice.id}/step/discard-update", data=data).status_code == 409
    assert only_practice(site).revision_count == 3
