"""Jobs that are done from time to time, once for all processes and machines: whoever comes first when one is due.

When a job was done last stands in the database; who does it holds a lock meanwhile. So no machine is in charge of it:
where one dies in the middle its lock goes, nothing was noted, and the next that looks does the job.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kb.db import Database
from kb.models import Job
from kb.services.locks import Locks

LOOK_AGAIN = timedelta(minutes=1)
"""After how long a process looks again where another one was at the job: it may have died over it."""


def _now() -> datetime:
    return datetime.now(UTC)


class Schedule:
    """One job as one process sees it. It is for one thread."""

    def __init__(
        self, database: Database, locks: Locks, name: str, every: timedelta, clock: Callable[[], datetime] = _now
    ) -> None:
        self._database = database
        self._locks = locks
        self._name = name
        self._every = every
        self._clock = clock
        self._looked: datetime | None = None
        self._rest = timedelta()

    def run(self, work: Callable[[], object]) -> bool:
        """Do the job if it is due and nobody is at it; says whether it was done. Costs nothing while it is not due.

        Raises what `work` raises; then this process tries it again after the usual time, and another one before.
        """
        now = self._clock()
        if self._looked is not None and abs(now - self._looked) < self._rest:  # clocks are set back too
            return False
        self._looked, self._rest = now, LOOK_AGAIN
        with self._locks.hold(f"job-{self._name}") as held:
            if held is None:
                return False
            self._rest = self._every
            passed = self._passed(now)
            if passed is not None and passed < self._every:
                self._rest = self._every - passed
                return False
            work()
            with self._database.write() as session:
                session.merge(Job(name=self._name, done=now))
        return True

    def _passed(self, now: datetime) -> timedelta | None:
        """How long ago the job was done, by whichever machine; None where it never was."""
        with self._database.read() as session:
            job = session.get(Job, self._name)
        return None if job is None else abs(now - job.done)
