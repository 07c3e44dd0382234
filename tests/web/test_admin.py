"""The pages of administration: who gets in, what they show, what they change."""

from __future__ import annotations

import csv
import html
import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from kb.models import (
    AuditEntry,
    Invitation,
    MailMessage,
    Organisation,
    Practice,
    Registration,
    Role,
    User,
    UserSession,
)
from kb.services import accounts
from kb.web.deeds import DEEDS
from tests import factories
from tests.conftest import Site, token

PAGES = ("/admin", "/admin/users", "/admin/invitations", "/admin/organisations", "/admin/vocabularies",
         "/admin/vocabularies/themes", "/admin/vocabularies/target-groups/refugees", "/admin/audit")  # fmt: skip


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def post(client: FlaskClient, path: str, **data: str) -> TestResponse:
    return client.post(path, data={**data, "csrf_token": token(client, "/account/password")})


def someone(site: Site, name: str) -> User:
    with site.database.read() as session:
        return accounts.get(session, f"{name}@example.org")


def actions(site: Site, prefix: str) -> list[str]:
    with site.database.read() as session:
        statement = select(AuditEntry.action).where(AuditEntry.action.startswith(prefix)).order_by(AuditEntry.id)
        return list(session.scalars(statement))


# Everywhere


@pytest.mark.parametrize("path", PAGES)
def test_an_administrator_sees_each_page_and_no_cache_keeps_it(site: Site, path: str) -> None:
    answer = site.client("dora").get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert 'aria-label="Administration"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", PAGES)
def test_a_member_does_not_get_in(site: Site, path: str) -> None:
    assert site.client("alice").get(path).status_code == 403


def test_the_way_in_is_shown_to_those_who_may_use_it(site: Site) -> None:
    assert 'href="/admin"' in text(site.client("dora"), "/")
    assert 'href="/admin/invitations"' in text(site.client("bob"), "/")
    assert 'href="/admin' not in text(site.client("alice"), "/") and 'href="/admin' not in text(site.client(), "/")


def test_the_overview_counts_what_waits(site: Site) -> None:
    post(site.client("dora"), "/admin/invitations", email="new@example.org", role="member", language="en")
    figures = re.findall(r"<dd>(\d+)</dd>", text(site.client("dora"), "/admin"))
    assert figures == ["5", "0", "1", "1"]


def test_crawlers_are_told_to_stay_out(site: Site) -> None:
    assert "Disallow: /admin\n" in text(site.client(), "/robots.txt")


# People


def test_people_are_found_by_a_part_of_their_name(site: Site) -> None:
    page = text(site.client("dora"), "/admin/users?q=ali")
    assert "alice@example.org" in page and "charlie@example.org" not in page


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("role=editor", "bob@", "alice@"),
        ("active=no", "charlie@", "alice@"),
        ("active=yes&role=member", "alice@", "charlie@"),
        ("role=nonsense&page=nonsense", "alice@", "nobody@"),
    ],
)
def test_people_are_filtered(site: Site, query: str, there: str, not_there: str) -> None:
    with site.database.write() as session:
        accounts.disable(session, "charlie@example.org")
    page = text(site.client("dora"), f"/admin/users?{query}")
    found = page[page.index('id="h-p"') :]
    assert there in found and not_there not in found


def test_an_address_beyond_the_last_page_shows_the_last(site: Site) -> None:
    with site.database.write() as session:
        for n in range(60):
            accounts.add_user(session, f"p{n:02}@example.org", "reader")
    first, last = (text(site.client("dora"), f"/admin/users?page={n}") for n in (1, 99))
    assert 'rel="next"' in first and 'rel="prev"' not in first
    assert "Page 2 of 2" in last and 'rel="next"' not in last


def test_somebodys_role_organisation_and_region_change(site: Site) -> None:
    alice = someone(site, "alice")
    path = f"/admin/users/{alice.id}"
    answer = post(site.client("dora"), path, name="Alice Doe", role="editor", organisation="Town", region="Bavaria")
    assert answer.status_code == 302
    with site.database.read() as session:
        found = session.get_one(User, alice.id)
        assert (found.name, found.role, found.region_code) == ("Alice Doe", Role.EDITOR, "DE2")
        assert found.organisation and found.organisation.name == "Town"
    assert {"user.role", "user.change"} <= set(actions(site, "user."))


