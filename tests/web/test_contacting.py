"""Writing to the owner on the site, and what arrives: a real mail server takes the mail."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Contact, MailMessage, Practice
from kb.services import accounts
from kb.services.limits import CONTACT_LIMIT
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.mailserver import mail_server

WORDS = {"topic": "Pay of the mentors", "message": "How much do they get?\nSee https://evil.example/pay"}


@pytest.fixture
def slug(site: Site) -> str:
    return owned(site)


def owned(site: Site) -> str:
    """The address of a public practice of Alice's."""
    with site.database.write() as session:
        return str(factories.published(session, accounts.get(session, "alice@example.org")).slug)


def send(site: Site, slug: str, who: str = "rita", **typed: str) -> TestResponse:
    client = site.client(who)
    form = {"csrf_token": token(client, "/account"), **WORDS, **typed}
    return client.post(f"/practices/{slug}/contact", data=form)


def waiting(site: Site) -> list[MailMessage]:
    with site.database.read() as session:
        return list(session.scalars(select(MailMessage).where(MailMessage.kind.startswith("owner-message"))))


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_practice_leads_to_the_form_where_somebody_would_get_it(site: Site, slug: str) -> None:
    with site.database.write() as session:
        ownerless = factories.published(session, title="Of nobody").slug
    assert f'href="/practices/{slug}/contact"' in site.client().get(f"/practices/{slug}").text
    assert "/contact" not in site.client().get(f"/practices/{ownerless}").text


def test_a_stranger_signs_in_first_and_loses_no_word(site: Site, slug: str) -> None:
    path, client = f"/practices/{slug}/contact", site.client()
    assert client.get(path).headers["Location"] == f"/sign-in?next={path}"
    answer = client.post(path, data={"csrf_token": token(client, "/sign-in"), **WORDS})
    assert answer.status_code == 401 and "Your text is kept" in answer.text


def test_the_owners_address_is_on_no_page_and_in_no_header(site: Site, slug: str) -> None:
    looked = site.client("rita").get(f"/practices/{slug}/contact")
    answers = [looked, send(site, slug, topic=""), send(site, slug)]
    answers.append(site.client("rita").get(answers[2].headers["Location"]))
    assert [answer.status_code for answer in answers] == [200, 422, 302, 200]
    assert all("alice" not in f"{answer.text}{answer.headers}".lower() for answer in answers)
    assert "on its way to the owner" in answers[-1].text


def test_what_is_refused_comes_back_whole(site: Site, slug: str) -> None:
    answer = send(site, slug, topic="x" * 101, message="y" * 4001, tell="y")
    assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
    assert "x" * 101 in answer.text and "y" * 4001 in answer.text and 'value="y" checked' in answer.text
    assert waiting(site) == []


def test_what_happens_to_the_address_of_whoever_writes_stands_beside_the_button(site: Site, slug: str) -> None:
    page = site.client("rita").get(f"/practices/{slug}/contact").text
    assert "at rita@example.org" in page and "cannot answer" in page
    assert 'type="checkbox" id="tell"' in page and " checked" not in page


def test_whether_an_address_is_seen_is_said_as_it_is(site: Site) -> None:
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        owned, named = factories.published(session, alice), factories.published(session, title="Of a contact alone")
        slugs = [practice.slug for practice in (owned, named)]
        for each in (owned, named):
            each.contact = Contact(role="Desk", email="desk@example.org")
    told = {
        (who, slug): site.client(who).get(f"/practices/{slug}/contact").text
        for who in ("rita", "charlie")
        for slug in slugs
    }
    assert "The owner gets an e-mail; you do not see the address." in told["rita", slugs[0]]
    assert "The owner gets an e-mail. The address of the contact is on the page" in told["charlie", slugs[0]]
    assert "The contact gets an e-mail; you do not see the address." in told["rita", slugs[1]]
    assert "The contact gets an e-mail, at the address on the page" in told["charlie", slugs[1]]
    assert "desk@example.org" in site.client("charlie").get(f"/practices/{slugs[1]}").text
    assert "desk@example.org" not in site.client("rita").get(f"/practices/{slugs[1]}").text + told["rita", slugs[1]]


def test_where_nobody_would_get_it_the_page_says_so_and_what_else_there_is(site: Site) -> None:
    with site.database.write() as session:
        slug = factories.published(session, title="Of nobody").slug
    page = site.client("rita").get(f"/practices/{slug}/contact")
    assert page.status_code == 200 and "Nobody is named" in page.text and "<textarea" not in page.text
    assert f"/practices/{slug}/report" in page.text and f"/practices/{slug}/claim" in page.text
    answer = send(site, str(slug))
    assert answer.status_code == 409 and "How much do they get?" in answer.text


def test_words_come_back_when_the_practice_goes_offline_meanwhile(site: Site, slug: str) -> None:
    with site.database.write() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        session.delete(practice.record)
        practice.slug = "elsewhere"
    answer = send(site, slug)
    assert answer.status_code == 409 and "How much do they get?" in answer.text


@pytest.fixture
def strict(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that counts."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "strict"), KB_LIMITS="on"))
    yield site
    site.close()


def test_the_eleventh_message_of_a_day_waits_with_its_words(strict: Site) -> None:
    slug = owned(strict)
    for number in range(CONTACT_LIMIT.amount):
        assert send(strict, slug, message=f"Question {number}").status_code == 302
    answer = send(strict, slug, message="One more")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 3600
    assert "One more" in answer.text and answer.text.count('role="alert"') == 1
    assert len(waiting(strict)) == CONTACT_LIMIT.amount


def test_the_owner_gets_a_mail_that_can_be_answered_and_has_no_link_of_the_senders(
    peopled_folder: Path, tmp_path: Path
) -> None:
    with mail_server() as server:
        folder = stack.copy(peopled_folder, tmp_path / "mailing")
        site = Site(configure(folder, KB_MAIL_URL=f"smtp://127.0.0.1:{server.port}"))
        try:
            slug = owned(site)
            send(site, slug, topic="Pay\r\nBcc: victim@example.net", tell="y")
            send(site, slug, "charlie")
            site.parts.postman.deliver()
        finally:
            site.close()
    assert {str(mail["To"]) for mail in server.taken} == {"alice@example.org"} and len(server.taken) == 2
    signed, unsigned = sorted(server.taken, key=lambda mail: mail["Reply-To"] is None)
    assert str(signed["Reply-To"]) == "rita@example.org" and "rita" not in str(signed["From"])
    assert signed["Bcc"] is None and "Pay Bcc: victim@example" in str(signed["Subject"])
    assert unsigned["Reply-To"] is None and "charlie" not in unsigned.as_string().lower()
    for mail in (signed, unsigned):
        text, html = part(mail, "plain"), unescape(part(mail, "html"))
        assert "https[:]//evil[.]example/pay" in text and "https[:]//evil[.]example/pay" in html
        assert "evil.example" not in text + html and f"/practices/{slug}/report" in text
    assert "your answer goes to rita@example.org" in " ".join(part(signed, "plain").split())


def test_of_a_message_that_went_nothing_is_kept_but_that_it_went(site: Site, slug: str) -> None:
    send(site, slug)
    site.parts.postman.deliver()
    [message] = waiting(site)
    assert message.sent is not None and message.data == {}
