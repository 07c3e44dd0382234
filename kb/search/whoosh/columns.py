"""The records of a segment as arrays, a row for each document: what filters, facets, orders and hits are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.beginnings import Beginnings, Parts
from kb.search.moments import ALWAYS_AFTER, ALWAYS_BEFORE, NEVER
from kb.search.port import COMPLETED, IndexLost
from kb.search.whoosh.arrays import Array, Texts, encode
from kb.search.whoosh.inverted import hashed
from kb.search.whoosh.schema import FIELDS, NUMBERED, Record

_NOT_A_TIME = np.iinfo(np.int64).min  # what numpy makes of no moment


class ValueSets:
    """Which documents have which values: for each pair an entry in `documents` and in `codes` (places in `names`).

    The documents ascend. The entries of the document number n are `bounds[n]:bounds[n + 1]`, its primary value first.
    """

    def __init__(
        self,
        names: Sequence[str],
        documents: NDArray[np.uint32],
        codes: NDArray[np.uint32],
        bounds: NDArray[np.int64],
    ) -> None:
        self.names, self.documents, self.codes, self.bounds = names, documents, codes, bounds

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each name among them."""
        return {name: place for place, name in enumerate(self.names)}

    def wanted(self, values: Iterable[str]) -> NDArray[np.bool_]:
        """Return which of the entries are of one of these values."""
        these = np.zeros(len(self.names), np.bool_)
        these[[self.places[value] for value in values if value in self.places]] = True
        return np.asarray(these[self.codes])


