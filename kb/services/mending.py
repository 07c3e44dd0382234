"""Mending: an editor puts a typo right in a submission that is with the editors, and tells its author why."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Practice, Revision, RevisionKind, User
from kb.services import audit, notices, reviewing
from kb.services.checking import check
from kb.services.differences import TEXTS, changed, words
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, Problem
from kb.services.permissions import can
from kb.services.practices import unmoved, working_copy
from kb.services.publishing import add_revision
from kb.services.record import EDITORS_ONLY, Document, shape, tidy
from kb.services.vocabularies import Vocabulary

NOTE_LIMIT = 1_000
"""Characters of what the author is told."""

PARTS = {
    "lead_organisation": ("name", "url"),
    "partners": ("name", "url"),
    "indicators": ("name", "baseline", "value", "unit"),
    "funding": ("note",),
    "links": ("title", "url"),
    "sources": ("title", "url"),
    "translations": ("title", "summary"),
    "images": ("title", "alt", "credit"),
    "attachments": ("title",),
}
"""Of fields that hold groups, the parts that are text. What is chosen from a list is for the author to change."""

SMALL_SHARE, SMALL_LEAST = 0.03, 5
"""Up to which share of a submission's words, or at least up to how many, a change of words is a mend and no writing."""

FACTS = ("place", "url", "name", "baseline", "value", "unit")
"""Texts that say who, where or how much: one word of them is more than a typo."""

_WORD = re.compile(r"\w+")
_FACT = re.compile(r"\S+(?:://|@)\S+|www\.\S+|\d+(?:[.,]\d+)*")


def texts(document: Document) -> dict[str, str]:
    """The texts of a document that can be mended, by path (`summary`, `sources.0.title`), in the order of the record.

    What is empty is for the author to write; but what only editors write is always there.
    """
    found: dict[str, str] = {}
    for key, value in document.items():
        if key in TEXTS and (value or key in EDITORS_ONLY):
            found[key] = value or ""
        elif key in PARTS and isinstance(value, dict):
            found |= _parts(key, key, value)
        elif key in PARTS and value:
            for n, entry in enumerate(value):
                found |= _parts(key, f"{key}.{n}", entry)
    return found


def onto(began: Document, present: Document, typed: Mapping[str, str]) -> dict[str, str]:
    """Texts, by path, where an editor began from an older text than the present one: what they changed, as they typed
    it, and all else as it stands now. What they changed of an entry that is gone by now comes last."""
    before, now = texts(began), texts(present)
    mine = {path: text for path, text in typed.items() if path in before and tidy(text) != tidy(before[path])}
    return {**now, **mine}


def _parts(key: str, path: str, entry: Mapping[str, Any]) -> dict[str, str]:
    return {f"{path}.{part}": str(entry[part]) for part in PARTS[key] if entry.get(part)}


def mend(
    session: Session,
    actor: User,
    practice: Practice,
    vocabulary: Vocabulary,
    typed: Mapping[str, str],
    note: str,
    seen: int | None = None,
) -> Revision:
    """Put texts, by path as `texts` gives them, in place of those that stand there; the author is told with the note.

    A path that is no text of the record is left out. Raises NotAllowed, Conflict where the submission moved on or was
    changed since `seen`, Invalid where nothing is changed, the note is missing, or the record would no longer hold.
    """
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors may do this."))
    if not can(actor, "mend", practice):
        raise Conflict(N_("This submission has moved on: someone decided on it, or its author took it back."))
    unmoved(practice, seen)
    before = working_copy(session, practice)
    after = shape(_with(before, typed))
    problems: list[Problem] = []
    if not changed(before, after):
        problems.append(Problem.of("note", N_("Nothing is changed yet: mend a text first.")))
    else:
        problems += _problems_of(note)
        after, found = _checked(after, vocabulary)
        problems = [*found, *problems]
    if problems:
        raise Invalid(problems)
    said = tidy(note)
    revision = add_revision(session, practice, RevisionKind.SAVED, after, author_id=actor.id, note=said)
    revision.mended = True
    audit.note(session, actor, "practice.mend", "practice", practice.id, fields=changed(before, after))
    reviewing.wrote(session, actor, practice)
    data = {"url": f"/my/practices/{practice.id}/edit", "message": said}
    notices.tell_owner(session, "practice-mended", practice, but=actor, **data)
    return revision


def wrote(session: Session, actor: User, practice: Practice, since: int) -> bool:
    """Whether an editor's mends after the revision `since`, all together, say more than the author did.

    They do where they change a number, an address, an organisation or a place, or more than a few words.
    """
    newer = (Revision.practice_id == practice.id, Revision.number >= since)
    revisions = list(session.scalars(select(Revision).where(*newer).order_by(Revision.number)))
    pairs = [
        (texts(before.document), texts(after.document))
        for before, after in pairwise(revisions)
        if after.mended and after.author_id == actor.id
    ]
    if any(_has_new_facts(before, after) for before, after in pairs):
        return True
    length = max((sum(len(_WORD.findall(text)) for text in before.values()) for before, _ in pairs), default=0)
    return sum(_changed_words(before, after) for before, after in pairs) > max(SMALL_LEAST, SMALL_SHARE * length)


def _has_new_facts(before: dict[str, str], after: dict[str, str]) -> bool:
    return any(
        was != now and (path.rpartition(".")[2] in FACTS or _FACT.findall(was) != _FACT.findall(now))
        for path, was, now in _authors(before, after)
    )


def _changed_words(before: dict[str, str], after: dict[str, str]) -> int:
    """How many words went or came, whichever are more, text by text."""
    count = 0
    for _path, was, now in _authors(before, after):
        pieces = words(was, now)
        gone, come = (
            sum(len(_WORD.findall(each.text)) for each in pieces if each.kind == kind) for kind in ("removed", "added")
        )
        count += max(gone, come)
    return count


def _authors(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, str]]:
    """What the author answers for, as it was and as it is now; the editors' own remark is theirs to write."""
    paths = [path for path in {**before, **after} if path not in EDITORS_ONLY]
    return [(path, before.get(path, ""), after.get(path, "")) for path in paths]


def _problems_of(note: str) -> list[Problem]:
    said = tidy(note)
    if said is None:
        return [Problem.of("note", N_("Say in a sentence what you mended: the author reads it."))]
    if len(said) > NOTE_LIMIT:
        return [Problem.of("note", N_("Shorten this note: the limit is %(limit)d characters."), limit=NOTE_LIMIT)]
    return []


def _with(document: Document, typed: Mapping[str, str]) -> Document:
    """A copy of a document with texts put in place."""
    mended = copy.deepcopy(document)
    for path in texts(document):
        if path not in typed:
            continue
        *way, last = path.split(".")
        place: Any = mended
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = typed[path]
    return mended


def _checked(document: Document, vocabulary: Vocabulary) -> tuple[Document, list[Problem]]:
    try:
        return check(document, vocabulary), []
    except Invalid as invalid:
        return document, list(invalid.problems)
