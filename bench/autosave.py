"""Whether nothing is lost while many write at once: `python -m bench autosave`.

Members write at the same time against a real server with several workers on one SQLite file. Each writes two
practices: text grows with every autosave; the first practice is submitted while the others write on, of the second the
last autosave stays. Then the database is read: what the server said it has must be there, word by word.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import click
import numpy as np

from bench.serving import PATIENCE, running
from kb import config as settings
from kb.db import Database
from kb.models import Buffer, Form, Practice, Role, State, User
from kb.services import accounts, practices, seeding, setup

FIELDS = {
    "title": "Mentors for newly arrived nurses", "language": "en",
    "summary": "Hospitals of the region pair newly arrived nurses with senior colleagues.",
    "region-code": "ITH5", "level": "regional", "status": "running", "start": "2021-09",
    "lead_organisation-name": "Regional health service", "themes": "labour-inclusion",
    "target_groups": "migrant-workers", "sources-0-title": "Programme page",
    "sources-0-url": "https://example.org/nurses", "contact-role": "Project officer",
    "contact-email": "office@example.org",
}  # fmt: skip
"""A practice that may be submitted, but for what was done: that is written save by save."""

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_DRAFT = re.compile(r'name="draft"[^>]*value="([^"]+)"')


@dataclass
class Member:
    """Somebody who writes, on one connection, and what the server said about it."""

    email: str
    password: str
    port: int
    saves: int
    pause: float
    cookie: str = ""
    autosaves: list[float] = field(default_factory=list)
    submissions: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    submitted: tuple[str, str] = ("", "")
    """The number of the practice that was submitted, and the text of what was done in it."""
    kept: tuple[str, str] = ("", "")
    """The same of the one that was not."""

    def write(self, start: threading.Barrier) -> None:
        """Sign in, wait for the others, write two practices and submit the first."""
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(self._connection):
            self._sign_in(start)
            self.submitted = self._practice(submits=True)
            self.kept = self._practice(submits=False)

    def _sign_in(self, start: threading.Barrier) -> None:
        try:
            token = _found(_TOKEN, self._ask("GET", "/sign-in")[1])
            form = {"email": self.email, "password": self.password, "csrf_token": token}
            self._expect(302, self._ask("POST", "/sign-in", form), "sign-in")
        finally:
            start.wait(PATIENCE)

    def _practice(self, *, submits: bool) -> tuple[str, str]:
        """Write one practice from the empty form on; returns its number and its text."""
        page = self._ask("GET", "/submit")[1]
        token, draft = _found(_TOKEN, page), _found(_DRAFT, page)
        form, written, seen = {**FIELDS, "csrf_token": token, "draft": draft}, "", {}
        for number in range(self.saves):
            written = f"{written} {secrets.token_hex(4)}".strip()
            form |= {"actions": written, **seen}
            began = time.perf_counter()
            answer = self._ask("POST", f"/my/practices/{draft}/autosave", form)
            self.autosaves.append((time.perf_counter() - began) * 1000)
            if self._expect(200, answer, f"autosave {number}"):
                seen = {"seen": str(json.loads(answer[1])["seen"])}
            time.sleep(self.pause)
        if submits:
            began = time.perf_counter()
            answer = self._ask("POST", "/submit", {**form, "do": "submit"})
            self.submissions.append((time.perf_counter() - began) * 1000)
            self._expect(302, answer, "submit")
        return draft, written

    def _expect(self, status: int, answer: tuple[int, str], what: str) -> bool:
        if answer[0] != status:
            self.errors.append(f"{self.email}: {what} answered {answer[0]}")
        return answer[0] == status

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        for last in (False, True):
            try:
                self._connection.request(method, path, urlencode(form) if form is not None else None, headers)
                answer = self._connection.getresponse()
                break
            except (http.client.RemoteDisconnected, ConnectionError):  # it rested for longer than the server waits
                self._connection.close()
                if last:
                    raise
        set_cookie = answer.headers.get("Set-Cookie")
        if set_cookie:
            self.cookie = set_cookie.partition(";")[0]
        return answer.status, answer.read().decode()


@dataclass(frozen=True)
class Outcome:
    """What came of it: milliseconds of each autosave and submission, what went wrong, and which texts are missing."""

    autosaves: Sequence[float]
    submissions: Sequence[float]
    errors: Sequence[str]
    lost: Sequence[str]


@click.command()
@click.option("--members", default=20, show_default=True, help="How many write at once.")
@click.option("--saves", default=15, show_default=True, help="Autosaves of each practice.")
@click.option("--pause", default=0.5, show_default=True, help="Seconds between two of them; a browser waits four.")
@click.option("--workers", default=4, show_default=True, help="Workers of the server.")
def autosave(members: int, saves: int, pause: float, workers: int) -> None:
    """Let many members autosave and submit at once; prints latencies, errors and what was lost."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder) / "data", members, saves, pause, workers)
    click.echo(report(outcome, members, workers, pause))
    if outcome.errors or outcome.lost:
        raise click.ClickException("\n".join([*outcome.errors, *outcome.lost]))


