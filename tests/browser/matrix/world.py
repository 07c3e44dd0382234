"""A site in which every page has something to show: practices in every state, on top of the whole seed.

`rich` fills a site and returns what the addresses of `pages.py` name, as in `/my/practices/{draft}/edit`.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kb.models import ApiToken, Form, LinkPurpose, Part, Practice, User
from kb.services import (
    accounts,
    adoptions,
    authors,
    buffers,
    claims,
    files,
    freshness,
    invitations,
    lifecycle,
    links,
    mail_texts,
    merging,
    moderation,
    notices,
    passwords,
    practice_files,
    practices,
    previews,
    redaction,
    registrations,
    reports,
    resets,
    searches,
    second_factor,
    staging,
    transfer,
    transfer_checks,
    versions,
    vocabularies,
)
from kb.services.adoption_checking import Told
from kb.services.checking import check
from kb.services.files import Store
from kb.services.importing import Aim
from kb.services.practice_files import Words
from kb.services.publishing import publish
from kb.services.query import CatalogueQuery
from kb.services.transfer import Answer, Check
from tests import factories, uploads
from tests.conftest import Site
from tests.harvests import came
from tests.letters import link
from tests.planted import planted

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
"""A word that no line holds."""

WHY = "It named a child. The family asked for it, and the school agreed."

BASE = "http://127.0.0.1"

Names = dict[str, str]
People = dict[str, User]


def rich(site: Site) -> Names:
    """Fill a site that has the seed and PEOPLE."""
    named: Names = {"unknown": str(uuid.uuid4())}
    with site.database.write() as session:
        people = _people(session, named)
        _drafts(session, people, named)
        _under_review(session, people, named)
        _public(session, people, named)
        _taken_away(session, people, named)
        _asked(session, people, named)
        _adopted(session, people, named)
        _elsewhere(session, people, named)
        _searches(session, site, people, named)
        _transfer(session, people, named)
        named["unsubscribe"] = notices.token(site.config.secret_key, people["bob"].id)
    _files(site, named)
    _uploads(site, named)
    _links(site, named)
    site.drain()
    return named


def _people(session: Session, named: Names) -> People:
    for name, role in (
        ("carol", "member"),
        ("eve", "member"),
        ("frank", "member"),
        ("nina", "member"),
        ("sue", "admin"),
    ):
        factories.person(session, f"{name}@example.org", role)
    people = {user.email.partition("@")[0]: user for user in session.scalars(select(User))}
    body = factories.organisation(session, "Region of Example", people["alice"], people["carol"])
    factories.organisation(session, f"Office for {LONG}")
    secret = second_factor.new_secret()
    second_factor.switch_on(session, people["frank"], secret, second_factor.code_at(secret, int(time.time() // 30)))
    accounts.disable(session, "sue@example.org")
    people["nina"].password_hash = None
    named |= {
        "alice": str(people["alice"].id),
        "sue": str(people["sue"].id),
        "charlie": str(people["charlie"].id),
        "body": str(body.id),
    }
    return people


def _drafts(session: Session, people: People, named: Names) -> None:
    alice = people["alice"]
    draft = factories.draft(session, alice, title="Half a draft", summary=None, themes=[])
    practices.save(session, alice, draft, factories.document(title="Half a draft", place=LONG), dict(factories.CONTACT))
    typed = factories.draft(session, alice, title="Typed and not saved")
    buffers.keep(session, alice, typed, Form.PRACTICE, [("title", "Typed since"), ("summary", "Some words")], 1)
    twin = factories.draft(session, alice, title="Bizkaia Talent", country="ES", region={"code": "ES21", "name": None})
    away = factories.draft(session, alice, title="Put away")
    lifecycle.abandon(session, alice, away)
    authors.offer(session, alice, draft, Part.CO_AUTHOR, "charlie@example.org", BASE)
    _made, named["preview"] = previews.make(session, alice, draft, 30)
    ended, named["preview_over"] = previews.make(session, alice, draft, 1)
    previews.withdraw(session, alice, draft, ended.id)
    named |= {"draft": str(draft.id), "typed": str(typed.id), "twin": str(twin.id), "away": str(away.id)}


def _under_review(session: Session, people: People, named: Names) -> None:
    alice, bob, vocabulary = people["alice"], people["bob"], vocabularies.load(session)
    sent = factories.submitted(session, alice, title="Waits for an editor")
    taken = factories.submitted(session, alice, title=f"Is read just now: {LONG}")
    moderation.take(session, bob, taken)
    asked = factories.submitted(session, alice, title="Asked to change")
    said = {"results": "A number, please.", "start": "Which month?"}
    moderation.request_changes(session, bob, asked, "Please say how many took part.\n\nAnd since when.", said)
    refused = factories.submitted(session, alice, title="Turned down")
    moderation.reject(session, bob, refused, "It is a plan, not a practice.")
    update = factories.published(session, alice, title="Published, with an update that waits")
    changed = factories.document(
        title="Published, with an update", results="86 pairs.", themes=["labour-inclusion", "housing"],
        actions="Pairs meet **weekly**; the hospital counts the hours.", start="2021-05",
    )  # fmt: skip
    practices.save(session, alice, update, changed, dict(factories.CONTACT))
    practices.submit(session, alice, update, vocabulary)
    named |= {"sent": str(sent.id), "taken": str(taken.id), "asked": str(asked.id), "refused": str(refused.id),
              "update": str(update.id), "update_slug": str(update.slug)}  # fmt: skip


def _public(session: Session, people: People, named: Names) -> None:
    alice, bob, vocabulary = people["alice"], people["bob"], vocabularies.load(session)
    public = factories.published(session, alice, title="Public in three versions")
    for results in ("12 pairs.", "86 pairs, *counted*."):
        _version(session, alice, bob, public, vocabulary, results=results)
    freshness.put(public, freshness.Dates(date.today() - timedelta(900), date.today() - timedelta(300)))
    other = factories.published(session, alice, title="Public, and the same as another", place="Modena")
    older = factories.published(session, alice, title="Merged into another")
    merging.merge(session, bob, older, other)
    named |= {"public": str(public.slug), "alices": str(public.id), "other": str(other.id), "into": str(other.slug)}


def _version(session: Session, alice: User, bob: User, practice: Practice, vocabulary: Any, **changes: Any) -> None:
    document = factories.document(title=practice.title, **changes)
    practices.save(session, alice, practice, document, dict(factories.CONTACT))
    publish(session, practice, check(document, vocabulary), author_id=bob.id)


def _taken_away(session: Session, people: People, named: Names) -> None:
    alice, bob, vocabulary = people["alice"], people["bob"], vocabularies.load(session)
    redacted = factories.published(session, alice, title="Its first version named somebody")
    _version(session, alice, bob, redacted, vocabulary, results="None yet.")
    redaction.redact(session, people["dora"], redacted.id, 1, WHY)
    archived = factories.published(session, alice, title="No longer maintained")
    lifecycle.archive(session, bob, archived, "Its owner left the region.")
    offline = factories.published(session, alice, title="Taken offline")
    lifecycle.unpublish(session, bob, offline, "A court asked for it.")
    named |= {"redacted": str(redacted.slug), "redacted_id": str(redacted.id), "archived": str(archived.slug),
              "archived_id": str(archived.id), "offline": str(offline.slug), "offline_id": str(offline.id)}  # fmt: skip


def _elsewhere(session: Session, people: People, named: Names) -> None:
    """Practices from another installation: one of which a new text waits, one that is no longer there."""
    new = factories.document(title=f"{LONG} there", summary="Now for doctors too.", licence="CC0-1.0")
    named["changed_there"] = str(came(session, people["bob"], f"Changed there: {LONG}", waiting=new).id)
    named["gone_there"] = str(came(session, people["bob"], "Gone there", gone=True).id)
    came(session, people["alice"], "Alice’s own draft from there", waiting=new)


def _asked(session: Session, people: People, named: Names) -> None:
    bob, ownerless = people["bob"], "bizkaia-talent"
    claims.make(session, people["charlie"], ownerless, "I have run it since 2012.")
    claim = claims.make(session, people["alice"], "catalonia-acol-line", "It was mine.")
    claims.decide(session, bob, claim.id, False, "It is somebody else's.")
    for body in ("The link to the evaluation is dead.", "The year is wrong."):
        made = reports.make(session, None, named["public"], reports.Said(body, "start", "reader@example.org"))
    reports.close(session, bob, made.id, "Thank you, mended.")
    hashed = passwords.hashed("harbour lantern reykjavik")
    for name in ("Maya Berg", f"Jo {LONG[:40]}"):
        email = f"{name.split()[0].lower()}@example.net"
        wish = registrations.Wish(email, name, "Town of Ghent", None, "To add our practices.", "en")
        registrations.ask(session, wish, hashed, BASE)
    mail_texts.keep(
        session, people["dora"], "reset", "en", mail_texts.Words("New password", "Open {url} within the hour."), ["en"]
    )
    named["claimable"] = "leipzig-integration-concept"


def _adopted(session: Session, people: People, named: Names) -> None:
    """Of one practice: a region that runs it, whose words changed since, one that considers it, one that waits."""
    vocabulary, contact = vocabularies.load(session), {"role": "Officer", "email": "office@example.org"}
    for region, status in (("ES22", "running"), ("PL21", "considering"), ("AT33", "adapting")):
        told = Told(region, status, f"We begin with one town: {LONG}.", "Office for integration", contact=contact)
        made = adoptions.make(session, people["charlie"], named["public"], told, vocabulary)
        if region != "AT33":
            adoptions.decide(session, people["bob"], made.id, True, "", vocabulary)
        if region == "ES22":
            named["adoption"] = str(made.id)
    told = Told("", "running", "Now the whole region.", contact=contact)
    adoptions.change(session, people["charlie"], uuid.UUID(named["adoption"]), told, vocabulary)


def _searches(session: Session, site: Site, people: People, named: Names) -> None:
    """Of Alice: one as it was kept, one stopped with a long name, one that cannot be read any more."""
    made = [
        searches.keep(session, people["alice"], asked, name, ())[0]
        for asked, name in (
            (CatalogueQuery(theme=("housing",)), "Housing"),
            (CatalogueQuery(q="talent", country=("IT", "ES")), f"Talent and {LONG}"[: searches.NAME_LIMIT]),
            (CatalogueQuery(q="lost"), "Not to be read any more"),
        )
    ]
    searches.stop(session, made[1])
    searches.stop(session, made[2])
    made[2].query = "theme=gone"
    named["search"] = searches.way_out(site.config.secret_key, made[0].id).rpartition("/")[2]


def _transfer(session: Session, people: People, named: Names) -> None:
    """A check with every answer, in Alice's account."""
    online = versions.online(session, "catalonia-acol-line", BASE)
    asked = transfer.questions(online.document)
    answers = {question.id: list(Answer)[at % 4] for at, question in enumerate(asked)}
    given = Check(online.practice.version, "ES22", answers)
    transfer_checks.keep(session, people["alice"], online.practice, given, vocabularies.load(session))
    named["answers"] = transfer.encode(given)


