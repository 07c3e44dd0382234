"""Reporting an error: anybody may, without an account and without a cookie; an editor answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import MailMessage, Report
from kb.services import accounts
from kb.services.limits import REPORT_LIMIT
from tests import factories, stack
from tests.conftest import Site, configure, token

WORDS = "The figure is from 2019, not 2018.\nSee the <b>annual</b> report."


@pytest.fixture
def slug(site: Site) -> str:
    return published(site)


def published(site: Site) -> str:
    """The address of a public practice of Alice's."""
    with site.database.write() as session:
        return str(factories.published(session, accounts.get(session, "alice@example.org")).slug)


def send(client: FlaskClient, slug: str, **typed: str) -> TestResponse:
    path = f"/practices/{slug}/report"
    return client.post(path, data={"csrf_token": token(client, path), "body": WORDS, **typed})


def kept(site: Site) -> list[Report]:
    with site.database.read() as session:
        return list(session.scalars(select(Report).order_by(Report.created)))


def mails(site: Site, kind: str) -> dict[str, dict[str, Any]]:
    with site.database.read() as session:
        return {mail.address: mail.data for mail in session.scalars(select(MailMessage).filter_by(kind=kind))}


def test_a_stranger_reports_without_a_cookie(site: Site, slug: str) -> None:
    client = site.client()
    looked = client.get(f"/practices/{slug}/report")
    answer = send(client, slug, field="results", email="reader@example.org")
    assert (looked.status_code, answer.status_code) == (200, 200)
    assert "Set-Cookie" not in looked.headers and "Set-Cookie" not in answer.headers
    assert "reader@example.org" in answer.text
    [report] = kept(site)
    assert (report.body, report.field, report.email, report.user_id) == (WORDS, "results", "reader@example.org", None)


def test_the_practice_leads_to_the_form(site: Site, slug: str) -> None:
    assert f'href="/practices/{slug}/report"' in site.client().get(f"/practices/{slug}").text


def test_the_form_is_in_no_cache_and_no_index(site: Site, slug: str) -> None:
    answer = site.client().get(f"/practices/{slug}/report")
    assert answer.headers["Cache-Control"] == "private, no-store" and 'content="noindex"' in answer.text


def test_editors_and_owner_are_told_the_owner_not_the_address(site: Site, slug: str) -> None:
    send(site.client(), slug, email="reader@example.org")
    assert set(mails(site, "report-made")) == {"bob@example.org", "dora@example.org"}
    [(address, data)] = mails(site, "practice-reported").items()
    assert address == "alice@example.org" and data["message"] == WORDS and "reader@" not in str(data)


def test_nothing_typed_is_refused_with_what_was_typed_kept(site: Site, slug: str) -> None:
    answer = send(site.client(), slug, body=" ", email="no address", field="results")
    assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
    assert "Write what is wrong." in answer.text and 'value="no address"' in answer.text
    assert '<option value="results" selected>' in answer.text and kept(site) == []


def test_a_text_that_is_too_long_comes_back_whole(site: Site, slug: str) -> None:
    answer = send(site.client(), slug, body="x" * 2001)
    assert answer.status_code == 422 and "x" * 2001 in answer.text
    assert "the limit is 2000 characters" in answer.text


def test_what_is_typed_is_only_text(site: Site, slug: str) -> None:
    assert "&lt;b&gt;annual&lt;/b&gt;" in send(site.client(), slug).text
    assert "<b>annual" not in site.client("bob").get("/review/reports").text


def test_a_program_that_fills_every_field_is_thanked_and_nothing_is_kept(site: Site, slug: str) -> None:
    answer = send(site.client(), slug, website="https://spam.example")
    assert answer.status_code == 200 and kept(site) == [] and mails(site, "report-made") == {}


def test_the_same_report_twice_is_one(site: Site, slug: str) -> None:
    for _ in range(2):
        assert send(site.client(), slug).status_code == 200
    assert len(kept(site)) == 1


