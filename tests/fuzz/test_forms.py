"""Every form of every page, sent by whoever sees it, with anything in it: an answer, and never a fault."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.models import Role
from kb.services.record import KEYS, LISTS
from tests import factories, soaking, uploads
from tests.fuzz.pages import Form, Pairs, Town, encoded, in_parts
from tests.fuzz.strategies import TEXT, damaged, each_of, often

LARGE = st.sampled_from(("x" * 1_000_000, "\n" * 100_000, "é" * 400_000, "[" * 200_000, "*a " * 100_000, "," * 300_000))
"""Texts that no field is meant for; a whole form stays below the limit of a body."""

OTHERS = (
    "alice",
    "body",
    "draft",
    "sent",
    "alices",
    "asked",
    "other",
    "archived_id",
    "gone_there",
    "unknown",
    "staged",
)
"""Names of the world that are ids: one in place of another must open nothing and break nothing."""

NAMES = st.sampled_from([
    "do", "seen", "copy", "after", "draft", "contact_seen", "next", "kept", "add", "remove", "suggest", "kind", "file",
    "sources-0-url", "sources-99-url", "sources-100-url", "sources-1000000-url", "sources-²-url", "sources--1-url",
    "sources-0-url-0", "sources", "themes", "themes-0", "lead_organisation-name", "contact-consent", "answer-1",
    "answer-", "_method", "page", "lang", "q", "to",
    "days", "scope", "role", "email", "password", "current", "code", *KEYS,
]) | TEXT  # fmt: skip


class Change(NamedTuple):
    """One thing that is done to what a form sends: `at` says to which field."""

    way: str
    at: int
    name: str
    value: str


CHANGES = st.lists(
    st.builds(
        Change, st.sampled_from(("put", "put", "put", "again", "leave out", "choose", "new", "rename", "move")),
        st.integers(0, 200), NAMES, TEXT | st.sampled_from(("1", "2", "on", "alice@example.org", "ES51", "housing")),
    ) | st.builds(Change, st.just("put"), st.integers(0, 200), st.just(""), LARGE), max_size=5)  # fmt: skip


def changed(form: Form, changes: list[Change], button: int) -> Pairs:
    """What is sent after all changes; without any, what a browser sends when the first button is pressed."""
    pairs = list(form.fields) + ([form.buttons[button % len(form.buttons)]] if form.buttons else [])
    for way, at, name, value in changes:
        place = at % len(pairs) if pairs else 0
        if way == "new" or not pairs:
            pairs.append((name, value))
        elif way == "put":
            pairs[place] = (pairs[place][0], value)
        elif way == "again":
            pairs.append((pairs[place][0], value))
        elif way == "leave out":
            del pairs[place]
        elif way == "choose" and form.choices:
            pairs.append(form.choices[at % len(form.choices)])
        elif way == "rename":
            pairs[place] = (name, pairs[place][1])
        elif way == "move":
            pairs.append(pairs.pop(place))
    return pairs


FILES = damaged(
    uploads.picture(), uploads.picture("WEBP"), uploads.pdf(), uploads.docx(), b"title,language\nA house,en\n", b"[{}]"
)


@st.composite
def sendings(draw: st.DrawFn, form: Form) -> tuple[str, Pairs, list[tuple[str, str, bytes]], str]:
    """An address, fields, files and whose token: of the form as it is, or changed in places."""
    changes = draw(CHANGES)
    pairs = changed(form, changes, draw(st.integers(0, 5)))
    token = draw(st.sampled_from(("good", "good", "good", "good", "none", "other"))) if changes else "good"
    other = draw(st.sampled_from(("", "", "", "", *OTHERS))) if changes else ""
    files = [(name, draw(TEXT) or "a.png", draw(FILES)) for name in form.files] if draw(st.booleans()) else []
    return other, pairs, files, token


def send(town: Town, form: Form, other: str, pairs: Pairs, files: list[tuple[str, str, bytes]], token: str) -> int:
    """Send a form and judge the answer; returns its status. What it changed is undone."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", town.names[other], form.action) if other else form.action
    said: Pairs = {"good": [("csrf_token", form.token)], "none": [], "other": [("csrf_token", form.token[::-1])]}[token]
    sent: dict[str, Any]
    if form.files:
        body, kind = in_parts([*said, *pairs], files)
        sent = {"data": body, "content_type": kind}
    else:
        sent = {"data": encoded([*said, *pairs]), "content_type": "application/x-www-form-urlencoded"}
    try:
        answer = town.browser(form.who).post(path, **sent)
        status = town.judged(answer, f"{form.name} as {path}\n{str(pairs)[:3000]}").status_code
    finally:
        town.undo()
    return status


@pytest.fixture(scope="module")
def forms(town: Town) -> list[Form]:
    """Every form of every page."""
    return town.forms()


def test_every_form_answers_whatever_is_sent(town: Town, forms: list[Form]) -> None:
    def ask(form: Form) -> None:
        @often(2, share=20)
        @given(sending=sendings(form))
        def sent(sending: tuple[str, Pairs, list[tuple[str, str, bytes]], str]) -> None:
            send(town, form, *sending)

        sent()

    each_of(forms, ask)