def test_what_was_typed_about_somebody_stays_where_it_is_wrong(site: Site) -> None:
    path = f"/admin/users/{someone(site, 'alice').id}"
    answer = post(site.client("dora"), path, name="Alix", role="editor", organisation="", region="Atlantis")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'role="alert"' in page
    assert 'value="Alix"' in page and 'value="Atlantis"' in page
    assert someone(site, "alice").role == Role.MEMBER


def test_somebody_disabled_is_out_at_once_and_comes_back(site: Site) -> None:
    alice = site.client("alice")
    path = f"/admin/users/{someone(site, 'alice').id}/access"
    post(site.client("dora"), path, do="disable")
    assert alice.get("/account").status_code == 302
    site.forget("alice")
    post(site.client("dora"), path, do="enable")
    assert site.client("alice").get("/account").status_code == 200
    assert {"user.disable", "user.enable"} <= set(actions(site, "user."))


def test_somebody_is_signed_out_everywhere(site: Site) -> None:
    alice = site.client("alice")
    post(site.client("dora"), f"/admin/users/{someone(site, 'alice').id}/access", do="end-sessions")
    assert alice.get("/account").status_code == 302
    assert actions(site, "user.end-sessions") == ["user.end-sessions"]


def test_nobody_takes_their_own_role_away(site: Site) -> None:
    dora = someone(site, "dora")
    answer = post(site.client("dora"), f"/admin/users/{dora.id}", name="Dora", role="reader")
    assert answer.status_code == 409 and "ask another administrator" in answer.get_data(as_text=True)
    assert someone(site, "dora").role == Role.ADMIN


def test_nobody_disables_themselves(site: Site) -> None:
    answer = post(site.client("dora"), f"/admin/users/{someone(site, 'dora').id}/access", do="disable")
    assert answer.status_code == 409 and 'role="alert"' in answer.get_data(as_text=True)
    assert someone(site, "dora").active


def test_an_account_is_deleted_for_somebody_once_it_is_meant(site: Site) -> None:
    dora, alice = site.client("dora"), someone(site, "alice")
    path = f"/admin/users/{alice.id}/delete"
    refused = post(dora, path)
    assert refused.status_code == 422 and "cannot be undone" in refused.get_data(as_text=True)
    assert post(dora, path, sure="y").status_code == 302
    with site.database.read() as session:
        assert session.get_one(User, alice.id).deleted is not None
    assert "alice@example.org" not in text(dora, "/admin/users")


def test_nobody_deletes_their_own_account_there(site: Site) -> None:
    path = f"/admin/users/{someone(site, 'dora').id}/delete"
    assert post(site.client("dora"), path, sure="y").status_code == 409


def test_whoever_left_is_not_found(site: Site) -> None:
    with site.database.write() as session:
        charlie = accounts.get(session, "charlie@example.org")
        charlie.deleted, charlie.name = datetime.now(UTC), ""
    client = site.client("dora")
    assert client.get(f"/admin/users/{charlie.id}").status_code == 404
    assert "charlie@" not in text(client, "/admin/users")
    assert post(client, f"/admin/users/{charlie.id}", name="x").status_code == 404


# Invitations and registrations


def invite(site: Site, who: str, **changes: str) -> TestResponse:
    given = {"email": "new@example.org", "name": "New", "role": "member", "organisation": "Town", "region": "IE041",
             "language": "en"}  # fmt: skip
    return post(site.client(who), "/admin/invitations", **{**given, **changes})


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_editors_and_administrators_invite_members(site: Site, who: str) -> None:
    assert invite(site, who).status_code == 302
    with site.database.read() as session:
        invitation = session.scalars(select(Invitation)).one()
        assert (invitation.role, invitation.region_code) == (Role.MEMBER, "IE041")
        assert session.scalars(select(MailMessage.kind)).all() == ["invitation"]
    assert "new@example.org" in text(site.client(who), "/admin/invitations")


