"""What the best documents found have in common, as a further hint: pseudo-relevance feedback.

The same as `kb.search.whoosh.feedback`, which says where it is from, over the documents that were read. It only moves
documents that were found anyway, and never across the steps that `ranking` sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from math import exp
from typing import NamedTuple

from kb.search.language import asked_stems, is_stop_word
from kb.search.typesense.about import Looking
from kb.search.typesense.conditions import has
from kb.search.typesense.schema import stem_term
from kb.search.typesense.scoring import Scoring, Weighing
from kb.search.weights import rarity, worth

LEAST_WORDS = 2
"""Words of a question below which nothing is learned: the documents of a single word have only that in common."""

DOCUMENTS = 10
"""The best documents, from which is learned."""

_MOST = 0.5  # of a document's own score that is added at most: what is learned moves, and does not decide
_STEMS = 20
_CANDIDATES = 30  # stems that are looked at more closely
_TEMPER = 2.0  # evens out how likely documents are, so that none of them alone is learned from
_MOST_COMMON = 0.2  # of all documents; what stands in more tells nothing
_WEIGHT = 0.4  # what all the stems learned count beside the words of the question


class Learned(NamedTuple):
    """The stems that the best documents share, with what a share of 1 of each adds to a score."""

    values: dict[str, float]

    def refined(self, scoring: Scoring, each: Weighing) -> float:
        """Return the score of a document with what was learned."""
        held = each.held
        added = sum(
            scoring.share(held, counts) * value
            for stem, value in self.values.items()
            if (counts := held.counts(stem)).any()
        )
        return each.score + min(added, _MOST * each.score)


def learn(looking: Looking, scoring: Scoring, weighed: Sequence[Weighing], words: Sequence[str]) -> Learned | None:
    """Return what the best of some documents have in common; None where that is nothing.

    `words` are those of the question that stand anywhere.
    """
    languages = looking.about.languages
    asked = {stem_term(code, stem) for code in languages for word in words for stem in asked_stems(word, code)}
    candidates = _common(scoring, sorted(weighed, key=lambda each: -each.score)[:DOCUMENTS], asked)
    counts = looking.counted([has(stem) for stem, _ in candidates])
    documents = looking.about.documents
    telling = sorted(
        (-value * rarity(documents, count), stem, count)
        for (stem, value), count in zip(candidates, counts, strict=True)
        if 0 < count <= _MOST_COMMON * documents
    )[:_STEMS]
    total = -sum(negative for negative, _, _ in telling)
    if not total:
        return None
    factor = _WEIGHT * len(words) / total
    return Learned({stem: factor * -negative * worth(documents, count) for negative, stem, count in telling})


def _common(scoring: Scoring, best: Sequence[Weighing], asked: Collection[str]) -> list[tuple[str, float]]:
    """Return the stems that the best documents are most about, of those that more than one has."""
    highest = max((each.score for each in best), default=0.0)
    odds = [exp((each.score - highest) / _TEMPER) for each in best]
    about: dict[str, float] = defaultdict(float)
    documents: dict[str, int] = defaultdict(int)
    for each, odd in zip(best, odds, strict=True):
        for stem, counts in each.held.stems():
            about[stem] += scoring.share(each.held, counts) * odd / sum(odds)
            documents[stem] += 1
    found = [
        (stem, value) for stem, value in about.items() if documents[stem] > 1 and stem not in asked and _tells(stem)
    ]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:_CANDIDATES]


def _tells(stem: str) -> bool:
    text = stem.partition("_")[2]
    return len(text) > 1 and not text.isdigit() and not is_stop_word(text)