def _files(site: Site, named: Names) -> None:
    store = Store(site.config.files_dir)
    for kind, data, alt in (
        ("image", uploads.picture(size=(600, 400)), "Two nurses"),
        ("attachment", uploads.pdf(), ""),
    ):
        with files.receive(store, io.BytesIO(data), "file", kind) as taken, site.database.write() as session:
            alice = accounts.get(session, "alice@example.org")
            practice = session.get_one(Practice, uuid.UUID(named["draft"]))
            practice_files.add(
                session, alice, store, practice, kind, taken, Words("Report of 2025", alt or None, "Sam")
            )


def _uploads(site: Site, named: Names) -> None:
    """Files that Bob is about to take in: one that is good in parts, and one of which nothing can be taken."""
    place = staging.folder(site.config.shared_dir)
    for name, data in (("staged", planted(74)[0]), ("unfit", b"title,sumary\nA house,Words\n")):
        with staging.received(place, io.BytesIO(data)) as draft, site.database.write() as session:
            bob = accounts.get(session, "bob@example.org")
            kept = staging.stage(session, bob, place, draft, f"{LONG} {name}.csv", Aim.SUBMITTED)
        staging.look(site.database, place, kept, bob)
        named[name] = str(kept.id)


def _links(site: Site, named: Names) -> None:
    """Tokens of mails: each is only looked at, so that it lasts."""
    named["offer"] = link(site.database, "offer-co-author").rpartition("/")[2]
    named["registration"] = link(site.database, "registration-confirm").rpartition("/")[2]
    with site.database.write() as session:
        alice, bob = (accounts.get(session, f"{name}@example.org") for name in ("alice", "bob"))
        offer = invitations.Offer("new@example.org", "member", "Nadia New", "City of Ghent", "ITH5")
        named["invitation"] = invitations.invite(session, bob, offer, BASE).rpartition("/")[2]
        resets.ask_reset(session, "charlie@example.org", BASE)
        resets.ask_address(session, alice, "alice@example.com", BASE)
        named["link"] = links.new_link(session, LinkPurpose.SIGN_IN, alice)
        named["used"] = links.new_link(session, LinkPurpose.SIGN_IN, alice)
        links.claim(session, named["used"], LinkPurpose.SIGN_IN)
    named["reset"] = link(site.database, "reset").rpartition("/")[2]
    named["address"] = link(site.database, "address-confirm").rpartition("/")[2]


# Made anew before each visit that uses it up


def _registering(site: Site) -> Names:
    """Somebody who has just registered."""
    wish = registrations.Wish("again@example.net", "Ada Again", "Town of Ghent", None, "To add our practices.", "en")
    with site.database.write() as session:
        registrations.ask(session, wish, passwords.hashed(factories.PASSWORD), BASE)
    return {"registering": link(site.database, "registration-confirm").rpartition("/")[2]}


def _token(site: Site) -> Names:
    """Alice has no token of the API, so that there is room for one."""
    with site.database.write() as session:
        session.execute(delete(ApiToken).where(ApiToken.user_id == accounts.get(session, "alice@example.org").id))
    return {}


def _code(site: Site) -> Names:
    """What the app on Frank's telephone shows now, though it was used already."""
    with site.database.write() as session:
        frank = accounts.get(session, "frank@example.org")
        frank.totp_used = None
        return {"CODE": second_factor.code_at(str(frank.totp_secret), int(time.time() // 30))}


FRESH: dict[str, Callable[[Site], Names]] = {"registering": _registering, "token": _token, "code": _code}
"""What a state of `pages.py` can ask for by name; each returns what its address and fields hold."""
