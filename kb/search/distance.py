"""How far words are from each other, in slips of the pen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist


def distances(word: str, others: Sequence[str], most: int) -> NDArray[np.uint8]:
    """Return how many edits make each of `others` of a word, `most` + 1 standing for more.

    An edit puts in, takes out or replaces a letter, or swaps two neighbours that no other edit touches: Damerau and
    Levenshtein's distance, as optimal string alignment.
    """
    return np.asarray(cdist([word], others, scorer=OSA.distance, score_cutoff=most, dtype=np.uint8)[0])
