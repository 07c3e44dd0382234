"""Which documents answer a question, and how well: the words of it, pairs of them, and what they also mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kb.search.language import asked_stems
from kb.search.question import Clause, Expansion, Need, Question, Words, Years
from kb.search.whoosh.feedback import LEAST_WORDS, learned
from kb.search.whoosh.finding import Found, find, joined, phrase
from kb.search.whoosh.schema import FIELDS, stem_term, title_key
from kb.search.whoosh.snapshot import Mask, Snapshot
from kb.search.whoosh.weighing import rarity, scores

_TOGETHER = 0.25  # what two words side by side as typed count beside a word of their own
_MEANT = 0.4  # what being tagged with what the words also mean counts beside a word
_MEANT_SECOND = 0.25  # the same where it is not the first thing a practice is tagged with
_MOST_PAIRS = 16


class Matches:
    """What a question finds: masks over the documents of a snapshot, and scores.

    `full`: what answers it all; `some`: what answers a part; `literal`: where the words themselves stand, all of them;
    `titled`: what bears it as its title; `holding`: in how many documents each clause stands, itself; `expansions`:
    what else the question means that any document has.
    """

    def __init__(self, snapshot: Snapshot, question: Question) -> None:
        self._snapshot = snapshot
        self.question = question
        self.scores = np.zeros(snapshot.size)
        self._found: list[Found] = []
        self._held = np.zeros((len(question.clauses), snapshot.size), np.bool_)
        for i, clause in enumerate(question.clauses):
            for need in clause.needs:
                self._search(i, need)
        self._search_pairs()
        self.holding = tuple(int(held.sum()) for held in self._held)
        self._literally = self._held.copy()
        self.literal: Mask = np.asarray(self._held.all(axis=0))
        self.expansions, self._meant = self._search_meanings()
        self._combine()
        self._learn()

    def fields(self, document: int) -> tuple[str, ...]:
        """Return what a document was found by: fields, weightiest first, then facets of what else was meant."""
        held = np.zeros(len(FIELDS), np.bool_)
        for found in self._found:
            place = int(np.searchsorted(found.documents, document))
            if place < len(found.documents) and found.documents[place] == document:
                held |= found.frequencies[place] > 0
        fields = [name for name, is_held in zip(FIELDS, held, strict=True) if is_held]
        meant = [each.facet for each, mask in zip(self.expansions, self._meant, strict=True) if mask[document]]
        return tuple(dict.fromkeys((*fields, *meant)))

    def _search(self, clause: int, need: Need) -> None:
        if not isinstance(need, Words):
            self._held[clause] |= _mask(self._snapshot, need)
            return
        found = find(self._snapshot, need)
        self._found.append(found)
        self._held[clause, found.documents] = True
        self.scores[found.documents] += _scores(self._snapshot, found)

    def _search_pairs(self) -> None:
        """Look for words typed side by side: where they stand so they mean the same, and some write them as one."""
        for i, first, second in list(_pairs(self.question))[:_MOST_PAIRS]:
            beside = phrase(self._snapshot, Words((first, second)).folds)
            self.scores[beside.documents] += _TOGETHER * _scores(self._snapshot, beside)
            as_one = joined(self._snapshot, first, second)
            if len(as_one.documents):
                self._found.append(as_one)
                anew = ~self._held[i : i + 2, as_one.documents].all(axis=0)
                self._held[i : i + 2, as_one.documents] = True
                self.scores[as_one.documents] += np.where(anew, _scores(self._snapshot, as_one), 0.0)

    def _search_meanings(self) -> tuple[tuple[Expansion, ...], list[Mask]]:
        """Look for documents that are tagged with what the words also mean."""
        snapshot, kept, masks = self._snapshot, [], []
        for expansion in self.question.expansions:
            mask = snapshot.tagged(expansion.facet, expansion.values) & snapshot.live
            if not mask.any():
                continue
            first = mask & snapshot.tagged_first(expansion.facet, expansion.values)
            weight = rarity(snapshot, int(mask.sum()))
            self.scores += weight * np.where(first, _MEANT, np.where(mask, _MEANT_SECOND, 0.0))
            self._held[expansion.start : expansion.end] |= mask
            kept.append(expansion)
            masks.append(mask)
        return tuple(kept), masks

    def _combine(self) -> None:
        snapshot, question = self._snapshot, self.question
        allowed = np.zeros_like(snapshot.live) if question.asks_nothing else snapshot.live
        for clause in question.required:
            allowed = allowed & _any(snapshot, clause)
        for need in question.excluded:
            allowed = allowed & ~_mask(snapshot, need)
        self.full: Mask = allowed & self._held.all(axis=0)
        self.some: Mask = allowed & self._held.any(axis=0) if question.clauses else self.full
        if question.loose:
            self.full, self.literal = self.some, self.some
        self.titled: Mask = snapshot.titled(title_key(question.text))

    def _learn(self) -> None:
        """Add to the scores what the best documents that hold words of the question have in common.

        What is only tagged with what they mean is ranked by its tags.
        """
        words = [clause.word for clause, count in zip(self.question.clauses, self.holding, strict=True)
                 if clause.word and count]  # fmt: skip
        holding = self.some & self._literally.any(axis=0)
        if len(words) < LEAST_WORDS or self.question.loose or not holding.any():
            return
        languages = self._snapshot.languages
        asked = {stem_term(code, stem) for code in languages for word in words for stem in asked_stems(word, code)}
        self.scores += learned(self._snapshot, self.scores, holding, asked, len(words))


def _pairs(question: Question) -> Iterator[tuple[int, str, str]]:
    """Yield the words that were typed side by side, with the number of the first one's clause."""
    for start, end in question.runs():
        words = [clause.word or "" for clause in question.clauses[start:end]]
        yield from ((start + i, first, second) for i, (first, second) in enumerate(pairwise(words)))


def _any(snapshot: Snapshot, clause: Clause) -> Mask:
    mask = np.zeros(snapshot.size, np.bool_)
    for need in clause.needs:
        mask |= _mask(snapshot, need)
    return mask


def _mask(snapshot: Snapshot, need: Need) -> Mask:
    if isinstance(need, Years):
        return snapshot.overlapping(need.first, need.last)
    if not isinstance(need, Words):
        return snapshot.tagged(need.facet, need.values)
    mask = np.zeros(snapshot.size, np.bool_)
    mask[find(snapshot, need).documents] = True
    return mask


def _scores(snapshot: Snapshot, found: Found) -> NDArray[np.float64]:
    return scores(snapshot, found.documents, found.frequencies)
