"""Which files a practice's text names, and who may see which file.

A file is brought to a practice by whoever may write it; from then on who may see one of the two may see the other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from kb.models import Practice, PracticeFile, Revision, State, StoredFile, User
from kb.services import files
from kb.services.errors import N_, Invalid, NotFound, Problem
from kb.services.files import ADDRESS, Kind
from kb.services.permissions import can
from kb.services.record import Document

KEYS: dict[Kind, str] = {"image": "images", "attachment": "attachments"}
"""The key of the record that holds files of each kind."""

NO_FILE = N_("There is no such file here. Upload it to this practice first.")


@dataclass(frozen=True)
class Shown:
    """A file that somebody may see; `public` says whether everybody may. `title` is empty where it has none."""

    file: StoredFile
    title: str
    public: bool


# What a document names


def settle(session: Session, actor: User | None, practice: Practice, document: Document) -> Document:
    """The document with what is known of the files that it names, which are the practice's from now on.

    A file can be named by its sum or its address here; a page elsewhere may be linked instead. Raises Invalid for a
    file that is not here, or that `actor` may not see; without an actor it is enough that it is here.
    """
    problems: list[Problem] = []
    settled = dict(document)
    for key in KEYS.values():
        settled[key] = []
        for n, entry in enumerate(document[key]):
            try:
                settled[key].append(_settled(session, actor, practice, entry))
            except NotFound as missing:
                problems.append(Problem(f"{key}.{n}.{'sha256' if entry['sha256'] else 'url'}", missing.message))
    if problems:
        raise Invalid(problems)
    return settled


def _settled(session: Session, actor: User | None, practice: Practice, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is to be kept. Raises NotFound."""
    url, sha256 = str(entry["url"] or ""), str(entry["sha256"] or "").lower()
    ours = ADDRESS.fullmatch(url)
    if not sha256 and not url.startswith("/files/"):
        return entry
    if ours and sha256 and ours[1] != sha256:
        raise NotFound(NO_FILE)
    file = session.get(StoredFile, sha256 or (ours[1] if ours else ""))
    if file is None:
        raise NotFound(NO_FILE)
    if actor is not None and session.get(PracticeFile, (practice.id, file.sha256)) is None:
        try:
            shown(session, actor, file.sha256)
        except NotFound as hidden:
            raise NotFound(NO_FILE) from hidden
    bring(session, practice, file)
    return {**entry, **of_file(file)}


def bring(session: Session, practice: Practice, file: StoredFile) -> None:
    """Make a file one of a practice's."""
    if session.get(PracticeFile, (practice.id, file.sha256)) is None:
        session.add(PracticeFile(practice_id=practice.id, sha256=file.sha256))
        session.flush()


def of_file(file: StoredFile) -> dict[str, Any]:
    """What the record says of a file that its uploader does not say."""
    url = files.address(file.sha256, file.media_type)
    return {"url": url, "media_type": file.media_type, "bytes": file.bytes, "sha256": file.sha256}


# Seeing


def shown(session: Session, user: User | None, sha256: str) -> Shown:
    """A file that somebody (None: signed out) may see.

    Everybody sees what the public version of a practice shows, or an earlier one that can still be read, the archive's
    too; whoever may view a practice sees the rest of its files. Raises NotFound.
    """
    file = session.get(StoredFile, sha256)
    holders = select(Practice).join(PracticeFile, PracticeFile.practice_id == Practice.id)
    held_by = list(session.scalars(holders.where(PracticeFile.sha256 == sha256))) if file else []
    public = [each for each in held_by if each.record is not None or _in_the_archive(each)]
    for practice in public:
        if practice.record is not None and file is not None:
            for entry in (*practice.record.images, *practice.record.attachments):
                if entry["sha256"] == sha256:
                    return Shown(file, entry["title"] or "", True)
    if file is not None and public and _in_a_version(session, public, sha256):
        return Shown(file, "", True)
    if file is not None and any(can(user, "view", practice) for practice in held_by):
        return Shown(file, "", False)
    raise NotFound(N_("There is no file at this address."))


def _in_the_archive(practice: Practice) -> bool:
    """Whether readers see the page of an archived practice; that of a merged one leads to another."""
    return practice.state == State.ARCHIVED and practice.merged_into_id is None


def _in_a_version(session: Session, public: list[Practice], sha256: str) -> bool:
    """Whether one of the versions that can be read of public practices names a file."""
    read = (Revision.practice_id.in_([practice.id for practice in public]), Revision.version.is_not(None),
            Revision.redacted.is_(None), cast(Revision.document, Text).contains(sha256))  # fmt: skip
    return session.scalar(select(func.count()).select_from(Revision).where(*read)) != 0


def named(session: Session, practice_id: uuid.UUID, document: Document, address: str) -> Shown:
    """A file of a practice's draft, by its address, for who may see the draft by other means. Raises NotFound.

    That the text names it is not enough, for anybody can write an address: it was brought to this practice too.
    """
    for entry in (entry for key in KEYS.values() for entry in document[key]):
        file = session.get(StoredFile, entry["sha256"]) if entry["sha256"] and entry["url"] == address else None
        if file is not None and session.get(PracticeFile, (practice_id, file.sha256)) is not None:
            return Shown(file, entry["title"] or "", False)
    raise NotFound(N_("There is no file at this address."))


def stored(session: Session, *documents: Document) -> dict[str, StoredFile]:
    """What is kept of the files that documents name, by their sums: a page needs the measures of a picture."""
    sums = {entry["sha256"] for document in documents for key in KEYS.values() for entry in document[key]}
    return {file.sha256: file for file in session.scalars(select(StoredFile).where(StoredFile.sha256.in_(sums)))}
