"""What machines ask that watch over the site: is it ready, how does it do, and who may know."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from kb.models import MailMessage
from kb.services import accounts, health, mail
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.processes import eventually

TOKEN = "a-token-of-the-operator"


@pytest.fixture
def still(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site whose threads of the background do nothing."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_METRICS_TOKEN=TOKEN))
    site.parts.indexer.stop()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look anew for everybody who asks."""
    monkeypatch.setattr(health, "LOOK_AGAIN", 0.0)


def ready(site: Site) -> tuple[int, str, dict[str, Any]]:
    """Status, state, and the checks."""
    token = site.config.metrics_token
    answer = site.client().get("/readyz", headers={"Authorization": f"Bearer {token}"} if token else {})
    said = json.loads(answer.data)
    assert set(said["checks"]) == {"database", "index", "mail", "writing", "disk"}
    for check in said["checks"].values():
        assert check["says"].endswith(".") and str(site.config.data_dir) not in check["says"]
    return answer.status_code, said["state"], said["checks"]


# /readyz


def test_a_site_that_is_well_is_ready(site: Site) -> None:
    status, state, checks = ready(site)
    assert (status, state) == (200, "ok")
    assert {check["state"] for check in checks.values()} == {"ok"}


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_nothing_of_it_is_kept_and_no_cookie_comes_with_it(site: Site, address: str) -> None:
    answer = site.client().get(address)
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers


