"""Names that begin with what was typed so far."""

from __future__ import annotations

from collections import Counter

import numpy as np

from kb.search.beginnings import WORDS
from kb.search.whoosh.snapshot import Snapshot


def complete(snapshot: Snapshot, kind: str, text: str, limit: int) -> tuple[str, ...]:
    """Return names of a kind, each word of the text the beginning of a word of theirs, the most frequent first.

    Names that begin with the text go before others. What stands only in deleted documents is not there.
    """
    counts: Counter[str] = Counter()
    later: dict[str, bool] = {}
    for base, segment in zip(snapshot.bases, snapshot.segments, strict=False):
        sets = segment.columns.completions[kind]
        numbers = np.bincount(sets.codes[snapshot.live[base + sets.documents]], minlength=len(sets.names)).tolist()
        for nearness, place in segment.columns.beginnings[kind].find(text):
            if numbers[place]:
                counts[sets.names[place]] += numbers[place]
                later[sets.names[place]] = nearness == WORDS
    return tuple(sorted(counts, key=lambda name: (later[name], -counts[name], name))[:limit])