class Columns(NamedTuple):
    """The records of a segment.

    `titles` are `title_entry`, and `by_title` names the documents in their order; `title_hashes` are of titles alone.
    `published` and `updated` are seconds since 1970 in UTC. `beginnings` find the names of `completions`.
    """

    ids: Texts
    slugs: Texts
    titles: Texts
    by_title: NDArray[np.uint32]
    title_hashes: NDArray[np.uint64]
    lengths: NDArray[np.uint32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    dated: NDArray[np.bool_]
    published: NDArray[np.int64]
    updated: NDArray[np.int64]
    adopted: NDArray[np.int32]
    completeness: NDArray[np.float64]
    sets: Mapping[str, ValueSets]
    completions: Mapping[str, ValueSets]
    beginnings: Mapping[str, Beginnings]
    languages: frozenset[str]


_NUMBERS = {
    "by_title": np.uint32,
    "title_hashes": np.uint64,
    "starts": np.int32,
    "ends": np.int32,
    "dated": np.bool_,
    "published": np.int64,
    "updated": np.int64,
    "adopted": np.int32,
    "completeness": np.float64,
}


def seconds(moments: Iterable[str]) -> NDArray[np.int64]:
    """Return ISO dates and moments in UTC as seconds since 1970, `NEVER` for empty ones.

    Raises ValueError for anything else.
    """
    written = [moment[:19].rstrip("Z") or "NaT" for moment in moments]
    found = np.array(written, "datetime64[s]").astype(np.int64)
    return np.where(found == _NOT_A_TIME, NEVER, found)


def title_entry(title: str, document_id: str) -> bytes:
    """Return what titles are ordered by, those that are the same by their ids. No `schema.title_key` has a NUL."""
    return encode(f"{title}\0{document_id}")


def written(records: Sequence[Record]) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of records, named for `arrays.write`."""
    entries = [title_entry(record.title, record.id) for record in records]
    by_title = sorted(range(len(records)), key=entries.__getitem__)
    starts, ends = [r.start_year for r in records], [r.end_year for r in records]
    numbers = {
        "by_title": by_title,
        "title_hashes": [hashed(encode(record.title)) for record in records],
        "starts": [ALWAYS_BEFORE if year is None else year for year in starts],
        "ends": [ALWAYS_AFTER if year is None else year for year in ends],
        "dated": [(s, e) != (None, None) for s, e in zip(starts, ends, strict=True)],
        "published": seconds(r.published for r in records),
        "updated": seconds(r.updated for r in records),
        "adopted": [r.adopted for r in records],
        "completeness": [r.completeness for r in records],
    }
    yield from ((name, np.array(numbers[name], dtype)) for name, dtype in _NUMBERS.items())
    yield "lengths", np.array([r.lengths for r in records], np.uint32).reshape(-1, len(FIELDS))
    yield from Texts.of("ids", (r.id for r in records))
    yield from Texts.of("slugs", (r.slug for r in records))
    yield from Texts.of("titles", entries)
    yield from Texts.of("languages", sorted({language for r in records for language in r.languages}))
    for i, name in enumerate(NUMBERED):
        yield from _written_sets(name, [r.values[i] for r in records])
    for i, kind in enumerate(COMPLETED):
        values = [r.completions[i] for r in records]
        yield from _written_sets(kind, values)
        yield from _written_beginnings(kind, Beginnings(dict.fromkeys(chain.from_iterable(values))).parts)


def read(arrays: Mapping[str, Array]) -> Columns:
    """Return what `written` gave. Raises IndexLost where it is not there."""
    try:
        columns = Columns(
            ids=Texts.read(arrays, "ids"),
            slugs=Texts.read(arrays, "slugs"),
            titles=Texts.read(arrays, "titles"),
            lengths=arrays["lengths"],
            sets={name: _read_sets(arrays, name) for name in NUMBERED},
            completions={kind: _read_sets(arrays, kind) for kind in COMPLETED},
            beginnings={kind: Beginnings.of(_read_beginnings(arrays, kind)) for kind in COMPLETED},
            languages=frozenset(Texts.read(arrays, "languages")),
            **{name: arrays[name] for name in _NUMBERS},
        )
    except KeyError as error:
        raise IndexLost(f"a column is missing: {error}") from error
    sizes = {len(columns.ids), len(columns.slugs), len(columns.titles), len(columns.lengths)}
    if len(sizes | {len(arrays[name]) for name in _NUMBERS}) > 1:
        raise IndexLost("the columns of a segment are not of one length")
    return columns


def joined_sets(parts: Sequence[ValueSets]) -> ValueSets:
    """Return the sets of documents, and after them those of others, as one."""
    codes: dict[str, int] = {}
    news = [np.array([codes.setdefault(name, len(codes)) for name in part.names], np.uint32) for part in parts]
    bases = np.cumsum([0, *(len(part.bounds) - 1 for part in parts)]).tolist()
    firsts = np.cumsum([0, *(len(part.codes) for part in parts)]).tolist()
    none = np.empty(0, np.uint32)
    return ValueSets(
        list(codes),
        np.concatenate([none, *(part.documents + np.uint32(b) for part, b in zip(parts, bases, strict=False))]),
        np.concatenate([none, *(new[part.codes] for part, new in zip(parts, news, strict=True))]),
        np.concatenate([np.zeros(1, np.int64), *(part.bounds[1:] + f for part, f in zip(parts, firsts, strict=False))]),
    )


def _written_sets(name: str, values: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, Array]]:
    codes: dict[str, int] = {}
    coded = [codes.setdefault(value, len(codes)) for row in values for value in row]
    sizes = np.fromiter(map(len, values), np.int64, len(values))
    yield f"{name}.codes", np.array(coded, np.uint32)
    yield f"{name}.documents", np.repeat(np.arange(len(values), dtype=np.uint32), sizes)
    yield f"{name}.bounds", np.cumsum([0, *sizes], dtype=np.int64)
    yield from Texts.of(f"{name}.names", codes)


def _read_sets(arrays: Mapping[str, Array], name: str) -> ValueSets:
    names = Texts.read(arrays, f"{name}.names")
    sets = ValueSets(names, arrays[f"{name}.documents"], arrays[f"{name}.codes"], arrays[f"{name}.bounds"])
    if len(sets.documents) != len(sets.codes) or (len(sets.codes) and sets.bounds[-1] != len(sets.codes)):
        raise IndexLost(f"the values of {name} are damaged")
    return sets


def _written_beginnings(kind: str, parts: Parts) -> Iterator[tuple[str, Array]]:
    yield from Texts.of(f"{kind}.words", parts.words)
    yield f"{kind}.word_numbers", parts.numbers
    yield f"{kind}.word_starts", parts.starts.astype(np.int64)
    yield from Texts.of(f"{kind}.wholes", parts.wholes)


def _read_beginnings(arrays: Mapping[str, Array], kind: str) -> Parts:
    words, wholes = Texts.read(arrays, f"{kind}.words"), Texts.read(arrays, f"{kind}.wholes")
    return Parts(words, arrays[f"{kind}.word_numbers"], arrays[f"{kind}.word_starts"], wholes)
