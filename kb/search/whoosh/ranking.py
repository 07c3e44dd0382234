"""The order of relevance."""

from __future__ import annotations

import numpy as np

from kb.search.whoosh.scoring import Matches
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Snapshot

FIRST = 20
"""Documents that a reader sees first: a page as the site shows it."""

_FOR_OTHERS = 3  # places among the first that are for other languages


def by_relevance(snapshot: Snapshot, matches: Matches, documents: Numbers, end: int) -> Numbers:
    """Return the first `end` of the documents in the order of relevance.

    Documents that hold the words are mostly of one language, and where they are many nothing else would be seen. If all
    of the first `FIRST` are of one language, the last places among them go to the best of what was found by its
    meaning, in others.
    """
    natural = best_first(snapshot, matches, leading(matches, documents, max(end, FIRST)))
    if matches.question.loose or len(documents) <= FIRST or not matches.expansions:
        return natural
    others = _others(snapshot, matches, documents, natural[:FIRST])
    kept = natural[~np.isin(natural, others)]
    place = FIRST - len(others)
    return np.concatenate([kept[:place], others, kept[place:]])


def _others(snapshot: Snapshot, matches: Matches, documents: Numbers, first: Numbers) -> Numbers:
    """Return the best documents found by their meaning in other languages than that of `first`, if that is only one."""
    sets = snapshot.sets["language"]
    languages = np.full(snapshot.size, -1)
    languages[sets.documents] = sets.codes
    if len(np.unique(languages[first])) > 1:
        return np.empty(0, np.intp)
    elsewhere = documents[(languages[documents] != languages[first[0]]) & ~matches.literal[documents]]
    return best_first(snapshot, matches, leading(matches, elsewhere, _FOR_OTHERS))[:_FOR_OTHERS]


def leading(matches: Matches, documents: Numbers, count: int) -> Numbers:
    """Return the `count` most relevant, and what equals the last of them: the rest needs no sorting."""
    if not 0 < count < len(documents):
        return documents
    # Scores are far below the steps between what has the title, what holds the words, and what does not.
    standing = matches.scores[documents] + 1e6 * matches.literal[documents] + 1e7 * matches.titled[documents]
    found: Numbers = documents[standing >= np.partition(standing, -count)[-count]]
    return found


def best_first(snapshot: Snapshot, matches: Matches, documents: Numbers) -> Numbers:
    """Return documents in the order of relevance.

    The title asked for comes first, then what holds the words themselves, then by score. Where those are equal, what
    says more, and then what is fresher, goes before; at last the title decides.
    """
    keys = (
        snapshot.title_ranks[documents],
        -np.unique(snapshot.updated[documents], return_inverse=True)[1],
        -snapshot.completeness[documents],
        -matches.scores[documents],
        ~matches.literal[documents],
        ~matches.titled[documents],
    )
    return documents[np.lexsort(keys)]
