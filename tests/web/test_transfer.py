"""The transfer check as an official goes through it: asked, answered, read again by its link, kept, deleted."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Practice, TransferCheck, User
from kb.services import accounts, merging, transfer, versions, vocabularies
from kb.services.checking import check as checked
from kb.services.publishing import publish
from kb.services.transfer import Answer, Check
from tests import factories
from tests.conftest import Site, token

SAID = {"difficulties": "Few came at first.", "authority_role": "leader", "evidence": "monitoring"}


@pytest.fixture
def path(site: Site) -> str:
    """The address of the check of a public practice of Alice's."""
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        return f"/practices/{factories.published(session, alice, **SAID).slug}/transfer-check"


def asked(site: Site, path: str) -> tuple[transfer.Question, ...]:
    with site.database.read() as session:
        return transfer.questions(versions.online(session, path.split("/")[2], "").document)


def answered(client: FlaskClient, path: str, region: str = "", **answers: str) -> TestResponse:
    """What is answered to the form, sent as a browser sends it."""
    return client.get(f"{path}?{urlencode({'v': 1, 'region': region, **answers})}")


def link(site: Site, path: str, region: str = "ES22", answer: Answer = Answer.YES) -> str:
    """The address of a result in which every question has the same answer."""
    code = transfer.encode(Check(1, region, {question.id: answer for question in asked(site, path)}))
    return f"{path}?c={code}"


def again(site: Site, path: str, **changes: Any) -> None:
    """Publish the practice of a check anew, changed."""
    with site.database.write() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == path.split("/")[2])).one()
        publish(session, practice, checked(factories.document(**{**SAID, **changes}), vocabularies.load(session)))


def test_the_practice_leads_to_its_check_and_an_old_version_does_not(site: Site, path: str) -> None:
    practice = path.rpartition("/")[0]
    assert f'href="{path}"' in site.client().get(practice).text
    again(site, path)
    assert path not in site.client().get(f"{practice}/versions/1").text


def test_every_question_is_on_the_form_with_what_the_record_says(site: Site, path: str) -> None:
    page = unescape(site.client().get(path).text)
    assert [found for found in re.findall(r'<fieldset class="field" id="q-(\w+)"', page)] == [
        question.id for question in asked(site, path)
    ]
    assert "Emilia-Romagna: the regional authority leads it." in page and "Few came at first." in page


def test_what_the_practice_does_not_say_is_said_openly(site: Site, path: str) -> None:
    assert (
        "This practice does not say: Law, Money, Partners and People who do the work." in site.client().get(path).text
    )


def test_the_records_own_words_are_marked_as_being_in_its_language(site: Site, path: str) -> None:
    page = site.client().get(f"{path}?lang=de").text
    assert '<blockquote class="aside my-2" lang="en">Few came at first.' in page


def test_answers_lead_to_an_address_that_holds_them(site: Site, path: str) -> None:
    first, second, *_rest = asked(site, path)
    client = site.client()
    moved = answered(client, path, "Navarra (ES22)", **{f"q-{first.id}": "y", f"q-{second.id}": "n"})
    code = transfer.encode(Check(1, "ES22", {first.id: Answer.YES, second.id: Answer.NO}))
    assert (moved.status_code, moved.headers["Location"]) == (302, f"{path}?c={code}")
    page = client.get(moved.headers["Location"])
    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    assert f"{path}?c={code}" in unescape(page.text) and 'content="noindex"' in page.text
    assert page.text.index('id="unknown"') < page.text.index('id="missing"') < page.text.index('id="there"')


def test_every_row_of_the_result_says_what_was_answered(site: Site, path: str) -> None:
    page = site.client().get(link(site, path, answer=Answer.NO)).text
    assert page.count("Your answer: No") == len(asked(site, path))
    first = asked(site, path)[0]
    page = site.client().get(link_of(Check(1, "ES22", {first.id: Answer.UNKNOWN}), path)).text
    assert page.count("Your answer: I do not know") == 1
    assert page.count("Your answer: none yet") == len(asked(site, path)) - 1


def test_a_difficulty_that_one_would_not_meet_is_nothing_one_has(site: Site, path: str) -> None:
    page = site.client().get(link(site, path, answer=Answer.NO)).text
    spared = page[page.index('id="spared"') :]
    assert "What you need not fear" in spared and "Few came at first." in spared and 'id="there"' not in page


def test_the_result_offers_to_write_where_somebody_would_get_it(site: Site, path: str) -> None:
    address = link(site, path)
    assert f'{path.rpartition("/")[0]}/contact"' in site.client().get(address).text
    assert "/contact" not in site.client("alice").get(address).text  # her own
    with site.database.write() as session:
        ownerless = f"/practices/{factories.published(session, title='Of nobody').slug}/transfer-check"
    page = site.client().get(link(site, ownerless)).text
    assert "See who runs it" in page and "/contact" not in page


