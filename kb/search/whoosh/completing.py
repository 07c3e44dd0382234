"""Names that begin with what was typed so far."""

from __future__ import annotations

import numpy as np

from kb.search.language import fold, spans
from kb.search.whoosh.snapshot import Snapshot


def complete(snapshot: Snapshot, kind: str, text: str, limit: int) -> tuple[str, ...]:
    """Return names of a kind, each word of the text the beginning of a word of theirs, the most frequent first.

    Names that begin with the text go before others. What stands only in deleted documents is not there.
    """
    sets = snapshot.completions[kind]
    counts = np.bincount(sets.codes[snapshot.live[sets.documents]], minlength=len(sets.names))
    typed = _folds(text)
    found = []
    for name, count in zip(sets.names, counts.tolist(), strict=True):
        words = _folds(name) if count and typed else []
        if words and all(any(word.startswith(each) for word in words) for each in typed):
            found.append((not "".join(words).startswith("".join(typed)), -count, name))
    return tuple(name for _, _, name in sorted(found)[:limit])


def _folds(text: str) -> list[str]:
    return [folded for start, end in spans(text) if (folded := fold(text[start:end]))]
