"""A member's story, as a browser without JavaScript sees it: write, save, send, answer, be published."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Practice, State
from kb.services import practices
from kb.web.forms.practice import REPEATING
from tests.conftest import Site, token
from tests.factories import PASSWORD

FILLED = {
    "title": "Mentors for newly arrived nurses",
    "language": "en",
    "summary": "Hospitals of the region pair newly arrived nurses with senior colleagues.",
    "region-code": "Emilia-Romagna",
    "country": "",
    "level": "regional",
    "status": "running",
    "start": "2021-09",
    "lead_organisation-name": "Regional health service",
    "lead_organisation-type": "agency",
    "actions": "Pairs meet weekly; zanzaraword.",
    "themes": ["labour-inclusion", "health-and-wellbeing"],
    "target_groups": ["migrant-workers"],
    "sources-0-title": "Programme page",
    "sources-0-url": "https://example.org/nurses",
    "contact-role": "Project officer",
    "contact-email": "office@example.org",
}


def send(client: FlaskClient, path: str, fields: dict[str, Any], **buttons: str) -> TestResponse:
    """Send the form on a page with one of its buttons, and what the page says of itself: which text it began from."""
    page = client.get(path).get_data(as_text=True)
    said = {name: value for name, value in html_fields(page).items() if name in ("seen", "contact_seen")}
    return client.post(path, data={**said, **fields, **buttons, "csrf_token": token(client, path)})


def only_practice(site: Site) -> Practice:
    with site.database.read() as session:
        return session.scalars(select(Practice)).one()


def path_of(site: Site) -> str:
    return f"/my/practices/{only_practice(site).id}/edit"


def test_it_works(site: Site) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    assert send(alice, "/submit", FILLED, do="submit").status_code == 302
    review = f"/review/{only_practice(site).id}"
    assert (
        send(bob, review, {"message": "Since when?", "comment-start": "Which month?"}, do="request-changes").status_code
        == 302
    )
    page = alice.get(path_of(site)).get_data(as_text=True)
    assert "Since when?" in page and "Which month?" in page
    assert send(alice, path_of(site), {**FILLED, "start": "2021-10"}, do="submit").status_code == 302
    assert send(bob, review, {}, do="publish").status_code == 302
    found = site.client().get("/api/v1/practices?q=zanzaraword").get_json()
    assert found["items"][0]["start"] == "2021-10"
    assert site.client().get("/practices/mentors-for-newly-arrived-nurses").status_code == 200


def test_an_incomplete_form_comes_back_with_linked_errors_and_every_word(site: Site) -> None:
    typed = {
        **FILLED,
        "summary": "",
        "region-code": "Atlantis",
        "sources-0-url": "not an address",
        "context": "A <b>word</b> & more",
    }
    answer = send(site.client("alice"), "/submit", typed, do="submit")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'role="alert"' in page
    targets = re.findall(r'<li><a href="#([^"]+)">', page[page.index('role="alert"') :])
    assert {"summary", "region-code", "sources-0-url"} <= set(targets)
    assert all(f'id="{target}"' in page for target in targets)
    for value in ("Atlantis", "not an address", "A &lt;b&gt;word&lt;/b&gt; &amp; more", "zanzaraword"):
        assert value in page
    assert 'aria-invalid="true"' in page


def test_an_incomplete_submission_is_kept_as_a_draft(site: Site) -> None:
    send(site.client("alice"), "/submit", {"title": "Half", "start": "soon"}, do="submit")
    practice = only_practice(site)
    assert practice.state == State.DRAFT
    assert "soon" in site.client("alice").get(path_of(site)).get_data(as_text=True)


def test_an_empty_draft_saves(site: Site) -> None:
    assert send(site.client("alice"), "/submit", {}, do="save").status_code == 302
    assert "Without a title" in site.client("alice").get("/my/practices").get_data(as_text=True)


def test_a_field_past_the_cap_is_refused_with_its_text_kept(site: Site) -> None:
    answer = send(site.client("alice"), "/submit", {"title": "T", "context": "x" * 20_001}, do="save")
    assert answer.status_code == 422 and "x" * 20_001 in answer.get_data(as_text=True)


@pytest.mark.parametrize("part", REPEATING)
def test_an_entry_is_added_without_javascript_and_nothing_typed_is_lost(site: Site, part: str) -> None:
    answer = send(site.client("alice"), "/submit", FILLED, add=part)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and f'value="{part}-1"' in page
    assert "zanzaraword" in page and 'value="https://example.org/nurses"' in page


def test_the_entry_that_was_meant_is_taken_away(site: Site) -> None:
    fields = {f"partners-{n}-name": f"Partner {letter}" for n, letter in enumerate("ABC")}
    page = send(site.client("alice"), "/submit", {**FILLED, **fields}, remove="partners-1").get_data(as_text=True)
    names = re.findall(r'name="partners-\d-name"[^>]*value="([^"]*)"', page)
    assert names == ["Partner A", "Partner C"]


def test_everything_the_form_asks_is_kept_and_shown_again(site: Site) -> None:
    alice = site.client("alice")
    more = {
        "original_title": "Mentori", "place": "Modena", "other_regions-0-code": "Veneto (ITH3)",
        "partners-0-name": "Union",
        "context": "Why", "objectives": "What", "results": "So", "difficulties": "Hard", "lessons": "Learnt",
        "transferability": "Needs", "evidence": "none", "indicators-0-name": "Pairs", "indicators-0-value": "86",
        "beneficiaries": "120", "budget_eur": "2500000", "budget_year": "2021", "funding-0-source": "ESF",
        "funding-0-amount_eur": "1000", "links-0-title": "Site", "links-0-url": "https://example.org/", "end": "2022",
        "translations-0-language": "it", "translations-0-title": "Mentori", "translations-0-machine": "y",
        "authority_role": "funder", "attribution": "Region", "contact-name": "Sam", "contact-consent": "y",
    }  # fmt: skip
    send(alice, "/submit", {**FILLED, **more}, do="save")
    page = html.unescape(alice.get(path_of(site)).get_data(as_text=True))
    for value in more.values():
        assert value in page
    with site.database.read() as session:
        kept = practices.working_copy(session, only_practice(site))
    assert kept["other_regions"] == [{"country": None, "code": "ITH3", "name": "Veneto"}]
    assert kept["themes"] == ["labour-inclusion", "health-and-wellbeing"]
    assert kept["translations"][0]["machine"] is True


def test_saving_twice_makes_one_revision(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="save")
    before = only_practice(site).revision_count
    send(alice, path_of(site), {**FILLED, "region-code": "Emilia-Romagna (ITH5)"}, do="save")
    assert only_practice(site).revision_count == before


def test_text_typed_after_the_session_ended_is_there_after_signing_in(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="save")
    path = path_of(site)
    stale = token(alice, path)
    site.forget("alice")
    stranger = site.client()
    answer = stranger.post(path, data={**FILLED, "lessons": "typed late", "csrf_token": stale})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401 and "typed late" in html.unescape(page)
    kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]*)"', page).group(1))
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    person = {"email": "alice@example.org", "password": PASSWORD}
    signed = stranger.post("/sign-in", data={**person, "next": path, "kept": kept, "csrf_token": fresh})
    assert signed.status_code == 200 and "typed late" in signed.get_data(as_text=True)


def test_what_is_with_the_editors_is_shown_and_can_be_taken_back(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="submit")
    path = path_of(site)
    assert "is with the editors" in alice.get(path).get_data(as_text=True)
    send_back = alice.post(path.replace("/edit", "/withdraw"), data={"csrf_token": token(alice, path)})
    assert send_back.status_code == 302 and only_practice(site).state == State.DRAFT


def test_the_author_of_a_published_practice_can_write_an_update(site: Site) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    send(alice, "/submit", FILLED, do="submit")
    review = f"/review/{only_practice(site).id}"
    send(bob, review, {}, do="publish")
    send(alice, path_of(site), {**FILLED, "results": "86 pairs."}, do="submit")
    assert site.client().get("/api/v1/practices/mentors-for-newly-arrived-nurses").get_json()["results"] is None
    assert "86 pairs." in bob.get(review).get_data(as_text=True)
    send(bob, review, {}, do="publish")
    public = site.client().get("/api/v1/practices/mentors-for-newly-arrived-nurses").get_json()
    assert (public["results"], public["version"]) == ("86 pairs.", 2)


def test_the_second_of_two_decisions_is_told(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    review = f"/review/{only_practice(site).id}"
    assert send(site.client("bob"), review, {}, do="publish").status_code == 302
    answer = site.client("dora").post(
        review, data={"do": "publish", "csrf_token": token(site.client("dora"), "/account/password")}
    )
    assert answer.status_code == 409 and "moved on" in answer.get_data(as_text=True)


def test_asking_for_changes_without_a_word_comes_back_with_the_reason(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    answer = send(site.client("bob"), f"/review/{only_practice(site).id}", {}, do="request-changes")
    assert answer.status_code == 422 and 'href="#message"' in answer.get_data(as_text=True)


def test_a_contact_is_shown_to_signed_in_people_only(site: Site) -> None:
    send(site.client("alice"), "/submit", {**FILLED, "contact-name": "Sam Doe"}, do="submit")
    send(site.client("bob"), f"/review/{only_practice(site).id}", {}, do="publish")
    path = "/practices/mentors-for-newly-arrived-nurses"
    assert "office@example.org" not in site.client().get(path).get_data(as_text=True)
    inside = site.client("charlie").get(path).get_data(as_text=True)
    assert "office@example.org" in inside and "Sam Doe" not in inside
    assert "office@example.org" not in site.client().get("/api/v1" + path).get_data(as_text=True)


def test_an_editors_comments_outlive_the_session(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    review = f"/review/{only_practice(site).id}"
    stranger = site.client()
    page = stranger.post(review, data={"message": "How many?", "do": "request-changes"}).get_data(as_text=True)
    kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]*)"', page).group(1))
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    person = {"email": "bob@example.org", "password": PASSWORD}
    answer = stranger.post("/sign-in", data={**person, "next": review, "kept": kept, "csrf_token": fresh})
    assert answer.status_code == 200 and "How many?" in answer.get_data(as_text=True)
    assert only_practice(site).state == State.SUBMITTED


def test_saving_an_old_page_of_a_draft_changed_elsewhere_loses_neither_text(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="save")
    path = path_of(site)
    begun = str(only_practice(site).revision_count)
    send(alice, path, {**FILLED, "title": "Changed in another window", "seen": begun}, do="save")
    answer = send(alice, path, {**FILLED, "place": "Modena", "seen": begun}, do="save")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "Modena" in page and "Changed in another window" in page
    with site.database.read() as session:
        assert practices.working_copy(session, only_practice(site))["title"] == "Changed in another window"


def test_saving_what_was_submitted_in_another_window_gives_the_text_back(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="submit")
    fields = {**FILLED, "lessons": "typed too late", "do": "save", "csrf_token": token(alice, "/submit")}
    answer = alice.post(path_of(site), data=fields)
    assert answer.status_code == 409 and "typed too late" in answer.get_data(as_text=True)


def test_an_editor_cannot_publish_what_was_changed_after_reading(site: Site) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    send(alice, "/submit", FILLED, do="submit")
    path, review = path_of(site), f"/review/{only_practice(site).id}"
    read = str(only_practice(site).revision_count)
    alice.post(path.replace("/edit", "/withdraw"), data={"csrf_token": token(alice, path)})
    send(alice, path, {**FILLED, "actions": "Something else entirely."}, do="submit")
    answer = send(bob, review, {"seen": read, "comment-actions": "kept"}, do="publish")
    assert answer.status_code == 409 and "kept" in answer.get_data(as_text=True)
    assert only_practice(site).version == 0


def test_saving_a_published_practice_unchanged_changes_nothing(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="submit")
    send(site.client("bob"), f"/review/{only_practice(site).id}", {}, do="publish")
    page = alice.get(path_of(site)).get_data(as_text=True)
    attribution = re.search(r'name="attribution"[^>]*value="([^"]*)"', page).group(1)
    send(
        alice, path_of(site), {**FILLED, "country": "IT", "licence": "CC-BY-4.0", "attribution": attribution}, do="save"
    )
    assert only_practice(site).state == State.PUBLISHED


def test_an_editor_updates_a_practice_that_nobody_owns(seeded_site: Site) -> None:
    bob = seeded_site.client("bob")
    with seeded_site.database.read() as session:
        practice_id = session.scalars(select(Practice.id).where(Practice.slug == "bizkaia-talent")).one()
    path = f"/my/practices/{practice_id}/edit"
    form = html_fields(bob.get(path).get_data(as_text=True))
    assert send(bob, path, {**form, "place": "Bilbao"}, do="save").status_code == 302
    assert 'value="Bilbao"' in bob.get(path).get_data(as_text=True)
    assert seeded_site.client().get("/api/v1/practices/bizkaia-talent").get_json()["place"] is None


def html_fields(page: str) -> dict[str, list[str]]:
    """What a browser would send of a page's form: texts, choices and ticks as they stand."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        loose = 'type="radio"' in tag or 'type="checkbox"' in tag
        if name and not (loose and " checked" not in tag) and name.group(1) not in ("csrf_token", "q"):
            fields.setdefault(name.group(1), []).append(html.unescape(value.group(1)) if value else "")
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', page, re.S):
        fields.setdefault(name, []).append(html.unescape(text))
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields.setdefault(name, []).insert(0, chosen.group(1) if chosen else "")
    return fields