def test_a_change_that_does_not_reach_the_index_is_seen(still: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with still.database.write() as session:
        factories.published(session)
    assert ready(still)[2]["index"]["waiting"] == 1
    monkeypatch.setattr(health, "INDEX_LAGS", 0.0)
    status, state, checks = ready(still)
    assert (status, state, checks["index"]["state"]) == (200, "degraded", "degraded")
    still.drain()
    monkeypatch.setattr(health, "INDEX_LAGS", 60.0)
    assert ready(still)[:2] == (200, "ok")


def test_the_lag_is_that_of_the_first_change_and_ends_with_it(still: Site) -> None:
    indexer = still.parts.indexer
    with still.database.write() as session:
        factories.published(session)
    first = indexer.lag()
    with still.database.write() as session:
        factories.published(session, title="Another one")
    second = indexer.lag()
    assert (first[0], second[0]) == (1, 2) and second[1] > first[1] >= 0
    still.drain()
    assert indexer.lag() == (0, 0.0)


def test_without_an_index_no_requests_should_come(still: Site) -> None:
    shutil.rmtree(still.config.index_dir)
    eventually(lambda: ready(still)[:2] == (503, "failing"))
    assert ready(still)[2]["index"]["state"] == "failing"


def test_mail_that_has_waited_for_long_is_seen(still: Site) -> None:
    with still.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        mail.tell(session, "reset", alice.email, user=alice, url="https://practices.example.eu/reset/x")
    found = ready(still)[2]["mail"]
    assert found.pop("oldest_seconds") < health.MAIL_WAITS.total_seconds()
    assert found == {"state": "ok", "says": "Mail goes out.", "waiting": 1, "given_up": 0}
    with still.database.write() as session:
        session.execute(update(MailMessage).values(created=datetime.now(UTC) - timedelta(hours=2)))
    status, state, checks = ready(still)
    assert (status, state, checks["mail"]["state"]) == (200, "degraded", "degraded")


def test_a_schema_of_another_release_is_not_ready(still: Site) -> None:
    with still.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    status, _, checks = ready(still)
    assert status == 503 and "has schema 0001" in checks["database"]["says"]


def test_a_database_that_does_not_answer_is_not_ready(still: Site) -> None:
    path = still.config.database_path
    assert path
    still.database.close()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    status, _, checks = ready(still)
    assert (status, checks["database"]["state"], checks["mail"]["state"]) == (503, "failing", "failing")
    assert still.client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert still.client().get("/healthz").status_code == 200


def test_a_disk_that_is_nearly_full_is_seen_and_a_full_one_is_not_ready(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DISK_LOW", 10**30)
    assert ready(site)[:2] == (200, "degraded")
    monkeypatch.setattr(health, "DISK_FULL", 10**30)
    assert ready(site)[:2] == (503, "failing")


def test_a_folder_that_cannot_be_written_is_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE", "no such folder/probe")
    status, _, checks = ready(site)
    assert (status, checks["writing"]["state"]) == (503, "failing")


def test_looking_leaves_nothing_behind(site: Site) -> None:
    ready(site)
    assert not list(site.config.data_dir.glob(f"{health.PROBE}*"))


def test_strangers_hear_how_it_stands_and_the_names_of_what_does_not(
    still: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert still.client().get("/readyz").get_json() == {"state": "ok", "checks": {}}
    monkeypatch.setattr(health, "DISK_FULL", 10**30)
    for headers in ({}, {"Authorization": "Bearer another"}):
        answer = still.client().get("/readyz", headers=headers)
        assert answer.get_json() == {"state": "failing", "checks": {"disk": {"state": "failing"}}}
        assert answer.status_code == 503


def test_however_many_ask_it_is_looked_for_all_of_them_once_in_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    now, looks = [1000.0], []
    monkeypatch.setattr(health, "look", lambda *_: looks.append(now[0]) or health.Health(()))
    watch = health.Watch(site.config, site.database, site.parts.indexer, lambda: now[0])
    for now[0] in (1000.0, 1000.5, 1000.0 + health.LOOK_AGAIN, 1000.1 + health.LOOK_AGAIN):
        watch.look()
    assert looks == [1000.0, 1000.0 + health.LOOK_AGAIN]


# /metrics

LINE = re.compile(r'(kb_\w+)(?:\{((?:\w+="[^"]*",?)+)\})? (\S+)')


def measured(site: Site) -> dict[tuple[str, str], float]:
    """Every number by its name and labels; all lines are as the format wants them."""
    answer = site.client().get("/metrics", headers={"Authorization": f"Bearer {site.config.metrics_token}"})
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith(("# HELP kb_", "# TYPE kb_")):
            number = LINE.fullmatch(line)
            assert number, line
            found[number[1], number[2] or ""] = float(number[3])
    return found


def test_requests_searches_failures_and_faults_are_counted(still: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = still.client()
    client.get("/practices?q=nurses", buffered=True)
    client.get("/nothing/here", buffered=True)
    form = {"csrf_token": token(client, "/sign-in"), "email": "alice@example.org", "password": "wrong"}
    client.post("/sign-in", data=form, buffered=True)
    monkeypatch.setattr("kb.services.catalogue.figures", lambda *_: 1 / 0)
    client.get("/about", buffered=True)
    found = measured(still)
    assert found["kb_requests_total", 'method="GET",room="catalogue",status="2xx"'] == 1
    assert found["kb_requests_total", 'method="GET",room="none",status="4xx"'] == 1
    assert found["kb_requests_total", 'method="POST",room="accounts",status="4xx"'] == 1
    assert found["kb_sign_in_failures_total", ""] == 1
    assert found["kb_faults_total", 'room="pages"'] == 1
    assert found["kb_search_seconds_count", ""] >= 1


def test_a_histogram_adds_up(still: Site) -> None:
    for _ in range(3):
        still.client().get("/help", buffered=True)
    found = measured(still)
    classes = [
        value
        for (name, labels), value in found.items()
        if name == "kb_request_seconds_bucket" and 'room="pages"' in labels
    ]
    assert classes == sorted(classes) and classes[-1] == found["kb_request_seconds_count", 'room="pages"'] == 3
    assert found["kb_request_seconds_sum", 'room="pages"'] > 0


def test_what_there_is_is_told(still: Site) -> None:
    with still.database.write() as session:
        factories.published(session)
        factories.draft(session, accounts.get(session, "alice@example.org"))
    found = measured(still)
    assert found["kb_practices", 'state="published"'] == found["kb_practices", 'state="draft"'] == 1
    assert found["kb_practices", 'state="rejected"'] == 0 and found["kb_public_practices", ""] == 1
    assert found["kb_users", 'role="member"'] == 2 and found["kb_users", 'role="admin"'] == 1
    assert found["kb_outbox_rows", ""] == 1 and found["kb_index_practices", ""] == 0
    assert found["kb_mail_waiting", ""] == found["kb_mail_given_up", ""] == found["kb_exports_running", ""] == 0
    assert found["kb_sign_in_failures_total", ""] == 0
    assert found["kb_disk_free_bytes", ""] > 0 and found["kb_check", 'check="database"'] == 0


def test_a_request_too_many_is_counted(peopled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.web.limiting.LIMITS", {"api": 1, "exports": 1})
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    assert [site.client().get("/api/v1/themes", buffered=True).status_code for _ in range(2)] == [200, 429]
    assert measured(site)["kb_limited_total", 'room="api"'] == 1
    site.close()


def test_a_list_on_its_way_is_counted_until_it_is_over(still: Site) -> None:
    answer = still.client().get("/practices.csv", buffered=False)
    assert measured(still)["kb_exports_running", ""] == 1
    answer.close()
    assert measured(still)["kb_exports_running", ""] == 0


def test_jobs_of_the_background_say_when_they_were_done(site: Site) -> None:
    site.client().get("/help")  # with the first request they begin
    eventually(lambda: ("kb_job_success_timestamp_seconds", 'job="index"') in measured(site))


# Who may read them

Ask = Callable[..., TestResponse]


def asked(site: Site, address: str = "127.0.0.1", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client().get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=named).status_code


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
def test_without_a_token_this_machine_may_read_them(site: Site, address: str) -> None:
    assert asked(site, address) == 200


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "2001:db8::1", ""])
def test_without_a_token_others_find_nothing(site: Site, address: str) -> None:
    assert asked(site, address) == 404


@pytest.mark.parametrize("header", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "Via", "X_Forwarded_Host"])
def test_what_a_proxy_on_this_machine_hands_on_comes_from_elsewhere(site: Site, header: str) -> None:
    assert asked(site, **{header: "127.0.0.1"}) == 404


@pytest.mark.parametrize("base_url", ["https://practices.example.eu", "http://practices.example.eu"])
def test_a_site_with_a_public_address_lets_nobody_read_them_without_a_token(
    peopled_folder: Path, tmp_path: Path, base_url: str
) -> None:
    """A proxy on this machine need not say that it is one, nor which host it was asked for."""
    folder = stack.copy(peopled_folder, tmp_path / "data")
    site = Site(configure(folder, KB_BASE_URL=base_url, KB_TRUSTED_HOSTS="practices.example.eu,localhost"))
    assert asked(site) == 404
    site.close()


def test_who_asks_for_another_host_than_this_machine_finds_nothing(peopled_folder: Path, tmp_path: Path) -> None:
    folder = stack.copy(peopled_folder, tmp_path / "data")
    site = Site(configure(folder, KB_TRUSTED_HOSTS="practices.example.eu,localhost"))
    assert (asked(site, Host="localhost:8000"), asked(site, Host="practices.example.eu")) == (200, 404)
    site.close()


def test_a_token_opens_them_from_anywhere_and_closes_them_to_all_others(still: Site) -> None:
    assert asked(still, "203.0.113.9", Authorization=f"Bearer {TOKEN}") == 200
    assert asked(still, "203.0.113.9", Authorization="Bearer another") == 403
    assert asked(still, "127.0.0.1") == 404


def test_an_administrators_cookie_opens_nothing(still: Site) -> None:
    assert still.client("dora").get("/metrics").status_code == 404