def test_an_editor_makes_no_editors(site: Site) -> None:
    page = text(site.client("bob"), "/admin/invitations")
    assert '<option value="member"' in page and '<option value="editor"' not in page
    assert invite(site, "bob", role="editor").status_code == 403


@pytest.mark.parametrize(("changes", "status"), [({"email": "none"}, 422), ({"email": "alice@example.org"}, 409),
                                                ({"region": "Atlantis"}, 422)])  # fmt: skip
def test_an_invitation_that_cannot_be_keeps_what_was_typed(site: Site, changes: dict[str, str], status: int) -> None:
    answer = invite(site, "bob", **changes)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status and 'role="alert"' in page and 'value="New"' in page
    assert f'value="{next(iter(changes.values()))}"' in page


def test_an_invitation_is_taken_back_and_listed_so(site: Site) -> None:
    invite(site, "bob")
    with site.database.read() as session:
        key = session.scalars(select(Invitation.id)).one()
    assert post(site.client("bob"), f"/admin/invitations/{key}", do="withdraw").status_code == 302
    assert "new@example.org" not in text(site.client("bob"), "/admin/invitations")
    assert "new@example.org" in text(site.client("bob"), "/admin/invitations?state=withdrawn")


def test_an_invitation_that_is_too_old_is_sent_again(site: Site) -> None:
    invite(site, "bob")
    with site.database.write() as session:
        old = session.scalars(select(Invitation)).one()
        old.expires = datetime.now(UTC) - timedelta(days=1)
    assert "Send again" in text(site.client("bob"), "/admin/invitations?state=expired")
    post(site.client("bob"), f"/admin/invitations/{old.id}", do="resend")
    assert "new@example.org" in text(site.client("bob"), "/admin/invitations?state=open")
    assert "new@example.org" not in text(site.client("bob"), "/admin/invitations?state=expired")


@pytest.fixture
def registration(site: Site) -> uuid.UUID:
    """Somebody whose address is confirmed and who waits for an account."""
    now = datetime.now(UTC)
    with site.database.write() as session:
        found = Registration(
            id=uuid.uuid4(), token_hash="0" * 64, email="sam@example.org", name="Sam", reason="I write.",
            organisation="Town", password_hash="", expires=now, confirmed=now,
        )  # fmt: skip
        session.add(found)
    return found.id


def test_an_editor_gives_an_account_to_whoever_registered(site: Site, registration: uuid.UUID) -> None:
    assert "I write." in text(site.client("bob"), "/admin/invitations")
    post(site.client("bob"), f"/admin/registrations/{registration}", do="accept", role="member", organisation="City")
    sam = someone(site, "sam")
    assert sam.role == Role.MEMBER and sam.active
    assert "I write." not in text(site.client("bob"), "/admin/invitations")


def test_an_editor_refuses_a_registration(site: Site, registration: uuid.UUID) -> None:
    post(site.client("bob"), f"/admin/registrations/{registration}", do="refuse")
    with site.database.read() as session:
        assert session.get_one(Registration, registration).accepted is False
        assert accounts.find(session, "sam@example.org") is None


def test_a_registration_with_a_wrong_role_keeps_what_was_typed(site: Site, registration: uuid.UUID) -> None:
    answer = post(site.client("bob"), f"/admin/registrations/{registration}", do="accept", role="admin",
                  organisation="City")  # fmt: skip
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'href="#role-{registration}"' in page and 'value="City"' in page


# Organisations


def add_organisation(site: Site, name: str, **more: str) -> uuid.UUID:
    assert post(site.client("dora"), "/admin/organisations", name=name, **more).status_code == 302
    with site.database.read() as session:
        return session.scalars(select(Organisation.id).where(Organisation.name == name)).one()


def test_an_organisation_is_added_and_renamed(site: Site) -> None:
    key = add_organisation(site, "Town of X", type="local-authority", region="IE041", url="https://example.org")
    post(site.client("dora"), f"/admin/organisations/{key}", name="City of X", type="", region="", url="")
    assert "City of X" in text(site.client("dora"), "/admin/organisations")
    assert actions(site, "organisation.") == ["organisation.add", "organisation.change"]