SCRIPTED = {
    "/oai": "harvesters send it",
    "/api/v1/practices": "programs send it",
}
"""Addresses that take POST and no form, with the reason. The tests below are theirs."""


@soaking.soak
def test_no_address_that_takes_a_form_is_left_out(town: Town, forms: list[Form]) -> None:
    there = {str(rule.rule) for rule in town.site.app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert there - {form.rule for form in forms} == set(SCRIPTED)


def test_the_forms_are_sent_by_people_of_every_role(town: Town, forms: list[Form]) -> None:
    assert len({form.who for form in forms}) > len(Role) and len(forms) > 40
    sent = next(form for form in forms if form.rule == "/submit")
    assert {"title", "sources-0-url", *(f"{name}-0-{LISTS[name][0]}" for name in ("partners",))} <= dict(
        sent.fields
    ).keys()
    assert send(town, sent, "", changed(sent, [], 0), [], "good") == 302


WRITTEN = st.sampled_from(("title", "summary", "message", "reason", "body", "note", "answer"))

KEPT = st.lists(st.tuples(NAMES | WRITTEN, TEXT).map(list) | st.lists(TEXT, max_size=3), max_size=5)


@often(8)
@given(pairs=KEPT, data=st.data())
def test_what_was_kept_over_a_sign_in_fills_any_form_again(
    town: Town, forms: list[Form], pairs: list[list[str]], data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(forms))
    who = form.who if form.who in ("alice", "bob", "dora", "charlie") else "alice"
    named = [[name, data.draw(TEXT)] for name, _value in form.fields[:5]]
    said = [
        ("csrf_token", town.csrf), ("email", f"{who}@example.org"), ("password", factories.PASSWORD),
        ("next", form.action), ("kept", json.dumps([*named, *pairs])),
    ]  # fmt: skip
    try:
        kind = "application/x-www-form-urlencoded"
        answer = town.browser(None).post("/sign-in", data=encoded(said), content_type=kind)
        assert town.judged(answer, str(said)[:3000]).status_code != 401
    finally:
        town.undo()


# What scripts and programs send

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["pairs", "seen", "copy", *KEYS]) | TEXT, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@often(10)
@given(pairs=st.lists(st.lists(NAMES | TEXT, min_size=1, max_size=3), max_size=4), seen=JSON)
def test_autosave_takes_whatever_a_script_sends(town: Town, pairs: list[list[str]], seen: Any) -> None:
    _post_json(town, f"/my/practices/{town.names['draft']}/autosave", {"pairs": pairs, "seen": seen})


@often(8)
@given(body=JSON)
def test_autosave_and_reconcile_take_any_json(town: Town, body: Any) -> None:
    for what in ("autosave", "reconcile"):
        _post_json(town, f"/my/practices/{town.names['draft']}/{what}", body)


RAW = st.sampled_from((
    b"[" * 100_000, b'{"pairs":' + b"[" * 50_000, b'{"seen":' + b"9" * 5000 + b"}", b"\xff\xfe", b"", b"nul", b"{",
    b'{"pairs":[["\\ud800","\\u0000"]]}', b'"' + b"x" * 100_000, b"NaN", b'{"pairs":1e999}', b"--x\r\n\r\n--x--",
)) | st.binary(max_size=60)  # fmt: skip

KINDS = st.sampled_from((
    "application/json", "application/json; charset=utf-16", "application/json; charset=nonsense", "text/plain", "",
    "application/problem+json", "multipart/form-data", "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=\"" + "x" * 5000,
    "application/x-www-form-urlencoded; charset=utf-7", ";;;=", "a/b/c",
)) | TEXT.map(lambda text: re.sub("[^ -~]", "?", text))  # fmt: skip


@often(20)
@given(body=RAW, kind=KINDS, where=st.sampled_from((
    "/my/practices/{draft}/autosave", "/my/practices/{draft}/reconcile", "/my/practices/{draft}/edit", "/submit",
    "/oai", "/my/practices/{draft}/files", "/sign-in", "/api/v1/practices", "/api/v1/practices?draft=1",
    "/review/{sent}/notes", "/admin/import")), who=st.sampled_from(["alice", "bob", None]))  # fmt: skip
def test_a_body_that_is_not_what_its_header_says_is_answered(
    town: Town, body: bytes, kind: str, where: str, who: str | None
) -> None:
    headers = {"X-CSRFToken": town.csrf, "Authorization": f"Bearer {town.api_token}", "Content-Type": kind}
    try:
        answer = town.browser(who).post(where.format(**town.names), data=body, headers=headers)
        town.judged(answer, f"{where} {kind!r} {body[:300]!r}")
    finally:
        town.undo()


def _post_json(town: Town, path: str, body: Any) -> None:
    try:
        headers = {"X-CSRFToken": town.csrf, "Content-Type": "application/json"}
        answer = town.browser("alice").post(path, data=json.dumps(body), headers=headers)
        town.judged(answer, f"{path} {str(body)[:2000]}")
    finally:
        town.undo()
