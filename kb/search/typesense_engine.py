"""The search engine on a Typesense cluster: several web machines ask and write one and the same index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from kb.search import marking
from kb.search.port import Capabilities, Document, Entry, IndexLost, Page, Query, SearchEngine
from kb.search.question import Question
from kb.search.typesense.about import Asked
from kb.search.typesense.address import Address
from kb.search.typesense.answering import answer, matching
from kb.search.typesense.building import build, copied
from kb.search.typesense.completing import complete
from kb.search.typesense.keeping import Kept
from kb.search.typesense.nodes import Nodes
from kb.search.typesense.schema import stored, stored_id

PATIENCE_OF_A_REBUILD = 60.0
"""Seconds for which a rebuild waits until the cluster takes in what changed meanwhile."""


_WRITING: dict[str, threading.Lock] = {}
"""One for each collection that this process writes to, by whichever engine. Processes take turns by the services' lock:
of two that write at the same time the later one could end up as the older one.
"""


class _Engine:
    """What can be asked of a collection, and written to it."""

    capabilities = Capabilities()

    def __init__(self, kept: Kept, patience: float) -> None:
        self._kept = kept
        self._asked = Asked(kept)
        self._patience = patience
        self._writing = _WRITING.setdefault(kept.name, threading.Lock())

    def search(self, query: Query) -> Page:
        """Answer a query. Raises IndexLost, SearchUnavailable, ValueError for an unknown sort or facet."""
        return answer(self._asked.look(), query)

    def matching(self, query: Query) -> tuple[str, ...]:
        """Return the ids of all documents that `search` counts, in its order. Raises as `search` does."""
        return matching(self._asked.look(), query)

    def complete(self, kind: str, text: str, limit: int) -> tuple[str, ...]:
        """Return names of a kind of `COMPLETED`, a word of which begins with `text`, the most frequent first."""
        return complete(self._asked.look(), kind, text, limit)

    def mark(
        self, text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0
    ) -> str:
        """Return `text` as HTML with the words marked that answer `question`; see `kb.search.marking.mark`."""
        return marking.mark(text, question, language, characters=characters, first=first)

    def answers(self, text: str, question: Question, language: str) -> bool:
        """Whether `mark` would mark anything in a text."""
        return marking.answers(text, question, language)

    def update(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Take out `gone`, then put documents in place of those with the same id; nothing is left out of an error.

        Who searches in that moment may find the former without the latter; the generation is the old one until both
        are done. Raises IndexLost where there is no index to update, SearchUnavailable.
        """
        last = {document.id: document for document in documents}
        away = [stored_id(each) for each in gone if each not in last]
        with self._writing:
            if last or away:
                self._kept.write([stored(each) for each in last.values()], away, self._patience)
            else:
                self._kept.stand()

    def count(self) -> int:
        """The number of documents. Raises IndexLost where there is no index, SearchUnavailable."""
        return self._kept.stand().documents

    def ids(self) -> frozenset[str]:
        """The ids of all documents. Raises IndexLost, SearchUnavailable."""
        return frozenset(each["key"] for each in self._kept.exported(("key",)))

    def entries(self) -> dict[str, Entry]:
        """How each document stands in the index, by id. Raises IndexLost, SearchUnavailable."""
        fields = ("slug", "updated", "adopted", "completeness")
        return {
            each["key"]: Entry(each["slug"], each["updated"], each["adopted"], each["completeness"])
            for each in self._kept.exported(("key", *fields))
        }

    def check(self) -> None:
        """Read all documents. Raises IndexLost where some are missing that the server counts, SearchUnavailable."""
        seen = self._kept.stand()
        read = sum(1 for _each in self._kept.exported(("key",)))
        after = self._kept.stand()
        if after.stand == seen.stand and read != seen.documents:
            raise IndexLost(f"The collection {seen.name} counts {seen.documents} documents, and {read} can be read")

    def generation(self) -> str:
        """Return a word that changes with every commit; what is found after this is no older. Raises IndexLost."""
        seen = self._kept.stand()
        return f"{seen.stand.collection}-{seen.stand.commit}"


class TypesenseEngine(_Engine):
    """Searches and writes the collection of an address. Nothing is opened before the first use."""

    def __init__(self, address: Address) -> None:
        """Raises SearchUnavailable where the client library is not installed."""
        self._nodes = Nodes(address)
        self._name = address.collection
        super().__init__(Kept(self._nodes, address.collection, copied), patience=0.0)

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        """Build a new collection beside the live one and swap it in; return the number of documents.

        The live one takes updates meanwhile. Then `replay` is called with an engine of the new one, to bring in what
        they changed. It has to hold up further updates until this returns, or one that comes before the swap would be
        lost. `unite` changes nothing: every collection is as quick to ask as it can be. Raises SearchUnavailable where
        the cluster takes nothing in for a minute; the live collection stays as it was then, as with any other error.
        """

        def replayed(building: Kept) -> None:
            if replay:
                replay(_NewIndex(building, PATIENCE_OF_A_REBUILD))

        seen = build(self._nodes, self._name, documents, replayed)
        self._kept.met(seen.stand)
        return seen.documents

    def close(self) -> None:
        """Give back connections. The engine can be used again after it."""
        self._nodes.close()


class _NewIndex(_Engine):
    """An index that is being built."""

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        """Refuse: it is being built already."""
        raise RuntimeError("an index that is being rebuilt cannot be rebuilt")

    def close(self) -> None:
        """Give back nothing: the connections are those of the live index."""
