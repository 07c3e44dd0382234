"""The best passage of a text: the one to show of a practice that was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kb.search.cutting import Cut, Places

_SENTENCE_ENDS = re.compile(r"[.!?…:\n]")


def passage(cut: Cut, found: Mapping[int, int], size: int, first: int) -> tuple[int, int]:
    """Return from where to where the best passage of a text goes, of at most `size` characters.

    `found` has the words that are looked for, by their place, in order, each with the number of what it is. The best
    window begins with a word and has most things asked for; then all of them in the `first` characters of the text;
    then it begins a sentence; then it has most marks, in its middle. A word goes with what it is attached to, so that
    no bracket and no l' is cut off.
    """
    if not len(cut.starts):
        return 0, size
    begins, stops = cut.runs
    start = _best_start(cut, found, size, first) if found else 0
    begin = int(begins[start])
    last = max(start, int(stops.searchsorted(begin + size, "right")) - 1)
    return begin, min(int(stops[last]), begin + size)


def _best_start(cut: Cut, found: Mapping[int, int], size: int, first: int) -> int:
    """Return the first word of the best window; of windows alike, the first."""
    begins, stops = cut.runs
    hits = np.fromiter(found, np.int64, len(found))
    # The first window that reaches the end is the last one: further ones are parts of it.
    count = min(int(begins.searchsorted(stops[-1] - size)) + 1, len(begins))
    starts = np.arange(count)
    after = np.maximum(stops.searchsorted(begins[:count] + size, "right"), starts + 1)
    low, high = hits.searchsorted(starts), hits.searchsorted(after)
    held = _held(hits, found, starts, after) if len(set(found.values())) > 1 else high > low
    best = np.flatnonzero(held == held.max())
    best = _rather(best, cut.ends[hits[high[best] - 1]] <= first)
    best = _rather(best, [_begins_sentence(cut, place) for place in best.tolist()])
    marks = high[best] - low[best]
    best = best[marks == marks.max()]
    off = np.abs((hits[low[best]] + hits[high[best] - 1]) / 2 - (best + after[best] - 1) / 2)
    return int(best[off.argmin()])


def _held(hits: Places, found: Mapping[int, int], starts: Places, after: Places) -> Places:
    """Return how many things asked for are in each window."""
    numbers = np.fromiter(found.values(), np.int64, len(found))
    held = np.zeros(len(starts), np.int64)
    for number in set(found.values()):
        these = hits[numbers == number]
        held += these.searchsorted(after) > these.searchsorted(starts)
    return held


def _rather(windows: Places, wanted: Sequence[bool] | npt.NDArray[np.bool_]) -> Places:
    """Return the windows that are as wanted, all of them where none is."""
    chosen = windows[np.asarray(wanted, np.bool_)]
    return chosen if len(chosen) else windows


def _begins_sentence(cut: Cut, word: int) -> bool:
    """Whether a sentence begins with a word."""
    if not word:
        return True
    gap = cut[cut.ends[word - 1] : cut.starts[word]]
    return gap != " " and not gap[-1:].strip() and _SENTENCE_ENDS.search(gap) is not None
