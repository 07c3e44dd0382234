"""What somebody says of a region that takes a practice up, and what is wrong with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Adoption, AdoptionStatus, AuditEntry, Practice, User
from kb.services import adoption_graph, practices
from kb.services.checking import Checker, check_contact
from kb.services.errors import N_, Invalid, Label, Problem
from kb.services.permissions import owns
from kb.services.record import tidy
from kb.services.vocabularies import Vocabulary

CHANGES_LIMIT = 150
"""Words of what was changed."""

REGION_LIMIT = 200
"""Characters of a region's name that are looked at: none is as long, and what is alike takes time to find."""

ORGANISATION_LIMIT = 300
"""Characters of the organisation's name."""


TAKEN_BACK = N_("This person does not want to be named here any more. Name somebody else, or leave it empty.")


@dataclass(frozen=True)
class Told:
    """What somebody says of a region, as it was typed. `own` is the id of the practice that came of it."""

    region: str = ""
    status: str = ""
    changes: str = ""
    organisation: str = ""
    own: str = ""
    contact: Mapping[str, Any] = field(default_factory=dict)


def check(
    session: Session, actor: User, practice: Practice, told: Told, vocabulary: Vocabulary, kept: Adoption | None = None
) -> Told:
    """What was said, as it is kept. Raises Invalid with everything that is wrong.

    `kept` is the adoption whose words it is to replace: its region stays, and so may its own practice, whoever has
    that by now. A confirmed one whose contact was taken away may stay without one.
    """
    checker = _Checker(vocabulary)
    clean = checker.read(told, kept)
    if kept is None and clean.region and clean.region in _places_of(practice, vocabulary):
        text = N_("The practice comes from this region. Choose the region that takes it up.")
        checker.problems.append(Problem.of("region", text))
    if kept is not None:
        checker.problems += _taken_back(session, actor, kept, clean)
    if kept is not None and _is_kept(kept, clean.own):
        clean = replace(clean, own=str(kept.own_id))
    elif clean.own:
        try:
            _check_own(session, actor, practice, clean.own)
        except Invalid as invalid:
            checker.problems += invalid.problems
    checker.raise_if_any()
    return clean


def choosable(session: Session, actor: User, practice: Practice, kept: Practice | None = None) -> list[Practice]:
    """The practices of which somebody may say that they came of another: their own, but that one.

    `kept` is what was said already; it may stay, whoever has it by now.
    """
    held = practices.of(session, actor)
    found = [each for each in held if each.id != practice.id and each.title and each.merged_into_id is None]
    return found if kept is None or kept in found else [*found, kept]


def own_now(session: Session, adoption: Adoption) -> Practice | None:
    """The practice that came of an adoption as it is by now: the one that it was merged into, or itself."""
    own = adoption.own
    return session.get_one(Practice, own.merged_into_id) if own and own.merged_into_id else own


class _Checker(Checker):
    """Reads what was said of a region, gathering problems."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__({}, vocabulary)

    def read(self, told: Told, kept: Adoption | None) -> Told:
        """Return what was said as it is kept; `kept` is what stands already."""
        code = kept.region_code if kept else None
        if code is None:
            typed = _line(told.region)[:REGION_LIMIT]
            code = self._region("region", typed or None, None)
            code = code and self._one_code(code)
            if not typed:
                self._wrong("region", N_("Choose the region that takes it up."))
        status = told.status or None
        if status is None:
            self._wrong("status", N_("Choose how far the region has come."))
        elif status not in tuple(AdoptionStatus):
            self._not_among("status", status, tuple(AdoptionStatus))
        changes, organisation = tidy(told.changes) or "", _line(told.organisation)
        self._few_words("changes", Label(N_("What you changed")), changes, CHANGES_LIMIT)
        if len(organisation) > ORGANISATION_LIMIT:
            self._too_long("organisation", Label(N_("Organisation")), len(organisation), ORGANISATION_LIMIT)
        contact = self._contact(told.contact, needed=kept is None or not kept.accepted or bool(kept.contact_email))
        return Told(code or "", status or "", changes, organisation, told.own.strip(), contact)

    def _contact(self, told: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
        contact = {key: _line(str(told.get(key) or "")) for key in ("role", "email", "name")}
        nobody = not needed and not contact["email"]
        try:
            check_contact(contact)
        except Invalid as invalid:
            missing = [f"contact.{key}" for key in ("role", "email") if nobody and not contact[key]]
            self.problems += [each for each in invalid.problems if each.field not in missing]
        if nobody:
            contact["name"] = ""
        return {**contact, "consent": not nobody and told.get("consent") is True}

    def _one_code(self, code: str) -> str:
        """The one code of a place: so that two who mean the same region say the same, and it is counted once."""
        return self.vocabulary.place(code) if self.vocabulary else code


def _line(text: str) -> str:
    return " ".join((tidy(text) or "").split())


def _check_own(session: Session, actor: User, practice: Practice, own_id: str) -> None:
    """Raise Invalid where a practice cannot have come of another, or is not this person's to name."""
    try:
        found = session.get(Practice, uuid.UUID(own_id))
    except ValueError:
        found = None
    if found is None or not owns(actor, found):
        raise Invalid([Problem.of("own", N_("Choose one of your own practices, or none."))])
    adoption_graph.check_adoption(session, found, practice)


def _is_kept(kept: Adoption, own_id: str) -> bool:
    """Whether a practice is the one that an adoption names already, or what that was merged into."""
    return kept.own is not None and own_id in (str(kept.own_id), str(kept.own.merged_into_id))


def _taken_back(session: Session, actor: User, kept: Adoption, told: Told) -> list[Problem]:
    """What is wrong where the contact is somebody who took their name and address out of this adoption before.

    The audit log knows who did, by the number of their account. They may name themselves again.
    """
    email = str(told.contact["email"]).lower()
    if not email or email in (kept.contact_email.strip().lower(), actor.email):
        return []
    did = select(AuditEntry.id).join(User, User.id == AuditEntry.user_id).where(User.email == email)
    here = (AuditEntry.object_kind == "practice", AuditEntry.object_id == str(kept.practice_id))
    this = AuditEntry.detail["adoption"].as_string() == str(kept.id)
    found = session.scalar(did.where(*here, AuditEntry.action == "adoption.withdraw-contact", this).limit(1))
    return [] if found is None else [Problem.of("contact.email", TAKEN_BACK)]


def _places_of(practice: Practice, vocabulary: Vocabulary) -> set[str]:
    """The places that a practice comes from, each by its one code."""
    record = practice.record
    codes = {record.region_code, *(each.region_code for each in record.other_regions)} if record else set()
    return {vocabulary.place(code) for code in codes if code}
