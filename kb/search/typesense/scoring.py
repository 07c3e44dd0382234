"""What documents that were read are worth to a question, by the formula of all engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kb.search.fields import FIELDS, title_key
from kb.search.language import fold
from kb.search.typesense.about import Looking
from kb.search.typesense.conditions import has
from kb.search.typesense.meaning import Form, Meaning, meant
from kb.search.typesense.reading import Frequencies, Held, terms_of
from kb.search.typesense.schema import pair_term, title_term, value_term
from kb.search.weights import LENGTH, MEANT, MEANT_SECOND, SATURATION, TOGETHER, WEIGHTS, rarity, worth

_WEIGHTS, _LENGTHS = np.array(WEIGHTS), np.array(LENGTH)


class Weighing(NamedTuple):
    """A document, and what it is worth: whether it bears the question as its title, and holds the words themselves."""

    held: Held
    score: float
    titled: bool
    literal: bool


class Scoring:
    """Scores documents for one question. The numbers of documents that it needs are asked for at once."""

    def __init__(self, looking: Looking, meaning: Meaning) -> None:
        self._looking, self._meaning = looking, meaning
        question = meaning.question
        self._title = title_term(title_key(question.text))
        self._forms = [form for needs in meaning.needs for _, form in needs if form is not None]
        self._beside = [pair_term(fold(first), fold(second)) for _, first, second in meaning.pairs]
        self._expansions = question.expansions
        self._literal = meaning.literal
        conditions = [
            *(form.condition for form in self._forms),
            *(has(term) for term in self._beside),
            *(each.condition for each in meaning.joined),
            *map(meant, self._expansions),
        ]
        counts = iter(looking.counted(conditions))
        self._worths = [self._worth(next(counts)) for _ in self._forms]
        self._beside_worths = [TOGETHER * self._worth(next(counts)) for _ in self._beside]
        self._joined_worths = [self._worth(next(counts)) for _ in meaning.joined]
        self._rarities = [rarity(looking.about.documents, next(counts)) for _ in self._expansions]
        averages = np.array([float(f"{each:.2g}") for each in looking.about.averages])
        self._averages = averages

    def _worth(self, count: int) -> float:
        return worth(self._looking.about.documents, count) if count else 0.0

    @property
    def sought(self) -> frozenset[str]:
        """The terms that are looked for in documents."""
        found = {self._title, *self._beside}
        for each in (*self._meaning.literally, *self._meaning.before):
            found |= terms_of(each)
        for form in self._meaning.forms():
            found.update(form.terms)
            found |= terms_of(form.condition)
        for expansion in self._expansions:
            for primary in (False, True):
                found.update(value_term(expansion.facet, value, primary=primary) for value in expansion.values)
        return frozenset(found)

    def weigh(self, held: Held) -> Weighing:
        """Return what a document is worth, by the words of the question alone."""
        return Weighing(held, self._score(held), held.has((self._title,)), held.meets(self._literal))

    def share(self, held: Held, frequencies: Frequencies) -> float:
        """Return how much a document is about something, from its frequencies in each of `FIELDS`, from 0 to 1."""
        norms = _WEIGHTS / (1 - _LENGTHS + _LENGTHS * (held.lengths / self._averages))
        weighted = float(norms @ frequencies)
        return weighted / (weighted + SATURATION)

    def hold_words(self, held: Held) -> bool:
        """Whether any of the clauses stands in a document, itself."""
        return any(map(held.meets, self._meaning.literally))

    def fields(self, held: Held) -> tuple[str, ...]:
        """Return what a document was found by: fields, weightiest first, then facets of what was meant."""
        there = np.zeros(len(FIELDS), np.bool_)
        for form in self._meaning.forms():
            there |= held.frequencies(form) > 0
        names = [name for name, found in zip(FIELDS, there.tolist(), strict=True) if found]
        names += [each.facet for each in self._expansions if held.meets(meant(each))]
        return tuple(dict.fromkeys(names))

    def _score(self, held: Held) -> float:
        score = 0.0
        for form, value in zip(self._forms, self._worths, strict=True):
            score += self._value(held, form, value)
        for term, value in zip(self._beside, self._beside_worths, strict=True):
            if held.has((term,)):
                score += self.share(held, held.counts(term)) * value
        for joined, value in zip(self._meaning.joined, self._joined_worths, strict=True):
            before = self._meaning.before[joined.clause : joined.clause + 2]
            if value and not all(map(held.meets, before)):
                score += self._most(held, joined.forms) * value
        for expansion, weight in zip(self._expansions, self._rarities, strict=True):
            if held.meets(meant(expansion)):
                score += weight * MEANT_SECOND
                first = (value_term(expansion.facet, value, primary=True) for value in expansion.values)
                score += weight * (MEANT - MEANT_SECOND) * held.has(first)
        return float(np.float32(score))

    def _value(self, held: Held, form: Form, value: float) -> float:
        if not value or not held.meets(form.condition):
            return 0.0
        return self.share(held, held.frequencies(form)) * value

    def _most(self, held: Held, forms: Sequence[Form]) -> float:
        most = np.maximum.reduce([held.frequencies(form) for form in forms])
        return self.share(held, most)
