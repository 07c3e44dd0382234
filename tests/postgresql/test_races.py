"""Two sessions that decide on what they read before they write: one has its way, the other learns what has come of it.

The first has done all of its work and not ended yet when the second begins. What they decide on is each time something
that no constraint of the database would refuse, or not in a sentence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import LinkPurpose, MailMessage, OneTimeLink, Practice, Revision, User
from kb.services import (
    accounts,
    adoption_graph,
    claims,
    half_sign_ins,
    invitations,
    links,
    merging,
    moderation,
    practices,
    publishing,
    registrations,
    resets,
    searches,
    second_factor,
    vocabularies,
)
from kb.services.checking import check
from kb.services.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from kb.services.invitations import Offer
from tests import factories

Work = Callable[[Session], Any]
Both = Callable[[Work, Work], list[Any]]


@pytest.fixture
def both(base: Database, waiting: Callable[[], None]) -> Both:
    """Runs two pieces of work, the second while the first has not ended; returns what came of each."""

    def run(first: Work, second: Work) -> list[Any]:
        outcomes: list[Any] = [None, None]

        def late() -> None:
            try:
                with base.write() as session:
                    outcomes[1] = second(session)
            except Exception as error:
                outcomes[1] = error

        thread = threading.Thread(target=late)
        with base.write() as session:
            outcomes[0] = first(session)
            session.flush()
            thread.start()
            waiting()
        thread.join()
        return outcomes

    return run


def who(session: Session, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


def made(base: Database, make: Callable[[Session], Practice]) -> Any:
    """Prepare a practice; returns its id."""
    with base.write() as session:
        return make(session).id


def twice(both: Both, work: Work, refusal: type[Exception]) -> None:
    """The same done twice at once comes off once."""
    first, second = both(work, work)
    assert not isinstance(first, Exception) and isinstance(second, refusal), second


def test_two_practices_of_one_title_get_addresses_of_their_own(base: Database, both: Both) -> None:
    def publish(session: Session) -> str:
        return str(factories.published(session, who(session, "alice"), title="One title").slug)

    first, second = both(publish, publish)
    assert first == "one-title" and second.startswith("one-title-")


def test_a_draft_is_saved_over_by_nobody_who_has_not_seen_it(base: Database, both: Both) -> None:
    key = made(base, lambda session: factories.draft(session, who(session, "alice")))

    def save(text: str) -> Work:
        def work(session: Session) -> None:
            practice = session.get_one(Practice, key)
            practices.save(session, who(session, "alice"), practice, factories.document(summary=text), None, seen=1)

        return work

    first, second = both(save("What one writes in this hour."), save("What another one writes in this hour."))
    assert first is None and isinstance(second, Conflict)
    with base.read() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 2


def test_one_editor_takes_a_practice(base: Database, both: Both) -> None:
    key = made(base, lambda session: factories.submitted(session, who(session, "alice")))

    def take(name: str) -> Work:
        return lambda session: moderation.take(session, who(session, name), session.get_one(Practice, key), seen=2)

    first, second = both(take("bob"), take("dora"))
    assert first is None and isinstance(second, Conflict | NotAllowed)
    with base.read() as session:
        assert session.get_one(Practice, key).editor_id == who(session, "bob").id


def test_a_practice_is_published_or_rejected(base: Database, both: Both) -> None:
    key = made(base, lambda session: factories.submitted(session, who(session, "alice")))

    def publish(session: Session) -> None:
        vocabulary = vocabularies.load(session)
        moderation.publish(session, who(session, "bob"), session.get_one(Practice, key), vocabulary)

    def reject(session: Session) -> None:
        moderation.reject(session, who(session, "dora"), session.get_one(Practice, key), "It is no practice.")

    first, second = both(publish, reject)
    assert first is None and isinstance(second, Conflict | NotAllowed), second


def test_no_practice_comes_from_one_that_comes_from_it(base: Database, both: Both) -> None:
    one = made(base, lambda session: factories.published(session, title="One"))
    other = made(base, lambda session: factories.published(session, title="Other"))

    def adapt(key: Any, title: str, slug: str) -> Work:
        def work(session: Session) -> None:
            named = [{"slug": slug, "changes": None}]
            document = check(factories.document(title=title, adapted_from=named), factories.vocabulary(session))
            publishing.publish(session, session.get_one(Practice, key), document)

        return work

    first, second = both(adapt(one, "One", "other"), adapt(other, "Other", "one"))
    assert first is None and isinstance(second, Invalid)
    with base.read() as session:
        assert list(adoption_graph.circles(session)) == []


def test_two_practices_are_not_merged_into_each_other(base: Database, both: Both) -> None:
    one = made(base, lambda session: factories.published(session, title="One"))
    other = made(base, lambda session: factories.published(session, title="Other"))

    def merge(key: Any, into: Any) -> Work:
        def work(session: Session) -> None:
            pair = session.get_one(Practice, key), session.get_one(Practice, into)
            merging.merge(session, who(session, "bob"), *pair)

        return work

    first, second = both(merge(one, other), merge(other, one))
    assert first is None and isinstance(second, Exception)
    with base.read() as session:
        assert session.get_one(Practice, other).merged_into_id is None


def test_a_link_signs_in_once(base: Database, both: Both) -> None:
    with base.write() as session:
        token = links.new_link(session, LinkPurpose.SIGN_IN, who(session, "alice"))
    twice(both, lambda session: links.use_link(session, token), Gone)


def test_of_two_servers_that_start_at_once_one_link_makes_the_first_administrator(base: Database, both: Both) -> None:
    with base.write() as session:
        for person in session.scalars(select(User)):
            person.password_hash = None

    def offer(session: Session) -> str | None:
        return links.first_admin_link(session, "http://127.0.0.1")

    first, second = both(offer, offer)
    with base.write() as session:
        assert session.scalar(select(func.count()).select_from(OneTimeLink)) == 1
        assert links.use_link(session, str(second).rpartition("/")[2]).role == "admin"
        with pytest.raises(NotFound):
            links.use_link(session, str(first).rpartition("/")[2])


def test_one_administrator_comes_of_two_uses_of_the_first_link(base: Database, both: Both) -> None:
    with base.write() as session:
        for person in session.scalars(select(User)):
            person.password_hash = None
        token = links.new_link(session, LinkPurpose.FIRST_ADMIN, None)
    twice(both, lambda session: links.use_link(session, token), Gone)


def test_the_step_between_password_and_code_is_taken_once(base: Database, both: Both) -> None:
    with base.write() as session:
        person = who(session, "dora")
        person.totp_secret = second_factor.new_secret()
        session.flush()
        token = half_sign_ins.begin(session, person)
    twice(both, lambda session: half_sign_ins.use_up(session, token), Gone)


def test_an_invitation_is_taken_up_once(base: Database, both: Both) -> None:
    with base.write() as session:
        offer = Offer("new@example.org", "member", "New", "en")
        token = invitations.invite(session, who(session, "dora"), offer, "http://127.0.0.1").rpartition("/")[2]

    def accept(session: Session) -> None:
        invitations.accept(session, token, "New", factories.PASSWORD, "en")

    twice(both, accept, Gone)


def test_a_forgotten_password_is_set_once_by_one_link(base: Database, both: Both) -> None:
    with base.write() as session:
        token = links.new_link(session, LinkPurpose.RESET, who(session, "alice"))
    twice(both, lambda session: resets.reset(session, token, "quite another staple 9"), Gone)


def test_a_claim_is_decided_once(base: Database, both: Both) -> None:
    made(base, lambda session: factories.published(session, title="Nobody's"))
    with base.write() as session:
        slug = session.scalars(select(Practice.slug)).one()
        claim = claims.make(session, who(session, "charlie"), str(slug), "I ran it.").id

    def decide(accepted: bool) -> Work:
        return lambda session: claims.decide(session, who(session, "bob"), claim, accepted, "We asked.") and None

    first, second = both(decide(True), decide(False))
    assert first is None and isinstance(second, Conflict)


def test_a_registration_is_decided_once_and_makes_one_account(base: Database, both: Both) -> None:
    wish = registrations.Wish("new@example.org", "New", "", None, "I run the desk.", "en")
    with base.write() as session:
        registrations.ask(session, wish, "hash", "http://127.0.0.1")
        [mail] = session.scalars(select(MailMessage).where(MailMessage.address == "new@example.org"))
        token = mail.data["url"].rpartition("/")[2]
        key = registrations.confirm(session, token, "http://127.0.0.1").id

    def accept(session: Session) -> None:
        registrations.decide(session, who(session, "bob"), key, True, base_url="http://127.0.0.1")

    first, second = both(accept, accept)
    assert first is None and isinstance(second, Conflict | NotFound), second


def test_two_clicks_at_once_keep_one_search(base: Database, both: Both) -> None:
    with base.read() as session:
        asked = searches.read("q=mentors", vocabularies.load(session))

    def keep(session: Session) -> bool:
        return searches.keep(session, who(session, "alice"), asked, "Mentors", [])[1]

    assert both(keep, keep) == [True, False]
    with base.read() as session:
        assert len(searches.of(session, who(session, "alice"))) == 1
