"""Killing a real server at random moments while eight people write, and looking each time for what it had promised.

Every kill is SIGKILL: of the whole process group, of one worker, or of the worker that holds the lock of the index.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from sqlalchemy import select

from kb.db import Database
from kb.models import User
from kb.search.whoosh_engine import WhooshEngine
from kb.services import consistency, file_keeping, tokens
from kb.services.files import Store
from tests import factories, stack
from tests.conftest import configure
from tests.processes import PATIENCE, Server, children, eventually, free_port
from tests.recovery.writers import (
    Author,
    Client,
    Editor,
    Gate,
    Importer,
    Ledger,
    Photographer,
    Program,
    Typist,
    Unanswered,
    Writer,
)

ROUND = 30
"""Kills of one data folder; then another is begun, so that looking for everything does not take ever longer."""

BURST = 6
"""Kills between two looks: what one of them loses is still lost after the last."""

PEOPLE = {"typist1": "member", "typist2": "member", "author1": "member", "author2": "member", "program": "member",
          "photographer": "member", "importer": "admin", "editor": "editor"}  # fmt: skip

HOWS = ("group", "worker", "worker", "worker", "holder", "holder")
"""Who is killed, each as often as it stands here. There is `stuck` too: the holder hangs until it is replaced."""


@dataclass
class Outcome:
    """What came of it. `lost` holds a sentence for everything that was promised and is not there, or is half there."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    unanswered: int = 0
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    logged: Counter[str] = field(default_factory=Counter)
    """What went wrong according to the servers' logs, by the last line of each traceback."""
    restarts: list[float] = field(default_factory=list)
    seconds: float = 0.0
    looks: int = 0

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.acknowledged.items()))
        killed = ", ".join(f"{how} {count}" for how, count in sorted(self.kills.items()))
        restarts = sorted(self.restarts) or [0.0]
        return (
            f"seed {self.seed}: {self.kills.total()} kills ({killed}), {self.looks} looks at everything, "
            f"in {self.seconds:.0f} s\n"
            f"acknowledged {self.acknowledged.total()} ({kinds})\n"
            f"lost {len(self.lost)}, faults {len(self.faults)}; answered “busy” {self.busy}, never {self.unanswered}\n"
            f"errors in the log: {self.logged or 'none'}\n"
            f"{len(self.restarts)} starts, to the first answer: median {statistics.median(restarts):.2f} s, "
            f"longest {restarts[-1]:.2f} s"
        )


def run(
    source: Path, places: Path, kills: int, seed: int, *, hows: Sequence[str] = HOWS, tell: bool = False
) -> Outcome:
    """Kill a server that many times on copies of a data folder; stops at the first loss. `tell` prints as it goes."""
    outcome, dice, began = Outcome(seed), random.Random(seed), time.monotonic()
    left = kills
    while left and not outcome.lost and not outcome.faults:
        folder = stack.copy(source, places / f"data-{left}")
        of_round = min(left, ROUND)
        _Round(folder, outcome, dice).run(of_round, hows)
        left -= of_round
        outcome.seconds = time.monotonic() - began
        if tell:
            print(outcome, flush=True)
        shutil.rmtree(folder)
    return outcome


_ENDED = re.compile(r"^(?:[\w.]+(?:Error|Exception|Lost|Conflict)\b.*)$", re.MULTILINE)


