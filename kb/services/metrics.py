"""What `/metrics` says: what all workers have counted, and how the site stands at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.formats.prometheus import Family, Sample
from kb.models import Practice, Record, Role, User
from kb.models import State as PracticeState
from kb.services.counting import BOUNDS, Counted, Counts, Labels
from kb.services.health import Check, State, look
from kb.services.indexing import Indexer

COUNTERS = {
    "requests": "Requests by the room that answers them, method and class of status.",
    "sign_in_failures": "Sign-ins with a wrong password or code.",
    "limited": "Requests that were one too many (429), by room.",
    "faults": "Requests that met a fault of the software (500), by room.",
    "job_failures": "Runs of jobs of the background that failed.",
}
"""Sums that are counted, as `kb_…_total`."""

PLAIN = ("sign_in_failures",)
"""Those that have no labels."""

HISTOGRAMS = {
    "request_seconds": "Seconds until a request was answered whole, by room.",
    "search_seconds": "Seconds that the index took over a search.",
}

LEVELS = {"exports_running": "Lists and snapshots on their way to readers."}

GAUGES = {
    ("index", "waiting"): ("kb_outbox_rows", "Changes that have not reached the index."),
    ("index", "lag_seconds"): ("kb_index_lag_seconds", "Seconds that the first of them has been seen waiting."),
    ("index", "practices"): ("kb_index_practices", "Practices in the index."),
    ("mail", "waiting"): ("kb_mail_waiting", "Mails that are to go out."),
    ("mail", "oldest_seconds"): ("kb_mail_oldest_seconds", "Seconds that the oldest of them has waited."),
    ("mail", "given_up"): ("kb_mail_given_up", "Mails that were given up in the last 30 days."),
    ("disk", "free_bytes"): ("kb_disk_free_bytes", "Bytes free in the folder that has the least."),
}
"""Figures of the checks of `/readyz`, and what they are called here."""


def families(config: Config, database: Database, indexer: Indexer, counts: Counts) -> list[Family]:
    """Everything there is to say, by name. What the database does not tell just now is left out."""
    counted = counts.read()
    checks = look(config, database, indexer).checks
    return [*_counters(counted), *_histograms(counted), *_levels(counted), *_checks(checks), *_stock(database)]


def _counters(counted: Counted) -> Iterator[Family]:
    for name, meaning in COUNTERS.items():
        samples = tuple(Sample(amount, dict(labels)) for labels, amount in _named(counted, name))
        if name in PLAIN and not samples:
            samples = (Sample(0),)  # what first comes into being as 1 was never seen to grow
        yield Family(f"kb_{name}_total", "counter", meaning, samples)


def _histograms(counted: Counted) -> Iterator[Family]:
    for name, meaning in HISTOGRAMS.items():
        classes: dict[Labels, dict[str, float]] = {}
        for labels, amount in _named(counted, f"{name}_bucket"):
            of = dict(labels)
            bound = of.pop("le")
            classes.setdefault(tuple(of.items()), {})[bound] = amount
        sums = dict(_named(counted, f"{name}_sum"))
        samples = [sample for labels, found in classes.items() for sample in _spread(labels, found, sums[labels])]
        yield Family(f"kb_{name}", "histogram", meaning, tuple(samples))


def _spread(labels: Labels, found: dict[str, float], total: float) -> Iterator[Sample]:
    """The samples of one histogram: each class counts what is in those below it too."""
    number = 0.0
    for bound in (*map(str, BOUNDS), "+Inf"):
        number += found.get(bound, 0.0)
        yield Sample(number, {**dict(labels), "le": bound}, "_bucket")
    yield Sample(total, dict(labels), "_sum")
    yield Sample(number, dict(labels), "_count")


def _levels(counted: Counted) -> Iterator[Family]:
    for name, meaning in LEVELS.items():
        yield Family(f"kb_{name}", "gauge", meaning, (Sample(counted.levels.get(name, 0.0)),))
    done = tuple(Sample(at, {"job": job}) for job, at in sorted(counted.moments.items()))
    yield Family("kb_job_success_timestamp_seconds", "gauge", "When a job was last done well, to a minute.", done)
    memory = tuple(Sample(each, {"pid": str(pid)}) for pid, each in counted.memory.items())
    yield Family("kb_process_resident_bytes", "gauge", "Memory of each process, with what it shares.", memory)


def _checks(checks: Iterable[Check]) -> Iterator[Family]:
    states = tuple(Sample(tuple(State).index(check.state), {"check": check.name}) for check in checks)
    yield Family("kb_check", "gauge", "How the checks of /readyz stand: 0 ok, 1 degraded, 2 failing.", states)
    for check in checks:
        for figure, value in check.figures.items():
            name, meaning = GAUGES[check.name, figure]
            yield Family(name, "gauge", meaning, (Sample(value),))


def _stock(database: Database) -> Iterator[Family]:
    try:
        with database.read() as session:
            states = _by(session, Practice.state, PracticeState)
            roles = _by(session, User.role, Role, User.active.is_(True), User.deleted.is_(None))
            public = session.scalar(select(func.count()).select_from(Record)) or 0
    except SQLAlchemyError:
        return  # the check of the database says so
    by_state = tuple(Sample(number, {"state": state}) for state, number in states.items())
    yield Family("kb_practices", "gauge", "Practices by the state of their working copy.", by_state)
    yield Family("kb_public_practices", "gauge", "Practices that readers see.", (Sample(public),))
    by_role = tuple(Sample(number, {"role": role}) for role, number in roles.items())
    yield Family("kb_users", "gauge", "Active accounts by role.", by_role)


def _by(session: Session, column: Any, kinds: type[StrEnum], *where: ColumnElement[bool]) -> dict[str, int]:
    """How many rows there are of each kind, those of which there is none too."""
    rows = session.execute(select(column, func.count()).where(*where).group_by(column))
    found = {kind: number for kind, number in rows}
    return {kind.value: found.get(kind, 0) for kind in kinds}


def _named(counted: Counted, name: str) -> Iterator[tuple[Labels, float]]:
    return ((labels, amount) for (each, labels), amount in counted.counts.items() if each == name)
