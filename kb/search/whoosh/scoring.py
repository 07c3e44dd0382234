"""Which documents answer a question, and how well: the words of it, pairs of them, and what they also mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.fields import FIELDS, MOST_PAIRS, title_key
from kb.search.language import asked_stems
from kb.search.question import Expansion, Need, Question, Words, Years
from kb.search.weights import MEANT, MEANT_SECOND, TOGETHER
from kb.search.whoosh.feedback import DOCUMENTS, LEAST_WORDS, Learned, learn
from kb.search.whoosh.finding import Found, beside, find, found_by_value, joined
from kb.search.whoosh.places import Places, common, everything, union
from kb.search.whoosh.schema import stem_term
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Snapshot
from kb.search.whoosh.weighing import rarity, worth

Flags = NDArray[np.bool_]
"""A truth for each of some documents."""

Scores = NDArray[np.float32]
"""A score for each of some documents."""


class _Joined(NamedTuple):
    """Where two words stand as one, the word of `clause` and the next; in the rows `anew` they did not both stand."""

    clause: int
    found: Found
    anew: Numbers


class _Meant(NamedTuple):
    """What else a question means: the documents that are tagged with it, and those of which it is the primary tag."""

    expansion: Expansion
    documents: Numbers
    first: Numbers


class Matches:
    """What a question finds, as ascending numbers of documents that are not deleted.

    `full`: what answers it all; `some`: what answers a part; `holding`: in how many documents each clause stands,
    itself; `expansions`: what else the question means that any document has. What a few of these are worth is asked of
    `Weighed`.
    """

    def __init__(self, snapshot: Snapshot, question: Question) -> None:
        self.snapshot = snapshot
        self.question = question
        self.found = [[_need(snapshot, need) for need in clause.needs] for clause in question.clauses]
        self._literally = [self._union(found.documents for found in clause) for clause in self.found]
        self.joined = self._join()
        self.holding = tuple(len(documents) for documents in self._literally)
        self.meant = [meant for each in question.expansions if len((meant := _meant(snapshot, each)).documents)]
        self.expansions = tuple(each.expansion for each in self.meant)
        self._weighed: Weighed | None = None

    @cached_property
    def full(self) -> Numbers:
        """What answers the question in full."""
        question = self.question
        if question.loose:
            return self.some
        if not question.clauses:
            return self._allowed(self._everything())
        return self._allowed(common([self._held(i) for i in range(len(question.clauses))], self.snapshot.size))

    @cached_property
    def some(self) -> Numbers:
        """What answers a part of the question, or all of it."""
        if not self.question.clauses:
            return self._allowed(self._everything())
        return self._allowed(self._union([*self._literally, *(each.documents for each in self.meant)]))

    @property
    def answers(self) -> Numbers:
        """What is counted: `full`, or `some` where nothing answers in full."""
        return self.full if len(self.full) else self.some

    @cached_property
    def titled(self) -> Numbers:
        """What bears the question as its title."""
        return self.snapshot.titled(title_key(self.question.text))

    def literal(self, places: Places) -> Flags:
        """Where the words themselves stand, all of them, among some documents."""
        everywhere = np.ones(len(places.members), np.bool_)
        if self.question.loose:
            return everywhere
        for documents in self._literally:
            if documents is not places.members:
                everywhere &= flags(places, documents)
        return everywhere

    def hold_words(self, places: Places) -> Flags:
        """Whether any of the clauses stands in each of some documents, itself."""
        anywhere = np.zeros(len(places.members), np.bool_)
        for documents in self._literally:
            anywhere[places.of(documents)[1]] = True
        return anywhere

    def weigh(self, documents: Numbers) -> Weighed:
        """Return what documents are worth."""
        if self._weighed is None or self._weighed.documents is not documents:
            self._weighed = Weighed(self, documents)
        return self._weighed

    @cached_property
    def learned(self) -> Learned | None:
        """What the best documents that hold words of the question have in common; None where there is nothing to learn.

        What is only tagged with what they mean is ranked by its tags. It does not depend on the page asked for, or one
        page would go on otherwise than the one before ended.
        """
        words = self._standing()
        if len(words) < LEAST_WORDS or self.question.loose:
            return None
        weighed = self.weigh(self.full if len(self.full) >= DOCUMENTS else self.some)
        holding = np.flatnonzero(self.hold_words(Places(weighed.documents, self.snapshot.size)))
        languages = self.snapshot.languages
        asked = {stem_term(code, stem) for code in languages for word in words for stem in asked_stems(word, code)}
        return learn(self.snapshot, weighed.documents[holding], weighed.scores[holding], asked, len(words))

    def fields(self, documents: Numbers) -> list[tuple[str, ...]]:
        """Return what documents were found by: fields, weightiest first, then facets of what was meant."""
        there = np.zeros((len(documents), len(FIELDS)), np.bool_)
        for found in self.words():
            places = _sought(found.documents, documents)
            there |= (found.counts.take(places, axis=0) > 0) & (places >= 0)[:, None]
        masks = [(each.expansion.facet, _sought(each.documents, documents) >= 0) for each in self.meant]
        return [
            tuple(dict.fromkeys((*compress(FIELDS, row), *(facet for facet, mask in masks if mask[i]))))
            for i, row in enumerate(there.tolist())
        ]

    def words(self) -> Iterator[Found]:
        """Yield what was found of words, for itself and joined."""
        for clause in self.found:
            yield from (found for found in clause if len(found.shares))
        yield from (each.found for each in self.joined)

    def _standing(self) -> list[str]:
        """Return the plain words of the question that stand anywhere."""
        clauses = zip(self.question.clauses, self.holding, strict=True)
        return [clause.word for clause, count in clauses if clause.word and count]

    def _join(self) -> list[_Joined]:
        """Look for words typed side by side that some write as one."""
        joins = []
        for i, first, second in pairs(self.question):
            found = joined(self.snapshot, first, second)
            if len(found.documents):
                places = Places(found.documents, self.snapshot.size)
                already = flags(places, self._literally[i]) & flags(places, self._literally[i + 1])
                joins.append(_Joined(i, found, np.flatnonzero(~already)))
                for clause in (i, i + 1):
                    self._literally[clause] = self._union((self._literally[clause], found.documents))
        return joins

    def _held(self, clause: int) -> Numbers:
        meant = [each.documents for each in self.meant if each.expansion.start <= clause < each.expansion.end]
        return self._union([self._literally[clause], *meant]) if meant else self._literally[clause]

    def _union(self, sets: Iterable[Numbers]) -> Numbers:
        return union([np.empty(0, np.intp), *sets], self.snapshot.size)

    def _everything(self) -> Numbers:
        return np.empty(0, np.intp) if self.question.asks_nothing else everything(self.snapshot)

    def _allowed(self, documents: Numbers) -> Numbers:
        """Return those of the documents that have what is required and nothing that is excluded."""
        size = self.snapshot.size
        for clause in self.question.required:
            there = self._union(_need(self.snapshot, need).documents for need in clause.needs)
            documents = common([documents, there], size)
        for need in self.question.excluded:
            places = Places(documents, size)
            documents = documents[~flags(places, _need(self.snapshot, need).documents)]
        return documents


class Weighed:
    """What documents that answer a question are worth, in part or in full: a row for each of `documents`.

    `scores` are those of the words found; what was learned from the best documents comes on top in `refined`, which is
    asked for few, as it never adds more than `feedback.MOST` of them. `literal`: where the words themselves stand, all
    of them; `titled`: what bears the question as its title.
    """

    def __init__(self, matches: Matches, documents: Numbers) -> None:
        self.matches = matches
        self.documents = documents
        self._places = Places(documents, matches.snapshot.size)
        self.scores = self._first()
        self.literal = matches.literal(self._places)
        self.titled = flags(self._places, matches.titled)

    def refined(self, rows: NDArray[np.intp]) -> Scores:
        """Return the scores of some of the documents, by their rows, with what is learned from the best of all."""
        learned, first = self.matches.learned, self.scores[rows]
        return first if learned is None else first + learned.added(self.documents[rows], first)

    def _first(self) -> Scores:
        matches, snapshot = self.matches, self.matches.snapshot
        scores = np.zeros(len(self.documents), np.float32)
        for found in (each for clause in matches.found for each in clause if len(each.shares)):
            self._add(scores, found.documents, found.shares, worth(snapshot, len(found.documents)))
        for i, first, second in pairs(matches.question):
            side_by_side = beside(snapshot, first, second)
            together = TOGETHER * worth(snapshot, len(side_by_side.documents))
            self._add(scores, side_by_side.documents, side_by_side.shares, together)
            for each in (each for each in matches.joined if each.clause == i):
                value = worth(snapshot, len(each.found.documents))
                self._add(scores, each.found.documents[each.anew], each.found.shares[each.anew], value)
        for meant in matches.meant:
            weight = rarity(snapshot, len(meant.documents))
            self._add(scores, meant.documents, None, weight * MEANT_SECOND)
            self._add(scores, meant.first, None, weight * (MEANT - MEANT_SECOND))
        return scores

    def _add(self, scores: Scores, documents: Numbers, shares: Scores | None, factor: float) -> None:
        rows, there = self._places.of(documents)
        scores[there] += np.float32(factor) if shares is None else shares[rows] * np.float32(factor)


def pairs(question: Question) -> Sequence[tuple[int, str, str]]:
    """Return the words that were typed side by side, with the number of the first one's clause."""
    found: list[tuple[int, str, str]] = []
    for start, end in question.runs():
        words = [clause.word or "" for clause in question.clauses[start:end]]
        found += ((start + i, first, second) for i, (first, second) in enumerate(pairwise(words)))
    return found[:MOST_PAIRS]


