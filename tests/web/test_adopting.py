"""The adoption trail on the site: said by a member, confirmed by the owner or an editor, seen by everybody."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kb.models import Adoption, Practice
from kb.services import accounts, lifecycle
from kb.services.limits import ADOPTION_LIMIT, Asking
from tests import factories, stack
from tests.conftest import Site, configure, token

FORM = {
    "region": "Navarra", "status": "considering", "changes": "We pay by result.",
    "organisation": "Government of Navarra",
    "contact-role": "Project officer", "contact-email": "office@navarra.example.org", "contact-name": "Ane Ruiz",
    "contact-consent": "",
}  # fmt: skip


@pytest.fixture
def slug(site: Site) -> str:
    """A public practice of Alice."""
    with site.database.write() as session:
        slug = factories.published(session, accounts.get(session, "alice@example.org"), title="The original").slug
    site.drain()
    return str(slug)


def send(site: Site, who: str, path: str, **fields: str) -> TestResponse:
    """Post a form in somebody's browser."""
    client = site.client(who)
    return client.post(path, data={"csrf_token": token(client, "/help"), **fields})


def say(site: Site, slug: str, who: str = "charlie", **changes: str) -> str:
    """Say that a region takes a practice up; returns the number of the adoption."""
    answer = send(site, who, f"/practices/{slug}/adoptions", **{**FORM, **changes})
    assert answer.status_code == 302, answer.text
    with site.database.read() as session:
        return str(session.query(Adoption).order_by(Adoption.created.desc()).first().id)


def confirm(site: Site, number: str, who: str = "alice", do: str = "confirm", answer: str = "") -> int:
    """Decide on an adoption; returns the status of the answer."""
    return send(site, who, f"/adoptions/{number}/decision", do=do, answer=answer).status_code


def test_it_works(site: Site, slug: str) -> None:
    number = say(site, slug)
    assert "Navarra" not in site.client().get(f"/practices/{slug}").text
    assert "Navarra" in site.client("alice").get(f"/practices/{slug}/adoptions").text
    assert confirm(site, number) == 302
    for page in (f"/practices/{slug}", f"/practices/{slug}/adoptions", "/regions/ES22"):
        seen = site.client().get(page).text
        assert "We pay by result." in seen, page
    assert "Ane Ruiz" not in site.client("charlie").get(f"/practices/{slug}").text
    assert "office@navarra" not in site.client().get(f"/practices/{slug}").text
    assert "office@navarra" in site.client("charlie").get(f"/practices/{slug}").text


def test_the_form_knows_whoever_fills_it_in(site: Site, slug: str) -> None:
    with site.database.write() as session:
        accounts.get(session, "charlie@example.org").region_code = "ES22"
    page = site.client("charlie").get(f"/practices/{slug}/adoptions").text
    assert "(ES22)" in page and 'value="charlie@example.org"' in page


def test_what_is_wrong_stands_beside_its_field_and_every_word_is_kept(site: Site, slug: str) -> None:
    words = "word " * 151
    answer = send(site, "charlie", f"/practices/{slug}/adoptions", **{**FORM, "region": "Qqqqq", "changes": words})
    assert answer.status_code == 422
    for said in ("is not in the list of regions", "it has 151 words, the limit is 150", words, "Qqqqq", "Ane Ruiz"):
        assert said in answer.text
    assert 'href="#changes"' in answer.text and 'aria-invalid="true"' in answer.text


def test_a_region_that_has_said_so_already_is_told_and_nothing_typed_is_lost(site: Site, slug: str) -> None:
    say(site, slug)
    answer = send(site, "bob", f"/practices/{slug}/adoptions", **{**FORM, "changes": "We do it otherwise."})
    assert answer.status_code == 409
    assert "has said so already" in answer.text and "We do it otherwise." in answer.text


def test_what_was_typed_before_the_session_ended_is_not_lost(site: Site, slug: str) -> None:
    client = site.client()
    data = {"csrf_token": token(client, "/sign-in"), **FORM}
    answer = client.post(f"/practices/{slug}/adoptions", data=data)
    assert answer.status_code == 401 and "Your text is kept" in answer.text


def test_the_owner_finds_what_waits_among_their_practices_and_the_editor_on_the_dashboard(
    site: Site, slug: str
) -> None:
    number = say(site, slug)
    for who, page in (("alice", "/my/practices"), ("bob", "/review/dashboard?list=adopted")):
        assert f"/practices/{slug}/adoptions#a-{number}" in site.client(who).get(page).text
    assert "Regions that take up your practices" not in site.client("charlie").get("/my/practices").text
    assert f"/adoptions/{number}" in site.client("charlie").get("/my/practices").text


