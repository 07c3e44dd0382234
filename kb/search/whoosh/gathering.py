"""From documents to postings: words are gathered as flat arrays of numbers, and numpy sorts them once for all texts.

A word as it is written is looked up in a dict, where its fold and stems are found once for all its occurrences; what
remains of each occurrence is a number of four bytes. When enough of them are gathered they become a `Run`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from kb.search.language import LONGEST_WORD, forms, is_stop_word, language_of, words
from kb.search.port import Document
from kb.search.whoosh import arrays
from kb.search.whoosh.arrays import Texts
from kb.search.whoosh.inverted import Inverted
from kb.search.whoosh.schema import FIELDS, MOST_OCCURRENCES, Record, record, stem_term, texts
from kb.search.whoosh.vectors import MOST_STEMS, Vectors

_RUN_WORDS = 1 << 20
"""Words after which a run is made: while it is, some 80 bytes of memory are in use for each of them."""

_RUN_FORMS = 1 << 18
"""Different written words after which one is made: each takes some 400 bytes."""

_GAP = 1000
"""Positions left free between two texts: more than any phrase has words, so that none begins in one and ends in the
next."""

_MOST_KIN = 4
"""Stems of one word: `forms` finds two, and two deeper ones."""

_TOKEN_BITS = 32
_NEVER = np.iinfo(np.int64).max
_NO_POSITIONS = np.empty(0, np.uint32)


class Run(NamedTuple):
    """What documents that follow each other say: `vectors` names places in `stems.terms`."""

    stems: Inverted
    words: Inverted
    vectors: Vectors


class _Encoded(Sequence[bytes]):
    """Terms on disk, read whenever they are asked for."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        return self._texts.all_encoded()[place] if isinstance(place, slice) else self._texts.encoded(place)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._texts.all_encoded())


def spilled(run: Run, path: Path) -> Run:
    """Return the same run, on disk and mapped into memory: the kernel may take that back. The file has no name."""
    arrays.write(path, _named(run))
    there = arrays.read(path)
    path.unlink()
    stems, words = (
        Inverted(
            _Encoded(Texts.read(there, f"{name}.terms")), *(there[f"{name}.{part}"] for part in Inverted._fields[1:])
        )
        for name in ("stems", "words")
    )
    return Run(stems, words, Vectors(*(there[f"vectors.{part}"] for part in Vectors._fields)))


def _named(run: Run) -> Iterator[tuple[str, arrays.Array]]:
    for name, field in (("stems", run.stems), ("words", run.words)):
        yield from Texts.of(f"{name}.terms", field.terms)
        for part in Inverted._fields[1:]:
            yield f"{name}.{part}", getattr(field, part)
    for part in Vectors._fields:
        yield f"vectors.{part}", getattr(run.vectors, part)


class _Forms(dict[str, int]):
    """The written words of one language, each with its number among those of all languages."""

    def __init__(self, language: str, folds: list[str], kin: list[tuple[str, ...]], telling: bytearray) -> None:
        self._language = language
        self._folds, self._kin, self._telling = folds, kin, telling

    def __missing__(self, word: str) -> int:
        number = len(self._folds)
        folded, stems = forms(word[:LONGEST_WORD], self._language)
        self._folds.append(folded)
        self._kin.append(tuple(stem_term(self._language, stem) for stem in stems))
        meaning = not folded.isdigit() and not is_stop_word(folded)
        flags = [meaning and len(stem) > 1 for stem in stems]
        self._telling += bytes(flags) + bytes(_MOST_KIN - len(flags))
        self[word] = number
        return number


class _Tokens(NamedTuple):
    """The words of some texts in the order in which they stand there: a row of the same place in each array."""

    forms: NDArray[np.uint32]
    documents: NDArray[np.uint32]
    fields: NDArray[np.uint8]
    positions: NDArray[np.uint32]


