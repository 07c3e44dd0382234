"""Building a collection beside the live one, swapping it in, and taking away what is left of former ones."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from kb.search.port import Document, IndexLost, SearchUnavailable
from kb.search.typesense.keeping import Kept, Seen, Stand, built_under, microseconds, number_of, put, state
from kb.search.typesense.nodes import Missing, Nodes, Refused
from kb.search.typesense.schema import SCHEMA, stored

T = TypeVar("T")

BATCH = 200
"""Documents sent at once."""

PATIENCE = 60.0
"""Seconds for which a rebuild waits until the cluster takes something in: an election takes some ten."""

ABANDONED = 3600.0
"""Seconds for which nobody wrote to a collection that is not live: it is left of a rebuild that did not end."""


def build(nodes: Nodes, name: str, documents: Iterable[Document], replay: Callable[[Kept], None]) -> Seen:
    """Fill a new collection, let `replay` bring in what changed meanwhile, and put the alias `name` on it.

    Where somebody who began later has already done the same, theirs stays. Returns what is live then.
    """
    clear(nodes, name)
    building = Kept(nodes, _new(nodes, name))
    try:
        _fill(nodes, building, documents)
        replay(building)
        seen = building.stand()  # it can be asked, so it may take the other's place
        former = _live(nodes, name)
        if former is not None and number_of(former) > seen.stand.collection:
            drop(nodes, building.name)
            return Kept(nodes, name).stand()
        nodes.write(lambda node: node.put(f"/aliases/{name}", {"collection_name": building.name}), PATIENCE)
    except BaseException:
        with contextlib.suppress(SearchUnavailable):
            if _live(nodes, name) != building.name:  # the alias may have been put there without an answer
                drop(nodes, building.name)
        raise
    if former is not None and former != building.name and built_under(name, former):
        with contextlib.suppress(SearchUnavailable):  # else the next rebuild takes it away
            drop(nodes, former)
    return seen


def copied(kept: Kept, seen: Seen) -> Seen:
    """Put the alias of `kept` on a copy of the collection that it is on; returns how the copy stands."""
    nodes, collection = kept.nodes, _new(kept.nodes, kept.name)
    try:
        found = nodes.read(lambda node: node.lines(f"/collections/{seen.name}/documents/export", {}))
        for batch in batches(found):
            if batch:
                put(nodes, collection, batch, (), PATIENCE)
        nodes.write(lambda node: node.put(f"/aliases/{kept.name}", {"collection_name": collection}), PATIENCE)
    except BaseException:
        with contextlib.suppress(SearchUnavailable):
            drop(nodes, collection)
        raise
    return Seen(collection, Stand(number_of(collection), seen.stand.commit), seen.documents)


def drop(nodes: Nodes, collection: str) -> None:
    """Take a collection away, if it is there. Raises SearchUnavailable."""
    with contextlib.suppress(Missing):
        nodes.write(lambda node: node.delete(f"/collections/{collection}"))


def clear(nodes: Nodes, name: str) -> None:
    """Take away what former rebuilds left: collections that are not live, and were not written to for an hour.

    One that is written to is being filled by another machine. Raises SearchUnavailable.
    """
    live = _live(nodes, name)
    for collection in _collections(nodes, name):
        if collection != live and time.time() - _written(nodes, collection) > ABANDONED:
            drop(nodes, collection)


def _new(nodes: Nodes, name: str) -> str:
    """Make an empty collection with a number higher than any before; returns its name."""
    taken = max((number_of(each) for each in _collections(nodes, name)), default=0)
    for number in itertools.count(max(taken + 1, microseconds() // 1000)):
        collection = f"{name}-{number}"
        try:
            nodes.write(lambda node, made=collection: node.post("/collections", {**SCHEMA, "name": made}), PATIENCE)  # type: ignore[misc]
        except Refused:
            if collection in _collections(nodes, name):
                continue  # another machine has begun at the same moment
            raise
        return collection
    raise AssertionError("numbers never end")


def _fill(nodes: Nodes, building: Kept, documents: Iterable[Document]) -> None:
    """Put documents in, by batches, each with a state, so that others see that it is being filled."""
    for batch in batches(documents):
        try:
            put(nodes, building.name, [*map(stored, batch), state(microseconds())], (), PATIENCE)
        except Missing as missing:
            raise IndexLost(f"The collection {building.name} was removed while it was filled") from missing


def batches(documents: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """So many documents as are sent at once, and again; one empty batch where there are none."""
    left = iter(documents)
    yield tuple(itertools.islice(left, BATCH))
    while batch := tuple(itertools.islice(left, BATCH)):
        yield batch


def _live(nodes: Nodes, name: str) -> str | None:
    """The collection that the alias is on, as the node says that has the newest; None where there is no alias."""
    found: list[str] = []
    failures = []
    for node in nodes.in_turn():
        try:
            found.append(node.get(f"/aliases/{name}")["collection_name"])
        except Missing:
            continue
        except SearchUnavailable as failure:
            failures.append(str(failure))
    if not found and failures:
        raise SearchUnavailable("; ".join(failures))
    return max(found, key=number_of, default=None)


def _collections(nodes: Nodes, name: str) -> list[str]:
    """The collections that were ever built under a name, and are there."""
    known = nodes.read(lambda node: node.get("/collections"))
    return [each["name"] for each in known if built_under(name, each["name"])]


def _written(nodes: Nodes, collection: str) -> float:
    """When a collection was last written to, in seconds since 1970: when its state says, or when it was made."""
    path = f"/collections/{collection}"
    try:
        return float(nodes.read(lambda node: node.get(f"{path}/documents/_state"))["commit"]) / 1_000_000
    except Missing:
        pass
    try:
        return float(nodes.read(lambda node: node.get(path))["created_at"])
    except Missing:
        return time.time()