def test_a_refusal_without_a_word_comes_back(site: Site, slug: str) -> None:
    number = say(site, slug)
    assert confirm(site, number, do="refuse") == 422
    assert confirm(site, number, do="refuse", answer="We know nothing of it.") == 302
    assert "We know nothing of it." in site.client("charlie").get("/my/practices").text


def test_who_is_too_late_keeps_their_word(site: Site, slug: str) -> None:
    number = say(site, slug)
    confirm(site, number)
    answer = send(site, "bob", f"/adoptions/{number}/decision", do="refuse", answer="Too vague.")
    assert answer.status_code == 409 and "Too vague." in answer.text


def test_its_person_says_how_far_it_is_and_takes_it_back(site: Site, slug: str) -> None:
    number = say(site, slug)
    confirm(site, number)
    page = site.client("charlie").get(f"/adoptions/{number}").text
    assert "We pay by result." in page and 'value="considering" checked' in page
    assert site.client("alice").get(f"/adoptions/{number}").status_code == 404
    changed = {**FORM, "status": "running", "changes": "We pay in advance.", "do": "save"}
    assert send(site, "charlie", f"/adoptions/{number}", **changed).status_code == 302
    seen = site.client().get(f"/practices/{slug}").text
    assert "We pay in advance." in seen and "Changed since it was confirmed" in seen and "Running" in seen
    assert send(site, "charlie", f"/adoptions/{number}", do="withdraw").status_code == 302
    assert "We pay in advance." not in site.client().get(f"/practices/{slug}").text


def test_an_editor_takes_it_away(site: Site, slug: str) -> None:
    number = say(site, slug)
    confirm(site, number)
    assert "Take this away" not in site.client("alice").get(f"/practices/{slug}/adoptions").text
    assert confirm(site, number, "charlie", "end", "Why not.") == 409
    assert confirm(site, number, "bob", "end") == 422
    assert confirm(site, number, "bob", "end", "It is no adoption.") == 302
    assert "We pay by result." not in site.client().get(f"/practices/{slug}").text


def test_both_pages_lead_to_each_other(site: Site, slug: str) -> None:
    with site.database.write() as session:
        charlie = accounts.get(session, "charlie@example.org")
        own = factories.published(session, charlie, title="Ours", region={"code": "ES22"}, country="ES")
        own_id, own_slug = str(own.id), str(own.slug)
    confirm(site, say(site, slug, own=own_id))
    assert f'href="/practices/{own_slug}"' in site.client().get(f"/practices/{slug}").text
    page = site.client().get(f"/practices/{own_slug}").text
    assert f'href="/practices/{slug}"' in page and "Adapted from" in page


def test_a_draft_of_ones_own_is_named_nowhere(site: Site, slug: str) -> None:
    with site.database.write() as session:
        charlie = accounts.get(session, "charlie@example.org")
        own_id = str(factories.draft(session, charlie, title="Secret draft").id)
    confirm(site, say(site, slug, own=own_id))
    for page in (f"/practices/{slug}", f"/practices/{slug}/adoptions", "/adoptions.csv", "/adoptions.json",
                 f"/api/v1/practices/{slug}/adoptions", "/regions/ES22"):  # fmt: skip
        answer = site.client("alice").get(page).text
        assert "Secret draft" not in answer and own_id not in answer, page


def test_results_count_the_regions_and_the_most_adopted_come_first(site: Site, slug: str) -> None:
    with site.database.write() as session:
        factories.published(session, title="Another one, adopted by nobody")
    confirm(site, say(site, slug, status="running"))
    confirm(site, say(site, slug, region="ES21", status="adapting"))
    site.drain()
    page = site.client().get("/practices?sort=adopted").text
    assert "2 regions took it up" in page
    found = site.client().get("/api/v1/practices?sort=adopted").get_json()["items"]
    assert found[0]["slug"] == slug


def test_the_api_answers_with_the_trail_of_a_practice(site: Site, slug: str) -> None:
    number = say(site, slug, status="running")
    confirm(site, number)
    answer = site.client().get(f"/api/v1/practices/{slug}/adoptions").get_json()
    (item,) = answer.pop("items")
    assert answer == {"slug": slug, "title": "The original", "regions": 1, "total": 1}
    assert item["region"] == {"code": "ES22", "name": "Comunidad Foral de Navarra"}
    assert (item["id"], item["status"], item["counted"], item["own"]) == (number, "running", True, None)
    assert "office@" not in json.dumps(item) and "Ruiz" not in json.dumps(item)


