"""What somebody says of a region that takes a practice up, and what is wrong with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kb.models import AdoptionStatus, Practice, User
from kb.services import adoption_graph
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
    session: Session, actor: User, practice: Practice, told: Told, vocabulary: Vocabulary, region: str | None = None
) -> Told:
    """What was said, as it is kept. Raises Invalid with everything that is wrong."""
    checker = _Checker(vocabulary)
    clean = checker.read(told, region)
    if region is None and clean.region and clean.region in _regions_of(practice):
        text = N_("The practice comes from this region. Choose the region that takes it up.")
        checker.problems.append(Problem.of("region", text))
    if clean.own:
        try:
            _check_own(session, actor, practice, clean.own)
        except Invalid as invalid:
            checker.problems += invalid.problems
    checker.raise_if_any()
    return clean


class _Checker(Checker):
    """Reads what was said of a region, gathering problems."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__({}, vocabulary)

    def read(self, told: Told, region: str | None) -> Told:
        """Return what was said as it is kept; `region` is the code where that stands already."""
        code = region
        if code is None:
            typed = _line(told.region)[:REGION_LIMIT]
            code = self._whole_region(self._region("region", typed or None, None))
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
        contact = {key: _line(str(told.contact.get(key) or "")) for key in ("role", "email", "name")}
        try:
            check_contact(contact)
        except Invalid as invalid:
            self.problems += invalid.problems
        return Told(code or "", status or "", changes, organisation, told.own.strip(),
                    {**contact, "consent": told.contact.get("consent") is True})  # fmt: skip

    def _whole_region(self, code: str | None) -> str | None:
        """The region of which one of level 3 is the whole, as Navarra (ES220) is of Navarra (ES22), or itself.

        So that two who mean the same region say the same, and it is counted once.
        """
        if code is None or self.vocabulary is None or self.vocabulary.regions[code].level != 3:
            return code
        parent = self.vocabulary.regions[code].parent
        return parent if parent and len(self.vocabulary.children.get(parent, ())) == 1 else code


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


def _regions_of(practice: Practice) -> set[str | None]:
    record = practice.record
    return {record.region_code, *(each.region_code for each in record.other_regions)} if record else set()
