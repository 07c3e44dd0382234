"""A question as a tree of Whoosh's own queries, for those who ask another engine the same.

It has `Term`, `Phrase`, `Prefix`, `And`, `Or`, `Not`, `Every` and `NullQuery`, on the fields `words` and `stems`; also
`TitleTerm` and `TitlePhrase` for what has to stand in a title, and `Recorded` for what is not in the texts but in the
record. `Beginning` is a `Prefix`. A phrase has at least two words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from whoosh import matching, query
from whoosh.query.spans import Span, SpanNear2

from kb.search.language import asked_stems, compounds, fold
from kb.search.question import Clause, Need, Question, Tagged, Words, Years
from kb.search.whoosh.schema import FIELDS, NUMBERED, Record, stem_term

MOST_BEGINNING = 1000
"""Words that a beginning stands for: those that stood in the most documents when these were written."""

_LEAST_HALF = 3  # letters of the second half of a compound
_MOST_PAIRS = 16
_IN_TITLES = tuple(field in ("title", "foreign") for field in FIELDS)


@dataclass(frozen=True, slots=True)
class Trees:
    """What answers a question in full, and what answers it in full or in part.

    `clauses` are where each of its clauses stands itself, whatever else it means and whatever is not wanted.
    """

    full: query.Query
    some: query.Query
    clauses: tuple[query.Query, ...]


class TitleTerm(query.Term):  # type: ignore[misc]
    """A term that stands in a title, the document's own or one in another language."""

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        return _TitleMatcher(super().matcher(searcher, context))


class TitlePhrase(query.Phrase):  # type: ignore[misc]
    """Words side by side in a title."""

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        return SpanNear2([TitleTerm(self.fieldname, word) for word in self.words]).matcher(searcher, context)


class Beginning(query.Prefix):  # type: ignore[misc]
    """Words that begin with something, `MOST_BEGINNING` of them at most; where `titled`, only in titles.

    The words are those of the index, so a tree is good for one state of one index.
    """

    def __init__(self, text: str, titled: bool) -> None:
        super().__init__("words", text)
        self.titled = titled
        self._words: list[bytes] | None = None

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        if self._words is None:
            self._words = self._standing(searcher.get_parent().reader())
        leaf = TitleTerm if self.titled else query.Term
        return _either([leaf("words", word) for word in self._words]).matcher(searcher, context)

    def _standing(self, reader: Any) -> list[bytes]:
        documents: Counter[bytes] = Counter()
        for leaf, _ in reader.leaf_readers():
            for word in leaf.expand_prefix("words", self.text):
                documents[word] += leaf.doc_frequency("words", word)
        ranked = sorted(documents, key=lambda word: (-documents[word], word))
        standing = (word for word in ranked if any(True for _ in reader.postings("words", word).all_ids()))
        return [word for word, _ in zip(standing, range(MOST_BEGINNING), strict=False)]


class OfRecords(query.Query):  # type: ignore[misc]
    """Documents by their record, one after the other."""

    def suits(self, record: Record) -> bool:
        """Whether a document with this record is meant."""
        raise NotImplementedError

    def estimate_size(self, reader: Any) -> int:
        return int(reader.doc_count())

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        stored = searcher.reader().iter_docs()
        numbers = [number for number, fields in stored if self.suits(Record(*fields["record"]))]
        return matching.ListMatcher(numbers, all_weights=1.0)


class Recorded(OfRecords):
    """Documents that are tagged with any of some values, or whose years overlap some others."""

    def __init__(self, need: Tagged | Years) -> None:
        self.need = need

    def __repr__(self) -> str:
        return f"Recorded({self.need!r})"

    def suits(self, record: Record) -> bool:
        if isinstance(self.need, Years):
            return overlaps(record, self.need.first, self.need.last)
        return not set(self.need.values).isdisjoint(record.values[NUMBERED.index(self.need.facet)])


def overlaps(record: Record, first: int | None, last: int | None) -> bool:
    """Whether a document has years, and they overlap [`first`, `last`], of which None is an open end."""
    if record.start_year is None and record.end_year is None:
        return False
    starts, ends = (float("-inf") if record.start_year is None else record.start_year,
                    float("inf") if record.end_year is None else record.end_year)  # fmt: skip
    first_asked, last_asked = float("-inf") if first is None else first, float("inf") if last is None else last
    return first_asked <= last_asked and starts <= last_asked and ends >= first_asked


def trees(question: Question, languages: Collection[str], known: Callable[[str], bool] = lambda word: True) -> Trees:
    """Return what a question asks for in an index with texts in these languages, as `language_of` names them.

    `known` says whether a folded word is in the index. A word is looked for taken apart, at each of its letters; of the
    halves that are not known there need be no trace in the tree.
    """
    asked = _Asked(languages, known)
    clauses = [[asked.any_of(clause)] for clause in question.clauses]
    for i, first, second in list(_pairs(question))[:_MOST_PAIRS]:
        as_one = asked.joined(first, second)
        clauses[i].append(as_one)
        clauses[i + 1].append(as_one)
    standing = tuple(_either(held) for held in clauses)
    for expansion in question.expansions:
        for held in clauses[expansion.start : expansion.end]:
            held.append(Recorded(Tagged(expansion.facet, expansion.values)))
    allowed = [query.NullQuery if question.asks_nothing else query.Every()]
    allowed += [asked.any_of(clause) for clause in question.required]
    allowed += [query.Not(asked.need(need)) for need in question.excluded]
    full = query.And([*allowed, *map(_either, clauses)])
    some = query.And([*allowed, _either([each for held in clauses for each in held])]) if clauses else full
    return Trees(some if question.loose else full, some, standing)


