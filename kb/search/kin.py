"""The words met in texts of a language, by their folds and stems: which of them can answer what is asked.

A page marks some twenty texts for a question that was never asked before. To look at each of their thousands of words
takes longer than to look up, for the few words of the question, which words of all texts are kin to them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence

from kb.search.language import LONGEST_WORD, forms

_MOST_WORDS = 12_000  # of a language, 4 MB; then all are forgotten, and met anew
_MOST_LANGUAGES = 16


class Kin:
    """The words met in texts of one language (as `language_of` names it). Safe to use from several threads."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._met: set[str] = set()
        self._order: list[str] = []
        self._by_form: dict[str, list[str]] = {}
        self._by_letter: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many words were met."""
        return len(self._order)

    def meet(self, words: Sequence[str]) -> None:
        """Take in words as they are written."""
        if self._met.issuperset(words):
            return
        with self._lock:
            new = set(words) - self._met
            for word in new:
                folded, stems = forms(word[:LONGEST_WORD], self._language)
                for form in {folded, *stems}:
                    self._by_form.setdefault(form, []).append(word)
                self._by_letter.setdefault(folded[:1], []).append(word)
            self._order += new
            self._met |= new  # last: whoever finds a word here finds it by its forms too

    def of(self, asked: Iterable[str]) -> Iterator[str]:
        """Yield the words met that have one of these folds or stems, some perhaps twice."""
        for form in asked:
            yield from self._by_form.get(form, ())

    def under(self, letters: Iterable[str]) -> Iterator[str]:
        """Yield the words met whose folds begin with one of these letters; all of them under none."""
        for letter in letters:
            yield from self._by_letter.get(letter, ()) if letter else self._order

    def since(self, number: int) -> Sequence[str]:
        """Return the words met after the first so many."""
        return self._order[number:]

    @property
    def full(self) -> bool:
        """Whether it has met as many as it may remember."""
        return len(self._met) > _MOST_WORDS


_known: dict[str, Kin] = {}


def kin(language: str) -> Kin:
    """Return the words met in a language by this process."""
    known = _known.get(language)
    if known is None or known.full:
        if len(_known) >= _MOST_LANGUAGES:
            _known.clear()
        known = _known[language] = Kin(language)
    return known
