"""How good a ranking is, by what people judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import NamedTuple

DEEP = 100
"""Documents that are asked of an engine for each question."""


class Figures(NamedTuple):
    """Means over the questions of a collection, and the share of questions to which there was no answer at all."""

    ndcg_at_10: float
    recall_at_100: float
    zero_results: float


def figures(rankings: Mapping[str, Sequence[str]], grades: Mapping[str, Mapping[str, float]]) -> Figures:
    """Measure rankings (document ids, best first, by question) for all questions that have grades."""
    ranked = [(rankings.get(question, ()), judged) for question, judged in grades.items()]
    return Figures(
        _mean(ndcg(ranking, judged) for ranking, judged in ranked),
        _mean(recall(ranking, judged) for ranking, judged in ranked),
        _mean(not ranking for ranking, _ in ranked),
    )


def ndcg(ranking: Sequence[str], grades: Mapping[str, float], depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `depth` documents, 0 to 1.

    A document gains 2^grade − 1, divided by log2(rank + 1): Burges et al., "Learning to rank using gradient descent"
    (ICML 2005), after Järvelin and Kekäläinen (TOIS 2002). The ideal is that of all judged documents. A document that
    is ranked twice counts where it comes first.
    """
    best = _gain(sorted(grades.values(), reverse=True)[:depth])
    return _gain(grades.get(document, 0.0) for document in _once(ranking)[:depth]) / best if best else 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, float], depth: int = DEEP) -> float:
    """Return the share of the relevant documents (grade above 0) that are among the first `depth`."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant.intersection(_once(ranking)[:depth])) / len(relevant) if relevant else 0.0


def _once(ranking: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ranking))


def _gain(grades: Iterable[float]) -> float:
    return sum(((2.0**grade - 1) / log2(rank + 1) for rank, grade in enumerate(grades, 1)), 0.0)


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0