@pytest.mark.parametrize("forged", ["", "nonsense", "another practice"])
def test_a_form_that_is_not_ours_comes_back_with_its_words(site: Site, slug: str, forged: str) -> None:
    client = site.client()
    if forged == "another practice":
        forged = token(client, f"/practices/{published(site)}/report")
    answer = client.post(f"/practices/{slug}/report", data={"csrf_token": forged, "body": WORDS})
    assert answer.status_code == 400 and unescape(answer.text).count(WORDS) == 1 and kept(site) == []
    fresh = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert fresh and client.post(
        f"/practices/{slug}/report", data={"csrf_token": fresh.group(1), "body": WORDS}
    ).status_code == 200  # fmt: skip


def test_another_site_cannot_send_the_form(site: Site, slug: str) -> None:
    client, path = site.client(), f"/practices/{slug}/report"
    data = {"csrf_token": token(client, path), "body": WORDS}
    assert client.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert kept(site) == []


def test_a_member_needs_the_token_of_the_session(site: Site, slug: str) -> None:
    path = f"/practices/{slug}/report"
    strangers = token(site.client(), path)
    answer = site.client("charlie").post(path, data={"csrf_token": strangers, "body": WORDS})
    assert answer.status_code == 400 and kept(site) == []


def test_a_member_reports_in_their_name(site: Site, slug: str) -> None:
    client = site.client("charlie")
    assert 'value="charlie@example.org"' in client.get(f"/practices/{slug}/report").text
    assert send(client, slug, email="").status_code == 200
    assert "Charlie" in site.client("bob").get("/review/reports").text


@pytest.mark.parametrize("address", ["nothing-here", "hidden"])
def test_what_is_not_public_cannot_be_reported(site: Site, address: str) -> None:
    with site.database.write() as session:
        factories.draft(session, accounts.get(session, "alice@example.org"), title="Hidden").slug = "hidden"
    assert site.client().get(f"/practices/{address}/report").status_code == 404


@pytest.fixture
def strict(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that counts."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "strict"), KB_LIMITS="on"))
    yield site
    site.close()


def test_too_many_reports_from_one_address_wait_with_their_words(strict: Site) -> None:
    slug, client = published(strict), strict.client()
    for number in range(REPORT_LIMIT.amount):
        assert send(client, slug, body=f"Wrong {number}").status_code == 200
    answer = send(client, slug, body="One more")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    assert "One more" in answer.text and 'role="alert"' in answer.text and len(kept(strict)) == REPORT_LIMIT.amount


# The editors' side


def answer_to(site: Site, report: Report, **typed: str) -> TestResponse:
    bob = site.client("bob")
    data = {"csrf_token": token(bob, "/review/reports"), "do": "answer", **typed}
    return bob.post(f"/review/reports/{report.id}", data=data)


def test_an_editor_answers_and_the_reader_gets_the_words(site: Site, slug: str) -> None:
    send(site.client(), slug, email="reader@example.org")
    answer = answer_to(site, kept(site)[0], answer="Thank you, it is mended.")
    assert answer.status_code == 302
    data = mails(site, "report-answered")["reader@example.org"]
    assert data["message"] == "Thank you, it is mended." and data["url"] == f"/practices/{slug}"
    page = site.client("bob").get("/review/reports").text
    assert page.index('id="closed"') < page.index("Thank you, it is mended.") and "closed" in page


def test_an_empty_answer_is_refused_beside_its_field(site: Site, slug: str) -> None:
    send(site.client(), slug, email="reader@example.org")
    answer = answer_to(site, kept(site)[0], answer=" ")
    assert answer.status_code == 422 and "Write an answer, or close the report without one." in answer.text
    assert kept(site)[0].closed is None


def test_a_report_can_be_closed_without_a_word(site: Site, slug: str) -> None:
    send(site.client(), slug, email="victim@example.org", body="Buy now")
    assert answer_to(site, kept(site)[0], do="close").status_code == 302
    assert mails(site, "report-answered") == {} and kept(site)[0].closed is not None


def test_a_report_is_closed_once(site: Site, slug: str) -> None:
    send(site.client(), slug)
    answer_to(site, kept(site)[0], do="close")
    again = answer_to(site, kept(site)[0], answer="Twice")
    assert again.status_code == 409 and "closed already" in again.text
