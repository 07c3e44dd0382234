"""Writing through the API: what a token may do, one's own working copies, and updates that lose nobody's words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from limits import RateLimitItemPerHour
from sqlalchemy import event, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import ORMExecuteState, Session

from kb.models import ApiToken, Practice, Scope, State
from kb.services import accounts, limits, practices, tokens
from kb.web.api_writing import AROUND
from tests import factories, stack
from tests.conftest import Site, configure
from tests.factories import CONTACT, document

OTHER = "Language classes for parents"


class Program:
    """A program with somebody's token."""

    def __init__(self, site: Site, who: str = "alice", scope: Scope = Scope.SUBMIT) -> None:
        self.client = site.client()
        with site.database.write() as session:
            self.token = tokens.make(session, accounts.get(session, f"{who}@example.org"), scope=scope)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", **named}
        return self.client.open(f"/api/v1/{path}", method=method, json=body, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def put(self, path: str, body: Any, mark: str | None = "*", **headers: str) -> Any:
        return self.ask("PUT", path, body, **({"If_Match": mark} if mark else {}), **headers)


def begin(site: Site, make: Any = factories.draft, who: str = "alice", **changes: Any) -> str:
    """A practice of somebody; returns its id."""
    with site.database.write() as session:
        return str(make(session, accounts.get(session, f"{who}@example.org"), **changes).id)


def state(site: Site, practice_id: str) -> tuple[str, str, int]:
    with site.database.read() as session:
        practice = session.scalars(select(Practice).where(Practice.title != "")).one()
        assert str(practice.id) == practice_id
        return practice.state, practice.title, practice.revision_count


# What a token may do


def test_a_token_submits_and_publishes_nothing(site: Site) -> None:
    answer = Program(site, "bob").ask("POST", "practices", {**document(), "contact": CONTACT})
    assert answer.status_code == 201 and answer.get_json()["state"] == "submitted"
    site.drain()
    assert site.client().get("/api/v1/practices").get_json()["total"] == 0
    body = answer.get_json()
    assert body["version"] == 0 and body["public_url"] is None and body["url"].endswith(answer.headers["Location"])


def test_no_address_of_the_api_publishes(site: Site) -> None:
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    writing = {(rule.rule, method) for rule in rules for method in rule.methods or () if method in
               ("POST", "PUT", "PATCH", "DELETE")}  # fmt: skip
    assert writing == {("/api/v1/practices", "POST"), ("/api/v1/practices/<slug>", "PUT")}


def test_a_token_for_drafts_saves_drafts_only(site: Site) -> None:
    program = Program(site, scope=Scope.DRAFT)
    body = {**document(), "contact": CONTACT}
    refused = program.ask("POST", "practices", body)
    assert refused.status_code == 403 and refused.content_type == "application/problem+json"
    assert "only save drafts" in refused.get_json()["detail"]
    saved = program.ask("POST", "practices?draft=1", body)
    assert saved.status_code == 201 and saved.get_json()["state"] == "draft"
    path = f"practices/{saved.get_json()['id']}"
    assert program.put(path, body).status_code == 403
    assert program.put(f"{path}?draft=1", body).status_code == 200


def end(site: Site, program: Program, how: str) -> None:
    with site.database.write() as session:
        alice, key = accounts.get(session, "alice@example.org"), tokens.digest(program.token)
        if how == "revoked":
            tokens.revoke(session, alice, key)
        elif how == "expired":
            session.get_one(ApiToken, key).expires = datetime.now(UTC) - timedelta(days=1)
        else:
            accounts.disable(session, "alice@example.org")


@pytest.mark.parametrize(("how", "says"), [("revoked", "revoked"), ("expired", "expired"), ("disabled", "valid")])
def test_a_token_that_has_ended_opens_nothing(site: Site, how: str, says: str) -> None:
    program = Program(site)
    end(site, program, how)
    for answer in (program.get("my/practices"), program.ask("POST", "practices", document())):
        assert answer.status_code == 401 and answer.content_type == "application/problem+json"
        assert says in answer.get_json()["detail"] and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_day_on_which_a_token_was_used_is_noted(site: Site) -> None:
    program = Program(site)
    program.get("my/practices")
    with site.database.read() as session:
        row = session.get_one(ApiToken, tokens.digest(program.token))
        assert row.used is not None


def test_a_draft_is_1_or_0(site: Site) -> None:
    answer = Program(site).ask("POST", "practices?draft=yes", document())
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["field"] == "draft"


# One's own


def test_ones_own_are_listed_with_where_they_stand(site: Site) -> None:
    mine = begin(site)
    begin(site, who="charlie", title=OTHER)
    answer = Program(site).get("my/practices")
    body = answer.get_json()
    assert [(item["id"], item["state"]) for item in body["items"]] == [(mine, "draft")]
    assert "no-store" in answer.headers["Cache-Control"] and answer.headers["ETag"]


def test_a_working_copy_is_whole_and_has_its_contact(site: Site) -> None:
    mine = begin(site)
    answer = Program(site).get(f"my/practices/{mine}")
    body = answer.get_json()
    assert body["record"] == document() and body["contact"] == CONTACT and body["revision"] == 1
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("who", ["charlie", "bob", "dora"])
def test_what_is_anothers_is_not_there(site: Site, who: str) -> None:
    theirs = begin(site, factories.submitted)
    program = Program(site, who)
    assert program.get(f"my/practices/{theirs}").status_code == 404
    assert program.put(f"practices/{theirs}", document(title=OTHER)).status_code == 404
    assert state(site, theirs)[1] != OTHER


def test_a_practice_is_named_by_its_slug_too(site: Site) -> None:
    mine = begin(site, factories.published)
    body = Program(site).get("my/practices/mentors-for-newly-arrived-nurses").get_json()
    assert body["id"] == mine and body["public_url"].endswith("/practices/mentors-for-newly-arrived-nurses")


# Updating


def test_what_was_read_can_be_sent_back_changed(site: Site) -> None:
    program, mine = Program(site), begin(site)
    read = program.get(f"my/practices/{mine}")
    record = {**read.get_json()["record"], "title": OTHER}
    answer = program.put(f"practices/{mine}?draft=1", record, read.headers["ETag"])
    assert answer.status_code == 200 and answer.get_json()["title"] == OTHER
    again = program.get(f"my/practices/{mine}")
    assert again.get_json()["record"] == record and again.headers["ETag"] == answer.headers["ETag"]
    assert again.get_json()["contact"] == CONTACT


def test_the_answer_of_a_working_copy_can_be_sent_back_as_it_is(site: Site) -> None:
    program, mine = Program(site), begin(site)
    read = program.get(f"my/practices/{mine}")
    whole = read.get_json()
    whole["record"]["title"], whole["contact"]["name"] = OTHER, "Kim Roe"
    assert program.put(f"practices/{mine}?draft=1", whole, read.headers["ETag"]).status_code == 200
    again = program.get(f"my/practices/{mine}").get_json()
    assert again["record"] == whole["record"] and again["contact"] == whole["contact"]


def test_what_stands_around_a_record_is_known_to_the_answer(site: Site) -> None:
    answer = Program(site).get(f"my/practices/{begin(site)}").get_json()
    assert {*AROUND, "contact"} == set(answer)


@pytest.mark.parametrize(
    ("changes", "status"), [({"record": "text"}, 400), ({"record": None}, 400), ({"colour": "red"}, 422)]
)
def test_what_is_wrong_around_a_record_is_said(site: Site, changes: dict[str, Any], status: int) -> None:
    program, mine = Program(site), begin(site)
    whole = {**program.get(f"my/practices/{mine}").get_json(), **changes}
    assert program.put(f"practices/{mine}?draft=1", whole).status_code == status


def test_without_draft_it_is_submitted(site: Site) -> None:
    mine = begin(site)
    answer = Program(site).put(f"practices/{mine}", document(title=OTHER))
    assert answer.status_code == 200 and answer.get_json()["state"] == "submitted"


def test_what_was_left_out_is_emptied(site: Site) -> None:
    program, mine = Program(site), begin(site, results="86 pairs.")
    program.put(f"practices/{mine}?draft=1", {"title": OTHER, "language": "en"})
    record = program.get(f"my/practices/{mine}").get_json()["record"]
    assert record["results"] is None and record["themes"] == []


def test_an_update_of_a_public_one_leaves_readers_the_old_text(site: Site) -> None:
    mine = begin(site, factories.published)
    body = {**document(title=OTHER), "contact": CONTACT}
    answer = Program(site).put(f"practices/{mine}", body)
    assert answer.status_code == 200 and answer.get_json()["state"] == "submitted"
    site.drain()
    public = site.client().get("/api/v1/practices/mentors-for-newly-arrived-nurses").get_json()
    assert public["title"] != OTHER and public["version"] == 1


def test_two_programs_do_not_write_over_each_other(site: Site) -> None:
    one, other, mine = Program(site), Program(site), begin(site)
    mark = one.get(f"my/practices/{mine}").headers["ETag"]
    assert one.put(f"practices/{mine}?draft=1", document(title=OTHER), mark).status_code == 200
    late = other.put(f"practices/{mine}?draft=1", document(title="Mine"), mark)
    assert late.status_code == 412 and late.content_type == "application/problem+json"
    assert "changed meanwhile" in late.get_json()["detail"] and state(site, mine)[1] == OTHER


def test_another_contact_is_another_working_copy(site: Site) -> None:
    program, mine = Program(site), begin(site)
    mark = program.get(f"my/practices/{mine}").headers["ETag"]
    body = {**document(), "contact": {**CONTACT, "role": "Director"}}
    assert program.put(f"practices/{mine}?draft=1", body, mark).status_code == 200
    assert program.put(f"practices/{mine}?draft=1", body, mark).status_code == 412


def test_who_writes_holds_the_practice_against_others_who_do(site: Site) -> None:
    asked: list[str] = []

    def note(state: ORMExecuteState) -> None:
        asked.append(str(state.statement.compile(dialect=postgresql.dialect())))

    mine, program = begin(site), Program(site)
    event.listen(Session, "do_orm_execute", note)
    try:
        assert program.put(f"practices/{mine}?draft=1", document(title=OTHER)).status_code == 200
    finally:
        event.remove(Session, "do_orm_execute", note)
    assert any("FROM practices" in each and "FOR UPDATE" in each for each in asked)


def test_who_polls_hears_that_the_text_came_back_and_may_go_on_from_what_was_read(site: Site) -> None:
    program, mine = Program(site), begin(site, factories.submitted)
    mark = program.get(f"my/practices/{mine}").headers["ETag"]
    assert program.get(f"my/practices/{mine}", If_None_Match=mark).status_code == 304
    with site.database.write() as session:
        session.get_one(Practice, uuid.UUID(mine)).state = State.CHANGES_REQUESTED
    again = program.get(f"my/practices/{mine}", If_None_Match=mark)
    assert again.status_code == 200 and again.get_json()["state"] == State.CHANGES_REQUESTED
    assert program.put(f"practices/{mine}?draft=1", document(title=OTHER), mark).status_code == 200


def test_a_token_begins_no_practices_without_end(
    peopled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BEGIN_LIMIT", RateLimitItemPerHour(1))
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    try:
        program, body = Program(site), {**document(), "contact": CONTACT}
        refused, first, flood = (
            program.ask("POST", f"practices{how}", sent)
            for how, sent in (("", {"title": 7}), ("", body), ("?draft=1", body))
        )
    finally:
        site.close()
    assert (refused.status_code, first.status_code, flood.status_code) == (422, 201, 429)
    assert int(flood.headers["Retry-After"]) > 0 and flood.content_type == "application/problem+json"


def test_an_update_says_which_text_it_changes(site: Site) -> None:
    mine = begin(site)
    answer = Program(site).put(f"practices/{mine}", document(title=OTHER), None)
    assert answer.status_code == 428 and "If-Match" in answer.get_json()["detail"]


def test_what_is_with_the_editors_is_not_changed(site: Site) -> None:
    mine = begin(site, factories.submitted)
    answer = Program(site).put(f"practices/{mine}?draft=1", document(title=OTHER))
    assert answer.status_code == 409 and "with the editors" in answer.get_json()["detail"]


def test_saying_what_is_public_already_submits_nothing(site: Site) -> None:
    mine = begin(site, factories.published)
    program = Program(site)
    record = program.get(f"my/practices/{mine}").get_json()["record"]
    answer = program.put(f"practices/{mine}", record)
    assert answer.status_code == 409 and state(site, mine)[0] == State.PUBLISHED
    assert program.put(f"practices/{mine}?draft=1", record).status_code == 200


def test_what_is_wrong_is_listed_by_field_and_nothing_is_kept(site: Site) -> None:
    mine = begin(site)
    answer = Program(site).put(f"practices/{mine}", {**document(title=OTHER), "themes": ["nope"], "country": "XX"})
    assert answer.status_code == 422
    assert {"themes", "country"} <= {each["field"] for each in answer.get_json()["errors"]}
    assert state(site, mine)[1:] != (OTHER, 2)


def test_a_member_writes_no_note_of_the_editors(site: Site) -> None:
    mine = begin(site)
    program = Program(site)
    program.put(f"practices/{mine}?draft=1", {**document(), "editor_note": "Splendid."})
    assert program.get(f"my/practices/{mine}").get_json()["record"]["editor_note"] is None


def test_a_colleague_of_the_same_organisation_may_update(site: Site) -> None:
    with site.database.write() as session:
        people = [accounts.get(session, f"{name}@example.org") for name in ("alice", "charlie")]
        factories.organisation(session, "Region", *people)
        mine = str(factories.draft(session, people[0]).id)
    assert Program(site, "charlie").put(f"practices/{mine}?draft=1", document(title=OTHER)).status_code == 200


def test_an_update_leaves_a_trace(site: Site) -> None:
    mine = begin(site)
    Program(site).put(f"practices/{mine}?draft=1", document(title=OTHER))
    with site.database.read() as session:
        practice = session.scalars(select(Practice)).one()
        assert practices.working_copy(session, practice)["title"] == OTHER and practice.revision_count == 2
