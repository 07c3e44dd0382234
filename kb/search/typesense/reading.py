"""Documents as they come back with an answer: where the words of a question stand in each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.fields import FIELDS, IN_TITLES
from kb.search.typesense.conditions import Both, Condition, Number, Terms
from kb.search.typesense.meaning import Form, standing
from kb.search.typesense.schema import patterns_of
from kb.search.weights import KIN

READ = (
    "key",
    "slug",
    "adopted",
    "terms",
    "counts",
    "patterns",
    "texts",
    "completeness",
    "published",
    "updated",
    "title",
    "language",
    "start",
    "end",
    *(f"length_{name}" for name in FIELDS),
)
"""What is read of a document that is shown or ranked."""

Frequencies = NDArray[np.float64]
"""How often something stands in each of `FIELDS`; kin count for less."""

_NONE = np.zeros(len(FIELDS))
_TITLES = np.array(IN_TITLES)


class Held:
    """One document. `key` is its id, `title` what titles are ordered by."""

    def __init__(self, found: Mapping[str, Any], sought: frozenset[str]) -> None:
        """Take a document as it was read; of its terms only those that are `sought` are looked at."""
        self.found = found
        self.key: str = found["key"]
        self.title: str = found["title"]
        self.lengths = np.array([found[f"length_{name}"] for name in FIELDS], np.float64)
        self._terms: Sequence[str] = found["terms"]
        self._places: str = found["counts"]
        self._patterns = patterns_of(found)
        self._here = sought.intersection(self._terms)

    def has(self, terms: Iterable[str]) -> bool:
        """Whether it has any of some terms, all of which were sought."""
        return not self._here.isdisjoint(terms)

    def meets(self, condition: Condition) -> bool:
        """Whether it meets a condition, the terms of which were sought."""
        if isinstance(condition, Terms):
            return self.has(condition.terms) != condition.none
        if isinstance(condition, Number):
            there = self.found[condition.field]
            return bool(there >= condition.number if condition.at_least else there <= condition.number)
        return (all if isinstance(condition, Both) else any)(map(self.meets, condition.parts))

    def counts(self, term: str) -> Frequencies:
        """Return how often a word, stem or pair stands in each of `FIELDS`."""
        place = bisect_left(self._terms, term, 0, len(self._places))
        if place < len(self._places) and self._terms[place] == term:
            return np.array(self._patterns[self._places[place]], np.float64)
        return _NONE

    def stems(self) -> list[tuple[str, Frequencies]]:
        """Return its stems, and how often each stands in each of `FIELDS`."""
        known = {place: np.array(pattern, np.float64) for place, pattern in self._patterns.items()}
        start, end = (bisect_left(self._terms, key, 0, len(self._places)) for key in ("s", "t"))
        return [(self._terms[i], known[self._places[i]]) for i in range(start, end)]

    def frequencies(self, form: Form) -> Frequencies:
        """Return how often a form stands in each of `FIELDS`; where forms overlap the highest counts, no sum."""
        if form.run:
            most = np.bincount(standing(dict(self.found), form.run, form.titled), minlength=len(FIELDS)).astype(float)
        else:
            typed = self.counts(form.typed) if form.typed in self._here else _NONE
            most = typed + KIN * (self._most(form.kin, typed) - typed)
            most = self._most((*form.apart, *form.many), most)
        return most * _TITLES if form.titled else most

    def _most(self, terms: Iterable[str], least: Frequencies) -> Frequencies:
        for term in self._here.intersection(terms):
            least = np.maximum(least, self.counts(term))
        return least


def terms_of(condition: Condition) -> set[str]:
    """Return the terms that a condition speaks of."""
    if isinstance(condition, Terms):
        return set(condition.terms)
    if isinstance(condition, Number):
        return set()
    return set().union(*map(terms_of, condition.parts))
