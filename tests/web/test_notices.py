"""Which mail people get: a link ends what is not about their own work, a page of the account brings it back."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kb import create_app
from kb.cli import main
from kb.models import AuditEntry, MailMessage, Practice, User
from kb.services import mail, moderation, notices, practices, vocabularies
from tests import factories, stack
from tests.conftest import Site, token


def person(site: Site, name: str) -> User:
    with site.database.read() as session:
        return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


def link(site: Site, name: str = "bob") -> str:
    return f"/unsubscribe/{notices.token(site.config.secret_key, person(site, name).id)}"


def outbox(site: Site) -> dict[tuple[str, str], MailMessage]:
    with site.database.read() as session:
        return {(row.kind, row.address): row for row in session.scalars(select(MailMessage))}


def test_looking_at_the_link_changes_nothing(site: Site) -> None:
    answer = site.client().get(link(site))
    assert answer.status_code == 200 and "<button" in answer.get_data(as_text=True)
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
    assert person(site, "bob").notify


def test_a_mail_program_ends_it_with_one_click_without_cookie_or_token(site: Site) -> None:
    answer = site.client().post(link(site), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert not person(site, "bob").notify and person(site, "dora").notify


def test_the_button_does_the_same_and_twice_does_no_harm(site: Site) -> None:
    for _ in range(2):
        assert "no more" in site.client().post(link(site)).get_data(as_text=True)
    assert not person(site, "bob").notify
    with site.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.notify")).all()
    assert [entry.detail for entry in entries] == [{"on": False}]


def test_what_waits_for_somebody_who_wants_no_more_is_not_sent(site: Site) -> None:
    with site.database.write() as session:
        bob = session.merge(person(site, "bob"))
        mail.tell(session, "practice-waiting", bob.email, user=bob, title="Nurses", url="/review/1")
        mail.tell(session, "password-changed", bob.email, user=bob)
    site.client().post(link(site))
    assert set(outbox(site)) == {("password-changed", "bob@example.org")}


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "é", lambda t: "a.b", lambda t: "."])
def test_a_damaged_link_ends_nothing(site: Site, change: object) -> None:
    signed = change(link(site).rpartition("/")[2])  # type: ignore[operator]
    assert site.client().post(f"/unsubscribe/{signed}").status_code == 404
    assert person(site, "bob").notify


def test_a_link_of_another_site_or_of_nobody_ends_nothing(site: Site) -> None:
    elsewhere = notices.token("another secret key, long enough", person(site, "bob").id)
    nobody = notices.token(site.config.secret_key, uuid.uuid4())
    assert [site.client().post(f"/unsubscribe/{each}").status_code for each in (elsewhere, nobody)] == [404, 404]


def choose(client: FlaskClient, **data: str) -> int:
    return client.post("/account/mail", data={"csrf_token": token(client, "/account/mail"), **data}).status_code


def test_the_account_page_leads_to_the_choice_and_back(site: Site) -> None:
    bob = site.client("bob")
    assert 'href="/account/mail"' in bob.get("/account").get_data(as_text=True)
    assert choose(bob) == 302 and not person(site, "bob").notify
    assert choose(bob, notify="y") == 302 and person(site, "bob").notify


def test_the_choice_shows_what_is_chosen(site: Site) -> None:
    site.client().post(link(site))
    page = site.client("bob").get("/account/mail").get_data(as_text=True)
    assert 'name="notify"' in page and " checked" not in page


def test_the_choice_needs_its_token(site: Site) -> None:
    site.client("bob").post("/account/mail", data={})
    assert person(site, "bob").notify


# Practices


def test_a_submission_is_told_to_all_editors_but_the_one_who_wrote_it(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.submitted(session, session.merge(person(site, "bob")), title="Mentors for nurses")
    mails = outbox(site)
    assert set(mails) == {("practice-waiting", "dora@example.org")}
    told = mails["practice-waiting", "dora@example.org"].data
    assert told == {"title": "Mentors for nurses", "url": f"/review/{practice.id}"}


def test_an_editor_who_wants_no_such_mail_is_not_told(site: Site) -> None:
    site.client().post(link(site))
    with site.database.write() as session:
        factories.submitted(session, session.merge(person(site, "alice")))
    assert set(outbox(site)) == {("practice-waiting", "dora@example.org")}


def test_an_editor_who_is_disabled_is_not_told(site: Site) -> None:
    with site.database.write() as session:
        session.merge(person(site, "bob")).active = False
        session.flush()
        factories.submitted(session, session.merge(person(site, "alice")))
    assert set(outbox(site)) == {("practice-waiting", "dora@example.org")}


def test_the_owner_is_told_what_to_change_even_without_wanting_other_mail(site: Site) -> None:
    site.client().post(link(site, "alice"))
    with site.database.write() as session:
        alice, bob = (session.merge(person(site, name)) for name in ("alice", "bob"))
        practice = factories.submitted(session, alice)
        moderation.request_changes(session, bob, practice, "How many?")
    told = outbox(site)["practice-changes-requested", "alice@example.org"].data
    assert told["message"] == "How many?" and told["url"] == f"/my/practices/{practice.id}/edit"


def test_the_owner_is_told_that_a_practice_is_public(site: Site) -> None:
    with site.database.write() as session:
        alice, bob = (session.merge(person(site, name)) for name in ("alice", "bob"))
        practice = factories.submitted(session, alice)
        moderation.publish(session, bob, practice, vocabularies.load(session))
    told = outbox(site)["practice-published", "alice@example.org"].data
    assert site.client("alice").get(told["url"]).status_code == 200


def test_whoever_publishes_an_own_practice_is_not_told_so(site: Site) -> None:
    with site.database.write() as session:
        bob, dora = (session.merge(person(site, name)) for name in ("bob", "dora"))
        dora.active = False
        session.flush()
        moderation.publish(session, bob, factories.submitted(session, bob), vocabularies.load(session))
    assert not outbox(site)


def test_a_submission_that_is_refused_is_told_to_nobody(site: Site) -> None:
    with pytest.raises(Exception), site.database.write() as session:  # noqa: B017 (whatever refuses it)
        alice = session.merge(person(site, "alice"))
        practices.submit(session, alice, factories.draft(session, alice, summary=None), vocabularies.load(session))
    assert not outbox(site)


def test_a_mail_says_in_its_header_how_to_end_it_and_that_works(site: Site) -> None:
    with site.database.write() as session:
        factories.submitted(session, session.merge(person(site, "alice")))
    site.parts.postman.deliver()
    files = (site.config.data_dir / "mail").glob("*.eml")
    [text] = [text for file in files if "To: bob@example.org" in (text := file.read_text())]
    [header] = [line for line in text.splitlines() if line.startswith("List-Unsubscribe: ")]
    path = header.removeprefix(f"List-Unsubscribe: <{site.config.base_url}").removesuffix(">")
    assert site.client().post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not person(site, "bob").notify


def test_an_import_of_many_submissions_does_not_mail_the_editors_each_time(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps([factories.document(title=f"Mentors {number}") for number in range(3)]))
    env = {"KB_DATA_DIR": str(site.config.data_dir), **stack.environment(site.config.data_dir)}
    command = ["import", str(file), "--as", "submitted", "--owner", "alice@example.org"]
    assert CliRunner().invoke(main, command, obj=create_app, env=env).exit_code == 0
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Practice).where(Practice.state == "submitted")) == 3
    assert not outbox(site)
