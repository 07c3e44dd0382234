"""How far words are from each other, in slips of the pen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def distances(word: str, others: Sequence[str], most: int) -> NDArray[np.uint8]:
    """Return how many edits make each of `others` of a word, `most` + 1 standing for more.

    An edit puts in, takes out or replaces a letter, or swaps two neighbours that no other edit touches: Damerau and
    Levenshtein's distance, as optimal string alignment. All are computed together, a cell of the matrix at a time.
    """
    beyond = np.uint8(most + 1)
    width = max(1, *map(len, others), 0)
    letters = np.array(others, f"U{width}").view(np.uint32).reshape(-1, width).T.copy()  # a row for each place
    lengths = np.array([len(other) for other in others], np.intp)
    rows = np.full((3, width + 1, len(others)), beyond)  # the last three of the matrix, turn and turn about
    rows[0] = np.minimum(np.arange(width + 1), beyond)[:, None]
    for i, letter in enumerate(map(ord, word), 1):
        above, row = rows[(i - 1) % 3], rows[i % 3]
        row[:] = beyond
        row[0] = min(i, beyond)
        for j in range(max(1, i - most), min(width, i + most) + 1):
            best = np.minimum(above[j], row[j - 1]) + np.uint8(1)
            np.minimum(best, above[j - 1] + (letters[j - 1] != letter), out=best)
            if i > 1 and j > 1:
                swapped = (letters[j - 2] == letter) & (letters[j - 1] == ord(word[i - 2]))
                np.minimum(best, np.where(swapped, rows[(i - 2) % 3][j - 2] + np.uint8(1), beyond), out=best)
            row[j] = np.minimum(best, beyond)
    found: NDArray[np.uint8] = rows[len(word) % 3][lengths, np.arange(len(others))]
    return found
