"""Eight people who write at once against a real server, and a ledger of what it said that it has kept.

What a server answered with 2xx or 3xx is in the ledger, and nothing else: an answer that never came promises nothing.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import random
import re
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from bench.autosave import FIELDS
from tests import factories, uploads
from tests.factories import CONTACT, PASSWORD
from tests.planted import cells
from tests.processes import PATIENCE

REFUSED_FOR_NOW = 503
"""What a busy server answers; it promises nothing, and is no fault."""

_HIDDEN = re.compile(r"<input [^>]*\bhidden\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(name|value)="([^"]*)"')
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()


class Unanswered(Exception):
    """The server died before it answered, or was not there."""


class Said(NamedTuple):
    """An answer: its status, its text, and where it leads."""

    status: int
    text: str
    location: str = ""

    @property
    def acknowledged(self) -> bool:
        """Whether the server said that it has done what was wanted."""
        return 200 <= self.status < 400


class Client:
    """Asks a server, each time over a connection of its own, so that any worker may answer. Keeps cookies."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._cookies: dict[str, str] = {}
        self.csrf = ""

    def sign_in(self, email: str) -> None:
        """Sign in, as often as it takes."""
        page = self.ask("GET", "/sign-in")
        form = {"email": email, "password": PASSWORD, "csrf_token": hidden(page.text)["csrf_token"]}
        said = self.ask("POST", "/sign-in", form)
        assert said.status == 302, said.text
        self.csrf = hidden(self.ask("GET", "/account/password").text)["csrf_token"]

    def post(self, path: str, **form: str) -> Said:
        """Send a form with its token."""
        return self.ask("POST", path, {**form, "csrf_token": self.csrf})

    def send_file(self, path: str, name: str, data: bytes, **form: str) -> Said:
        """Send a form with its token and a file."""
        fields: dict[str, Any] = {**form, "csrf_token": self.csrf, "file": FileStorage(io.BytesIO(data), name)}
        stream, _length, boundary = stream_encode_multipart(fields, threshold=10**9)
        return self.ask("POST", path, stream.read(), f'multipart/form-data; boundary="{boundary}"')

    def send_json(self, method: str, path: str, body: object, **headers: str) -> Said:
        """Send a JSON document."""
        return self.ask(method, path, json.dumps(body).encode(), "application/json", **headers)

    def ask(
        self, method: str, path: str, body: dict[str, str] | bytes | None = None, kind: str = "", **more: str
    ) -> Said:
        """Ask for an address. Raises Unanswered."""
        headers = {**self._headers, **more, "Connection": "close"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if isinstance(body, dict):
            body, kind = urlencode(body).encode(), "application/x-www-form-urlencoded"
        if kind:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = line.partition(";")[0].partition("=")
                self._cookies[name] = value
            try:
                text = answer.read().decode()
            except (OSError, http.client.HTTPException):  # the status came: it promises what it says
                text = ""
            return Said(answer.status, text, answer.headers.get("Location", ""))
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered from error
        finally:
            connection.close()


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the forms on a page."""
    found = [dict(_ATTRIBUTE.findall(each)) for each in _HIDDEN.findall(page)]
    return {each["name"]: each.get("value", "") for each in reversed(found) if "name" in each}


def word(dice: random.Random) -> str:
    """A word that nobody has written before."""
    return "".join(dice.choice(_SYLLABLES) for _ in range(10))


@dataclass
class Ledger:
    """What a server has acknowledged. Practices are named by their number as 32 hexadecimal digits."""

    counts: Counter[str] = field(default_factory=Counter)
    saved: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Words that a revision of a practice must hold."""
    autosaved: dict[str, str] = field(default_factory=dict)
    """What was typed last, or a beginning of it."""
    submitted: set[str] = field(default_factory=set)
    published: dict[str, str] = field(default_factory=dict)
    """A word of its title, by which it must be found."""
    files: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The words that were said about a practice's pictures and documents."""
    staged: set[str] = field(default_factory=set)
    """Files to be taken in that nobody has tried to take in yet."""
    taken: set[str] = field(default_factory=set)
    """Titles of practices that were taken in."""
    busy: int = 0
    unanswered: int = 0
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, keep: Callable[[], object] = lambda: None) -> None:
        """Count something that was acknowledged, and remember it."""
        with self.lock:
            self.counts[kind] += 1
            keep()


