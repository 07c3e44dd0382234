"""The best passage of a text: the one to show of a practice that was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

_SENTENCE_ENDS = re.compile(r"[.!?…:\n]")

Places = npt.NDArray[np.int64]


def passage(
    pieces: Sequence[str], ends: Sequence[int], found: Mapping[int, int], size: int, first: int
) -> tuple[int, int]:
    """Return from where to where the best passage of a text goes, of at most `size` characters.

    `pieces` is the text, cut at its words as `language.pieces` does, `ends` where each piece ends. `found` has the
    words that are looked for, by their place, in order, each with the number of what it is. The best window begins with
    a word and has most things asked for; then all of them in the `first` characters of the text; then it begins a
    sentence; then it has most marks, in its middle. A word goes with what it is attached to, so that no bracket and no
    l' is cut off.
    """
    if len(pieces) == 1:
        return 0, size
    begins, stops = _runs(pieces, ends)
    start = _best_start(pieces, begins, stops, found, size, ends, first) if found else 0
    begin = int(begins[start])
    last = max(start, int(np.searchsorted(stops, begin + size, "right")) - 1)
    return begin, min(int(stops[last]), begin + size)


def _runs(pieces: Sequence[str], ends: Sequence[int]) -> tuple[Places, Places]:
    """Return for each word from where to where the run without white space goes that it is in."""
    whole = np.array(ends, np.int64)
    begins, stops = whole[0:-1:2].copy(), whole[1::2].copy()
    joined = []
    for number, gap in enumerate(pieces[::2]):
        if gap == " ":  # as nearly all are
            continue
        before, after = _attached(gap)
        if number:
            stops[number - 1] += before
        if number < len(begins):
            begins[number] -= after
        if number and before == len(gap):
            joined.append(number)
    for number in joined:
        begins[number : number + 1] = begins[number - 1]
    for number in reversed(joined):
        stops[number - 1] = stops[min(number, len(stops) - 1)]
    return begins, stops


def _attached(gap: str) -> tuple[int, int]:
    """Return how many characters of what stands between two words belong to the first one and to the second.

    Without white space in it, all belong to both: they are in one run.
    """
    parts = gap.split()
    before = len(parts[0]) if parts and not gap[0].isspace() else 0
    after = len(parts[-1]) if parts and not gap[-1].isspace() else 0
    return before, after


def _best_start(
    pieces: Sequence[str], begins: Places, stops: Places, found: Mapping[int, int], size: int, ends: Sequence[int],
    first: int,
) -> int:  # fmt: skip
    """Return the first word of the best window; of windows alike, the first."""
    hits = np.fromiter(found, np.int64, len(found))
    numbers = np.fromiter(found.values(), np.int64, len(found))
    reach = np.flatnonzero(stops[-1] - begins <= size)
    starts = np.arange(int(reach[0]) + 1 if len(reach) else len(begins))  # further windows are parts of that one
    after = np.maximum(np.searchsorted(stops, begins[starts] + size, "right"), starts + 1)
    held = np.zeros(len(starts), np.int64)
    for number in set(found.values()):
        these = hits[numbers == number]
        held += np.searchsorted(these, after) > np.searchsorted(these, starts)
    kept = np.flatnonzero(held == held.max())
    low, high = np.searchsorted(hits, kept), np.searchsorted(hits, after[kept])
    leading = np.array(ends, np.int64)[2 * hits[high - 1] + 1] <= first
    sentences = np.fromiter((_begins_sentence(pieces[2 * place]) for place in kept.tolist()), np.bool_, len(kept))
    sentences |= kept == 0
    off = np.abs((hits[low] + hits[high - 1]) / 2 - (kept + after[kept] - 1) / 2)
    # The last key of a lexical sort counts most.
    return int(kept[np.lexsort((kept, off, low - high, ~sentences, ~leading))[0]])


def _begins_sentence(gap: str) -> bool:
    """Whether a sentence begins after what stands between two words."""
    return gap != " " and not gap[-1:].strip() and _SENTENCE_ENDS.search(gap) is not None