def test_a_form_sent_as_it_was_shown_changes_nothing(seeded_site: Site) -> None:
    bob = seeded_site.client("bob")
    with seeded_site.database.read() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == "catalonia-acol-line")).one()
    path = f"/my/practices/{practice.id}/edit"
    send(bob, path, html_fields(bob.get(path).get_data(as_text=True)), do="save")
    with seeded_site.database.read() as session:
        after = session.get(Practice, practice.id)
        assert (after.state, after.revision_count) == (State.PUBLISHED, practice.revision_count)


def test_a_comment_on_the_lead_organisation_reaches_the_author(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    comment = {"comment-lead_organisation": "Which department?", "comment-nope": "poison"}
    send(site.client("bob"), f"/review/{only_practice(site).id}", comment, do="request-changes")
    answer = site.client("alice").get(path_of(site))
    assert answer.status_code == 200 and answer.get_data(as_text=True).count("Which department?") == 2


@pytest.mark.parametrize("odd", [{"remove": "sources-²"}, {"remove": "sources-" + "9" * 5000}, {"sources-²-url": "https://a.example"},
                                 {"sources-99999999-url": "https://a.example"}, {"remove": "sources-"}, {"add": "nope"},
                                 {"seen": "x"}, {"do": "nope"}])  # fmt: skip
def test_an_odd_field_breaks_nothing(site: Site, odd: dict[str, str]) -> None:
    assert send(site.client("alice"), "/submit", {**FILLED, **odd}).status_code in (200, 302)


def test_more_entries_than_a_part_holds_are_refused_and_none_is_dropped(site: Site) -> None:
    links = {f"links-{n}-url": f"https://example.org/{n}" for n in range(105)}
    answer = send(site.client("alice"), "/submit", {**FILLED, **links}, do="save")
    assert answer.status_code == 422 and "105 entries" in answer.get_data(as_text=True)


def test_an_error_stands_at_the_entry_that_it_speaks_of(site: Site) -> None:
    typed = {**FILLED, "sources-0-title": "", "sources-0-url": "", "sources-1-url": "notaurl"}
    page = send(site.client("alice"), "/submit", typed, do="submit").get_data(as_text=True)
    field = re.search(r'<input[^>]*id="sources-0-url"[^>]*>', page).group(0)
    assert 'value="notaurl"' in field and 'aria-invalid="true"' in field


def test_a_reader_sees_no_contact(site: Site) -> None:
    send(site.client("alice"), "/submit", FILLED, do="submit")
    send(site.client("bob"), f"/review/{only_practice(site).id}", {}, do="publish")
    page = site.client("rita").get("/practices/mentors-for-newly-arrived-nurses").get_data(as_text=True)
    assert "office@example.org" not in page


@pytest.mark.parametrize("button", [{"add": "partners"}, {"remove": "partners-0"}])
def test_adding_an_entry_on_an_old_page_does_not_make_it_a_new_one(site: Site, button: dict[str, str]) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="save")
    path, begun = path_of(site), str(only_practice(site).revision_count)
    send(alice, path, {**FILLED, "title": "Changed in another window", "seen": begun}, do="save")
    page = send(alice, path, {**FILLED, "seen": begun}, **button).get_data(as_text=True)
    assert html_fields(page)["seen"] == [begun]


def test_a_contact_holds_no_control_characters(site: Site) -> None:
    send(site.client("alice"), "/submit", {**FILLED, "contact-role": "Project\x07 officer "}, do="save")
    with site.database.read() as session:
        assert practices.contact_of(session.get(Practice, only_practice(site).id))["role"] == "Project officer"