def fields(tree: query.Query, searcher: Any, number: int) -> frozenset[str]:
    """Return the names of the fields by which a tree finds a document of one segment, whose searcher this is."""
    return frozenset(FIELDS[place] for leaf in tree.leaves() for place in _places(leaf, searcher, number))


def _places(leaf: query.Query, searcher: Any, number: int) -> Iterator[int]:
    """Yield the places in `FIELDS` of the fields by which a leaf of a tree finds a document, as often as it does."""
    matcher = leaf.matcher(searcher, searcher.boolean_context())
    if isinstance(leaf, OfRecords) or number not in leaf.matcher(searcher, searcher.boolean_context()).all_ids():
        return
    matcher.skip_to(number)
    if isinstance(leaf, query.Phrase):
        first = matcher.ms[0]
        starts = {span.start for span in matcher.spans()}
        yield from (
            place for place, start in zip(_each(first), first.value_as("positions"), strict=True) if start in starts
        )
        return
    titled = isinstance(leaf, TitleTerm) or (isinstance(leaf, Beginning) and leaf.titled)
    for term in matcher.term_matchers():
        if term.is_active() and term.id() == number:
            yield from (place for place in _each(term) if _IN_TITLES[place] or not titled)


def _each(term: Any) -> list[int]:
    """Return for each occurrence of a term in a document the place of its field."""
    return [place for place, count in enumerate(term.value_as("counts")) for _ in range(count)]


class _Asked:
    """Makes trees of needs."""

    def __init__(self, languages: Collection[str], known: Callable[[str], bool]) -> None:
        self._languages = languages
        self._known = known

    def any_of(self, clause: Clause) -> query.Query:
        return _either([self.need(need) for need in clause.needs])

    def need(self, need: Need) -> query.Query:
        if not isinstance(need, Words):
            return Recorded(need)
        titled = need.field == "title"
        if need.exact:
            return _phrase(need.folds, titled)
        if need.begins:
            return Beginning(need.folds[0], titled)
        return _either([*self._forms(need.words[0], titled), *self._apart(need.folds[0], titled)])

    def joined(self, first: str, second: str) -> query.Query:
        """Return where two words stand as one, as it is typed or in another form."""
        return _either([form for word in compounds(first, second) for form in self._forms(word, titled=False)])

    def _forms(self, word: str, titled: bool) -> Iterator[query.Query]:
        leaf = TitleTerm if titled else query.Term
        yield leaf("words", fold(word))
        stems = {stem_term(language, stem) for language in self._languages for stem in asked_stems(word, language)}
        yield from (leaf("stems", stem) for stem in sorted(stems))

    def _apart(self, folded: str, titled: bool) -> Iterator[query.Query]:
        for middle in range(1, len(folded) - _LEAST_HALF + 1):
            halves = folded[:middle], folded[middle:]
            if all(map(self._known, halves)):
                yield _phrase(halves, titled)


class _TitleMatcher(matching.wrappers.WrappingMatcher):  # type: ignore[misc]
    """Goes on to the next document that has the term in a title."""

    def __init__(self, child: Any) -> None:
        super().__init__(child)
        self._find()

    def next(self) -> None:
        self.child.next()
        self._find()

    def skip_to(self, id: int) -> None:
        self.child.skip_to(id)
        self._find()

    def replace(self, minquality: float = 0) -> Any:
        return self

    def spans(self) -> list[Span]:
        return [span for span, place in zip(self.child.spans(), _each(self.child), strict=True) if _IN_TITLES[place]]

    def all_ids(self) -> Iterator[int]:
        while self.is_active():
            yield self.id()
            self.next()

    def _find(self) -> None:
        while self.is_active() and not self._is_titled():
            self.child.next()

    def _is_titled(self) -> bool:
        return any(_IN_TITLES[place] for place in _each(self.child))


def _either(queries: list[query.Query]) -> query.Query:
    if len(queries) == 1:
        return queries[0]
    either = query.Or(queries)
    either.matcher_type = query.Or.DEFAULT_MATCHER  # which reads no two thousand documents ahead
    return either


def _phrase(folds: tuple[str, ...], titled: bool) -> query.Query:
    if len(folds) == 1:
        return (TitleTerm if titled else query.Term)("words", folds[0])
    return (TitlePhrase if titled else query.Phrase)("words", list(folds))


def _pairs(question: Question) -> Iterator[tuple[int, str, str]]:
    """Yield the words that were typed side by side, with the number of the first one's clause."""
    for start, end in question.runs():
        for i, (first, second) in enumerate(pairwise(question.clauses[start:end]), start):
            yield i, first.word or "", second.word or ""