def test_the_exports_hold_the_whole_trail_without_contacts(site: Site, slug: str) -> None:
    confirm(site, say(site, slug, status="running"))
    say(site, slug, region="ES21")  # nobody has confirmed that
    with site.database.write() as session:
        entry = [{"slug": slug, "changes": "=Smaller."}]
        factories.published(session, title="Told by its record", region={"code": "ITH3"}, adapted_from=entry)
    items = site.client().get("/adoptions.json").get_json()
    assert [(each["practice"], each["region"]["code"], each["status"]) for each in items] == [
        (slug, "ES22", "running"), (slug, "ITH3", None),
    ]  # fmt: skip
    answer = site.client().get("/adoptions.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["changes"] for row in rows] == ["We pay by result.", "'=Smaller."]
    assert "office@" not in answer.text and "attachment" in answer.headers["Content-Disposition"]
    assert site.client().get("/adoptions.xml").status_code == 404


def test_the_codebook_explains_every_column_of_the_exports(site: Site, slug: str) -> None:
    page = site.client().get("/codebook").text
    header = site.client().get("/adoptions.csv").data.decode("utf-8-sig").splitlines()[0]
    assert all(f'id="a-{name}"' in page for name in header.split(","))


def test_a_practice_that_is_offline_leaves_no_link(site: Site, slug: str) -> None:
    with site.database.write() as session:
        entry = [{"slug": slug, "changes": "Smaller."}]
        copy = str(factories.published(session, title="The copy", adapted_from=entry).slug)
        bob = accounts.get(session, "bob@example.org")
        original = session.query(Practice).filter_by(slug=slug).one()
        lifecycle.unpublish(session, bob, original, "Wrong figures.")
    assert slug not in site.client().get(f"/practices/{copy}").text
    assert site.client().get(f"/api/v1/practices/{copy}").get_json()["adapted_from"] == []


def test_whoever_keeps_a_copy_of_a_page_or_list_gets_a_new_one(site: Site, slug: str) -> None:
    addresses = ("/regions/ES22", "/practices?sort=adopted", f"/api/v1/practices/{slug}/adoptions")
    kept = {each: site.client().get(each).headers["ETag"] for each in addresses}
    number = say(site, slug, status="running")
    confirm(site, number)
    site.drain()
    for each, mark in kept.items():
        assert site.client().get(each, headers={"If-None-Match": mark}).status_code == 200, each
    mark = site.client().get("/regions/ES22").headers["ETag"]
    send(site, "charlie", f"/adoptions/{number}", **{**FORM, "status": "running", "changes": "Otherwise."})
    site.drain()
    assert site.client().get("/regions/ES22", headers={"If-None-Match": mark}).status_code == 200


def test_the_person_named_as_contact_takes_their_name_away(site: Site, slug: str) -> None:
    number = say(site, slug, **{"contact-email": "rita@example.org"})
    confirm(site, number)
    assert f"/account/contacts/adoptions/{number}/withdraw" in site.client("rita").get("/account").text
    assert send(site, "charlie", f"/account/contacts/adoptions/{number}/withdraw").status_code == 302
    with site.database.read() as session:
        adoption = session.query(Adoption).one()
        assert (adoption.contact_name, adoption.contact_email, adoption.contact_role) == ("", "", "Project officer")


@pytest.fixture
def counting_site(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that counts."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "strict"), KB_LIMITS="on"))
    yield site
    site.close()


def test_too_many_said_or_changed_in_an_hour_are_refused_with_their_words(counting_site: Site) -> None:
    with counting_site.database.write() as session:
        slug = str(factories.published(session, title="The original").slug)
        charlie = str(accounts.get(session, "charlie@example.org").id)
    count = Asking(counting_site.config.data_dir / "limits.sqlite", "adopt", most=ADOPTION_LIMIT)
    for _ in range(ADOPTION_LIMIT.amount - 1):
        count.hit("", charlie)
    wrong = send(counting_site, "charlie", f"/practices/{slug}/adoptions", changes="Nothing else.")
    assert wrong.status_code == 422  # what is wrong does not count
    number = say(counting_site, slug)
    for path in (f"/practices/{slug}/adoptions", f"/adoptions/{number}"):
        answer = send(counting_site, "charlie", path, **{**FORM, "region": "ES21", "changes": "Otherwise."})
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
        assert "Otherwise." in answer.text


def test_lists_of_adoptions_cost_few_statements_however_long(site: Site) -> None:
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        slugs = [str(factories.published(session, alice, title=f"Practice {n} of many").slug) for n in range(8)]
    pages = (("alice", "/my/practices"), ("charlie", "/my/practices"))

    def look(who: str, page: str) -> None:
        assert site.client(who).get(page).status_code == 200

    def cost() -> list[int]:
        return [len(factories.statements(site.database, partial(look, *each))) for each in pages]

    cost()  # what is read once for a process and a session
    say(site, slugs[0])
    few = cost()
    for each in slugs[1:]:
        say(site, each)
    assert [many - once for many, once in zip(cost(), few, strict=True)] == [0, 0]


def test_offering_ones_own_practices_costs_few_statements_however_many(site: Site, slug: str) -> None:
    def look() -> None:
        assert site.client("alice").get(f"/practices/{slug}/adoptions").status_code == 200

    def more(amount: int) -> int:
        with site.database.write() as session:
            alice = accounts.get(session, "alice@example.org")
            for n in range(amount):
                factories.published(session, alice, title=f"One more {n} of {amount}")
        return len(factories.statements(site.database, look))

    look()  # what is read once for a process and a session
    assert more(1) == more(6)


def test_one_region_that_considers_it_is_headed_so_that_heading_and_count_agree(site: Site, slug: str) -> None:
    confirm(site, say(site, slug))
    page = site.client().get(f"/practices/{slug}/adoptions").text
    assert page.count("Regions that use it or look at it</h") == 1
    assert "No region has taken it up yet." in page and "Taken up by" not in page
    assert "Taken up by" not in site.client().get(f"/practices/{slug}").text


def test_owner_and_editors_see_on_the_practice_that_an_adoption_waits(site: Site, slug: str) -> None:
    number = say(site, slug)
    waits, link = "1 region that takes it up waits to be confirmed.", f'href="/practices/{slug}/adoptions#h-w"'
    for who, seen in (("alice", True), ("bob", True), ("charlie", False), (None, False)):
        page = site.client(who).get(f"/practices/{slug}").text
        assert (waits in page, link in page) == (seen, seen), who
    confirm(site, number)
    assert waits not in site.client("bob").get(f"/practices/{slug}").text


def test_the_line_to_the_review_counts_adoptions_that_wait_and_leads_to_them(site: Site, slug: str) -> None:
    assert "(0 practices wait)" in bare(site.client("bob").get("/help").text)
    number = say(site, slug)
    page = site.client("bob").get("/review").text
    assert "(1 thing waits)" in bare(page) and "Adoptions (1)" in bare(page)
    assert page.count('href="/review/dashboard?list=adopted"') == 2
    tabs = site.client("bob").get("/review/dashboard?list=adopted").text.split('<nav class="bar', 1)[1]
    assert tabs.split("</nav>")[0].count('aria-current="page"') == 1
    confirm(site, number)
    assert "(0 practices wait)" in bare(site.client("bob").get("/help").text)


def test_the_order_by_adoptions_says_so_where_nothing_is_adopted(site: Site, slug: str) -> None:
    nothing = "No region has taken up a practice of this list yet."
    assert nothing in site.client().get("/practices?sort=adopted").text
    assert nothing not in site.client().get("/practices?sort=title").text
    confirm(site, say(site, slug, status="running"))
    site.drain()
    assert nothing not in site.client().get("/practices?sort=adopted").text


def test_who_has_said_it_is_offered_to_change_it_and_the_form_is_folded(site: Site, slug: str) -> None:
    number = say(site, slug)
    change = re.compile(rf'href="/adoptions/{number}">Change what Navarre says')
    practice = site.client("charlie").get(f"/practices/{slug}").text
    assert change.search(practice) and "We are adapting this" not in practice
    page = site.client("charlie").get(f"/practices/{slug}/adoptions").text
    assert '<details class="block no-print" id="say">' in page
    answer = send(site, "charlie", f"/practices/{slug}/adoptions", **{**FORM, "status": ""})
    assert answer.status_code == 422 and '<details class="block' not in answer.text
    send(site, "charlie", f"/adoptions/{number}", do="withdraw")
    assert "We are adapting this" in site.client("charlie").get(f"/practices/{slug}").text


def test_a_part_that_is_the_whole_region_is_not_listed_as_one(site: Site) -> None:
    assert "Parts of it" not in site.client().get("/regions/ES22").text
    canaries = site.client().get("/regions/ES7").text
    assert 'href="/regions/ES705"' in canaries and 'href="/regions/ES70"' not in canaries


def test_a_region_shows_what_it_takes_from_elsewhere_before_what_others_do(site: Site, slug: str) -> None:
    confirm(site, say(site, slug))
    page = site.client().get("/regions/ES22").text
    assert page.index('id="h-adopted">What Navarre takes from elsewhere') < page.index('id="h-like"')


def test_the_form_says_who_sees_the_address(site: Site, slug: str) -> None:
    page = site.client("charlie").get(f"/practices/{slug}/adoptions").text
    assert 'id="contact-email-h">Signed-in members see this address' in page


def bare(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", "", page).split())