class _Round:
    """One data folder and those who write into it."""

    def __init__(self, folder: Path, outcome: Outcome, dice: random.Random) -> None:
        self.folder, self.outcome, self.dice = folder, outcome, dice
        self.database = Database(configure(folder).database_url)
        self.engine = WhooshEngine(folder / "index")
        self.ledger, self.gate, self.over = Ledger(), Gate(), threading.Event()
        self.workers, self.port = dice.randint(2, 4), free_port()
        self.server: Server | None = None
        self._looked_for: set[str] = set()

    def run(self, kills: int, hows: Sequence[str]) -> None:
        """Kill, look, go on."""
        try:
            token = self._people()
            self._start()
            with self._writing(token):
                for number, how in enumerate(self._order(kills, hows), 1):
                    self.over.wait(self.dice.uniform(0.05, 0.9))
                    self._kill(how)
                    self._stand_up()
                    if number % BURST == 0 or number == kills:
                        with self.gate.closed():
                            self.outcome.looks += 1
                            self.outcome.lost += self._missing()
                    if self.outcome.lost or self.ledger.faults:
                        break
        finally:
            self._end()

    def _order(self, kills: int, hows: Sequence[str]) -> Iterator[str]:
        for number in range(kills):
            if number % len(hows) == 0:
                order = self.dice.sample(hows, len(hows))
            yield order[number % len(hows)]

    def _people(self) -> str:
        """Make the accounts; returns a token of the program."""
        with self.database.write() as session:
            for name, role in PEOPLE.items():
                factories.person(session, f"{name}@example.org", role)
            session.flush()
            program = session.scalars(select(User).where(User.email == "program@example.org")).one()
            return tokens.make(session, program)

    def _start(self) -> None:
        began = time.monotonic()
        env = {"KB_WORKERS": str(self.workers), "KB_LIMITS": "off", "KB_SECRET_KEY": "k" * 40}
        self.server = Server(self.folder, self.port, **env)
        eventually(self.server.up)
        self.outcome.restarts.append(time.monotonic() - began)

    @contextmanager
    def _writing(self, token: str) -> Iterator[None]:
        """Have everybody write."""
        everybody = list(self._writers(token))
        for writer in everybody:
            writer.start()
        try:
            yield
        finally:
            self.over.set()
            for writer in everybody:
                writer.join()

    def _writers(self, token: str) -> Iterator[Writer]:
        common = (self.ledger, self.gate, self.over)

        def client(name: str) -> Client:
            client = Client(self.port)
            client.sign_in(f"{name}@example.org")
            return client

        for writer, name in ((Typist, "typist1"), (Typist, "typist2"), (Author, "author1"), (Author, "author2"),
                           (Photographer, "photographer"), (Importer, "importer")):  # fmt: skip
            yield writer(client(name), *common, self.dice.random())
        yield Program(Client(self.port, token), *common, self.dice.random())
        yield Editor(client("editor"), *common, self.dice.random(), waiting=self._waiting)

    def _waiting(self) -> tuple[str, str] | None:
        """One submission that waits: its number and a word of its title."""
        rows = self._rows("SELECT id, title FROM practices WHERE state = 'submitted' ORDER BY changed LIMIT 1")
        return (rows[0][0], rows[0][1].split()[0]) if rows else None

    def _kill(self, how: str) -> None:
        assert self.server is not None
        self.outcome.kills[how] += 1
        if how == "group":
            self.server.stop(signal.SIGKILL)
            return
        workers = children(self.server.process.pid)
        victim = (self._holder(workers) if how in ("holder", "stuck") else None) or self.dice.choice(workers)
        with suppress(ProcessLookupError):  # it was dying of the kill before
            os.kill(victim, signal.SIGSTOP if how == "stuck" else signal.SIGKILL)
        if how == "stuck":
            pid = self.server.process.pid
            eventually(lambda: victim not in children(pid), 2 * PATIENCE)

    def _holder(self, workers: list[int]) -> int | None:
        """The worker that holds the lock of the index, if one is met that does within a moment."""
        path, deadline = self.folder / "index.lock", time.monotonic() + 0.3
        while time.monotonic() < deadline:
            for line in Path("/proc/locks").read_text().splitlines():
                columns = line.split()
                if "FLOCK" in columns and columns[-3].endswith(f":{path.stat().st_ino}") and int(columns[4]) in workers:
                    return int(columns[4])
            self.over.wait(0.005)
        return None

    def _stand_up(self) -> None:
        """Have as many workers as before."""
        assert self.server is not None
        if self.server.process.poll() is not None:
            self._read_log()
            self._start()
        pid = self.server.process.pid
        eventually(lambda: len(children(pid)) == self.workers)
        eventually(self.server.up)

    def _read_log(self) -> None:
        assert self.server is not None
        self.outcome.logged.update(_ENDED.findall(self.server.said()))

    def _end(self) -> None:
        if self.server is not None:
            self.server.stop(signal.SIGKILL)
            self._read_log()
        self.outcome.acknowledged += self.ledger.counts
        self.outcome.busy += self.ledger.busy
        self.outcome.unanswered += self.ledger.unanswered
        self.outcome.faults += self.ledger.faults
        self.engine.close()
        self.database.close()

    # What was promised

    def _missing(self) -> list[str]:
        """A sentence for everything that is not as it was promised."""
        eventually(lambda: not self._rows("SELECT id FROM index_outbox LIMIT 1"))
        found = chain(self._words(), self._typed(), self._states(), self._files(), self._imports(), self._search())
        whole = consistency.faults(self.database, self.engine)
        return [*found, *whole, *file_keeping.faults(self.database, self.folder / "files")]

    def _rows(self, statement: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.folder / "kb.sqlite", timeout=60)) as file:
            return file.execute(statement).fetchall()

    def _words(self) -> Iterator[str]:
        """Words that no revision holds."""
        texts: dict[str, str] = {}
        for practice, document in self._rows("SELECT practice_id, document FROM revisions"):
            texts[practice] = texts.get(practice, "") + document
        for practice, words in self.ledger.saved.items():
            yield from (f"{practice} lacks the word {each}" for each in words if each not in texts.get(practice, ""))

    def _typed(self) -> Iterator[str]:
        """What was typed and saved by itself, and is not there."""
        typed = {practice: dict(map(tuple, json.loads(pairs))) for practice, pairs in
                 self._rows("SELECT practice_id, pairs FROM buffers WHERE form = 'practice'")}  # fmt: skip
        saved = self._newest()
        for practice, text in self.ledger.autosaved.items():
            kept = typed.get(practice) or saved.get(practice) or {}
            if not str(kept.get("actions") or "").startswith(text):
                yield f"{practice} lacks what was typed last: {text}"

    def _states(self) -> Iterator[str]:
        """Submissions and publications that are none."""
        states = dict(self._rows("SELECT id, state FROM practices"))
        public = {practice for (practice,) in self._rows("SELECT practice_id FROM records")}
        for practice in self.ledger.submitted:
            if states.get(practice) not in ("submitted", "in-review", "published"):
                yield f"{practice} was submitted and is {states.get(practice)}"
        for practice in self.ledger.published.keys() - public:
            yield f"{practice} was published and is {states.get(practice)}"

    def _files(self) -> Iterator[str]:
        """Pictures and documents that their practice does not name, or that are not on the disk."""
        newest, store = self._newest(), Store(self.folder / "files")
        for practice, words in self.ledger.files.items():
            entries = [*newest[practice]["images"], *newest[practice]["attachments"]]
            named = {entry.get("alt") or entry.get("title"): entry["sha256"] for entry in entries}
            for each in words:
                if each not in named or not store.path(named[each]).is_file():
                    yield f"{practice} lacks the file {each}"

    def _imports(self) -> Iterator[str]:
        """Practices that were taken in, tables that wait to be, and mail that was sent, of which nothing is there."""
        titles = {title for (title,) in self._rows("SELECT title FROM practices")}
        yield from (f"the practice {title} was taken in, and is not there" for title in self.ledger.taken - titles)
        waiting = {staged for (staged,) in self._rows("SELECT id FROM staged_imports WHERE taken IS NULL")}
        there = {path.name.replace("-", "") for path in (self.folder / "imports").glob("*")}
        yield from (f"the file {each} to be taken in is not there" for each in self.ledger.staged - (waiting & there))
        sent = {key for (key,) in self._rows("SELECT message_id FROM mail_messages WHERE sent IS NOT NULL")}
        mail = {path.name.partition("@")[0] for path in (self.folder / "mail").glob("*.eml")}
        yield from (f"the mail {each} counts as sent, and was not" for each in sent - mail)

    def _search(self) -> Iterator[str]:
        """How what is found differs from what is public."""
        assert self.server is not None
        client = Client(self.port)
        public = len(self._rows("SELECT practice_id FROM records"))
        eventually(lambda: json.loads(client.ask("GET", "/api/v1/practices?per_page=1").text)["total"] == public)
        new = [key for key in self.ledger.published if key not in self._looked_for]
        for practice in new:
            self._looked_for.add(practice)
            word = self.ledger.published[practice]
            try:
                found = json.loads(client.ask("GET", f"/api/v1/practices?q={word}").text)["total"]
            except Unanswered:
                found = "no answer"
            if found != 1:
                yield f"{practice} was published, and its title finds {found}"

    def _newest(self) -> dict[str, dict[str, object]]:
        """The working copy of each practice."""
        rows = self._rows(
            "SELECT practice_id, document FROM revisions JOIN practices ON practices.id = practice_id "
            "WHERE number = revision_count"
        )
        return {practice: json.loads(document) for practice, document in rows}
