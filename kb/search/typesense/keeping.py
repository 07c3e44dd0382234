"""What is kept on a cluster: a collection for each time the index was built, an alias on the live one, its state.

Collections are called `<name>-<n>`, each with a higher `n` than those before; the alias `<name>` is on the live one.
The state is a document of the collection itself, written as the last of every update with a higher number than the one
before. So `(n, number)` grows with each commit, and tells of any two answers which is the newer one.

Followers lag behind the leader of a cluster. But each node does what is written to one collection in the order in which
it was written, state last: a node whose state has a number has all that was written up to it. Every question therefore
asks for the state too, of the same node at the same time, and an answer is taken only where its state is as new as the
newest that this process has met; else another node is asked. That is why what is found after `generation` is no older
than what that named, whichever nodes the two were asked of: what it named was met before.

Who writes asks every node for the state, and goes on from the newest: the leader has whatever was acknowledged.

An alias may be put by hand on a collection that was built under another name, as for a second site to try things on: it
is copied before it is written to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from kb.search.port import IndexLost, SearchUnavailable
from kb.search.typesense.nodes import Ask, Missing, Nodes
from kb.search.typesense.schema import SCHEMA

T = TypeVar("T")

LAYOUT = 1
"""The number of what `schema.stored` makes of a document: raised with every change of it, so that the index is built
anew. While machines of two releases run side by side the newer one's index is kept, and the older ones do not search.
"""

STATE = "_state"
"""The id of the document that says how a collection stands."""

PATIENCE = 3.0
"""Seconds for which nodes are asked again that lag, while another one does not answer."""

AGAIN = 0.05
"""Seconds between two times."""

AT_ONCE = 50
"""Ids in one request: an address may have 4,000 characters."""


class Stand(NamedTuple):
    """How a collection stands: which one it is, and the number of its last commit."""

    collection: int
    commit: int


class Behind(Exception):
    """A node has not yet done what this process knows to be written."""


class Seen(NamedTuple):
    """What a node said of a collection: its name, how it stands, how many documents it has."""

    name: str
    stand: Stand
    documents: int


NOTHING = Stand(-1, -1)


class Kept:
    """A collection that is asked and written: the live one, behind its alias, or one that is being built."""

    def __init__(self, nodes: Nodes, name: str, copy: Callable[[Kept, Seen], Seen] | None = None) -> None:
        """Take the name of the alias, or of the collection that is being built. Nothing is asked yet.

        `copy` puts the alias on a copy of a collection that was built under another name.
        """
        self.nodes = nodes
        self.name = name
        self._copy = copy
        self._known = NOTHING
        self._lock = threading.Lock()

    # Asking

    def multi_search(self, searches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The answers to several questions by one node, as of one commit, as new as any that this process has met.

        The parameters are those of Typesense; the collection is added to them. Raises IndexLost, SearchUnavailable,
        and Refused where a question is not understood.
        """

        def ask(node: Ask) -> tuple[Seen, list[dict[str, Any]]]:
            mine = {"collection": self.name, "hidden_hits": STATE}
            first, *answers = node.search([self._for_state(), *({**mine, **search} for search in searches)])
            seen = self._seen(node, first)
            for answer in answers:
                if answer.get("code") == 404 or _collection(answer) not in (None, seen.name):
                    raise SearchUnavailable("The collection was swapped meanwhile")
                if "error" in answer:
                    raise node.refusal(int(answer.get("code", 500)), str(answer["error"]))
            return seen, answers

        return self.newest(ask)[1]

    def stand(self) -> Seen:
        """How the collection stands now. Raises IndexLost, SearchUnavailable."""
        return self.newest(lambda node: (self.look(node), None))[0]

    def exported(self, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """These fields of all documents, state left out. Raises IndexLost, SearchUnavailable."""

        def ask(node: Ask) -> tuple[Seen, Iterator[dict[str, Any]]]:
            seen = self.look(node)
            params = {"include_fields": ",".join(("id", *fields))}
            return seen, node.lines(f"/collections/{seen.name}/documents/export", params)

        return (each for each in self.newest(ask)[1] if each.pop("id") != STATE)

    def newest(self, ask: Callable[[Ask], tuple[Seen, T]]) -> tuple[Seen, T]:
        """What the first node says whose state is as new as any that was met.

        Raises IndexLost where every node says that there is nothing, or only what is older: the leader is among them.
        So it does where most do, and go on to do, while others do not answer. Raises SearchUnavailable else.
        """
        until = time.monotonic() + PATIENCE
        while True:
            known = self._known
            lost, away = [], []
            for node in self.nodes.in_turn():
                try:
                    seen, found = ask(node)
                    if seen.stand >= known:
                        self.met(seen.stand)
                        return seen, found
                    lost.append(f"{node} has an older state than was met before")
                except Missing as missing:
                    lost.append(str(missing))
                except SearchUnavailable as failure:
                    away.append(str(failure))
            over = time.monotonic() >= until
            if not away or (over and len(lost) > len(away)):
                raise IndexLost("; ".join(lost))
            if not lost or over:
                raise SearchUnavailable("; ".join(away + lost))
            time.sleep(AGAIN)

    def look(self, node: Ask) -> Seen:
        """How the collection stands on a node. Raises Missing, SearchUnavailable."""
        return self._seen(node, node.search([self._for_state()])[0])

    def met(self, stand: Stand) -> None:
        """Take no older answer from now on."""
        with self._lock:
            self._known = max(self._known, stand)

    def _for_state(self) -> dict[str, Any]:
        return {
            "collection": self.name,
            "q": "*",
            "filter_by": f"id:={STATE}",
            "per_page": 1,
            "include_fields": "commit,layout",
        }

    def _seen(self, node: Ask, answer: Mapping[str, Any]) -> Seen:
        if answer.get("code") == 404:
            raise Missing(f"{node} has no collection {self.name}")
        if "error" in answer:
            raise node.refusal(int(answer.get("code", 500)), str(answer["error"]))
        if not answer["hits"]:
            raise Missing(f"{node} has no state of the collection {self.name}")
        state = answer["hits"][0]["document"]
        if state["layout"] > LAYOUT:
            raise SearchUnavailable(f"The index on {node} was made by a newer release of this program")
        if state["layout"] < LAYOUT:
            raise Missing(f"{node} has an index that was made by an older release of this program")
        name = str(_collection(answer))
        return Seen(name, Stand(number_of(name), state["commit"]), answer["out_of"] - 1)

    # Writing

    def write(self, documents: Sequence[Mapping[str, Any]], gone: Sequence[str] = (), patience: float = 0.0) -> None:
        """Take out what has one of these ids, put documents in place of those with theirs, then write the state.

        Raises IndexLost where there is no collection, SearchUnavailable, Refused.
        """
        seen = self._for_writing()
        if self._copy is not None and not built_under(self.name, seen.name):
            seen = self._copy(self, seen)
        commit = max(seen.stand.commit + 1, microseconds())
        try:
            put(self.nodes, seen.name, [*documents, state(commit)], gone, patience)
        except Missing as missing:
            raise IndexLost(f"The collection {seen.name} was removed while it was written to") from missing
        self.met(Stand(seen.stand.collection, commit))

    def _for_writing(self) -> Seen:
        """The newest state that any node has."""
        found: list[Seen] = []
        lost, away = [], []
        for node in self.nodes.in_turn():
            try:
                found.append(self.look(node))
            except Missing as missing:
                lost.append(str(missing))
            except SearchUnavailable as failure:
                away.append(str(failure))
        newest = max(found, key=lambda seen: seen.stand, default=None)
        if newest is not None and newest.stand >= self._known:
            return newest
        if not away:
            raise IndexLost("; ".join(lost) or "All nodes have an older state than was met before")
        raise SearchUnavailable("; ".join(away))


def put(
    nodes: Nodes, collection: str, documents: Sequence[Mapping[str, Any]], gone: Sequence[str], patience: float
) -> None:
    """Take documents out of a collection and put others in. Raises Missing, Refused, SearchUnavailable."""
    path = f"/collections/{collection}/documents"
    for first in range(0, len(gone), AT_ONCE):
        named = ",".join(f"`{each}`" for each in gone[first : first + AT_ONCE])
        _delete(nodes, path, {"filter_by": f"id:[{named}]"}, patience)
    if documents:
        nodes.write(lambda node: node.take_in(path, documents), patience)


def _delete(nodes: Nodes, path: str, params: Mapping[str, str], patience: float) -> None:
    nodes.write(lambda node: node.delete(path, params), patience)


def state(commit: int) -> dict[str, Any]:
    """The document that says how a collection stands; it has something in each field that must not be missing."""
    empty = {"string": "", "bool": False, "float": 0.0}
    needed = [field for field in SCHEMA["fields"] if not field.get("optional")]
    filled = {field["name"]: [] if field["type"].endswith("[]") else empty.get(field["type"], 0) for field in needed}
    return {**filled, "id": STATE, "commit": commit, "layout": LAYOUT}


def number_of(collection: str) -> int:
    """The `n` of a collection's name; -1 where it has none."""
    number = collection.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else -1


def built_under(name: str, collection: str) -> bool:
    """Whether a collection was built under a name."""
    return collection.rpartition("-")[0] == name and number_of(collection) >= 0


def _collection(answer: Mapping[str, Any]) -> str | None:
    name: str | None = answer.get("request_params", {}).get("collection_name")
    return name


def microseconds() -> int:
    """The time, as a number that grows from commit to commit even where two machines' clocks differ a little."""
    return time.time_ns() // 1000
