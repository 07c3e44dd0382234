"""Nobody gets in where they don't belong: every address and method, for every kind of person, in one table.

A new address without a row fails `test_no_address_is_missing_from_the_table`.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.models import User
from kb.services import organisations
from tests import factories
from tests.conftest import Site, configure, token

WHO = ("stranger", "rita", "alice", "charlie", "bob", "dora")
"""A stranger, a reader, the owner, another member, an editor, an administrator."""

EVERYONE = (200,) * 6
SIGNED_IN = (302, 200, 200, 200, 200, 200)
MEMBERS = (302, 403, 200, 200, 200, 200)
EDITORS = (302, 403, 403, 403, 200, 200)
ADMINS = (302, 403, 403, 403, 403, 200)

Row = tuple[str, str, str, tuple[int, ...]]

ROWS: tuple[Row, ...] = (
    # method, rule, address, answers for WHO in turn
    ("GET", "/", "/", EVERYONE),
    ("GET", "/about", "/about", EVERYONE),
    ("GET", "/help", "/help", EVERYONE),
    ("GET", "/healthz", "/healthz", EVERYONE),
    ("GET", "/robots.txt", "/robots.txt", EVERYONE),
    ("GET", "/favicon.ico", "/favicon.ico", (302,) * 6),
    ("GET", "/practices", "/practices", EVERYONE),
    ("GET", "/practices/<slug>", "/practices/{public}", EVERYONE),
    ("GET", "/themes", "/themes", EVERYONE),
    ("GET", "/themes/<slug>", "/themes/housing", EVERYONE),
    ("GET", "/regions", "/regions", EVERYONE),
    ("GET", "/regions/<code>", "/regions/ES51", EVERYONE),
    ("GET", "/countries/<code>", "/countries/IT", EVERYONE),
    ("GET", "/suggest", "/suggest?q=seen", EVERYONE),
    ("GET", "/api/v1/practices", "/api/v1/practices", EVERYONE),
    ("GET", "/api/v1/practices/<slug>", "/api/v1/practices/{public}", EVERYONE),
    ("GET", "/api/v1/themes", "/api/v1/themes", EVERYONE),
    ("GET", "/api/v1/target-groups", "/api/v1/target-groups", EVERYONE),
    ("GET", "/api/v1/regions", "/api/v1/regions", EVERYONE),
    ("POST", "/api/v1/practices", "/api/v1/practices", (401,) * 6),
    ("GET", "/sign-in", "/sign-in", (200, 302, 302, 302, 302, 302)),
    ("POST", "/sign-in", "/sign-in", (401,) * 6),
    ("POST", "/sign-out", "/sign-out", (302,) * 6),
    ("GET", "/link/<token>", "/link/unknown", (404,) * 6),
    ("POST", "/link/<token>", "/link/unknown", (404,) * 6),
    ("GET", "/invitation/<token>", "/invitation/unknown", (404,) * 6),
    ("POST", "/invitation/<token>", "/invitation/unknown", (404,) * 6),
    ("GET", "/register", "/register", (200, 302, 302, 302, 302, 302)),
    ("POST", "/register", "/register", (403,) * 6),
    ("GET", "/register/<token>", "/register/unknown", (404,) * 6),
    ("POST", "/register/<token>", "/register/unknown", (404,) * 6),
    ("GET", "/reset", "/reset", EVERYONE),
    ("POST", "/reset", "/reset", (422,) * 6),
    ("GET", "/reset/<token>", "/reset/unknown", (404,) * 6),
    ("POST", "/reset/<token>", "/reset/unknown", (404,) * 6),
    ("GET", "/account/address", "/account/address", SIGNED_IN),
    ("POST", "/account/address", "/account/address", (401, 422, 422, 422, 422, 422)),
    ("GET", "/account/address/<token>", "/account/address/unknown", (404,) * 6),
    ("POST", "/account/address/<token>", "/account/address/unknown", (404,) * 6),
    ("GET", "/sign-in/code", "/sign-in/code", (302,) * 6),
    ("POST", "/sign-in/code", "/sign-in/code", (401,) * 6),
    ("GET", "/account", "/account", SIGNED_IN),
    ("POST", "/account", "/account", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/sessions", "/account/sessions", SIGNED_IN),
    ("POST", "/account/sessions", "/account/sessions", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/second-factor", "/account/second-factor", SIGNED_IN),
    ("POST", "/account/second-factor", "/account/second-factor", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/second-factor/codes", "/account/second-factor/codes", (302,) * 6),
    ("POST", "/account/second-factor/codes", "/account/second-factor/codes", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/second-factor/off", "/account/second-factor/off", (302,) * 6),
    ("POST", "/account/second-factor/off", "/account/second-factor/off", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/password", "/account/password", SIGNED_IN),
    ("POST", "/account/password", "/account/password", (401, 422, 422, 422, 422, 422)),
    ("GET", "/account/data", "/account/data", SIGNED_IN),
    ("POST", "/account/data", "/account/data", (401, 200, 200, 200, 200, 200)),
    ("GET", "/account/delete", "/account/delete", SIGNED_IN),
    ("POST", "/account/delete", "/account/delete", (401, 422, 422, 422, 422, 409)),
    ("GET", "/account/mail", "/account/mail", SIGNED_IN),
    ("POST", "/account/mail", "/account/mail", (401, 302, 302, 302, 302, 302)),
    ("GET", "/unsubscribe/<token>", "/unsubscribe/unknown", (404,) * 6),
    ("POST", "/unsubscribe/<token>", "/unsubscribe/unknown", (404,) * 6),
    ("GET", "/admin", "/admin", ADMINS),
    ("GET", "/admin/users", "/admin/users", ADMINS),
    ("GET", "/admin/users/<uuid:user_id>", "/admin/users/{alice}", ADMINS),
    ("POST", "/admin/users/<uuid:user_id>", "/admin/users/{alice}", (401, 403, 403, 403, 403, 422)),
    ("POST", "/admin/users/<uuid:user_id>/access", "/admin/users/{alice}/access", (401, 403, 403, 403, 403, 302)),
    ("GET", "/admin/invitations", "/admin/invitations", EDITORS),
    ("POST", "/admin/invitations", "/admin/invitations", (401, 403, 403, 403, 422, 422)),
    ("POST", "/admin/invitations/<uuid:invitation_id>", "/admin/invitations/{unknown}", (401, 403, 403, 403, 404, 404)),
    ("GET", "/admin/registrations", "/admin/registrations", (302, 403, 403, 403, 302, 302)),
    (
        "POST",
        "/admin/registrations/<uuid:registration_id>",
        "/admin/registrations/{unknown}",
        (401, 403, 403, 403, 404, 404),
    ),
    ("GET", "/admin/organisations", "/admin/organisations", ADMINS),
    ("POST", "/admin/organisations", "/admin/organisations", (401, 403, 403, 403, 403, 422)),
    ("GET", "/admin/organisations/<uuid:organisation_id>", "/admin/organisations/{body}", ADMINS),
    (
        "POST",
        "/admin/organisations/<uuid:organisation_id>",
        "/admin/organisations/{body}",
        (401, 403, 403, 403, 403, 422),
    ),
    (
        "POST",
        "/admin/organisations/<uuid:organisation_id>/merge",
        "/admin/organisations/{body}/merge",
        (401, 403, 403, 403, 403, 422),
    ),
    ("GET", "/admin/vocabularies", "/admin/vocabularies", ADMINS),
    ("GET", "/admin/vocabularies/<kind>", "/admin/vocabularies/themes", ADMINS),
    ("POST", "/admin/vocabularies/<kind>", "/admin/vocabularies/themes", (401, 403, 403, 403, 403, 422)),
    ("GET", "/admin/vocabularies/<kind>/<slug>", "/admin/vocabularies/themes/housing", ADMINS),
    (
        "POST",
        "/admin/vocabularies/<kind>/<slug>",
        "/admin/vocabularies/themes/housing",
        (401, 403, 403, 403, 403, 422),
    ),
    (
        "POST",
        "/admin/vocabularies/<kind>/<slug>/merge",
        "/admin/vocabularies/target-groups/refugees/merge",
        (401, 403, 403, 403, 403, 422),
    ),
    ("GET", "/admin/audit", "/admin/audit", ADMINS),
    ("GET", "/admin/audit.csv", "/admin/audit.csv", ADMINS),
    ("GET", "/admin/mail", "/admin/mail", ADMINS),
    ("POST", "/admin/mail/<int:message_id>", "/admin/mail/999", (401, 403, 403, 403, 403, 302)),
    ("GET", "/submit", "/submit", MEMBERS),
    ("POST", "/submit", "/submit", (401, 403, 302, 302, 302, 302)),
    ("GET", "/my/practices", "/my/practices", SIGNED_IN),
    ("GET", "/my/practices/<uuid:practice_id>/edit", "/my/practices/{draft}/edit", (302, 404, 200, 404, 404, 404)),
    ("POST", "/my/practices/<uuid:practice_id>/edit", "/my/practices/{draft}/edit", (401, 404, 302, 404, 404, 404)),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/withdraw",
        "/my/practices/{sent}/withdraw",
        (401, 404, 302, 404, 404, 404),
    ),
    ("GET", "/review", "/review", EDITORS),
    ("GET", "/review/<uuid:practice_id>", "/review/{sent}", EDITORS),
    ("POST", "/review/<uuid:practice_id>", "/review/{sent}", (401, 403, 403, 403, 422, 422)),
)

HIDDEN: tuple[Row, ...] = (
    # Further objects behind the same addresses
    ("GET", "", "/admin/users/{unknown}", (302, 403, 403, 403, 403, 404)),
    ("GET", "", "/admin/organisations/{unknown}", (302, 403, 403, 403, 403, 404)),
    ("POST", "", "/admin/users/{unknown}/access", (401, 403, 403, 403, 403, 404)),
    ("POST", "", "/admin/organisations/{unknown}/merge", (401, 403, 403, 403, 403, 404)),
    ("GET", "", "/practices/{draft}", (404,) * 6),
    ("GET", "", "/api/v1/practices/{draft}", (404,) * 6),
    ("GET", "", "/my/practices/{sent}/edit", (302, 404, 200, 404, 200, 200)),
    ("GET", "", "/my/practices/{unknown}/edit", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/review/{draft}", (302, 403, 403, 403, 404, 404)),
    ("POST", "", "/review/{draft}", (401, 403, 403, 403, 404, 404)),
    ("GET", "", "/review/{unknown}", (302, 403, 403, 403, 404, 404)),
)

NOT_OURS = ("static", "bootstrap.static")
"""Files that anyone may have."""


@dataclass
class World:
    """A site with a public practice, a draft and a submission of Alice's."""

    site: Site
    ids: dict[str, str]