class Gate:
    """Lets writers through while it is open; whoever closes it waits for those who are at it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open, self._inside = True, 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be at it."""
        with self._changed:
            self._changed.wait_for(lambda: self._open)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Have nobody at it."""
        with self._changed:
            self._open = False
            assert self._changed.wait_for(lambda: self._inside == 0, 2 * PATIENCE), "a writer hangs"
        try:
            yield
        finally:
            with self._changed:
                self._open = True
                self._changed.notify_all()


class Writer(threading.Thread):
    """Somebody who writes until it is over."""

    def __init__(self, client: Client, ledger: Ledger, gate: Gate, over: threading.Event, seed: float) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.client, self.ledger = client, ledger
        self._gate, self._over = gate, over
        self.dice = random.Random(seed)

    def run(self) -> None:
        """Write, and go on where the server died."""
        while not self._over.is_set():
            with self._gate.passing():
                try:
                    self.step()
                except Unanswered:
                    self.ledger.unanswered += 1
                except Exception as error:  # a thread's own: the test is told at the end
                    self.ledger.faults.append(f"{self.name}: {error!r}")
            self._over.wait(self.dice.uniform(0.0, 0.1))

    def step(self) -> None:
        """Write something."""
        raise NotImplementedError

    def kept(self, said: Said, kind: str, keep: Callable[[], object] = lambda: None) -> bool:
        """Whether something was acknowledged; then it is in the ledger. What is refused for no reason is a fault."""
        if said.acknowledged:
            self.ledger.note(kind, keep)
        elif said.status == REFUSED_FOR_NOW:
            self.ledger.busy += 1
        else:
            self.ledger.faults.append(f"{self.name}: {kind} answered {said.status}: {_gist(said.text)}")
        return said.acknowledged


def _gist(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text.partition("<main")[2] or text).split())[:300]


class Typist(Writer):
    """Types into forms that are saved every few seconds, each text longer than the one before."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._begin()

    def _begin(self) -> None:
        self._draft, self._text, self._saves = uuid.uuid4(), "", 0

    def step(self) -> None:
        self._text = f"{self._text} {word(self.dice)}".strip()
        form = {**FIELDS, "draft": str(self._draft), "actions": self._text, "seen": "1"}
        said = self.client.post(f"/my/practices/{self._draft}/autosave", **form)
        draft, text = self._draft.hex, self._text
        self.kept(said, "autosave", lambda: self.ledger.autosaved.update({draft: text}))
        self._saves += 1
        if self._saves == 12:
            self._begin()


class Author(Writer):
    """Saves a draft and submits it with another sentence."""

    def step(self) -> None:
        draft, title = uuid.uuid4(), word(self.dice)
        form = {**FIELDS, "title": f"{title} {word(self.dice)}", "summary": f"{title} {word(self.dice)}."}
        form |= {"actions": word(self.dice), "draft": str(draft)}
        saved = self.client.post("/submit", **form, do="save")
        if not self.kept(saved, "save", lambda: self.ledger.saved[draft.hex].append(title)):
            return
        said = self.client.post(f"/my/practices/{draft}/edit", **{**form, "actions": title[::-1], "do": "submit"})
        if said.location.partition("?")[0].endswith("/duplicates"):
            self.ledger.note("save", lambda: self.ledger.saved[draft.hex].append(title[::-1]))
            said = self.client.post(f"/my/practices/{draft}/duplicates", seen="2")
        self.kept(said, "submission", lambda: self._submitted(draft.hex, title[::-1]))

    def _submitted(self, draft: str, words: str) -> None:
        self.ledger.saved[draft].append(words)
        self.ledger.submitted.add(draft)


