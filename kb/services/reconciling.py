"""Two people wrote the same practice at once: what each changed, and one text made of both.

Both began from the revision that the second one saw. What only one of them changed is theirs; where both changed a
field, the second one says what it is to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Practice, Revision
from kb.services.errors import N_, Invalid, Problem
from kb.services.merged_terms import of_today, term_successors
from kb.services.record import CONTACT, DOCUMENT_KEYS, LISTS, LONG_TEXTS, TERMS, Document


class Choice(StrEnum):
    """What a field is to say: as it is saved, as the second one wrote it, both one after the other, or a new text."""

    THEIRS = "theirs"
    MINE = "mine"
    BOTH = "both"
    OWN = "own"


WRITABLE = ("title", "original_title", "place", "attribution", *(key for key in LONG_TEXTS if "." not in key))
"""Fields for which a text of one's own can be written where both changed them."""


@dataclass(frozen=True)
class Clash:
    """A field that says one thing as it is saved and another in the text of the second writer.

    `choice` is what goes without asking, None where both changed it; `choices` are those that there are.
    """

    key: str
    theirs: Any
    mine: Any
    choice: Choice | None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the writer may choose."""
        if self.key in LISTS or self.key in TERMS:
            return (Choice.THEIRS, Choice.MINE, Choice.BOTH)
        if self.choice is None and self.key in WRITABLE:
            return (Choice.THEIRS, Choice.MINE, Choice.OWN)
        return (Choice.THEIRS, Choice.MINE)


@dataclass(frozen=True)
class Text:
    """What somebody wrote: a document, and the contact beside it."""

    document: Document
    contact: Mapping[str, Any]


def revision(session: Session, practice: Practice, number: int | None) -> Revision | None:
    """One revision of a practice, or None where there is none of that number."""
    found = select(Revision).where(Revision.practice_id == practice.id, Revision.number == number)
    return session.scalar(found) if number else None


def beginning(session: Session, practice: Practice, number: int | None) -> Document:
    """The document of the revision that somebody began from; an empty one where it is not known."""
    found = revision(session, practice, number)
    return of_today(found.document if found else None, term_successors(session))


def clashes(base: Document, theirs: Text, mine: Text) -> list[Clash]:
    """The fields in which two texts differ, in the order of the record, the contact last.

    Of a contact no earlier one is kept, so whoever wrote last is asked.
    """
    found = []
    for key in DOCUMENT_KEYS:
        ours, other = mine.document[key], theirs.document[key]
        if ours == other:
            continue
        only_mine, only_theirs = other == base[key], ours == base[key]
        found.append(Clash(key, other, ours, Choice.MINE if only_mine else Choice.THEIRS if only_theirs else None))
    if _contact(mine.contact) != _contact(theirs.contact):
        found.append(Clash("contact", _contact(theirs.contact), _contact(mine.contact), None))
    return found


def merged(
    base: Document, theirs: Text, mine: Text, chosen: Mapping[str, str], written: Mapping[str, str]
) -> tuple[Document, dict[str, Any]]:
    """One document and contact out of two, by what was chosen for each field; `written` are texts of one's own.

    Raises Invalid for each field that both changed and nobody chose for.
    """
    document, contact = dict(theirs.document), dict(theirs.contact)
    problems = []
    for clash in clashes(base, theirs, mine):
        choice = next((each for each in clash.choices if each == chosen.get(clash.key)), clash.choice)
        if choice is None:
            problems.append(Problem.of(clash.key, N_("Choose what this field is to say: both of you changed it.")))
        elif clash.key == "contact":
            contact = dict(clash.theirs if choice == Choice.THEIRS else clash.mine)
        else:
            document[clash.key] = _value(clash, choice, written.get(clash.key, ""))
    if problems:
        raise Invalid(problems)
    return document, contact


def _value(clash: Clash, choice: Choice, written: str) -> Any:
    if choice == Choice.OWN:
        return written
    if choice == Choice.BOTH:
        return [*clash.theirs, *(entry for entry in clash.mine if entry not in clash.theirs)]
    return clash.theirs if choice == Choice.THEIRS else clash.mine


def _contact(contact: Mapping[str, Any]) -> dict[str, Any]:
    return {key: contact.get(key) or (False if key == "consent" else "") for key in CONTACT}
