"""The embedded search engine: no server, one folder, any number of processes and threads."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic

from kb.search import marking
from kb.search.port import Capabilities, Document, Entry, IndexLost, Page, Query, SearchEngine
from kb.search.question import Question
from kb.search.whoosh import writing
from kb.search.whoosh.answering import answer, matching
from kb.search.whoosh.completing import complete
from kb.search.whoosh.helping import cores, helpers_for
from kb.search.whoosh.snapshot import Snapshot, open_snapshot
from kb.search.whoosh.store import Manifest, Store

_LOOK_EVERY = 0.25  # seconds between two looks at whether somebody wrote


class _Searching(ABC):
    """What any index can do that can be looked at."""

    capabilities = Capabilities()

    @abstractmethod
    def _look(self) -> Snapshot: ...

    def search(self, query: Query) -> Page:
        """Answer a query. Raises IndexLost where there is nothing to ask, ValueError for an unknown sort or facet."""
        snapshot = self._look()
        with _damage_found(snapshot):
            return answer(snapshot, query)

    def matching(self, query: Query) -> tuple[str, ...]:
        """Return the ids of all documents that `search` counts, in its order. Raises as `search` does."""
        snapshot = self._look()
        with _damage_found(snapshot):
            return matching(snapshot, query)

    def complete(self, kind: str, text: str, limit: int) -> tuple[str, ...]:
        """Return names of a kind of `COMPLETED`, a word of which begins with `text`, the most frequent first."""
        snapshot = self._look()
        with _damage_found(snapshot):
            return complete(snapshot, kind, text, limit)

    def mark(
        self, text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0
    ) -> str:
        """Return `text` as HTML with the words marked that answer `question`; see `kb.search.marking.mark`."""
        return marking.mark(text, question, language, characters=characters, first=first)

    def answers(self, text: str, question: Question, language: str) -> bool:
        """Whether `mark` would mark anything in a text."""
        return marking.answers(text, question, language)

    def count(self) -> int:
        """The number of documents. Raises IndexLost where the index is missing or damaged."""
        return self._look().count

    def ids(self) -> frozenset[str]:
        """The ids of all documents. Raises IndexLost where the index is missing or damaged."""
        snapshot = self._look()
        return frozenset(i for i, live in zip(snapshot.ids, snapshot.live.tolist(), strict=True) if live)

    def entries(self) -> dict[str, Entry]:
        """How each document stands in the index, by id. Raises IndexLost where it is missing or damaged."""
        snapshot = self._look()
        with _damage_found(snapshot):
            numbers = (each.tolist() for each in (snapshot.updated, snapshot.adopted, snapshot.completeness))
            rows = zip(snapshot.ids, snapshot.live.tolist(), snapshot.slugs, *numbers, strict=True)
            return {i: Entry(*stands) for i, live, *stands in rows if live}

    def check(self) -> None:
        """Read the whole index, which takes seconds. Raises IndexLost where a byte is not what was written."""
        self._look().check()


@contextmanager
def _damage_found(snapshot: Snapshot) -> Iterator[None]:
    """Raise IndexLost where somebody stumbled over damaged arrays: to look for damage before would take too long."""
    try:
        yield
    except (LookupError, ArithmeticError, UnicodeError, AssertionError):
        snapshot.check()
        raise


class WhooshEngine(_Searching):
    """Searches and writes the index in `folder`. Cheap to make: nothing is read, made or needed before the first use.

    Other processes see a commit within 250 ms, this one at once. Searching goes on during writing and rebuilding.
    `helpers` is how many processes may help with a rebuild of many documents; without it as many as pay.
    """

    def __init__(self, folder: Path, helpers: int | None = None) -> None:
        self._store = Store(folder)
        self._helpers = helpers_for(cores()) if helpers is None else helpers
        self._forget()

    def update(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Put documents in place of those with the same id, and take out `gone`, in one commit.

        Waits for other writers. Once in some thousand updates it goes on for seconds to put segments together, after
        the documents are there to be found. Raises IndexLost where there is no index to update: it wants a rebuild.
        """
        self._store.current()
        with self._store.writing():
            live = self._store.current()
            path = self._store.path(live)
            self._store.tidy(live)
            live = self._commit(live, writing.write(path, live.generation, documents, gone))
            self._look_anew()
            self._commit(live, writing.merge(path, live.generation))
        self._look_anew()

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        """Build a new index beside the live one and swap it in; return the number of documents.

        The live index takes updates meanwhile. Then `replay` is called with an engine of the new index, to bring in
        what they changed. It has to hold up further updates until this returns, or one that comes before the swap would
        be lost. No lock is held while it runs, so that it can wait for whoever is updating. Raises ChildProcessError
        where a process that helps is killed; the live index stays as it was then, as with any other error.

        What the helpers built becomes one segment with `unite`, which takes some 12 KB of memory a document and is for
        a process that does nothing else; without it only where it is little.
        """
        self._store.folder.mkdir(parents=True, exist_ok=True)
        with self._store.rebuilding():
            self._store.remove_indexes(except_for=self._store.live_folder())
            try:
                built = _NewIndex(self._store.folder / self._store.new_index())
                built.fill(documents, self._helpers, unite)
                if replay:
                    replay(built)
                count = built.count()  # it can be opened, so it may take the other's place
                with self._store.writing():
                    self._store.tidy(self._store.commit(built.path.name, built.commits, built.files()))
            finally:
                self._store.remove_indexes(except_for=self._store.live_folder())
        self._look_anew()
        return count

    def generation(self) -> str:
        """Return a word that changes with every commit; what is found after this is no older. Raises IndexLost."""
        mark = self._store.mark()
        if mark != self._mark:
            self._look_anew()
        self._look()
        return mark

    def close(self) -> None:
        """Give back files and memory. The engine can be used again after it."""
        self._forget()

    def _commit(self, live: Manifest, generation: int) -> Manifest:
        """Make a generation that was written the live one; return what is live. Hold `writing` around it."""
        if generation == live.generation:
            return live
        names = writing.files_of(self._store.path(live), generation)
        new = self._store.commit(live.folder, generation, names, live.files)
        self._store.tidy(new)
        return new

    def _forget(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._seen: Manifest | None = None
        self._snapshot: Snapshot | None = None
        self._looked = -inf
        self._mark = ""

    def _look_anew(self) -> None:
        with self._lock:
            self._looked = -inf

    def _look(self) -> Snapshot:
        """Return the index as it is, or as it was at most 250 ms ago."""
        if self._process != os.getpid():
            self._forget()  # the position in an open file is shared with the process that forked this one
        snapshot = self._snapshot
        if snapshot is not None and monotonic() - self._looked < _LOOK_EVERY:
            return snapshot
        with self._lock:
            if self._snapshot is None or monotonic() - self._looked >= _LOOK_EVERY:
                self._snapshot = self._refreshed()
                self._looked = monotonic()
            return self._snapshot

    def _refreshed(self) -> Snapshot:
        previous, self._snapshot = self._snapshot, None
        self._mark = self._store.mark()  # before anything is read: what is read is as new or newer
        while True:
            manifest = self._store.current()
            if previous is not None and manifest == self._seen:
                return previous
            try:
                snapshot = open_snapshot(self._store.path(manifest), manifest.generation, previous)
            except IndexLost:
                # A writer may have removed files since CURRENT was read: then it names others by now.
                if self._store.current() == manifest:
                    raise
            else:
                self._seen = manifest
                return snapshot


class _NewIndex(_Searching):
    """An index that is being built. Only its maker knows it, so it needs no locks and commits to nobody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        self._snapshot: Snapshot | None = None
        writing.create(path)

    def files(self) -> list[str]:
        """The names of the files that make it up."""
        return writing.files_of(self.path, self.commits)

    def fill(self, documents: Iterable[Document], helpers: int, unite: bool) -> None:
        """Put the first documents in, with so many helping processes where they are many."""
        self.commits = writing.fill(self.path, documents, helpers, unite)
        self._snapshot = None

    def update(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Put documents in place of those with the same id, and take out `gone`."""
        self.commits = writing.write(self.path, self.commits, documents, gone)
        self._snapshot = None

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        """Refuse: it is being built already."""
        raise RuntimeError("an index that is being rebuilt cannot be rebuilt")

    def generation(self) -> str:
        """Return how often it was written to."""
        return str(self.commits)

    def close(self) -> None:
        """Give back files and memory."""
        self._snapshot = None

    def _look(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = open_snapshot(self.path, self.commits)
        return self._snapshot
