"""Writing a Whoosh index: one commit puts documents in and takes documents out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

from whoosh.index import TOC

from kb.search.port import Document
from kb.search.whoosh import arrays
from kb.search.whoosh.building import NAME, SegmentBuilder
from kb.search.whoosh.codec import Files, arrays_path
from kb.search.whoosh.helping import SEGMENT_DOCUMENTS, Helpers, Place
from kb.search.whoosh.inverted import Field
from kb.search.whoosh.schema import SCHEMA, id_term
from kb.search.whoosh.store import damaged_is_lost

_ALONE = 5_000  # documents that are built sooner than a helper has started
_TIER = 4  # so many segments of one order of magnitude become one; an order is this number too
_MERGED_AT_ONCE = 500  # documents of segments that one commit makes one, in some 100 ms, with what it adds
_LARGEST_MERGE = 40_000  # documents: merging takes some 10 s for so many, and others who write wait
_UNITED_UNASKED = 12_000  # documents of what helpers built that any process makes one segment: in 12 KB for each
_LARGEST_NEW = 120_000  # documents of it that become one where that is asked for


def create(path: Path) -> None:
    """Write an empty index, generation 0, into an empty folder."""
    with closing(Files(path)) as files:
        TOC.create(files, SCHEMA, NAME)


def segments_of(path: Path, generation: int) -> list[Any]:
    """Return Whoosh's objects for the segments of an index; each knows which of its documents are deleted.

    Raises IndexLost where they cannot be read.
    """
    with damaged_is_lost(), closing(Files(path)) as files:
        return list(TOC.read(files, NAME, gen=generation, schema=SCHEMA).segments)


def files_of(path: Path, generation: int) -> list[str]:
    """Return the names of the files that make up a generation of an index."""
    owners = tuple(f"{segment.segment_id()}." for segment in segments_of(path, generation))
    names = [entry.name for entry in path.iterdir() if entry.name.startswith(owners)]
    return [f"_{NAME}_{generation}.toc", *names]


def write(path: Path, generation: int, documents: Iterable[Document], gone: Iterable[str]) -> int:
    """Replace and add `documents`, take out the ids in `gone`; return the generation of the index that holds it.

    That is the same one where nothing changed. The folder must hold no files of a later generation, and nobody else may
    write. `documents` is read once, as a stream: memory holds the postings of one segment, and the ids.
    """
    with closing(_Batch(path, generation)) as batch:
        for document_id in gone:
            batch.delete(document_id)
        for document in documents:
            batch.put(document)
        return batch.commit()


def merge(path: Path, generation: int) -> int:
    """Put segments together that are too many; return the generation of the index that has fewer.

    That is the same one where they are few enough. To be called after `write`, under the same conditions: this may take
    long, and should not keep from readers what was written.
    """
    with closing(_Batch(path, generation)) as batch:
        return batch.merge()


def fill(path: Path, documents: Iterable[Document], helpers: int, unite: bool = False) -> int:
    """Put documents into an empty index, generation 0; return the generation that holds them.

    With many documents `helpers` other processes build segments. To ask one is quicker, so they become one where they
    are small, and with `unite` unless they are very large. Of documents with the same id the last one counts. Raises
    ChildProcessError where a helper fails.
    """
    coming = iter(documents)
    first = list(islice(coming, _ALONE))
    if not helpers or len(first) < _ALONE:
        return write(path, 0, chain(first, coming), ())
    with closing(Helpers(path, helpers)) as others:
        places: dict[str, Place] = {}
        replaced: list[Place] = []
        for document in chain(first, coming):
            if document.id in places:
                replaced.append(places[document.id])
            places[document.id] = others.put(document)
        built = others.finish()
    for helper, number in replaced:
        _delete_number(built[helper], number)
    TOC(SCHEMA, [segment for segments in built for segment in segments], 1).write(Files(path), NAME)
    with closing(_Batch(path, 1)) as batch:
        return batch.unite(_LARGEST_NEW if unite else _UNITED_UNASKED)


def _delete_number(segments: list[Any], number: int) -> None:
    """Delete a document by its number in all of some segments."""
    for segment in segments:
        if number < segment.doc_count_all():
            segment.delete_document(number)
            return
        number -= segment.doc_count_all()


class _Batch:
    """One commit: as many new segments as the documents need, and deletions in the others."""

    def __init__(self, path: Path, generation: int) -> None:
        self._files = Files(path)
        self._generation = generation
        self._segments = segments_of(path, generation)
        self._ids: list[Field] = []
        self._builder: SegmentBuilder | None = None
        self._built: list[Any] = []
        self._new: dict[str, tuple[Any, int]] = {}
        self._changed = False

    def put(self, document: Document) -> None:
        if self._builder is None:
            self._builder = SegmentBuilder(self._files)
        number = self._builder.add(document)
        self.delete(document.id)
        self._new[document.id] = (self._builder.segment, number)
        self._changed = True
        if self._builder.count >= SEGMENT_DOCUMENTS:
            self._built.append(self._builder.finish())
            self._builder = None

    def delete(self, document_id: str) -> None:
        if document_id in self._new:
            segment, number = self._new.pop(document_id)
            segment.delete_document(number)
            return
        with damaged_is_lost():
            if not self._ids:
                self._ids = [_ids_of(self._files, segment) for segment in self._segments]
            places = [ids.places([id_term(document_id)])[0] for ids in self._ids]
            numbers = [[] if p < 0 else ids.documents(p).tolist() for ids, p in zip(self._ids, places, strict=True)]
        for segment, of_segment in zip(self._segments, numbers, strict=True):
            for number in of_segment:
                if not segment.is_deleted(number):
                    segment.delete_document(number)
                    self._changed = True

    def commit(self) -> int:
        if not self._changed:
            return self._generation
        merged = _to_merge(self._segments, self._builder.count if self._builder else 0, _MERGED_AT_ONCE)
        return self._write(merged)

    def merge(self) -> int:
        merged = _to_merge(self._segments, 0, _LARGEST_MERGE)
        return self._write(merged) if merged else self._generation

    def unite(self, most: int) -> int:
        documents = sum(segment.doc_count() for segment in self._segments)
        few = len(self._segments) < 2 or documents > most
        return self._generation if few else self._write(self._segments)

    def _write(self, merged: Sequence[Any]) -> int:
        if merged:
            self._builder = self._builder or SegmentBuilder(self._files)
            with damaged_is_lost():
                for segment in merged:
                    self._builder.add_segment(segment)
        if self._builder is not None:
            self._built.append(self._builder.finish())
        kept = [segment for segment in self._segments if segment not in merged and segment.doc_count()]
        TOC(SCHEMA, kept + self._built, self._generation + 1).write(self._files, NAME)
        return self._generation + 1

    def close(self) -> None:
        try:
            if self._builder is not None:
                self._builder.abandon()
        finally:
            self._files.close()


def _ids_of(files: Files, segment: Any) -> Field:
    return Field(arrays.read(arrays_path(files, segment)), "id", segment.doc_count_all())


def _to_merge(segments: Sequence[Any], new: int, most: int) -> list[Any]:
    """Return the segments that should become one with `new` documents, of at most so many documents together.

    Segments are of one tier where their documents have the same logarithm to the base `_TIER`, rounded down. As soon as
    there would be `_TIER` of a tier, all of it and of the tiers below become one; that one may fill the next tier. So
    no tier holds more than `_TIER` - 1, and a document is merged about once for each tier that the index has.
    """
    held = sorted((segment for segment in segments if segment.doc_count()), key=lambda segment: segment.doc_count())
    merged: list[Any] = []
    before: list[Any] = []
    size, total = new, new
    for tier, group in groupby(held, key=lambda segment: _tier(segment.doc_count())):
        of_tier = list(group)
        before += of_tier
        total += sum(segment.doc_count() for segment in of_tier)
        if len(of_tier) + (size > 0 and _tier(size) >= tier) >= _TIER and total <= most:
            merged, size = list(before), total
    return merged


def _tier(documents: int) -> int:
    return (max(1, documents).bit_length() - 1) // 2