class Gatherer:
    """Gathers documents and makes a run of them. Numbers them from 0 through all its runs."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0
        self._tokens = array("I")
        self._texts: list[tuple[int, int, int, int]] = []
        self._forget()

    @property
    def full(self) -> bool:
        """Whether it is time for a run, to keep memory within bounds."""
        return len(self._tokens) >= _RUN_WORDS or len(self._folds) >= _RUN_FORMS

    @property
    def pending(self) -> bool:
        """Whether documents were added since the last run."""
        return self._first < self.count

    def add(self, document: Document) -> Record:
        """Take in a document; return its record."""
        lengths = [0] * len(FIELDS)
        base = 0
        for field, language, text in texts(document):
            start = len(self._tokens)
            self._tokens.extend(map(self._forms(language_of(language)).__getitem__, words(text)))
            length = len(self._tokens) - start
            self._texts.append((self.count, field, base, length))
            lengths[field] += length
            base += length + _GAP
        self.count += 1
        return record(document, lengths)

    def run(self) -> Run:
        """Return what was added since the last run, and let go of it."""
        tokens = self._flat()
        used = np.flatnonzero(np.bincount(tokens.forms)).tolist()
        words = self._words(tokens, used)
        stems, vectors = self._stems(tokens, used)
        self._tokens, self._texts, self._first = array("I"), [], self.count
        if len(self._folds) >= _RUN_FORMS // 2:
            self._forget()
        return Run(stems, words, vectors)

    def _forget(self) -> None:
        self._folds: list[str] = []
        self._kin: list[tuple[str, ...]] = []
        self._telling = bytearray()
        self._by_language: dict[str, _Forms] = {}

    def _forms(self, language: str) -> _Forms:
        if language not in self._by_language:
            self._by_language[language] = _Forms(language, self._folds, self._kin, self._telling)
        return self._by_language[language]

    def _flat(self) -> _Tokens:
        forms = np.frombuffer(self._tokens, np.uintc).astype(np.uint32, copy=False)
        documents, fields, bases, lengths = np.array(self._texts, np.int64).reshape(-1, 4).T
        shifts = bases - np.cumsum(lengths) + lengths
        positions = np.arange(len(forms), dtype=np.int64) + np.repeat(shifts, lengths)
        return _Tokens(
            forms,
            np.repeat(documents.astype(np.uint32), lengths),
            np.repeat(fields.astype(np.uint8), lengths),
            positions.astype(np.uint32),
        )

    def _words(self, tokens: _Tokens, used: list[int]) -> Inverted:
        folds = [self._folds[form] for form in used]
        terms, places = _ranked({*folds} - {""})
        of_form = np.full(len(self._folds), -1, np.int64)
        of_form[used] = [places.get(fold, -1) for fold in folds]
        term = of_form[tokens.forms]
        keys = (term << _TOKEN_BITS) | np.arange(len(term))
        keys = keys[term >= 0]
        keys.sort()  # by the term, then as they stand in the texts
        postings = _Postings(keys >> _TOKEN_BITS, keys & ((1 << _TOKEN_BITS) - 1), tokens)
        return Inverted(terms, *postings.arrays(len(terms)), postings.positions(tokens))

    def _stems(self, tokens: _Tokens, used: list[int]) -> tuple[Inverted, Vectors]:
        kin = [self._kin[form] for form in used]
        terms, places = _ranked({stem for stems in kin for stem in stems})
        of_form = np.full((len(self._folds), _MOST_KIN), -1, np.int64)
        rows = [[*(places[stem] for stem in stems), *[-1] * (_MOST_KIN - len(stems))] for stems in kin]
        of_form[used] = np.array(rows, np.int64).reshape(-1, _MOST_KIN)
        term = of_form[tokens.forms]
        keys = (term << _TOKEN_BITS + 2) | np.arange(term.size).reshape(term.shape)
        keys = keys[term >= 0]
        keys.sort()
        occurrences = keys & ((1 << _TOKEN_BITS + 2) - 1)  # numbered by token, then by the token's kin
        postings = _Postings(keys >> (_TOKEN_BITS + 2), occurrences // _MOST_KIN, tokens)
        inverted = Inverted(terms, *postings.arrays(len(terms)), _NO_POSITIONS)
        telling = np.frombuffer(bytes(self._telling), np.bool_)
        telling = telling[tokens.forms[occurrences // _MOST_KIN] * np.int64(_MOST_KIN) + occurrences % _MOST_KIN]
        occurrences[~telling] = _NEVER
        first = np.minimum.reduceat(occurrences, postings.starts) if len(occurrences) else occurrences
        return inverted, self._vectors(inverted, first)

    def _vectors(self, stems: Inverted, first: NDArray[np.int64]) -> Vectors:
        """Choose the most frequent of the stems that tell something; of those as frequent what comes `first`."""
        telling = np.flatnonzero(first < _NEVER)
        documents, often = stems.documents[telling], stems.counts[telling].sum(axis=1, dtype=np.int64)
        order = np.lexsort((first[telling], -often, documents))
        starts = np.searchsorted(documents[order], np.arange(self._first, self.count + 1))
        sizes = np.diff(starts)
        kept = np.arange(len(order)) - np.repeat(starts[:-1], sizes) < MOST_STEMS
        chosen = telling[order[kept]]
        places = np.repeat(np.arange(len(stems.terms), dtype=np.uint32), np.diff(stems.bounds))
        bounds = np.concatenate(([0], np.cumsum(np.minimum(sizes, MOST_STEMS))))
        return Vectors(bounds, places[chosen], stems.counts[chosen])


class _Postings:
    """Occurrences of terms, sorted by term and then as they stand in the texts, put together to postings."""

    def __init__(self, terms: NDArray[np.int64], tokens: NDArray[np.int64], of: _Tokens) -> None:
        self._tokens = tokens
        self._terms = terms
        self._documents, self._fields = of.documents[tokens], of.fields[tokens]
        self._is_start = np.ones(len(terms), np.bool_)
        self._is_start[1:] = (terms[1:] != terms[:-1]) | (self._documents[1:] != self._documents[:-1])
        self.starts = np.flatnonzero(self._is_start)
        of_field = self._is_start.copy()
        of_field[1:] |= self._fields[1:] != self._fields[:-1]
        self._field_starts = np.flatnonzero(of_field)
        self._sizes = np.diff(self._field_starts, append=len(terms))

    def arrays(self, terms: int) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint8]]:
        """Return bounds, documents and counts as in `Inverted`."""
        counts = np.zeros((len(self.starts), len(FIELDS)), np.uint8)
        postings = np.cumsum(self._is_start)[self._field_starts] - 1
        counts[postings, self._fields[self._field_starts]] = np.minimum(self._sizes, MOST_OCCURRENCES)
        bounds = np.searchsorted(self._terms[self.starts], np.arange(terms + 1))
        return bounds, self._documents[self.starts], counts

    def positions(self, of: _Tokens) -> NDArray[np.uint32]:
        """Return the positions of the occurrences that count."""
        positions: NDArray[np.uint32] = of.positions[self._tokens]
        if not len(self._sizes) or self._sizes.max() <= MOST_OCCURRENCES:
            return positions
        nth = np.arange(len(positions)) - np.repeat(self._field_starts, self._sizes)
        return positions[nth < MOST_OCCURRENCES]


def _ranked(terms: set[str]) -> tuple[list[bytes], dict[str, int]]:
    """Return terms in the order of their bytes, which is that of their characters, and the place of each."""
    ranked = sorted(terms)
    return [term.encode() for term in ranked], {term: place for place, term in enumerate(ranked)}