def test_an_organisation_of_the_same_name_is_refused(site: Site) -> None:
    add_organisation(site, "Town of X")
    answer = post(site.client("dora"), "/admin/organisations", name=" town  of x", type="nonsense", url="x")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "There is an organisation of this name already." in page
    assert 'href="#type"' in page and 'href="#url"' in page


def test_people_and_practices_move_when_organisations_merge(site: Site) -> None:
    old, new = add_organisation(site, "Old"), add_organisation(site, "New")
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        practice = factories.published(session, alice)
        alice.organisation_id = practice.organisation_id = old
    path = f"/admin/organisations/{old}/merge"
    assert post(site.client("dora"), path, into=str(old)).status_code == 422
    assert post(site.client("dora"), path, into="").status_code == 422
    assert post(site.client("dora"), path, into=str(new)).status_code == 302
    with site.database.read() as session:
        assert session.get_one(User, alice.id).organisation_id == new
        assert session.get_one(Practice, practice.id).organisation_id == new
    assert site.client("dora").get(f"/admin/organisations/{old}").status_code == 404


# Vocabularies


def test_a_theme_is_added_edited_and_found(site: Site) -> None:
    client = site.client("dora")
    wording = {
        "label": "Sport",
        "scope_note": "Clubs.",
        "synonyms-en": "football\nswimming",
        "label-de": "Sport und Spiel",
    }
    assert post(client, "/admin/vocabularies/themes", **wording).status_code == 302
    assert "Sport" in text(site.client(), "/themes/sport")
    path = "/admin/vocabularies/themes/sport"
    assert post(client, path, **{**wording, "label": "Sports", "place": "1"}).status_code == 302
    page = text(client, path)
    assert "football\nswimming" in page and 'value="Sport und Spiel"' in page
    assert 'name="place" type="text" value="1"' in page


def test_a_theme_that_cannot_be_keeps_what_was_typed(site: Site) -> None:
    path = "/admin/vocabularies/themes/housing"
    answer = post(site.client("dora"), path, **{"label": "", "scope_note": "Roofs", "label-de": "x" * 101})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "Roofs" in page and "x" * 101 in page
    assert 'href="#label-de"' in page and 'class="more-facets" open' in page


def test_a_place_that_is_no_number_is_refused(site: Site) -> None:
    path = "/admin/vocabularies/themes/housing"
    answer = post(site.client("dora"), path, label="Housing", scope_note="Roofs", place="first")
    assert answer.status_code == 422 and 'value="first"' in answer.get_data(as_text=True)


def test_a_merged_theme_leads_to_its_successor_everywhere(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, themes=["housing"], title="A roof for all")
    site.drain()
    client = site.client("dora")
    path = "/admin/vocabularies/themes/housing"
    assert post(client, f"{path}/merge", into="").status_code == 422
    answer = post(client, f"{path}/merge", into="health-and-wellbeing")
    assert answer.headers["Location"].endswith("/admin/vocabularies/themes/health-and-wellbeing")
    site.drain()
    reader = site.client()
    old = reader.get("/themes/housing")
    assert (old.status_code, old.headers["Location"]) == (301, "/themes/health-and-wellbeing")
    assert client.get(path).headers["Location"].endswith("health-and-wellbeing")
    search = reader.get("/practices?theme=housing")
    assert (search.status_code, search.headers["Location"]) == (302, "/practices?theme=health-and-wellbeing")
    assert "A roof for all" in text(reader, "/themes/health-and-wellbeing")
    found = reader.get("/api/v1/practices?theme=housing").json
    assert found["total"] == 1 and found["items"][0]["themes"] == ["health-and-wellbeing"]


def test_an_unknown_vocabulary_or_term_is_not_found(site: Site) -> None:
    client = site.client("dora")
    assert client.get("/admin/vocabularies/colours").status_code == 404
    assert client.get("/admin/vocabularies/themes/blue").status_code == 404
    assert post(client, "/admin/vocabularies/themes/blue", label="Blue").status_code == 404


# The audit log


def rows(site: Site, query: str = "") -> list[dict[str, str]]:
    answer = site.client("dora").get(f"/admin/audit.csv{query}")
    assert answer.status_code == 200 and answer.content_type == "text/csv; charset=utf-8"
    whole = answer.get_data(as_text=True)
    assert whole.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(whole.removeprefix("\ufeff"))))


