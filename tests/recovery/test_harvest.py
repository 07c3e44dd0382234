"""Two running installations: what is public in one becomes drafts in the other, once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.cli import main
from kb.db import Database
from kb.models import Harvested, Origin, Practice, Record, State, User
from kb.services import lifecycle, publishing
from kb.services.checking import check
from tests import factories, stack
from tests.conftest import configure
from tests.processes import PATIENCE, Server, eventually, serving


@dataclass
class Two:
    """Both servers and their databases: practices go from `there` to `here`."""

    there: Server
    here: Server
    source: Database
    base: Database
    folder: Path

    @property
    def url(self) -> str:
        """Where the other installation is."""
        return f"http://127.0.0.1:{self.there.port}"

    def environment(self, local: str) -> dict[str, str]:
        """Of the command, which uses the same data folder as the server."""
        port = str(self.here.port)
        own = {"KB_DATA_DIR": str(self.folder), **stack.environment(self.folder)}
        return {**own, "PORT": port, "KB_BASE_URL": "", "KB_HARVEST_LOCAL": local}

    @property
    def command(self) -> list[str]:
        """What the command is asked."""
        return ["harvest", self.url, "--owner", "alice@example.org"]

    def harvest(self, local: str = "on") -> Result:
        """Run the command to its end."""
        return CliRunner().invoke(main, self.command, env=self.environment(local))

    def start(self) -> subprocess.Popen[str]:
        """Run the command in a process of its own, and look on."""
        env = {**os.environ, **self.environment("127.0.0.1")}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-m", "kb", *self.command], env=env, stderr=pipe, stdout=pipe, text=True
        )

    def change(self, act: Callable[[Session], str | None]) -> str:
        """Do something there, wait until its readers see it, and return the slug that it is about."""
        with self.source.write() as session:
            slug = act(session)
            public = session.scalar(select(func.count()).select_from(Record))
        eventually(lambda: json.loads(self.there.get("/api/v1/practices?per_page=1")[1])["total"] == public)
        return str(slug)

    def publish(self, title: str) -> str:
        """A new public practice there."""
        return self.change(lambda session: factories.published(session, title=title).slug)

    def drafts(self) -> list[tuple[str, State]]:
        """What came here."""
        with self.base.read() as session:
            found = session.scalars(select(Practice).where(Practice.origin == Origin.HARVEST))
            return [(practice.title, practice.state) for practice in found]


@pytest.fixture(scope="module")
def two(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """One with thirty public practices, one without any."""
    places = tmp_path_factory.mktemp("two")
    there, here = stack.copy(peopled_folder, places / "there"), stack.copy(peopled_folder, places / "here")
    source, base = Database(configure(there).database_url), Database(configure(here).database_url)
    with source.write() as session:
        for n in range(30):
            factories.published(session, title=f"Practice number {n}")
    with serving(there, KB_WORKERS="1") as first, serving(here, KB_WORKERS="1") as second:
        eventually(lambda: json.loads(first.get("/api/v1/practices?per_page=1")[1])["total"] == 30)
        yield Two(first, second, source, base, here)
    source.close()
    base.close()


def test_an_address_on_the_local_network_is_refused_unless_a_setting_allows_it(two: Two) -> None:
    for local in ("off", "elsewhere.example.org"):
        refused = two.harvest(local)
        assert refused.exit_code == 1
        assert "only where the setting KB_HARVEST_LOCAL allows it" in refused.stderr
    assert two.drafts() == []


def test_a_run_that_was_killed_is_taken_up_and_everything_arrives_once_as_a_draft(two: Two) -> None:
    running = two.start()
    eventually(lambda: len(two.drafts()) >= 5)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=PATIENCE)
    done = two.harvest("127.0.0.1")
    assert done.exit_code == 0, done.stderr
    with two.source.read() as session:
        public = set(session.scalars(select(Record.title)))
    assert sorted(two.drafts()) == sorted((title, State.DRAFT) for title in public)
    assert json.loads(two.here.get("/api/v1/practices")[1])["total"] == 0


def test_two_runs_at_once_bring_nothing_twice(two: Two) -> None:
    two.publish("Wanted by two at once")
    both = [two.start(), two.start()]
    said = [run.communicate(timeout=PATIENCE)[1] for run in both]
    failed = [text for text, run in zip(said, both, strict=True) if run.returncode]
    assert len(failed) < 2 and all("Another harvest is going on here" in text for text in failed)
    assert [title for title, _state in two.drafts()].count("Wanted by two at once") == 1


def test_an_update_arrives_as_an_update(two: Two) -> None:
    slug = two.publish("Changed after it was taken")
    two.harvest()
    _publish_here(two, slug)

    def again(session: Session) -> str | None:
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        document = factories.document(title="Changed after it was taken", summary="Now for doctors too.")
        publishing.publish(session, practice, check(document, factories.vocabulary(session)))
        return slug

    two.change(again)
    assert _counts(two.harvest())["updated"] == 1
    with two.base.read() as session:
        practice = session.scalars(select(Practice).where(Practice.title == "Changed after it was taken")).one()
        assert (practice.state, practice.version) == (State.DRAFT, 1)
        assert practice.record is not None and practice.record.summary != "Now for doctors too."


def test_a_deletion_is_a_notice(two: Two) -> None:
    slug = two.publish("Gone after it was taken")
    two.harvest()

    def take_offline(session: Session) -> str | None:
        bob = session.scalars(select(User).where(User.email == "bob@example.org")).one()
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        lifecycle.unpublish(session, bob, practice, "It never was.")
        return slug

    two.change(take_offline)
    before = two.drafts()
    assert _counts(two.harvest())["gone there"] == 1
    assert two.drafts() == before
    assert {name for name, count in _counts(two.harvest()).items() if count} == {"unchanged"}
    assert two.drafts() == before
    with two.base.read() as session:
        gone = session.scalars(select(Harvested.remote_slug).where(Harvested.gone.is_not(None))).all()
    assert gone == [slug]


def _publish_here(two: Two, slug: str) -> None:
    """Make what came from there public here, as it came."""
    with two.base.write() as session:
        held = session.scalars(select(Harvested).where(Harvested.remote_slug == slug)).one()
        document = check(factories.document(title=held.practice.title), factories.vocabulary(session))
        publishing.publish(session, held.practice, document)


def _counts(done: Result) -> dict[str, int]:
    """The numbers of what the command said."""
    assert done.exit_code == 0, done.stderr
    return {name: int(count) for count, name in re.findall(r"(\d+) ([a-z ]+?)(?=[,.])", done.stdout)}
