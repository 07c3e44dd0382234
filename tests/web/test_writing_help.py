"""Help while writing, as a browser without JavaScript sees it: examples, progress, suggestions, duplicates, preview."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import MailMessage, Practice, Revision, State, User
from kb.services.record import NARRATIVE
from kb.web.forms.examples import EXAMPLES
from tests import factories
from tests.conftest import Site, token

FILLED = {
    "title": "Mentors for newly arrived nurses",
    "language": "en",
    "summary": "Hospitals of the region pair newly arrived nurses with senior colleagues for a year.",
    "region-code": "Emilia-Romagna",
    "level": "regional",
    "status": "running",
    "lead_organisation-name": "Regional health service",
    "actions": "Pairs meet weekly; the hospital counts the hours as training.",
    "themes": ["labour-inclusion"],
    "target_groups": ["migrant-workers"],
    "sources-0-title": "Programme page",
    "sources-0-url": "https://example.org/nurses",
    "contact-role": "Project officer",
    "contact-email": "office@example.org",
    "contact-name": "Sam Doe",
}
ITALIAN = (
    "La regione accoglie i rifugiati in piccoli comuni, con un mentore per ogni famiglia, da tre anni a questa parte."
)
OTHERS = {"title": "Mentoring for new nurses", "sources-0-url": "https://example.net/other"}


def send(client: FlaskClient, path: str, fields: dict[str, Any], **buttons: str) -> TestResponse:
    return client.post(path, data={**fields, **buttons, "csrf_token": token(client, "/submit")})


def text_of(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def only(site: Site) -> Practice:
    with site.database.read() as session:
        return session.scalars(select(Practice).where(Practice.owner_id.is_not(None))).one()


def edit_of(site: Site) -> str:
    return f"/my/practices/{only(site).id}/edit"


def publish(site: Site, **changes: Any) -> str:
    with site.database.write() as session:
        slug = str(factories.published(session, **changes).slug)
    site.drain()
    return slug


# Examples and limits


def test_every_text_of_the_form_has_an_example_and_each_is_within_its_limit() -> None:
    from kb.services.checking import CHARACTER_LIMITS, WORD_LIMITS

    assert {"title", "summary", *NARRATIVE} <= set(EXAMPLES)
    assert [
        key for key, most in WORD_LIMITS.items() if key in EXAMPLES and len(str(EXAMPLES[key]).split()) > most
    ] == []
    assert [key for key, most in CHARACTER_LIMITS.items() if len(str(EXAMPLES.get(key, ""))) > most] == []


def test_an_example_stands_folded_beside_its_field(site: Site) -> None:
    page = text_of(site.client("alice").get("/submit"))
    for key in ("summary", "transferability", "budget_eur", "themes", "sources", "contact"):
        assert str(EXAMPLES[key]) in page
    assert page.count('<details class="example">') == len(EXAMPLES)


def test_a_text_that_is_too_long_says_by_how_much(site: Site) -> None:
    page = text_of(send(site.client("alice"), "/submit", {**FILLED, "summary": "word " * 103}, do="submit"))
    assert "103 of 100 words, 3 too many" in page


# Progress


def test_an_empty_form_names_all_that_is_needed_with_links(site: Site) -> None:
    page = text_of(site.client("alice").get("/submit"))
    assert "Needed before you submit: 13" in page and "0 of 9 recommended fields" in page
    targets = re.findall(r'<li data-field="[^"]+"[^>]*><a href="#([^"]+)">', page)
    assert {"summary", "region-code", "sources-0-title", "contact-role", "lessons"} <= set(targets)
    assert [target for target in targets if f'id="{target}"' not in page] == []


def test_progress_follows_each_save(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, "context": "Nurses left within a year.", "start": "2021"}, do="save")
    page = text_of(alice.get(edit_of(site)))
    assert "2 of 9 recommended fields" in page
    assert re.search(r'<li data-field="context"[^>]* hidden>', page)
    assert re.search(r'<details[^>]* data-missing="[^"]*"[^>]* hidden>', page)
    themes = page[page.index('href="#part-themes"') :]
    assert re.match(r"[^<]*</a><small[^>]*>Done<", themes[themes.index(">") + 1 :])


def test_half_a_contact_is_still_needed(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, "contact-email": ""}, do="save")
    page = text_of(alice.get(edit_of(site)))
    assert "Needed before you submit: 1" in page and re.search(r'<li data-field="contact.email" [^>]*><a', page)


def test_what_is_needed_and_what_is_to_mend_are_counted_alike(site: Site) -> None:
    page = text_of(send(site.client("alice"), "/submit", {"title": ""}, do="submit"))
    assert "13 things to correct" in page and "Needed before you submit: 13" in page


def test_each_part_says_what_is_still_needed_or_that_it_is_done_or_optional(site: Site) -> None:
    page = text_of(send(site.client("alice"), "/submit", {"themes": "housing", "target_groups": "all"}, add="links"))
    said = re.findall(r"<small data-part[^>]*>([^<]+)<", page)
    assert said == ["7 still needed", "1 still needed", "Optional", "Optional", "Optional", "Done", "3 still needed"]


def test_a_national_practice_needs_no_region(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, "region-code": "", "level": "national", "country": "IT"}, do="save")
    assert re.search(r'<details[^>]* data-missing="[^"]*"[^>]* hidden>', text_of(alice.get(edit_of(site))))


# Suggestions


def test_terms_are_suggested_and_none_is_ticked(seeded_site: Site) -> None:
    alice = seeded_site.client("alice")
    send(alice, "/submit", {"title": "Homes for refugees", "summary": "Housing for refugee families."}, do="save")
    page = text_of(alice.get(edit_of(seeded_site)))
    assert 'name="suggest" value="themes:housing"' in page and 'value="target_groups:refugees"' in page
    assert " checked>" not in page[page.index('id="more-themes"') : page.index('id="part-sources"')]


def test_suggestions_come_from_what_was_typed_before_anything_is_saved(seeded_site: Site) -> None:
    alice = seeded_site.client("alice")
    page = text_of(send(alice, "/submit", {"title": "Homes for refugees"}, suggest=""))
    assert 'value="themes:housing"' in page and 'value="Homes for refugees"' in page
    with seeded_site.database.read() as session:
        assert session.scalars(select(Practice).where(Practice.owner_id.is_not(None))).all() == []


def test_a_suggestion_that_is_pressed_is_chosen_and_nothing_typed_is_lost(seeded_site: Site) -> None:
    alice = seeded_site.client("alice")
    page = text_of(send(alice, "/submit", {"title": "Homes for refugees", "themes": ""}, suggest="themes:housing"))
    assert '<option value="housing" selected>' in page and 'value="Homes for refugees"' in page
    assert "Nothing is saved yet" in page


def test_a_second_theme_becomes_a_further_one(seeded_site: Site) -> None:
    alice = seeded_site.client("alice")
    page = text_of(send(alice, "/submit", {**FILLED, "themes": ["labour-inclusion"]}, suggest="themes:housing"))
    assert '<option value="labour-inclusion" selected>' in page
    assert re.search(r'name="themes" value="housing" checked', page)


def test_a_suggestion_becomes_the_main_theme_where_only_further_ones_are_ticked(seeded_site: Site) -> None:
    fields = {**FILLED, "themes": ["", "labour-inclusion"]}
    page = text_of(send(seeded_site.client("alice"), "/submit", fields, suggest="themes:housing"))
    assert '<option value="housing" selected>' in page
    assert re.search(r'name="themes" value="labour-inclusion" checked', page)


@pytest.mark.parametrize(
    "forged", ["themes:", "title:x", "language:", ":", "themes", "no:such:thing", "themes:no-such"]
)
def test_a_button_that_was_forged_breaks_nothing(site: Site, forged: str) -> None:
    answer = send(site.client("alice"), "/submit", FILLED, suggest=forged)
    assert answer.status_code == 200 and 'value="Mentors for newly arrived nurses"' in text_of(answer)


def test_another_language_is_asked_about_and_chosen_by_a_button(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, "summary": ITALIAN, "actions": ITALIAN}, do="save")
    page = text_of(alice.get(edit_of(site)))
    assert "This looks like Italian. Is it?" in page and '<option value="en" selected>' in page
    page = text_of(send(alice, edit_of(site), {**FILLED, "summary": ITALIAN}, suggest="language:it"))
    assert '<option value="it" selected>' in page and "This looks like" not in page


# Duplicates


def test_submitting_asks_once_whether_it_is_one_of_those_there(site: Site) -> None:
    slug, alice = publish(site), site.client("alice")
    answer = send(alice, "/submit", {**FILLED, **OTHERS}, do="submit")
    question = f"/my/practices/{only(site).id}/duplicates"
    assert answer.headers["Location"] == f"{question}?seen=1" and only(site).state == State.DRAFT
    page = text_of(alice.get(answer.headers["Location"]))
    assert f'href="/practices/{slug}"' in page and "the organisation that leads it" in page
    assert f'href="/practices/{slug}/report"' in page and f'href="/practices/{slug}/claim"' in page
    answer = alice.post(question, data={"csrf_token": token(alice, question), "seen": "1"})
    assert answer.status_code == 302 and only(site).state == State.SUBMITTED


def test_who_was_asked_is_not_asked_again(site: Site) -> None:
    publish(site)
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, **OTHERS}, do="submit")
    question = f"/my/practices/{only(site).id}/duplicates"
    alice.post(question, data={"csrf_token": token(alice, question), "seen": "1"})
    alice.post(question.replace("duplicates", "withdraw"), data={"csrf_token": token(alice, "/submit")})
    send(alice, edit_of(site), {**FILLED, **OTHERS, "seen": str(only(site).revision_count)}, do="submit")
    assert only(site).state == State.SUBMITTED


def test_a_practice_that_resembles_none_is_submitted_at_once(site: Site) -> None:
    assert send(site.client("alice"), "/submit", FILLED, do="submit").headers["Location"] == "/my/practices"
    assert only(site).state == State.SUBMITTED


def test_what_is_to_be_mended_comes_before_the_question(site: Site) -> None:
    publish(site)
    assert send(site.client("alice"), "/submit", {**FILLED, "contact-email": ""}, do="submit").status_code == 422


def test_the_question_names_no_draft_of_anyone_else(site: Site) -> None:
    with site.database.write() as session:
        charlie = session.query(User).filter_by(email="charlie@example.org").one()
        hidden = factories.draft(session, charlie, title="Nobody’s business").id
    publish(site)
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, **OTHERS}, do="submit")
    with site.database.read() as session:
        mine = session.scalars(select(Practice.id).where(Practice.title == OTHERS["title"])).one()
    page = text_of(alice.get(f"/my/practices/{mine}/duplicates"))
    assert "Mentors for newly arrived nurses" in page
    assert "Nobody’s business" not in page and str(hidden) not in page


def test_a_draft_that_was_broken_meanwhile_is_not_submitted(site: Site) -> None:
    publish(site)
    alice = site.client("alice")
    send(alice, "/submit", {**FILLED, **OTHERS}, do="submit")
    question = f"/my/practices/{only(site).id}/duplicates"
    csrf = token(alice, question)
    send(alice, edit_of(site), {**FILLED, **OTHERS, "summary": ""}, do="save")
    answer = alice.post(question, data={"csrf_token": csrf, "seen": "1"}, follow_redirects=True)
    assert "This practice was changed meanwhile" in text_of(answer) and only(site).state == State.DRAFT


# Preview


def test_the_preview_shows_the_page_as_readers_would_see_it_and_says_what_it_is(site: Site) -> None:
    alice = site.client("alice")
    answer = send(alice, "/submit", {**FILLED, "context": "**Nurses** left"}, do="preview")
    assert answer.headers["Location"].startswith(f"/my/practices/{only(site).id}/preview")
    shown = alice.get(answer.headers["Location"])
    page = text_of(shown)
    assert "Preview, not public" in page and "<strong>Nurses</strong> left" in page
    assert "Regional health service" in page and 'href="https://example.org/nurses"' in page
    assert shown.headers["Cache-Control"] == "private, no-store" and 'content="noindex"' in page


def test_a_preview_makes_nothing_public_and_tells_nobody(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", FILLED, do="preview")
    alice.get(f"/my/practices/{only(site).id}/preview")
    assert only(site).state == State.DRAFT and only(site).slug is None
    with site.database.read() as session:
        assert session.scalars(select(MailMessage)).all() == []
        assert len(session.scalars(select(Revision)).all()) == 1


def test_an_empty_draft_has_a_preview(site: Site) -> None:
    alice = site.client("alice")
    send(alice, "/submit", {}, do="preview")
    page = text_of(alice.get(f"/my/practices/{only(site).id}/preview"))
    assert "Without a title" in page and "Not chosen yet" in page and "None" not in re.sub(r"<[^>]*>", "", page)


def test_whatever_was_typed_has_a_preview(site: Site) -> None:
    alice = site.client("alice")
    typed = {
        "title": "<script>alert(1)</script>", "language": "xx", "summary": "a" * 5_000, "region-code": "Atlantis",
        "country": "Nowhere", "level": "galactic", "status": "x", "start": "soon", "end": "1", "evidence": "rumour",
        "authority_role": "king", "lead_organisation-type": "x", "lead_organisation-url": "javascript:alert(1)",
        "lead_organisation-name": "L", "partners-0-type": "y", "partners-1-name": "P", "partners-1-url": "data:x",
        "beneficiaries": "many", "budget_eur": "-1", "budget_year": "x", "funding-0-source": "theft",
        "funding-0-amount_eur": "lots", "indicators-0-value": "1", "indicators-0-url": "javascript:alert(1)",
        "themes": ["no-such"], "target_groups": ["no-such"], "sources-0-url": "javascript:alert(1)",
        "links-0-title": "No address", "translations-0-title": "T", "licence": "mine", "other_regions-0-code": "X",
        "context": "[x](javascript:alert(1)) <img src=x onerror=alert(1)>",
    }  # fmt: skip
    send(alice, "/submit", typed, do="preview")
    answer = alice.get(f"/my/practices/{only(site).id}/preview")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<script>alert" not in page and 'href="javascript' not in page and "<img src=x" not in page


@pytest.mark.parametrize("who", ["charlie", "bob", "dora"])
def test_nobody_else_sees_the_preview_of_a_draft(site: Site, who: str) -> None:
    send(site.client("alice"), "/submit", FILLED, do="save")
    for page in ("preview", "duplicates"):
        assert site.client(who).get(f"/my/practices/{only(site).id}/{page}").status_code == 404


def test_the_contact_in_the_preview_is_the_drafts_own(site: Site) -> None:
    with site.database.write() as session:
        charlie = session.query(User).filter_by(email="charlie@example.org").one()
        factories.draft(session, charlie)
    alice = site.client("alice")
    send(alice, "/submit", {"title": "No contact"}, do="save")
    with site.database.read() as session:
        mine = session.scalars(select(Practice.id).where(Practice.title == "No contact")).one()
    assert "office@example.org" not in text_of(alice.get(f"/my/practices/{mine}/preview"))


def test_editors_see_in_review_what_it_may_be_the_same_as(site: Site) -> None:
    slug = publish(site)
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        sent = factories.submitted(session, alice, title="Mentoring for new nurses").id
    page = text_of(site.client("bob").get(f"/review/{sent}"))
    panel = page[page.index('id="alike"') :]
    assert f'href="/practices/{slug}"' in panel and "the organisation that leads it" in panel


def test_a_review_of_something_new_names_no_duplicate(site: Site) -> None:
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        sent = factories.submitted(session, alice).id
    assert 'id="alike"' not in text_of(site.client("bob").get(f"/review/{sent}"))
