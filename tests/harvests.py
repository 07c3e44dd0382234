"""Another installation for tests: a real app behind a real web server on this machine, which may misbehave."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Harvested, HarvestSource, Origin, Practice, Record, User
from kb.services import lifecycle, moderation, practices, publishing
from kb.services.fetching import Fetcher
from kb.services.harvest_reading import LIMITS, Remote
from kb.services.harvesting import Harvest, Outcome
from kb.services.record import Document
from tests import factories
from tests.conftest import Site, configure
from tests.processes import free_port
from tests.serving import answering

HERE = "https://here.example.eu"

Twist = Callable[[str, bytes], "bytes | tuple[int, dict[str, str], bytes] | None"]
"""What is answered in place of the app's answer: by the address with its query, and that answer's body."""


@dataclass
class There:
    """The other installation: its site, its address, what it was asked, and what it says instead of the truth."""

    site: Site
    url: str
    twist: Twist | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")
        self.asked.append(path)
        said: list[Any] = []
        if self.twist:
            environ.pop("HTTP_ACCEPT_ENCODING", None)

        def start(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Callable[[bytes], None]:
            said[:] = [status, headers]
            return lambda _data: None

        body = b"".join(self.site.app.wsgi_app(environ, start))
        other = self.twist(path, body) if self.twist else None
        if other is not None:
            status, headers, body = (200, {}, other) if isinstance(other, bytes) else other
            kept = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
            said[:] = [f"{status} Said", list(kept.items())]
        start_response(*said)
        return [body]

    def empty(self) -> There:
        """The same installation, truthful again and without a public practice."""
        self.twist = None
        self.asked.clear()
        with self.site.database.write() as session:
            for record in session.scalars(select(Record)):
                publishing.unpublish(session, record.practice)
        self.site.drain()
        return self

    def publish(self, **changes: Any) -> str:
        """A new public practice; returns its slug."""
        with self.site.database.write() as session:
            practice = factories.published(session, self._person(session, "alice"), **changes)
            slug = str(practice.slug)
        self.site.drain()
        return slug

    def update(self, slug: str, **changes: Any) -> None:
        """Another version of a public practice, through its review."""
        with self.site.database.write() as session:
            alice, bob = self._person(session, "alice"), self._person(session, "bob")
            practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
            before = practices.working_copy(session, practice)
            practices.save(session, alice, practice, {**before, **changes}, dict(factories.CONTACT))
            vocabulary = factories.vocabulary(session)
            practices.submit(session, alice, practice, vocabulary)
            moderation.take(session, bob, practice)
            moderation.publish(session, bob, practice, vocabulary)
        self.site.drain()

    def step(self, slug: str, action: str, reason: str = "It is over.") -> None:
        """A step of the editors: unpublish, republish, archive."""
        with self.site.database.write() as session:
            practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
            lifecycle.STEPS[action](session, self._person(session, "bob"), practice, reason)
        self.site.drain()

    @staticmethod
    def _person(session: Any, name: str) -> User:
        return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


@contextlib.contextmanager
def there(folder: Path) -> Iterator[There]:
    """The installation of a data folder, answering."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    site = There(Site(configure(folder, KB_BASE_URL=url)), url)
    try:
        with answering(site, port):
            yield site
    finally:
        site.site.close()


@dataclass
class Ran:
    """What came of a run: its counts, and the sentences about what was refused."""

    outcome: Outcome
    refused: list[str]
    waited: list[float]

    def counts(self) -> dict[str, int]:
        """The counts that are not nought."""
        names = ("added", "updated", "waiting", "gone", "kept", "here", "refused")
        return {name: count for name in names if (count := getattr(self.outcome, name))}


def harvest(database: Database, url: str, owner: str | None = None, base_url: str = HERE) -> Ran:
    """Harvest an installation on this machine. Nothing is ever waited for: how long it would be is noted."""
    refused: list[str] = []
    waited: list[float] = []
    remote = Remote(url, Fetcher("Tests/1.0", LIMITS, loopback=True), pause=waited.append)
    with database.read() as session:
        vocabulary = factories.vocabulary(session)
    run = Harvest(database, remote, vocabulary, base_url, owner, refused.append)
    return Ran(run.run(), refused, waited)


# Without another installation


THERE = "https://there.example.eu"


def came(session: Session, owner: User, title: str, *, waiting: Document | None = None, gone: bool = False) -> Practice:
    """A draft of `owner` that came from THERE. `waiting` is a text that waits, `gone` says that it is no more there."""
    source = session.scalars(select(HarvestSource)).first() or HarvestSource(
        id=uuid.uuid4(), url=THERE, owner_id=owner.id
    )
    source.ran = publishing.now()
    session.add(source)
    practice = practices.start(session, owner, factories.document(title=title), None, Origin.HARVEST)
    practice.origin_url = f"{THERE}/practices/nurses"
    session.add(
        Harvested(
            practice_id=practice.id,
            source_id=source.id,
            remote_id=str(uuid.uuid4()),
            remote_slug="nurses",
            remote_version=1,
            remote_updated="2026-01-01T00:00:00Z",
            revision_number=1,
            waiting={"version": 2, "updated": "2026-02-01T00:00:00Z", "document": waiting} if waiting else None,
            gone=publishing.now() if gone else None,
        )
    )
    return practice
