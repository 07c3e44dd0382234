"""What finding something in a document is worth: BM25F, after Robertson, Zaragoza and Taylor (CIKM 2004).

A word's frequencies in the fields are weighted and made comparable in length first, and only their sum is saturated, so
that a word in title and summary does not count as two words. These are the numbers that all engines rank by.
"""

from __future__ import annotations

from math import log

from kb.search.fields import FIELDS

# Title and summary are what the authors chose to say about a practice, word for word worth more than the long texts.
# Names are lists in which a word only says that somebody took part; foreign texts mostly say again what the title says.
WEIGHTS = tuple({"title": 5.0, "summary": 4.0, "story": 1.0, "names": 1.5, "foreign": 1.5}[f] for f in FIELDS)
"""What a word counts in each of `FIELDS`."""

# A long title is hardly worse than a short one.
LENGTH = tuple({"title": 0.3, "summary": 0.3, "story": 0.75, "names": 0.5, "foreign": 0.2}[f] for f in FIELDS)
"""How far a word counts less in a field longer than the average."""

SATURATION = 2.0
"""The weighted frequency at which half of all that a word can be worth is reached."""

KIN = 0.95
"""What a word that only shares a stem counts beside the word as typed."""

TOGETHER = 0.25
"""What two words side by side as typed count beside a word of their own."""

MEANT, MEANT_SECOND = 0.4, 0.25
"""What being tagged with what the words also mean counts beside a word; the same where it is not the first tag."""


def rarity(documents: int, count: int) -> float:
    """Return what standing in `count` of all documents is worth: Robertson and Spärck Jones's weight, never below 0."""
    return log(1 + (documents - count + 0.5) / (count + 0.5))


def worth(documents: int, count: int) -> float:
    """Return what a share of 1 scores for something that stands in `count` of all documents."""
    return rarity(documents, count) * (SATURATION + 1)