def flags(places: Places, documents: Numbers) -> Flags:
    """Return which of the members are among some documents."""
    there = np.zeros(len(places.members), np.bool_)
    if len(documents):
        there[places.of(documents)[1]] = True
    return there


def _need(snapshot: Snapshot, need: Need) -> Found:
    """Return where a need is met; what is no word scores nothing."""
    if isinstance(need, Words):
        return find(snapshot, need)
    if isinstance(need, Years):
        mask = snapshot.overlapping(need.first, need.last)
    else:
        mask = snapshot.tagged(need.facet, need.values)
    return found_by_value(np.flatnonzero(mask & snapshot.live))


def _meant(snapshot: Snapshot, expansion: Expansion) -> _Meant:
    facet, values = expansion.facet, expansion.values

    def tagged() -> tuple[Numbers, Numbers]:
        documents = np.flatnonzero(snapshot.tagged(facet, values) & snapshot.live)
        return documents, documents[snapshot.tagged_first(facet, values)[documents]]

    return _Meant(expansion, *snapshot.memo.get(("meant", facet, values), tagged))


def _sought(documents: Numbers, wanted: Numbers) -> NDArray[np.intp]:
    """Return the places of wanted documents among others, ascending; -1 where they are not there."""
    if not len(documents):
        return np.full(len(wanted), -1)
    places = documents.searchsorted(wanted)
    places[places == len(documents)] = 0
    return np.where(documents[places] == wanted, places, -1)
