"""The best passage of a text: the one to show of a practice that was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

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
    if not cut.words:
        return 0, size
    begins, stops = _runs(cut)
    start = _best_start(cut, begins, stops, found, size, first) if found else 0
    begin = int(begins[start])
    last = max(start, int(stops.searchsorted(begin + size, "right")) - 1)
    return begin, min(int(stops[last]), begin + size)


def _runs(cut: Cut) -> tuple[Places, Places]:
    """Return for each word from where to where the run without white space goes that it is in."""
    gaps, count = cut.pieces[::2], len(cut.words)
    begins, stops = cut.ends[0:-1:2].copy(), cut.ends[1::2].copy()
    joined = []
    for number in [place for place, gap in enumerate(gaps) if gap != " "]:  # as nearly all are
        before, after = _attached(gaps[number])
        if number and before:
            stops[number - 1] += before
        if after and number < count:
            begins[number] -= after
        if number and before == len(gaps[number]):
            joined.append(number)
    for number in joined:
        begins[number : number + 1] = begins[number - 1]
    for number in reversed(joined):
        stops[number - 1] = stops[min(number, count - 1)]
    return begins, stops


@lru_cache(maxsize=1024)
def _attached(gap: str) -> tuple[int, int]:
    """Return how many characters of what stands between two words belong to the first one and to the second.

    Without white space in it, all belong to both: they are in one run.
    """
    parts = gap.split()
    before = len(parts[0]) if parts and not gap[0].isspace() else 0
    after = len(parts[-1]) if parts and not gap[-1].isspace() else 0
    return before, after


def _best_start(cut: Cut, begins: Places, stops: Places, found: Mapping[int, int], size: int, first: int) -> int:
    """Return the first word of the best window; of windows alike, the first."""
    hits = np.fromiter(found, np.int64, len(found))
    # The first window that reaches the end is the last one: further ones are parts of it.
    count = min(int(begins.searchsorted(stops[-1] - size)) + 1, len(begins))
    starts = np.arange(count)
    after = np.maximum(stops.searchsorted(begins[:count] + size, "right"), starts + 1)
    low, high = hits.searchsorted(starts), hits.searchsorted(after)
    held = _held(hits, found, starts, after) if len(set(found.values())) > 1 else high > low
    best = np.flatnonzero(held == held.max())
    best = _rather(best, cut.ends[2 * hits + 1][high[best] - 1] <= first)
    gaps = cut.pieces
    best = _rather(best, [not place or _begins_sentence(gaps[2 * place]) for place in best.tolist()])
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


def _begins_sentence(gap: str) -> bool:
    """Whether a sentence begins after what stands between two words."""
    return gap != " " and not gap[-1:].strip() and _SENTENCE_ENDS.search(gap) is not None
