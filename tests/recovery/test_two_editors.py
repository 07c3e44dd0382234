"""Two editors decide on one submission at the same moment, each on another worker: one wins, the other is told."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, MailMessage, Practice, Revision, RevisionKind, State
from kb.services import accounts
from tests import factories, stack
from tests.conftest import configure
from tests.processes import Answer, Server, children, conversations, eventually, knows_workers, serving
from tests.recovery.test_workers import Browser

pytestmark = knows_workers

ROUNDS = 3
"""How often they try: which of the two is faster differs."""


def prepare(folder: Path) -> list[str]:
    """Submissions of Alice's that wait for an editor."""
    database = Database(configure(folder).database_url)
    with database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        waiting = [factories.submitted(session, alice, title=f"Mentors {n}") for n in range(ROUNDS)]
        ids = [str(each.id) for each in waiting]
    database.close()
    return ids


def form_of(page: str) -> dict[str, str]:
    """What the decision's form sends besides the button."""
    names = {"csrf_token", "seen"}
    found = re.findall(r'<input (?:type="hidden"|hidden) name="(\w+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name in names}


def publish_both(server: Server, path: str) -> list[Answer]:
    """Bob and Dora open the review, then both press the button at once, each in a conversation with another worker."""
    talks = list(conversations(server, children(server.process.pid)).values())
    presses = []
    for talk, name in zip(talks, ("bob", "dora"), strict=True):
        browser = Browser()
        assert browser.sign_in(talk, f"{name}@example.org").status == 302
        page = browser.ask(talk, "GET", path)
        assert page.status == 200 and 'value="publish"' in page.text
        presses.append((browser, talk, {**form_of(page.text), "do": "publish"}))
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda press: press[0].ask(press[1], "POST", path, press[2]), presses))
    for talk in talks:
        talk.close()
    return answers


def count(session: Session, table: type, *which: object) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*which)) or 0  # type: ignore[arg-type]


def test_of_two_editors_who_publish_at_once_one_wins_and_the_other_is_told(
    peopled_folder: Path, tmp_path: Path
) -> None:
    folder = stack.copy(peopled_folder, tmp_path / "data")
    waiting = prepare(folder)
    with serving(folder, KB_WORKERS="2", KB_LIMITS="off") as server:
        eventually(lambda: len(children(server.process.pid)) == 2)
        for practice_id in waiting:
            answers = publish_both(server, f"/review/{practice_id}")
            assert sorted(answer.status for answer in answers) == [302, 409]
            [late] = [answer for answer in answers if answer.status == 409]
            assert 'role="alert"' in late.text and "This submission has moved on" in late.text
    database = Database(configure(folder).database_url)
    with database.read() as session:
        for practice in session.scalars(select(Practice)):
            assert (practice.state, practice.version) == (State.PUBLISHED, 1)
            published = (Revision.practice_id == practice.id, Revision.kind == RevisionKind.PUBLISHED)
            assert count(session, Revision, *published) == 1
            noted = (AuditEntry.object_id == str(practice.id), AuditEntry.action == "practice.publish")
            assert count(session, AuditEntry, *noted) == 1
        assert count(session, MailMessage, MailMessage.kind == "practice-published") == ROUNDS
    database.close()
