"""Invitations: who may send one, what it makes, and when its link works."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from kb.db import Database
from kb.models import AuditEntry, Invitation, Organisation, Role, User
from kb.services import accounts, invitations, organisations
from kb.services.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from kb.services.invitations import Offer
from tests import factories
from tests.letters import letters, token

MAYA = "maya@example.org"
SECRET = "harbour lantern reykjavik"
SITE = "https://kb.example"


@pytest.fixture
def people(database: Database) -> Iterator[dict[str, User]]:
    """Alice, Bob and Dora, members in turn of each role from member on."""
    with database.write() as session:
        roles = {"alice": "member", "bob": "editor", "dora": "admin"}
        made = {name: factories.person(session, f"{name}@example.org", role) for name, role in roles.items()}
    yield made


def invite(database: Database, actor: User, role: str = "member", **more: str | None) -> str:
    """Send an invitation to Maya and return the token of its link."""
    with database.write() as session:
        url = invitations.invite(session, actor, Offer(**{"email": MAYA, "role": role, **more}), SITE)  # type: ignore[arg-type]
    return url.rsplit("/", 1)[1]


def accept(database: Database, secret: str, name: str = "Maya Berg") -> User:
    with database.write() as session:
        return invitations.accept(session, secret, name, SECRET, "de")


def age(database: Database, **columns: object) -> None:
    with database.write() as session:
        session.execute(update(Invitation).values(**columns))


def test_an_invitation_is_mailed_with_its_link(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"], language="it")
    (mail,) = letters(database)
    assert (mail.kind, mail.address, mail.language) == ("invitation", MAYA, "it")
    assert mail.data == {"url": f"{SITE}/invitation/{secret}", "inviter": "Bob", "role": "member", "days": 14}


def test_the_token_is_kept_only_as_a_digest(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    with database.read() as session:
        kept = session.scalar(select(Invitation))
        assert kept is not None and kept.token_hash != secret and len(kept.token_hash) == 64


@pytest.mark.parametrize(("who", "role", "may"), [
    ("alice", "reader", False), ("alice", "member", False),
    ("bob", "reader", True), ("bob", "member", True), ("bob", "editor", False), ("bob", "admin", False),
    ("dora", "reader", True), ("dora", "member", True), ("dora", "editor", True), ("dora", "admin", True),
])  # fmt: skip
def test_who_may_invite_to_what(database: Database, people: dict[str, User], who: str, role: str, may: bool) -> None:
    if may:
        assert invite(database, people[who], role)
    else:
        with pytest.raises(NotAllowed):
            invite(database, people[who], role)
        assert letters(database) == []


def test_accepting_makes_the_account_that_was_offered(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"], organisation="Regional  health service", region="ITH5")
    made = accept(database, secret)
    with database.read() as session:
        user = session.get_one(User, made.id)
        assert (user.email, user.name, user.role, user.region_code) == (MAYA, "Maya Berg", Role.MEMBER, "ITH5")
        assert (user.language, user.organisation and user.organisation.name) == ("de", "Regional health service")
        assert user.confirmed is not None and user.active
        assert accounts.authenticate(session, MAYA, SECRET).id == user.id


def test_an_organisation_is_found_again_by_its_name(database: Database, people: dict[str, User]) -> None:
    invite(database, people["bob"], organisation="Regional health service")
    invite(database, people["bob"], organisation="regional Health Service ")
    with database.read() as session:
        assert len(session.scalars(select(Organisation)).all()) == 1


def test_a_link_works_once(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    accept(database, secret)
    with pytest.raises(Gone, match="used already"):
        accept(database, secret)


def test_looking_does_not_use_it_up(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    for _ in range(2):
        with database.read() as session:
            assert invitations.check(session, secret).email == MAYA


def test_an_unknown_link_is_not_found(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFound):
        invitations.check(session, "guessed")


def test_it_ends_after_fourteen_days(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    age(database, expires=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(Gone, match="14 days"):
        accept(database, secret)


def test_inviting_again_takes_the_place_of_the_earlier_link(database: Database, people: dict[str, User]) -> None:
    first = invite(database, people["bob"])
    second = invite(database, people["dora"], "editor")
    with pytest.raises(Gone, match="newer one"):
        accept(database, first)
    assert accept(database, second).role == Role.EDITOR


def test_withdrawn_it_works_no_more(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    with database.write() as session:
        invitations.withdraw(session, people["bob"], session.scalars(select(Invitation)).one().id)
    with pytest.raises(Gone, match="taken back"):
        accept(database, secret)


def test_sent_again_it_has_a_new_link_and_new_days(database: Database, people: dict[str, User]) -> None:
    first = invite(database, people["bob"], region="ITH5")
    age(database, expires=datetime.now(UTC) - timedelta(days=1))
    with database.write() as session:
        old = session.scalars(select(Invitation)).one()
        invitations.resend(session, people["bob"], old.id, SITE)
    second = token(database, "invitation")
    assert second != first
    assert accept(database, second).region_code == "ITH5"


@pytest.mark.parametrize("action", ["withdraw", "resend"])
def test_an_editor_leaves_an_administrators_invitation_alone(
    database: Database, people: dict[str, User], action: str
) -> None:
    invite(database, people["dora"], "admin")
    with database.write() as session, pytest.raises(NotAllowed):
        found = session.scalars(select(Invitation)).one()
        if action == "withdraw":
            invitations.withdraw(session, people["bob"], found.id)
        else:
            invitations.resend(session, people["bob"], found.id, SITE)


def test_one_that_was_accepted_cannot_be_withdrawn(database: Database, people: dict[str, User]) -> None:
    accept(database, invite(database, people["bob"]))
    with database.write() as session, pytest.raises(Conflict):
        invitations.withdraw(session, people["bob"], session.scalars(select(Invitation)).one().id)


def test_one_that_is_not_there_is_not_found(database: Database, people: dict[str, User]) -> None:
    with database.write() as session, pytest.raises(NotFound):
        invitations.withdraw(session, people["bob"], uuid.uuid4())


def test_somebody_with_an_account_is_not_invited(database: Database, people: dict[str, User]) -> None:
    with pytest.raises(Conflict):
        invite(database, people["bob"], email="Alice@example.org")


def test_somebody_who_got_an_account_meanwhile_is_told_to_sign_in(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    with database.write() as session:
        factories.person(session, MAYA, "reader")
    with pytest.raises(Gone, match="sign in"):
        accept(database, secret)


def test_an_invitation_of_somebody_who_was_shut_out_works_no_more(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    with database.write() as session:
        accounts.disable(session, "bob@example.org")
    with pytest.raises(Gone):
        accept(database, secret)


def test_everything_wrong_with_an_offer_is_said_at_once(database: Database, people: dict[str, User]) -> None:
    with pytest.raises(Invalid) as refused:
        invite(database, people["bob"], "boss", email="nobody", region="XX9", organisation="x" * 201)
    assert {each.field for each in refused.value.problems} == {"email", "organisation", "region", "role"}


def test_everything_wrong_with_an_acceptance_is_said_at_once(database: Database, people: dict[str, User]) -> None:
    secret = invite(database, people["bob"])
    with database.write() as session, pytest.raises(Invalid) as refused:
        invitations.accept(session, secret, "  ", "short", "en")
    assert [each.field for each in refused.value.problems] == ["name", "password"]


def test_the_audit_log_names_no_address(database: Database, people: dict[str, User]) -> None:
    accept(database, invite(database, people["bob"]))
    with database.read() as session:
        entries = session.scalars(select(AuditEntry)).all()
    assert {"invitation.send", "invitation.accept"} <= {each.action for each in entries}
    assert not any(MAYA in f"{each.object_id}{each.detail}" for each in entries)


def test_an_editor_adds_nobody_to_an_organisation_whose_members_share_drafts(
    database: Database, people: dict[str, User]
) -> None:
    with database.write() as session:
        alice, bob, dora = (session.get_one(User, people[name].id) for name in ("alice", "bob", "dora"))
        body = organisations.named(session, None, "Secret body")
        assert body is not None
        alice.organisation_id = body.id
        session.flush()
        with pytest.raises(Invalid, match="share drafts"):
            organisations.named(session, bob, "secret BODY")
        assert organisations.named(session, dora, "Secret body") is body
        assert organisations.named(session, alice, "Secret body") is body
        assert organisations.named(session, bob, "A new one") is not None