class Program(Writer):
    """Sends practices through the API: submissions, drafts, and updates of drafts."""

    def step(self) -> None:
        title, as_draft = word(self.dice), self.dice.random() < 0.5
        body = {**factories.document(title=f"{title} {word(self.dice)}"), "contact": CONTACT}
        said = self.client.send_json("POST", "/api/v1/practices" + ("?draft=1" if as_draft else ""), body)
        made = json.loads(said.text)["id"] if said.status == 201 and said.text else ""
        if not self.kept(said, "API post", lambda: self._posted(made, title, as_draft)) or not (made and as_draft):
            return
        path, words = f"/api/v1/practices/{made}?draft=1", word(self.dice)
        put = self.client.send_json("PUT", path, {**body, "actions": words}, **{"If-Match": "*"})
        self.kept(put, "API put", lambda: self.ledger.saved[uuid.UUID(made).hex].append(words))

    def _posted(self, made: str, title: str, as_draft: bool) -> None:
        if made:
            practice_id = uuid.UUID(made).hex
            self.ledger.saved[practice_id].append(title)
            if not as_draft:
                self.ledger.submitted.add(practice_id)


class Photographer(Writer):
    """Brings pictures and documents to drafts, five to each."""

    draft, brought = "", 5

    def step(self) -> None:
        if self.brought == 5:
            self._begin()
            return
        said_of_it, is_image = word(self.dice), self.dice.random() < 0.5
        kind, name = ("image", "wall.png") if is_image else ("attachment", "report.pdf")
        size = self.dice.randrange(20, 400), self.dice.randrange(20, 400)
        data = uploads.picture("PNG", size) if is_image else uploads.pdf(b"/Lang(%s)" % said_of_it.encode())
        words = {"alt": said_of_it} if is_image else {"title": said_of_it}
        said = self.client.send_file(f"/my/practices/{self.draft}/files", name, data, kind=kind, **words)
        self.brought += 1
        draft = uuid.UUID(self.draft).hex
        self.kept(said, "upload", lambda: self.ledger.files[draft].append(said_of_it))

    def _begin(self) -> None:
        draft, title = uuid.uuid4(), word(self.dice)
        said = self.client.post("/submit", **{**FIELDS, "title": title, "draft": str(draft), "do": "save"})
        if self.kept(said, "save", lambda: self.ledger.saved[draft.hex].append(title)):
            self.draft, self.brought = str(draft), 0


class Importer(Writer):
    """Uploads tables of three practices and takes them in, as drafts, as submissions or published."""

    def step(self) -> None:
        for left in set(
            re.findall(r'href="(/admin/import/[0-9a-f-]{36})"', self.client.ask("GET", "/admin/import").text)
        ):
            self._leave(left)
            self.client.post(left, do="drop")
        titles = [f"{word(self.dice)} {word(self.dice)}" for _ in range(3)]
        aim = self.dice.choice(["draft", "submitted", "published"])
        said = self.client.send_file("/admin/import", "table.csv", _table(titles), aim=aim)
        address = said.location.partition("?")[0]
        staged = uuid.UUID(address.rpartition("/")[2]).hex if said.acknowledged else ""
        if not self.kept(said, "import upload", lambda: self.ledger.staged.add(staged)) or self.dice.random() < 0.2:
            return
        self._leave(address)
        self.kept(self.client.post(address, do="take"), "import", lambda: self.ledger.taken.update(titles))

    def _leave(self, address: str) -> None:
        """From now on nobody knows what became of a file, until the server says it."""
        with self.ledger.lock:
            self.ledger.staged.discard(uuid.UUID(address.rpartition("/")[2]).hex)


def _table(titles: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    rows = [{**cells(0), "title": title} for title in titles]
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


class Editor(Writer):
    """Publishes what waits. `waiting` gives the number and a word of the title of one submission, or None."""

    def __init__(self, *args: Any, waiting: Callable[[], tuple[str, str] | None]) -> None:
        super().__init__(*args)
        self._waiting = waiting

    def step(self) -> None:
        found = self._waiting()
        if found is None:
            return
        practice_id, title = found
        path = f"/review/{uuid.UUID(practice_id)}"
        form = hidden(self.client.ask("GET", path).text)
        if "seen" not in form:  # decided a moment ago, by an answer that never came
            return
        said = self.client.post(path, do="publish", seen=form["seen"])
        self.kept(said, "publication", lambda: self.ledger.published.update({practice_id: title}))