def test_a_region_that_nobody_knows_comes_back_with_every_answer(site: Site, path: str) -> None:
    first = asked(site, path)[0]
    answer = answered(site.client(), path, "Nowhere <b>", **{f"q-{first.id}": "p"})
    assert answer.status_code == 400 and answer.text.count('role="alert"') == 1
    assert (
        'value="Nowhere &lt;b&gt;"' in answer.text
        and f'id="q-{first.id}-p" name="q-{first.id}" value="p" checked' in answer.text
    )


def test_a_form_without_an_answer_says_what_to_do(site: Site, path: str) -> None:
    answer = answered(site.client(), path, "ES22")
    assert answer.status_code == 422 and answer.text.count("Answer at least one question.") == 1
    assert "aria-invalid" not in answer.text and 'href="#q-' not in answer.text
    assert "(ES22)" in answer.text or 'value="ES22"' in answer.text


def test_an_answer_that_is_none_is_named(site: Site, path: str) -> None:
    first = asked(site, path)[0]
    answer = answered(site.client(), path, **{f"q-{first.id}": "maybe"})
    assert answer.status_code == 400 and "“maybe” is no answer." in answer.text


def test_a_damaged_address_says_so_above_the_questions(site: Site, path: str) -> None:
    answer = site.client().get(link(site, path)[:-3])
    assert answer.status_code == 400 and answer.text.count("cannot be read") == 1 and "See the result" in answer.text
    assert answer.text.count('role="alert"') == 1 and answer.text.index("cannot be read") < answer.text.index(
        "<fieldset"
    )
    assert "aria-invalid" not in answer.text and 'href="#q-' not in answer.text


def test_the_answers_can_be_changed(site: Site, path: str) -> None:
    page = site.client().get(f"{link(site, path, answer=Answer.PARTLY)}&change=1").text
    assert page.count(' value="p" checked') == len(asked(site, path)) and "(ES22)" in page


def test_the_result_of_an_earlier_version_says_so_and_shows_what_still_fits(site: Site, path: str) -> None:
    before = link(site, path, answer=Answer.PARTLY)
    again(site, path, evidence="counterfactual")
    page = site.client().get(before).text
    assert "given for version 1 of the practice; this is version 2." in page
    assert "1 answer fits no question any more" in page and f">{len(asked(site, path)) - 2}</span>" in page


def test_a_region_that_is_signed_in_is_there_already(site: Site, path: str) -> None:
    with site.database.write() as session:
        accounts.get(session, "rita@example.org").region_code = "ES22"
    assert "(ES22)" in site.client("rita").get(path).text
    assert "(ES51)" in site.client("rita").get(f"{path}?region=ES51").text


def test_a_check_is_kept_listed_and_deleted(site: Site, path: str) -> None:
    rita, address = site.client("rita"), link(site, path)
    form = {"csrf_token": token(rita, address), "c": address.partition("c=")[2]}
    assert rita.post(path, data=form).headers["Location"] == address
    assert "These answers are kept in your account." in rita.get(address).text
    listed = rita.get("/account/transfer-checks").text
    assert address in unescape(listed) and "Mentors for newly arrived nurses" in listed
    assert address not in unescape(site.client("charlie").get("/account/transfer-checks").text)
    gone = dict(re.findall(r'name="(practice_id|region_code)" value="([^"]+)"', listed))
    assert rita.post("/account/transfer-checks", data={"csrf_token": form["csrf_token"], **gone}).status_code == 302
    with site.database.read() as session:
        assert session.scalars(select(TransferCheck)).all() == []


def test_a_check_without_a_region_is_not_kept_and_says_why(site: Site, path: str) -> None:
    rita, address = site.client("rita"), link(site, path, region="")
    form = {"csrf_token": token(rita, "/account"), "c": address.partition("c=")[2]}
    answer = rita.post(path, data=form)
    assert answer.status_code == 422 and "Name your region first" in answer.text and 'id="there"' in answer.text


def test_nothing_is_stored_of_whoever_is_signed_out(site: Site, path: str) -> None:
    site.client().get(link(site, path))
    with site.database.read() as session:
        assert session.scalars(select(TransferCheck)).all() == []
        assert session.scalars(select(User.region_code).where(User.region_code.is_not(None))).all() == []


def test_a_code_goes_along_to_the_practice_that_this_one_was_merged_into(site: Site, path: str) -> None:
    with site.database.write() as session:
        bob = accounts.get(session, "bob@example.org")
        other = factories.published(session, title="The other one")
        practice = session.scalars(select(Practice).where(Practice.slug == path.split("/")[2])).one()
        merging.merge(session, bob, practice, other)
    moved = site.client().get(link_of(Check(1, "ES22", {"cuk7": Answer.YES}), path) + "&_external=1&slug=x")
    assert moved.status_code == 301
    assert moved.headers["Location"] == link_of(
        Check(1, "ES22", {"cuk7": Answer.YES}), "/practices/the-other-one/transfer-check"
    )


def link_of(check: Check, path: str) -> str:
    return f"{path}?c={transfer.encode(check)}"
