"""A site with something on every page, the forms on those pages, and what is sent with them, however odd."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from logging import ERROR, Handler, LogRecord, getLogger
from traceback import format_exception
from typing import Any
from urllib.parse import quote_plus, urlsplit

from flask import session as cookie
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select, update
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from kb.models import HalfSignIn, User
from kb.services import accounts, half_sign_ins, registrations, sessions
from kb.web import signing_in
from kb.web.accounts import TOKEN
from tests import soaking
from tests.browser.matrix import world
from tests.browser.matrix.pages import STATES
from tests.conftest import Site
from tests.fuzz.strategies import RUNS

INJECTED = "<i data-fuzz="
"""What stands in some of the hostile texts, and never on a page."""

Pairs = list[tuple[str, str]]

HALF = "frank, before his code"
"""Somebody whose password was right, and who has not given a code yet."""

CODE = "/sign-in/code"

PRESSED: tuple[tuple[str, str, Pairs], ...] = (
    ("alice", "/my/practices/{draft}/edit", [("title", "Mine"), ("summary", "Mine."), ("seen", "1"), ("do", "save")]),
)
"""What is sent to come to forms that are seen only then: two texts of one practice."""

ALL = bool(RUNS) or soaking.SOAK
"""Whether every page is looked at for forms; `make test` has the time for a few."""

FEW = (
    "sign in",
    "register",
    "invitation",
    "reset",
    "report",
    "claim",
    "submit",
    "draft",
    "files",
    "sharing",
    "review",
    "merge",
    "reassign",
    "import",
    "import, looked at",
    "user",
    "invitations",
    "organisation",
    "new term",
    "term",
    "redact",
    "mail text",
    "account",
    "address",
    "tokens",
    "searches",
    "results for who is signed in",
)
"""The pages that `make test` takes forms from."""

UNSEEN: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("alice", "/account/sessions", ("end",)),
    ("alice", "/account/contacts/{draft}/withdraw", ()),
    ("bob", "/admin/registrations/{registered}", ("do", "role", "organisation")),
    ("bob", "/review/{sent}/notes", ("message", "note-title", "answer-1", "seen")),
    ("alice", "/my/practices/{draft}/autosave", ("title", "summary", "sources-0-url", "seen", "copy", "after")),
)
"""Forms that only scripts send, or that stand on a page in rare cases: who sends them where, with which fields."""


@dataclass(frozen=True)
class Form:
    """A form that posts: who sees it, where it goes, what it sends unless somebody types; its buttons, its files."""

    who: str | None
    page: str
    action: str
    rule: str
    fields: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]
    buttons: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    token: str

    @property
    def name(self) -> str:
        """What to call it in a report."""
        return f"{self.who or 'a stranger'}: POST {self.action}"


class _Forms(HTMLParser):
    """The forms of a page as lists of (tag, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str | None], list[tuple[str, dict[str, str | None]]]]] = []
        self._open: list[tuple[str, dict[str, str | None]]] | None = None
        self._select: dict[str, str | None] = {}
        self._text: dict[str, str | None] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._open = []
            self.forms.append((given, self._open))
        if self._open is None:
            return
        if tag in ("input", "button"):
            self._open.append((tag, given))
        elif tag == "select":
            self._select = given
        elif tag == "option":
            self._open.append((tag, {**given, "name": self._select.get("name")}))
        elif tag == "textarea":
            self._text = {**given, "value": ""}
            self._open.append((tag, self._text))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text["value"] = f"{self._text['value']}{data}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = None
        elif tag == "form":
            self._open = None


class Faults(Handler):
    """Everything that is logged as an error."""

    def __init__(self) -> None:
        super().__init__(ERROR)
        self.said: list[str] = []

    def emit(self, record: LogRecord) -> None:
        """Keep what is said, with its traceback."""
        trace = "".join(format_exception(*record.exc_info)) if record.exc_info else ""
        self.said.append(f"{record.getMessage()}\n{trace}")

    def taken(self) -> list[str]:
        """What was said since the last time."""
        said, self.said = self.said, []
        return said