def run(folder: Path, members: int, saves: int, pause: float, workers: int) -> Outcome:
    """Write on a new data folder."""
    env = {"KB_DATA_DIR": str(folder), "KB_LIMITS": "off", "KB_WORKERS": str(workers)}
    database = Database(settings.load(env).database_url)
    setup.migrate(database)
    password = secrets.token_urlsafe(12)
    names = [f"member{number:02}@example.org" for number in range(members)]
    with database.write() as session:
        seeding.load_vocabularies(session)
    for name in names:
        with database.write() as session:
            accounts.add_user(session, name, Role.MEMBER, password=password)
    with running(env) as port:
        people = [Member(name, password, port, saves, pause) for name in names]
        start = threading.Barrier(members)
        threads = [threading.Thread(target=_guarded, args=(each, start)) for each in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lost = [words for each in people for words in missing(database, each)]
    database.close()
    return Outcome(
        [taken for each in people for taken in each.autosaves],
        [taken for each in people for taken in each.submissions],
        [error for each in people for error in each.errors],
        lost,
    )


def _guarded(member: Member, start: threading.Barrier) -> None:
    try:
        member.write(start)
    except Exception as error:
        member.errors.append(f"{member.email}: {error!r}")


def missing(database: Database, member: Member) -> list[str]:
    """What the server said that it has of somebody, and does not have."""
    with database.read() as session:
        user = accounts.get(session, member.email)
        found = []
        if len(session.query(Practice).filter_by(owner_id=user.id).all()) != 2:
            found.append(f"{member.email} has another number of practices than two")
        sent = session.get(Practice, _uuid(member.submitted[0]))
        if sent is None or sent.state != State.SUBMITTED:
            found.append(f"{member.email}: the submission is missing")
        elif practices.working_copy(session, sent)["actions"] != member.submitted[1]:
            found.append(f"{member.email}: the submission says something else")
        if _typed(database, user, member.kept[0]) != member.kept[1]:
            found.append(f"{member.email}: the last autosave is missing")
    return found


def _typed(database: Database, user: User, draft: str) -> str | None:
    """What was done, as the last autosave left it: in the buffer, or in the draft where that says the same."""
    with database.read() as session:
        practice = session.get(Practice, _uuid(draft))
        if practice is None:
            return None
        buffer = session.get(Buffer, (practice.id, user.id, Form.PRACTICE))
        if buffer is not None:
            return dict(map(tuple, buffer.pairs)).get("actions")
        text = practices.working_copy(session, practice)["actions"]
        return str(text)


def report(outcome: Outcome, members: int, workers: int, pause: float) -> str:
    """The table."""
    lines = [
        f"{members} members at once, {workers} workers, SQLite; {pause:g} s between two autosaves of each",
        f"{'milliseconds':<12}{'count':>8}{'median':>9}{'p95':>9}{'max':>9}",
    ]
    for name, taken in (("autosave", outcome.autosaves), ("submit", outcome.submissions)):
        if taken:
            low, high = np.percentile(taken, (50, 95))
            lines.append(f"{name:<12}{len(taken):>8}{low:>9.1f}{high:>9.1f}{max(taken):>9.1f}")
    lines.append(f"errors {len(outcome.errors)}, texts lost {len(outcome.lost)}")
    return "\n".join(lines)


def _found(pattern: re.Pattern[str], page: str) -> str:
    match = pattern.search(page)
    if match is None:
        raise click.ClickException(f"a page lacks {pattern.pattern}")
    return unescape(match.group(1))


def _uuid(text: str) -> UUID:
    return UUID(text) if text else UUID(int=0)
