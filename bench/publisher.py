"""A process that publishes one practice after the other on a data folder, by the services, as the site does."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from bench.generate import Generator
from kb import config as settings
from kb.cli.opening import parts
from kb.models import Origin, Practice, State
from kb.services import publishing, vocabularies
from kb.services.checking import check
from kb.services.record import shape


def publish(folder: Path, every: float, published: Any, stop: Any) -> None:
    """Publish a practice with a word of its own every so many seconds, until `stop` is set.

    Puts a None into the queue `published` when it is ready, then (word, moment of the commit by `time.monotonic`, which
    all processes share).
    """
    config = settings.load({"KB_DATA_DIR": str(folder)})
    records = Generator(int(time.time())).records(1_000_000)
    with parts(config) as site:
        with site.database.read() as session:
            vocabulary = vocabularies.load(session)
        published.put(None)
        while not stop.wait(every):
            word = f"zz{uuid.uuid4().hex}"
            record = next(records)
            with site.database.write() as session:
                practice = Practice(id=uuid.uuid4(), origin=Origin.MEMBER, state=State.DRAFT)
                session.add(practice)
                session.flush()
                document = shape({**record, "title": f"{record['title'][:50]} {word}"})
                publishing.publish(session, practice, check(document, vocabulary))
            published.put((word, time.monotonic()))
            site.indexer.after_commit()
