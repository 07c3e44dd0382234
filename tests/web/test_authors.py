"""Co-authors and owners: a part is offered by mail, taken by whoever has the address, given up or taken away."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import AuditEntry, MailMessage, Offer, Practice, PracticeAuthor, Revision, User
from kb.services import authors, leaving, moderation, notices, practices, retention, vocabularies
from kb.services.errors import NotAllowed
from kb.services.publishing import now
from tests import factories
from tests.conftest import Site, configure, token


@pytest.fixture
def draft(site: Site) -> str:
    """The id of a draft of Alice's."""
    with site.database.write() as session:
        return str(factories.draft(session, person(session, "alice"), title="Nurses").id)


def person(session: object, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()  # type: ignore[no-any-return, attr-defined]


def practice(session: object) -> Practice:
    return session.scalars(select(Practice)).one()  # type: ignore[no-any-return, attr-defined]


def post(site: Site, who: str, path: str, form: str = "/account", **fields: str) -> TestResponse:
    client = site.client(who)
    return client.post(path, data={**fields, "csrf_token": token(client, form)})


def offer(site: Site, draft: str, email: str, part: str = "co-author", who: str = "alice", **more: str) -> TestResponse:
    more = more or {"stays": "y"}
    return post(site, who, f"/my/practices/{draft}/sharing/offers", email=email, part=part, **more)


def link(site: Site, email: str) -> str:
    """The path in the newest mail with an offer to an address."""
    with site.database.read() as session:
        mails = select(MailMessage).where(MailMessage.address == email, MailMessage.kind.startswith("offer-"))
        url = session.scalars(mails.order_by(MailMessage.id.desc()).limit(1)).one().data["url"]
    return "/offers/" + url.rpartition("/")[2]


def taken(site: Site, draft: str, who: str = "charlie", part: str = "co-author", **more: str) -> str:
    """Offer somebody a part, who takes it; the path of the offer."""
    assert offer(site, draft, f"{who}@example.org", part, **more).status_code == 302
    path = link(site, f"{who}@example.org")
    assert post(site, who, path).status_code == 302
    return path


def parts(site: Site) -> tuple[str | None, list[str]]:
    """Who owns the practice, and who are its co-authors."""
    with site.database.read() as session:
        found = practice(session)
        return found.owner.name if found.owner else None, [each.user.name for each in found.authors]


# Offering


def test_an_offer_goes_out_by_mail_and_its_token_is_kept_nowhere(site: Site, draft: str) -> None:
    assert offer(site, draft, " Charlie@Example.org ").status_code == 302
    secret = link(site, "charlie@example.org").rpartition("/")[2]
    with site.database.read() as session:
        made = session.scalars(select(Offer)).one()
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.offer")).all()
    assert made.email == "charlie@example.org" and secret not in (made.token_hash, str(made.id))
    assert [entry.detail for entry in entries] == [{"part": "co-author"}]


def test_the_answer_is_the_same_whether_or_not_the_address_has_an_account(site: Site, draft: str) -> None:
    answers = []
    for email in ("charlie@example.org", "nobody@example.net"):
        answer = offer(site, draft, email)
        page = site.client("alice").get(answer.location).text.replace(email, "EMAIL")
        said = re.search(r"The offer is on its way.*", page)
        answers.append((answer.status_code, answer.location, said and said.group()))
        assert link(site, email)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("email", ["", "x", "a b@c", "alice@example.org"])
def test_an_address_that_is_none_or_ones_own_is_refused_with_what_was_typed(site: Site, draft: str, email: str) -> None:
    answer = offer(site, draft, email, "owner", stays="y")
    assert answer.status_code == 422 and 'role="alert"' in answer.text and f'value="{email}"' in answer.text
    assert re.search(r'value="owner" checked', answer.text)


def test_a_part_that_there_is_not_is_refused(site: Site, draft: str) -> None:
    assert offer(site, draft, "charlie@example.org", "king").status_code == 422


def test_a_newer_offer_to_the_same_address_takes_the_place_of_the_earlier(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    first = link(site, "charlie@example.org")
    offer(site, draft, "charlie@example.org")
    assert site.client("charlie").get(first).status_code == 410
    assert site.client("charlie").get(link(site, "charlie@example.org")).status_code == 200


def test_a_co_author_asks_others_to_write_but_gives_nothing_away(site: Site, draft: str) -> None:
    taken(site, draft)
    assert offer(site, draft, "nora@example.net", who="charlie").status_code == 302
    assert offer(site, draft, "nora@example.net", "owner", who="charlie").status_code == 403


def test_a_mailbox_is_not_flooded_and_outsiders_use_nothing_up(site: Site, draft: str) -> None:
    strict = Site(configure(site.config.data_dir, KB_LIMITS="on"))
    try:
        outside = [offer(strict, draft, "nora@example.net", who="charlie").status_code for _ in range(6)]
        answers = [offer(strict, draft, "nora@example.net") for _ in range(6)]
    finally:
        strict.close()
    assert outside == [404] * 6
    assert [each.status_code for each in answers] == [302] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0 and 'value="nora@example.net"' in answers[-1].text


def test_there_is_an_end_to_open_offers(site: Site, draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authors, "MOST", 2)
    answers = [offer(site, draft, f"n{n}@example.net").status_code for n in range(3)]
    assert answers == [302, 302, 422]


# Taking


def test_looking_takes_nothing(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    answer = site.client("charlie").get(link(site, "charlie@example.org"))
    assert answer.status_code == 200 and "Alice asks you to write “Nurses” together." in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
    assert parts(site) == ("Alice", [])


def test_a_stranger_signs_in_first_and_comes_back(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    path = link(site, "charlie@example.org")
    answer = site.client().get(path)
    assert answer.status_code == 302 and answer.location.startswith("/sign-in") and path in answer.location


def test_an_offer_to_another_address_says_nothing_of_the_practice(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    path = link(site, "charlie@example.org")
    for who in ("bob", "rita"):
        answer = site.client(who).get(path)
        assert answer.status_code == 403 and "Nurses" not in answer.text and "charlie@" not in answer.text
        assert post(site, who, path).status_code == 403
    assert parts(site) == ("Alice", [])


def test_who_takes_it_writes_the_practice_and_has_it_among_theirs(site: Site, draft: str) -> None:
    taken(site, draft)
    assert parts(site) == ("Alice", ["Charlie"])
    charlie = site.client("charlie")
    assert "Nurses" in charlie.get("/my/practices").text
    path = f"/my/practices/{draft}/edit"
    assert charlie.post(path, data={"title": "By Charlie", "csrf_token": token(charlie, path)}).status_code == 302
    assert "By Charlie" in site.client("alice").get("/my/practices").text


def test_the_maker_is_told(site: Site, draft: str) -> None:
    taken(site, draft)
    with site.database.read() as session:
        told = session.scalars(select(MailMessage).where(MailMessage.kind == "offer-accepted")).one()
    assert told.address == "alice@example.org" and told.data["name"] == "Charlie"


def test_an_offer_is_taken_once(site: Site, draft: str) -> None:
    path = taken(site, draft)
    assert site.client("charlie").get(path).status_code == 410 and post(site, "charlie", path).status_code == 410


def test_an_offer_that_is_too_old_is_gone(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    path = link(site, "charlie@example.org")
    with site.database.write() as session:
        session.scalars(select(Offer)).one().expires = now() - timedelta(seconds=1)
    assert site.client("charlie").get(path).status_code == 410 and post(site, "charlie", path).status_code == 410


def test_a_reader_becomes_a_member_first(site: Site, draft: str) -> None:
    offer(site, draft, "rita@example.org")
    path = link(site, "rita@example.org")
    answer = post(site, "rita", path)
    assert answer.status_code == 403 and "Only members" in answer.text
    with site.database.read() as session:
        assert session.scalars(select(Offer)).one().accepted is None


def test_an_offer_of_somebody_who_has_no_part_any_more_does_not_hold(site: Site, draft: str) -> None:
    taken(site, draft)
    offer(site, draft, "bob@example.org", who="charlie")
    path = link(site, "bob@example.org")
    with site.database.read() as session:
        charlie = person(session, "charlie").id
    assert post(site, "alice", f"/my/practices/{draft}/sharing/people/{charlie}").status_code == 302
    assert site.client("bob").get(path).status_code == 410 and post(site, "bob", path).status_code == 410


# A new owner


def test_a_new_owner_has_the_practice_and_the_former_stays_as_co_author(site: Site, draft: str) -> None:
    taken(site, draft, part="owner", stays="y")
    assert parts(site) == ("Charlie", ["Alice"])


def test_a_former_owner_who_said_so_does_not_stay(site: Site, draft: str) -> None:
    taken(site, draft, part="owner", other="")
    assert parts(site) == ("Charlie", [])
    assert site.client("alice").get(f"/my/practices/{draft}/edit").status_code == 404


def test_a_co_author_who_becomes_owner_is_no_co_author_any_more(site: Site, draft: str) -> None:
    taken(site, draft)
    taken(site, draft, part="owner", stays="y")
    assert parts(site) == ("Charlie", ["Alice"])


def test_the_new_owners_organisation_shares_the_practice_from_then_on(site: Site, draft: str) -> None:
    with site.database.write() as session:
        factories.person(session, "carol@example.org", "member")
        practice(session).organisation_id = factories.organisation(session, "Old", person(session, "carol")).id
        new = factories.organisation(session, "New", person(session, "charlie")).id
    taken(site, draft, part="owner", stays="y")
    with site.database.read() as session:
        assert practice(session).organisation_id == new
    assert site.client("carol").get(f"/my/practices/{draft}/edit").status_code == 404


def test_a_colleague_of_the_owner_gives_nothing_away(site: Site, draft: str) -> None:
    with site.database.write() as session:
        carol = factories.person(session, "carol@example.org", "member")
        practice(session).organisation_id = factories.organisation(session, "Ours", carol).id
    assert offer(site, draft, "charlie@example.org", "owner", who="carol").status_code == 403


def test_an_editor_gives_a_practice_without_an_owner_to_somebody(site: Site) -> None:
    with site.database.write() as session:
        found = str(factories.published(session, title="Nobody's").id)
    assert offer(site, found, "charlie@example.org", "owner", who="bob").status_code == 302
    assert post(site, "charlie", link(site, "charlie@example.org")).status_code == 302
    assert parts(site) == ("Charlie", [])


def test_an_editor_does_not_give_away_what_somebody_owns(site: Site) -> None:
    with site.database.write() as session:
        found = str(factories.published(session, person(session, "alice")).id)
    assert offer(site, found, "charlie@example.org", "owner", who="bob").status_code == 403


# Ending


def test_an_offer_is_taken_back_by_who_made_it(site: Site, draft: str) -> None:
    offer(site, draft, "bob@example.org")
    path = link(site, "bob@example.org")
    with site.database.read() as session:
        made = session.scalars(select(Offer)).one().id
    assert post(site, "alice", f"/my/practices/{draft}/sharing/offers/{made}").status_code == 302
    assert site.client("bob").get(path).status_code == 410
    assert post(site, "alice", f"/my/practices/{draft}/sharing/offers/{made}").status_code == 409


def test_another_co_author_does_not_take_it_back(site: Site, draft: str) -> None:
    taken(site, draft)
    offer(site, draft, "bob@example.org")
    with site.database.read() as session:
        made = session.scalars(select(Offer).where(Offer.email == "bob@example.org")).one().id
    assert post(site, "charlie", f"/my/practices/{draft}/sharing/offers/{made}").status_code == 403


def test_a_co_author_gives_their_part_up(site: Site, draft: str) -> None:
    taken(site, draft)
    with site.database.read() as session:
        charlie = person(session, "charlie").id
    answer = post(site, "charlie", f"/my/practices/{draft}/sharing/people/{charlie}")
    assert answer.status_code == 302 and answer.location == "/my/practices"
    assert parts(site) == ("Alice", []) and site.client("charlie").get(f"/my/practices/{draft}/edit").status_code == 404


def test_a_co_author_does_not_take_anothers_part_away(site: Site, draft: str) -> None:
    taken(site, draft)
    taken(site, draft, "bob")
    with site.database.read() as session:
        bob = person(session, "bob").id
    assert post(site, "charlie", f"/my/practices/{draft}/sharing/people/{bob}").status_code == 403


def test_an_owner_gives_up_what_others_go_on_with(site: Site, draft: str) -> None:
    taken(site, draft)
    with site.database.read() as session:
        alice = person(session, "alice").id
    assert post(site, "alice", f"/my/practices/{draft}/sharing/people/{alice}").status_code == 302
    assert parts(site) == (None, ["Charlie"])


def test_an_owner_keeps_a_draft_that_nobody_else_could_go_on_with(site: Site, draft: str) -> None:
    with site.database.read() as session:
        alice = person(session, "alice").id
    assert "Give my part up" not in site.client("alice").get(f"/my/practices/{draft}/sharing").text
    assert post(site, "alice", f"/my/practices/{draft}/sharing/people/{alice}").status_code == 409


# Elsewhere


def test_co_authors_get_the_mails_of_a_practice(site: Site, draft: str) -> None:
    taken(site, draft)
    with site.database.write() as session:
        notices.tell_owner(session, "practice-published", practice(session), but=person(session, "bob"), url="/x")
        told = session.scalars(select(MailMessage.address).where(MailMessage.kind == "practice-published")).all()
    assert sorted(told) == ["alice@example.org", "charlie@example.org"]


def test_an_editor_who_is_co_author_does_not_publish_it_alone(site: Site, draft: str) -> None:
    taken(site, draft, "bob")
    with site.database.write() as session:
        found, vocabulary = practice(session), vocabularies.load(session)
        practices.submit(session, person(session, "alice"), found, vocabulary)
        with pytest.raises(NotAllowed, match="Another editor"):
            moderation.publish(session, person(session, "bob"), found, vocabulary)


def test_what_a_co_author_writes_with_the_owner_stays_when_the_owner_leaves(site: Site, draft: str) -> None:
    taken(site, draft)
    with site.database.write() as session:
        leaving.leave(session, person(session, "alice"))
    with site.database.read() as session:
        assert session.scalars(select(Revision).where(Revision.redacted.is_not(None))).all() == []
    assert "Nurses" in site.client("charlie").get(f"/my/practices/{draft}/edit").text


def test_a_co_author_who_leaves_is_forgotten(site: Site, draft: str) -> None:
    taken(site, draft)
    offer(site, draft, "nora@example.net", who="charlie")
    with site.database.write() as session:
        leaving.leave(session, person(session, "charlie"))
    with site.database.read() as session:
        assert session.scalars(select(PracticeAuthor)).all() == []
        left = session.scalars(select(Offer)).all()
    assert [(each.email, each.maker_id, each.withdrawn is not None) for each in left] == [
        ("nora@example.net", None, True)
    ]


def test_the_copy_of_ones_data_names_ones_parts_and_offers(site: Site, draft: str) -> None:
    taken(site, draft)
    held = {name: post(site, name, "/account/data", "/account/data").json or {} for name in ("alice", "charlie")}
    assert [each["practice_id"] for each in held["charlie"]["practice_authors"]] == [draft]
    assert held["charlie"]["offers"][0]["email"] == "charlie@example.org"
    assert len(held["alice"]["offers_made"]) == 1 and "charlie@" not in str(held["alice"]["offers_made"])


def test_offers_are_forgotten_a_while_after_their_time(site: Site, draft: str) -> None:
    offer(site, draft, "charlie@example.org")
    with site.database.write() as session:
        made = session.scalars(select(Offer)).one()
        assert retention.sweep(session, made.expires + retention.OFFERS_KEPT).offers == 0
        assert retention.sweep(session, made.expires + retention.OFFERS_KEPT + timedelta(seconds=1)).offers == 1
