"""Work in a base as people would, by the services alone: what stands in its tables afterwards is what a site holds.

Of the public practices every fourth gets a second version, and others adoptions, reports, a picture, a draft of an
update, or are archived; there are drafts, submissions with questions, claims, sessions, tokens, mails that wait.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import cycle

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Form, Practice, State, User
from kb.services import (
    accounts,
    adoptions,
    buffers,
    claims,
    files,
    lifecycle,
    moderation,
    practice_files,
    practices,
    previews,
    reports,
    sessions,
    shortlists,
    tokens,
    transfer_checks,
)
from kb.services.adoption_checking import Told
from kb.services.files import Store
from kb.services.practice_files import Words
from kb.services.reports import Said
from kb.services.transfer import Check
from kb.services.vocabularies import Vocabulary

PASSWORD = "nine correct horses 9"  # noqa: S105 (of people who do not exist)
CONTACT = {"role": "Officer", "email": "office@example.org", "name": "Sam Doe", "consent": True}
TRANSACTION = 50
"""Practices that are worked on in one transaction."""


class Town:
    """The people of a base: members who write, two editors, an administrator."""

    def __init__(self, session: Session, vocabulary: Vocabulary, members: int) -> None:
        codes = cycle(sorted(code for code, region in vocabulary.regions.items() if region.level == 2))
        people = [("editor0", "editor"), ("editor1", "editor"), ("admin0", "admin")]
        people += [(f"member{number}", "member") for number in range(members)]
        for name, role in people:
            user = accounts.add_user(session, f"{name}@example.org", role, name.title(), next(codes), PASSWORD)
            sessions.open_session(session, user, "a browser")
            if role == "member":
                tokens.make(session, user, "My program", days=90)
        session.flush()


def work(database: Database, store: Store, vocabulary: Vocabulary, members: int = 10) -> None:
    """Have everybody work on every practice that is public."""
    with database.write() as session:
        Town(session, vocabulary, members)
    with database.read() as session:
        public = session.scalars(
            select(Practice.id).where(Practice.state == State.PUBLISHED).order_by(Practice.slug)
        ).all()
    for start in range(0, len(public), TRANSACTION):
        with database.write() as session:
            by = _By(session, store, vocabulary, members)
            for number, practice_id in enumerate(public[start : start + TRANSACTION], start):
                by.turn(number, session.get_one(Practice, practice_id))


class _By:
    """Who does what, in one transaction."""

    def __init__(self, session: Session, store: Store, vocabulary: Vocabulary, members: int) -> None:
        self._session, self._store, self._vocabulary = session, store, vocabulary
        self._members = [accounts.get(session, f"member{number}@example.org") for number in range(members)]
        self._editors = [accounts.get(session, f"editor{number}@example.org") for number in (0, 1)]

    def turn(self, number: int, practice: Practice) -> None:
        """What happens to the practice of a number."""
        member = self._members[number // 20 % len(self._members)]
        match number % 20:
            case 0 | 4 | 8 | 12 | 16:
                self._renew(practice, f"Renewed in turn {number}.")
            case 1 | 5 | 9:
                self._adopt(member, practice, number)
            case 2:
                reports.make(self._session, member, str(practice.slug), Said("The link is dead.", "links"))
            case 3 if number % 100 == 3:
                self._picture(practice, number)
            case 6:
                self._draft(member, practice, number)
            case 7:
                claims.make(self._session, member, str(practice.slug), "We ran it.")
            case 10:
                shortlists.keep(self._session, member, [str(practice.slug)])
            case 11:
                check = Check(practice.version, "ITH5")
                transfer_checks.keep(self._session, member, practice, check, self._vocabulary)
            case 13 if number % 40 == 13:
                lifecycle.archive(self._session, self._editors[0], practice, "It ended.")
            case _:
                pass

    def _renew(self, practice: Practice, lessons: str) -> None:
        """One editor writes a second version, the other publishes it."""
        document = practices.working_copy(self._session, practice) | {"lessons": lessons}
        writer, reader = self._editors
        practices.save(self._session, writer, practice, document, dict(CONTACT))
        practices.submit(self._session, writer, practice, self._vocabulary)
        moderation.take(self._session, reader, practice)
        moderation.publish(self._session, reader, practice, self._vocabulary)

    def _adopt(self, member: User, practice: Practice, number: int) -> None:
        contact = {**CONTACT, "consent": number % 2 == 0}
        region = "ITH5" if practice.record and practice.record.country == "ES" else "ES22"  # none adopts its own
        told = Told(region=region, status="adapting", changes="We pay by result.", contact=contact)
        said = adoptions.make(self._session, member, str(practice.slug), told, self._vocabulary)
        if number % 4 == 1:
            adoptions.decide(self._session, self._editors[0], said.id, True, "", self._vocabulary)

    def _picture(self, practice: Practice, number: int) -> None:
        out = io.BytesIO()
        Image.new("RGB", (64, 48), (number % 256, number // 256 % 256, 0)).save(out, "PNG")
        with files.receive(self._store, io.BytesIO(out.getvalue()), f"{number}.png", "image") as taken:
            words = Words("A picture", "A colour", None)
            practice_files.add(self._session, self._editors[0], self._store, practice, "image", taken, words)

    def _draft(self, member: User, practice: Practice, number: int) -> None:
        """A member writes one more, and an editor asks about it; what they type next is not saved yet."""
        document = practices.working_copy(self._session, practice)
        document = {**document, "title": f"{document['title'][:80]}, {number}", "images": [], "attachments": []}
        draft = practices.start(self._session, member, document, dict(CONTACT))
        previews.make(self._session, member, draft)
        practices.submit(self._session, member, draft, self._vocabulary)
        moderation.take(self._session, self._editors[0], draft)
        asked = {"title": "Is it shorter?"}
        moderation.request_changes(self._session, self._editors[0], draft, "Two things are open.", asked)
        pairs: Sequence[tuple[str, str]] = [("title", "A shorter"), ("summary", "Nearly")]
        buffers.keep(self._session, member, draft, Form.PRACTICE, pairs, draft.revision_count)