class Town:
    """A site in which everything may be tried: what a request changed is undone before the next one."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.names = world.rich(site)
        self.names["registered"] = self._registered()
        site.parts.indexer.stop()
        self.faults = Faults()
        getLogger("kb").addHandler(self.faults)
        with site.app.test_request_context():
            self.csrf = generate_csrf()
            self._kept_csrf = cookie["csrf_token"]
        with site.database.write() as session:
            people = {user.email.partition("@")[0]: user for user in session.scalars(select(User)) if user.active}
            tokens = {name: sessions.open_session(session, user) for name, user in people.items()}
            half = half_sign_ins.begin(session, people["frank"])
            session.flush()
            session.execute(update(HalfSignIn).values(expires=datetime(2999, 1, 1, tzinfo=UTC)))  # a soak takes long
            self.api_token = accounts.new_token(session, "alice@example.org")
        self.cookies = {name: self._cookie(TOKEN, token) for name, token in tokens.items()}
        self.cookies |= {HALF: self._cookie(signing_in.HALF, half), None: self._cookie()}
        assert site.config.database_path
        self._live = sqlite3.connect(site.config.database_path, check_same_thread=False)
        self._kept = sqlite3.connect(":memory:", check_same_thread=False)
        self._live.backup(self._kept)
        self._stands = self._changed()
        self._nul = self._where_nul_is_looked_for()

    def close(self) -> None:
        """Stop listening, give back files."""
        getLogger("kb").removeHandler(self.faults)
        self._live.close()
        self._kept.close()
        self.site.close()

    def browser(self, who: str | None) -> FlaskClient:
        """A new browser in which somebody is signed in."""
        client = self.site.app.test_client()
        client.set_cookie("kb", self.cookies[who])
        return client

    def undo(self) -> bool:
        """Put the database back as it was; says whether anything had been changed. Fails where NUL was kept."""
        if self._changed() == self._stands:
            return False
        held = [table for table, query in self._nul.items() if self._live.execute(query).fetchone()]
        self._kept.backup(self._live)
        self._stands = self._changed()
        assert not held, f"NUL is kept in {held}, which PostgreSQL cannot"
        return True

    def holds(self, name: str) -> bool:
        """Whether somebody, or a practice, is called so."""
        query = "SELECT 1 FROM users WHERE name = :name UNION SELECT 1 FROM practices WHERE title = :name"
        return self._live.execute(query, {"name": name}).fetchone() is not None

    def rule(self, path: str, method: str = "POST") -> str | None:
        """The rule that an address falls under; None where there is none."""
        try:
            found, _values = self.site.app.url_map.bind("127.0.0.1").match(path, method=method, return_rule=True)
        except HTTPException:
            return None
        return str(found.rule)

    def forms(self) -> list[Form]:
        """Every form on every page, each once for the same address, person and names of fields."""
        found: dict[Any, Form] = {}
        seen = set()
        for state in STATES:
            place = (state.who, state.address)
            if state.empty or place in seen or (not ALL and state.name not in FEW):
                continue
            seen.add(place)
            if state.fresh:
                self.names |= world.FRESH[state.fresh](self.site)
            path = state.address.format(**self.names)
            answer = self.browser(state.who).get(path)
            self._note(found, state.who, path, answer.text)
        for who, address, pairs in PRESSED:
            path = address.format(**self.names)
            answer = self.browser(who).post(path, data=dict([*pairs, ("csrf_token", self.csrf)]), follow_redirects=True)
            self._note(found, who, path, answer.text)
        self._note(found, HALF, CODE, self.browser(HALF).get(CODE).text)
        for who, address, names in UNSEEN:
            path = address.format(**self.names)
            fields = tuple((name, "") for name in names)
            found[path] = Form(who, path, path, str(self.rule(path)), fields, (), (), (), self.csrf)
        self.undo()
        return list(found.values())

    def _note(self, found: dict[Any, Form], who: str | None, path: str, html: str) -> None:
        for form in self._read(who, path, html):
            names = tuple(sorted({re.sub(r"\d+", "0", name) for name, _value in form.fields}))
            found.setdefault((form.rule, form.who, names), form)

    def _read(self, who: str | None, page: str, html: str) -> Iterator[Form]:
        for about, controls in _Forms(html).forms:
            if str(about.get("method", "get")).lower() != "post":
                continue
            action = urlsplit(about.get("action") or page).path
            fields, choices, buttons, files, token = [], [], [], [], ""
            for tag, given in controls:
                name, value, kind = given.get("name"), given.get("value"), given.get("type", "text")
                if not name:
                    continue
                if name == "csrf_token":
                    token = value or ""
                elif tag == "button" or kind == "submit":
                    buttons.append((name, value or ""))
                elif kind == "file":
                    files.append(name)
                elif tag == "option" or kind in ("checkbox", "radio"):
                    choices.append((name, value or "on"))
                    if "selected" in given or "checked" in given:
                        fields.append((name, value or "on"))
                else:
                    fields.append((name, value or ""))
            yield Form(who, page, action, self.rule(action) or action, tuple(fields), tuple(choices), tuple(buttons),
                       tuple(files), token)  # fmt: skip

    def judged(self, answer: TestResponse, asked: str) -> TestResponse:
        """The answer, if it is one: no fault of ours, nothing logged as an error, nothing of the text made markup."""
        said = self.faults.taken()
        assert answer.status_code < 500 and not said, f"{asked}\n{answer.status}\n{''.join(said)}"
        if answer.content_type and answer.content_type.startswith("text/html"):
            assert INJECTED not in answer.text, f"{asked}: what was sent became part of the page's code"
        return answer

    def _registered(self) -> str:
        """The number of somebody's wish for an account, which waits for an editor."""
        token = world.FRESH["registering"](self.site)["registering"]
        with self.site.database.write() as session:
            return str(registrations.confirm(session, token, world.BASE).id)

    def _cookie(self, key: str = TOKEN, token: str = "") -> str:
        client = self.site.app.test_client()
        with client.session_transaction() as held:
            held["csrf_token"], held.permanent = self._kept_csrf, True
            if token:
                held[key] = token
        made = client.get_cookie("kb")
        assert made
        return made.value

    def _changed(self) -> int:
        return int(self._live.execute("PRAGMA data_version").fetchone()[0])

    def _where_nul_is_looked_for(self) -> dict[str, str]:
        """A query for each table that finds a row in which a text holds NUL, as it is or as JSON says it."""
        queries = {}
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (table,) in self._live.execute(tables).fetchall():
            columns = self._live.execute(f'PRAGMA table_info("{table}")').fetchall()
            texts = [name for _n, name, kind, *_ in columns if kind.upper().startswith(("VARCHAR", "TEXT", "JSON"))]
            if texts:
                holds = (f'instr("{name}", char(0)) OR instr("{name}", \'\\u0000\')' for name in texts)
                queries[table] = f'SELECT 1 FROM "{table}" WHERE {" OR ".join(holds)}'
        return queries


def encoded(pairs: Pairs) -> bytes:
    """A form's body; lone surrogates become the bytes that are no UTF-8."""
    return "&".join(
        "=".join(quote_plus(each.encode("utf-8", "surrogatepass")) for each in pair) for pair in pairs
    ).encode()


def in_parts(pairs: Pairs, files: list[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """The body of a form with files, and its type. Names may hold anything but quotation marks and line ends."""
    boundary, out = uuid.uuid4().hex, b""
    for name, value in pairs:
        out += _part(boundary, f'name="{_plain(name)}"') + value.encode("utf-8", "surrogatepass") + b"\r\n"
    for name, filename, data in files:
        out += _part(boundary, f'name="{_plain(name)}"; filename="{_plain(filename)}"') + data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, said: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    return re.sub(r'["\r\n]', "_", text)[:200]
