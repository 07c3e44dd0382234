"""The order of relevance. The best of what was found are read and scored; what follows them has an order of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kb.search.typesense.about import Looking
from kb.search.typesense.choosing import FRESH, chosen
from kb.search.typesense.conditions import Condition, both, has, without
from kb.search.typesense.feedback import LEAST_WORDS, Learned, learn
from kb.search.typesense.meaning import Meaning, tagged
from kb.search.typesense.reading import READ, Held
from kb.search.typesense.schema import id_term, value_of
from kb.search.typesense.scoring import Scoring, Weighing

FIRST = 20
"""Documents that a reader sees first: a page as the site shows it."""

_FOR_OTHERS = 3  # places among the first that are for other languages
_OTHERS_READ = 50


class Ranking:
    """The order of relevance of what answers a question."""

    def __init__(self, looking: Looking, meaning: Meaning) -> None:
        self.scoring = Scoring(looking, meaning)
        self._looking, self._meaning = looking, meaning
        self._sought = self.scoring.sought
        self._learned: Learned | None = None

    def held(self, found: Iterable[dict[str, Any]]) -> list[Held]:
        """Return documents as they were read, to be scored."""
        return [Held(each, self._sought) for each in found]

    def read(self, among: Condition, holding: Condition | None = None) -> list[Weighing]:
        """Return the documents that may be the best, scored by the words alone; for `holding` see `chosen`."""
        found = chosen(self._looking, self._meaning, among, holding)
        return [self.scoring.weigh(held) for held in self.held(found)]

    def learn(self, weighed: Sequence[Weighing]) -> None:
        """Learn from the best of some documents what else is likely to be meant."""
        question = self._meaning.question
        counts = self._looking.counted(self._meaning.literally)
        words = [clause.word for clause, count in zip(question.clauses, counts, strict=True) if clause.word and count]
        if question.loose or len(words) < LEAST_WORDS:
            return
        holding = [each for each in weighed if self.scoring.hold_words(each.held)]
        self._learned = learn(self._looking, self.scoring, holding, words)

    def in_order(self, weighed: Iterable[Weighing]) -> list[Weighing]:
        """Return documents in the order of relevance.

        The title asked for comes first, then what holds the words themselves, then by score. Where those are equal,
        what says more, and then what is fresher, goes before; at last the title decides.
        """
        learned = self._learned
        if learned is not None:
            weighed = [each._replace(score=learned.refined(self.scoring, each)) for each in weighed]
        return sorted(weighed, key=_place)

    def best(self, among: Condition, total: int, weighed: Sequence[Weighing]) -> list[Weighing]:
        """Return the best of documents, of which some were weighed, in their order.

        Documents that hold the words are mostly of one language, and where they are many nothing else would be seen. If
        all of the first `FIRST` are of one language, the last places among them go to the best of what was found by its
        meaning, in others.
        """
        best = self.in_order(weighed)
        question = self._meaning.question
        if question.loose or total <= FIRST or not question.expansions or not best:
            return best
        others = self._others(among, best, total)
        names = {each.held.key for each in others}
        rest = [each for each in best if each.held.key not in names]
        place = FIRST - len(others)
        return [*rest[:place], *others, *rest[place:]]

    def after(self, among: Condition, best: Sequence[Weighing]) -> list[Condition]:
        """Return the conditions of the documents that come after the best, the first of them first."""
        rest = both(among, without(has(*(id_term(each.held.key) for each in best))))
        literal = self._meaning.literal
        return [both(rest, literal), both(rest, without(literal))]

    def _others(self, among: Condition, best: Sequence[Weighing], total: int) -> list[Weighing]:
        """Return the best documents found by their meaning in other languages than the first ones, if that is one."""
        languages = {_language(each) for each in best[:FIRST]}
        if len(languages) > 1:
            return []
        found = list(best)
        if total > len(best):
            mine = tagged("language", [value_of(language) for language in languages if language])
            elsewhere = both(among, without(self._meaning.literal), without(mine))
            known = {each.held.key for each in best}
            read = self.held(self._looking.window(elsewhere, 0, _OTHERS_READ, FRESH, READ))
            found = self.in_order([*best, *(self.scoring.weigh(held) for held in read if held.key not in known)])
        return [each for each in found if _language(each) not in languages and not each.literal][:_FOR_OTHERS]


def _place(each: Weighing) -> tuple[Any, ...]:
    found = each.held.found
    return (not each.titled, not each.literal, -each.score, -found["completeness"], -found["updated"], each.held.title)


def _language(each: Weighing) -> str:
    return str(next(iter(each.held.found["language"]), ""))
