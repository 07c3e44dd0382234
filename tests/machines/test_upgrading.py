"""Machines of two releases on one database, while they are upgraded one after the other."""

from __future__ import annotations

from sqlalchemy import text

from kb.services.health import State
from tests.conftest import Site


def state(site: Site) -> State:
    [check] = [check for check in site.parts.watch.look().checks if check.name == "database"]
    return check.state


def stamp(site: Site, revision: str) -> None:
    with site.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_a_machine_goes_on_when_another_has_brought_the_schema_further(machines: tuple[Site, Site]) -> None:
    stamp(machines[0], "9999")
    assert state(machines[1]) is State.DEGRADED
    assert machines[1].client().get("/readyz").status_code == 200


def test_a_machine_on_an_older_schema_is_not_ready(machines: tuple[Site, Site]) -> None:
    stamp(machines[0], "0008")
    assert state(machines[1]) is State.FAILING