@pytest.fixture
def world(peopled_folder: Path, tmp_path: Path) -> Iterator[World]:
    """A world for one test that changes it."""
    yield from _made(shutil.copytree(peopled_folder, tmp_path / "data"))


@pytest.fixture(scope="module")
def quiet_world(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that all tests share which only look."""
    yield from _made(shutil.copytree(peopled_folder, tmp_path_factory.mktemp("quiet") / "data"))


def _made(folder: Path) -> Iterator[World]:
    site = Site(configure(folder))
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        public = factories.published(session, alice, title="Seen by all")
        draft = factories.draft(session, alice, title="Hidden draft")
        sent = factories.submitted(session, alice, title="Hidden submission")
        body = organisations.named(session, None, "Town of X")
        ids = {"public": str(public.slug), "draft": str(draft.id), "sent": str(sent.id), "unknown": str(uuid.uuid4()),
               "alice": str(alice.id), "body": str(body.id if body else "")}  # fmt: skip
    site.drain()
    yield World(site, ids)
    site.close()


@pytest.mark.parametrize("row", [*ROWS, *HIDDEN], ids=lambda row: f"{row[0]} {row[2]}")
def test_each_address_answers_each_person_as_the_table_says(request: pytest.FixtureRequest, row: Row) -> None:
    method, _rule, address, expected = row
    world: World = request.getfixturevalue("quiet_world" if method == "GET" else "world")
    found = []
    for who in WHO:
        client = world.site.client(None if who == "stranger" else who)
        path = address.format(**world.ids)
        if method == "POST":
            page = "/sign-in" if who == "stranger" else "/account/password"
            if path == "/sign-out" and who != "stranger":
                world.site.forget(who)
            answer = client.post(path, data={"csrf_token": token(client, page)} if "/api/" not in path else None)
        else:
            answer = client.get(path)
        found.append(answer.status_code)
    assert tuple(found) == expected


def test_no_address_is_missing_from_the_table(quiet_world: World) -> None:
    rules = {
        (method, rule.rule)
        for rule in quiet_world.site.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_OURS
    }
    assert rules - {(method, rule) for method, rule, *_ in ROWS} == set()


@pytest.mark.parametrize("who", [who for who in WHO if who != "alice"])
def test_a_draft_leaks_through_no_page(quiet_world: World, who: str) -> None:
    client = quiet_world.site.client(None if who == "stranger" else who)
    editor = who in ("bob", "dora")
    pages = ["/", "/practices", "/practices?q=hidden", "/themes/labour-inclusion", "/regions/ITH5", "/countries/IT",
             "/my/practices", "/api/v1/practices", "/api/v1/practices?q=hidden",
             "/suggest?q=hidden"]  # fmt: skip
    for page in [*pages, "/review"]:
        text = client.get(page).get_data(as_text=True)
        assert "Hidden draft" not in text, page
        assert "Hidden submission" not in text or (editor and page == "/review"), page


def test_drafts_are_in_no_count(quiet_world: World) -> None:
    answer = quiet_world.site.client().get("/api/v1/practices").get_json()
    assert answer["total"] == 1
    assert all(entry["count"] == 1 for values in answer["facets"].values() for entry in values)


def test_a_form_without_its_token_changes_nothing(world: World) -> None:
    world.site.client("alice").post("/submit", data={"title": "Forged", "do": "save"})
    assert "Forged" not in world.site.client("alice").get("/my/practices").get_data(as_text=True)
