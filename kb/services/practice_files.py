"""The images and attachments of a practice: putting them into its working copy, in which order, with which words.

Each change is a revision of its own, so that the editors see it beside what readers see.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from kb.models import Practice, StoredFile, User
from kb.services import audit, files, practices
from kb.services.errors import N_, Conflict, Invalid, Label, NotAllowed, NotFound, Problem
from kb.services.files import Kind, Store, Taken
from kb.services.permissions import can
from kb.services.record import Document, tidy
from kb.services.shown_files import KEYS, bring, of_file

MOST = 20
"""Images, and attachments, that a practice may have."""

LIMITS = {
    "alt": (Label(N_("Description")), 500),
    "title": (Label(N_("Title")), 200),
    "credit": (Label(N_("Credit")), 200),
}
"""What each text beside a file is called, and the longest it may be, in characters."""

NOT_NOW = N_("This practice cannot be changed now: it is with the editors, or it is not yours.")


@dataclass(frozen=True)
class Words:
    """What is said about a file: its title, what an image shows for those who cannot see it, and whom to credit."""

    title: str | None = None
    alt: str | None = None
    credit: str | None = None

    @classmethod
    def of(cls, title: str, alt: str, credit: str) -> Words:
        """As they are kept, each in one line."""
        return cls(*(" ".join((tidy(text) or "").split()) or None for text in (title, alt, credit)))


def check_words(kind: Kind, words: Words) -> None:
    """Check what is said about a file. Raises Invalid."""
    problems = []
    if kind == "image" and not words.alt:
        problems.append(Problem.of("alt", N_("Describe the image for those who cannot see it.")))
    for name, (label, limit) in LIMITS.items():
        if (count := len(getattr(words, name) or "")) > limit:
            text = N_("Shorten “%(label)s”: it has %(count)d characters, the limit is %(limit)d.")
            problems.append(Problem.of(name, text, label=label, count=count, limit=limit))
    if problems:
        raise Invalid(problems)


def check_room(session: Session, actor: User, practice: Practice, kind: Kind) -> None:
    """Ask, before a file is looked into, whether it could be kept. Raises NotAllowed, Conflict."""
    if not can(actor, "edit", practice):
        raise NotAllowed(NOT_NOW)
    if len(practices.working_copy(session, practice)[KEYS[kind]]) >= MOST:
        raise Conflict(N_("A practice has room for %(most)d of these. Remove one first."), most=MOST)


def add(
    session: Session, actor: User, store: Store, practice: Practice, kind: Kind, taken: Taken, words: Words
) -> StoredFile:
    """Keep a file that was taken in and show it last in the working copy. A document without a title gets its name.

    Raises NotAllowed, Conflict, Invalid where it is there already, Unavailable for a full disk.
    """
    check_words(kind, words)
    check_room(session, actor, practice, kind)
    document = practices.working_copy(session, practice)
    entries = document[KEYS[kind]]
    if any(entry["sha256"] == taken.sha256 for entry in entries):
        raise Invalid([Problem.of("file", N_("“%(name)s” is here already."), name=taken.name)])
    held = files.place(session, store, taken, actor)
    bring(session, practice, held)
    title = words.title or (None if kind == "image" else taken.name.rpartition(".")[0] or taken.name)
    entry = {**of_file(held), "title": title}
    if kind == "image":
        entry |= {"alt": words.alt, "credit": words.credit}
    audit.note(session, actor, "file.add", "practice", practice.id, sha256=held.sha256)
    _keep(session, actor, practice, {**document, KEYS[kind]: [*entries, entry]})
    return held


def describe(session: Session, actor: User, practice: Practice, kind: Kind, sha256: str, words: Words) -> None:
    """Say something else about a file. Raises NotAllowed, NotFound, Invalid."""
    document, place = _found(session, actor, practice, kind, sha256)
    check_words(kind, words)
    said = {"title": words.title, "alt": words.alt, "credit": words.credit} if kind == "image" else {
        "title": words.title}  # fmt: skip
    entries = [{**entry, **said} if n == place else entry for n, entry in enumerate(document[KEYS[kind]])]
    _keep(session, actor, practice, {**document, KEYS[kind]: entries})


def move(session: Session, actor: User, practice: Practice, kind: Kind, sha256: str, by: int) -> None:
    """Show a file `by` places later (or earlier, below 0) than it was. Raises NotAllowed, NotFound."""
    document, place = _found(session, actor, practice, kind, sha256)
    entries = list(document[KEYS[kind]])
    entries.insert(max(0, place + by), entries.pop(place))
    _keep(session, actor, practice, {**document, KEYS[kind]: entries})


def remove(session: Session, actor: User, practice: Practice, kind: Kind, sha256: str) -> None:
    """Show a file no longer. What versions show stays with them. Raises NotAllowed, NotFound."""
    document, place = _found(session, actor, practice, kind, sha256)
    entries = [entry for n, entry in enumerate(document[KEYS[kind]]) if n != place]
    _keep(session, actor, practice, {**document, KEYS[kind]: entries})


def _found(session: Session, actor: User, practice: Practice, kind: Kind, sha256: str) -> tuple[Document, int]:
    """The working copy and the place of a file in it."""
    if not can(actor, "edit", practice):
        raise NotAllowed(NOT_NOW)
    document = practices.working_copy(session, practice)
    for place, entry in enumerate(document[KEYS[kind]]):
        if entry["sha256"] == sha256:
            return document, place
    raise NotFound(N_("This file is not with the practice any more."))


def _keep(session: Session, actor: User, practice: Practice, document: Document) -> None:
    practices.save(session, actor, practice, document, None)
