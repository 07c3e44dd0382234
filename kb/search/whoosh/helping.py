"""Other processes that build segments: a rebuild of many documents keeps all cores busy.

Each is a fresh interpreter that reads documents from its standard input, so it needs nothing of what the process that
started it has open, and ends by itself when that one is gone. It writes segments into the folder of an index that
nobody reads yet, and says last on its standard output which.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from queue import Queue
from typing import Any, BinaryIO, NamedTuple

from kb.search.port import Document
from kb.search.whoosh.building import SegmentBuilder
from kb.search.whoosh.codec import Files

SEGMENT_DOCUMENTS = 34_000
"""Documents after which a segment is ended: writing it takes some 5 KB of memory for each document of 500 words."""

_BEGIN = f"import sys; sys.path[:] = sys.argv[2:]; from {__name__} import main; main()"  # what a helper runs
_PATIENT = 10  # how far readers go before: whoever searches does not wait for an index that is built
_BATCH = 200  # documents handed over at a time
_WAITING = 5  # batches that wait for a helper


class Place(NamedTuple):
    """Which helper has a document, and how many it got before."""

    helper: int
    number: int


class Helpers:
    """Processes that build segments in a folder. Close them: those that have not finished are stopped."""

    def __init__(self, path: Path, count: int) -> None:
        """Start so many, at least one. Raises OSError where that cannot be done."""
        self._helpers: list[_Helper] = []
        try:
            for _ in range(count):
                self._helpers.append(_Helper(path))
        except BaseException:
            self.close()
            raise
        self._turn = 0

    def put(self, document: Document) -> Place:
        """Hand over a document. Raises ChildProcessError where a helper has ended."""
        helper = self._helpers[self._turn]
        place = Place(self._turn, helper.count)
        if helper.put(document):
            self._turn = (self._turn + 1) % len(self._helpers)
        return place

    def finish(self) -> list[list[Any]]:
        """Return Whoosh's objects for what each helper built. Raises ChildProcessError where one failed."""
        for helper in self._helpers:
            helper.end()
        return [helper.segments() for helper in self._helpers]

    def close(self) -> None:
        """Stop the helpers that have not finished."""
        for helper in self._helpers:
            helper.close()


class _Helper:
    """One of the processes, from outside. A thread feeds it, so that giving and building need not wait."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._batch: list[Document] = []
        self._process = subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", _BEGIN, str(path.absolute()), *map(os.path.abspath, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._broken = False
        self._queue: Queue[list[Document] | None] = Queue(_WAITING)
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()

    def put(self, document: Document) -> bool:
        """Take a document; return whether a batch of them is full and on its way."""
        self._batch.append(document)
        self.count += 1
        if len(self._batch) < _BATCH:
            return False
        self._send()
        return True

    def end(self) -> None:
        """Say that no more documents come."""
        self._send()
        self._queue.put(None)

    def segments(self) -> list[Any]:
        """Wait for what it built."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            answer = pickle.load(self._process.stdout)  # noqa: S301 - our own process wrote it
        except (EOFError, pickle.UnpicklingError):
            raise self._ended() from None
        if isinstance(answer, str):
            raise ChildProcessError(f"a part of the index could not be built: {answer}")
        self._process.wait()
        return list(answer)

    def close(self) -> None:
        """Stop it, if it still runs, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._broken = True
        while self._feeder.is_alive():
            if self._queue.full():
                self._queue.get()
            self._queue.put(None)
            self._feeder.join(0.05)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101 - both are pipes
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # what it was to read has no reader any more

    def _send(self) -> None:
        if self._broken:
            raise self._ended()
        self._queue.put(self._batch)
        self._batch = []

    def _feed(self) -> None:
        """Hand over batch after batch; of a helper that is gone only take them from the queue."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        while True:
            batch = self._queue.get()
            try:
                if not self._broken:
                    pickle.dump(batch, self._process.stdin, pickle.HIGHEST_PROTOCOL)
                    self._process.stdin.flush()
            except OSError:
                self._broken = True
            if batch is None:
                return

    def _ended(self) -> ChildProcessError:
        return ChildProcessError(f"a process that builds the index has ended too early (status {self._process.wait()})")


def helpers_for(cores: int) -> int:
    """Return how many helpers pay on so many cores: one core is for reading the documents, and that feeds three."""
    return max(0, min(cores - 1, 3))


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _build(path: Path, documents: BinaryIO) -> Sequence[Any]:
    """Return the segments built of all the documents that come. Raises EOFError where they end without a word."""
    built: list[Any] = []
    builder: SegmentBuilder | None = None
    with closing(Files(path)) as files:
        while (batch := pickle.load(documents)) is not None:  # noqa: S301 - the process that started this one wrote it
            for document in batch:
                builder = builder or SegmentBuilder(files)
                builder.add(document)
                if builder.count >= SEGMENT_DOCUMENTS:
                    built.append(builder.finish())
                    builder = None
        if builder is not None:
            built.append(builder.finish())
    return built


def main() -> None:
    """Build segments of what comes from standard input in the folder that is named."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one hears it too, and decides
    os.nice(_PATIENT)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed is not an answer
    try:
        answer: object = _build(Path(sys.argv[1]), sys.stdin.buffer)
    except EOFError:
        return
    except Exception as error:
        answer = repr(error)
    with answers:
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