def test_the_log_is_filtered_by_person_action_and_object(site: Site) -> None:
    site.client("alice"), site.client("bob")
    alice = someone(site, "alice")
    assert {row["person"] for row in rows(site, "?person=alice")} == {"Alice"}
    assert {row["action"] for row in rows(site, "?action=user.sign-in")} == {"user.sign-in"}
    assert {row["object_id"] for row in rows(site, f"?kind=user&object={alice.id}")} == {str(alice.id)}
    assert rows(site, "?person=nobody-of-that-name") == []


def test_the_log_is_filtered_by_whole_days(site: Site) -> None:
    site.client("dora")
    today = datetime.now(UTC).date()
    assert rows(site, f"?since={today - timedelta(days=1)}&until={today + timedelta(days=1)}")
    assert rows(site, f"?since={today + timedelta(days=2)}") == []
    assert rows(site, f"?until={today - timedelta(days=2)}") == []


def test_a_date_that_is_none_is_said_beside_the_field(site: Site) -> None:
    answer = site.client("dora").get("/admin/audit?since=yesterday")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'href="#since"' in page and 'value="yesterday"' in page
    assert site.client("dora").get("/admin/audit.csv?since=yesterday").status_code == 400


def test_whoever_left_is_not_named_in_the_log(site: Site) -> None:
    with site.database.write() as session:
        charlie = accounts.get(session, "charlie@example.org")
        accounts.set_address(session, charlie, "moved@example.org")
        charlie.deleted = datetime.now(UTC)
    assert {row["person"] for row in rows(site, f"?person={charlie.id}")} == {"someone who left"}
    assert "someone who left" in text(site.client("dora"), f"/admin/audit?person={charlie.id}")


def test_a_name_that_looks_like_a_formula_is_text_in_the_table(site: Site) -> None:
    with site.database.write() as session:
        accounts.get(session, "dora@example.org").name = "=1+1"
    assert {row["person"] for row in rows(site, "?action=user.sign-in")} == {"'=1+1"}


def test_the_newest_entry_stands_first(site: Site) -> None:
    moments = [row["time"] for row in rows(site)]
    assert moments == sorted(moments, reverse=True) and moments


def test_sessions_are_counted_on_somebodys_page(site: Site) -> None:
    site.client("alice")
    alice = someone(site, "alice")
    assert "Signed in on 1 browser." in text(site.client("dora"), f"/admin/users/{alice.id}")
    with site.database.read() as session:
        assert session.scalars(select(UserSession).where(UserSession.user_id == alice.id)).one()


def test_every_action_of_the_log_has_a_name() -> None:
    noted = re.compile(r'audit\.note\([^)]*?"([a-z]+(?:-[a-z]+)*\.[a-z-]+)"')
    sources = (Path(__file__).parents[2] / "kb").rglob("*.py")
    actions = {action for path in sources for action in noted.findall(path.read_text(encoding="utf-8"))}
    assert "term.merge" in actions and actions - DEEDS.keys() == set()


def test_what_was_typed_about_a_theme_survives_a_session_that_ended(site: Site) -> None:
    client = site.client("dora")
    csrf = token(client, "/account/password")
    with site.database.write() as session:
        session.execute(delete(UserSession))
    given = {"label": "Homes", "scope_note": "Roofs and doors.", "synonyms-de": "Dach", "csrf_token": csrf}
    answer = client.post("/admin/vocabularies/themes/housing", data=given)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    kept, back = (html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1]) for name in ("kept", "next"))
    sent = {"email": "dora@example.org", "password": factories.PASSWORD, "kept": kept, "next": back,
            "csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]}  # fmt: skip
    restored = client.post("/sign-in", data=sent).get_data(as_text=True)
    assert "Roofs and doors." in restored and "Dach" in restored


def test_a_problem_on_the_home_page_follows_its_merged_theme(site: Site) -> None:
    post(site.client("dora"), "/admin/vocabularies/themes/housing/merge", into="health-and-wellbeing")
    home = text(site.client(), "/")
    assert 'href="/practices?theme=health-and-wellbeing"' in home and "theme=housing" not in home
