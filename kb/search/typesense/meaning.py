"""What a question asks for, as conditions: each of its words in every form, its phrases, its meanings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from kb.search.fields import IN_TITLES, LEAST_HALF, MOST_PAIRS
from kb.search.language import asked_stems, compounds, fold
from kb.search.question import Clause, Expansion, Need, Question, Tagged, Words
from kb.search.typesense.about import MOST_HITS, Looking, documents
from kb.search.typesense.conditions import EVERYTHING, NOTHING, Condition, both, either, has, overlapping, without
from kb.search.typesense.schema import id_term, pair_term, stem_term, titled, token, value_term, word_term

_TITLES = [number for number, is_title in enumerate(IN_TITLES) if is_title]
_MOST_ROUNDS = 20  # of looking for the words that begin with something; each finds those of 250 documents


class Form(NamedTuple):
    """A need for words: the words it stands for as typed, their kin, the pairs that are them taken apart.

    `many` are the words that a beginning stands for, `run` the folded words of a phrase of three or more. `condition`
    is what has any of it; only in titles, where `titled`.
    """

    condition: Condition
    typed: str = ""
    kin: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    titled: bool = False

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that are counted for it in a document."""
        return (*([self.typed] if self.typed else []), *self.kin, *self.apart, *self.many)


class Joined(NamedTuple):
    """Two words that were typed apart, the one of `clause` and the next, where they stand as one."""

    clause: int
    forms: tuple[Form, ...]
    condition: Condition


class Meaning:
    """A question as conditions.

    For each clause `needs` are where its needs are met, with the form of those for words, and `literally` where it
    stands itself, be it joined with another; `before` the same but not joined.
    """

    def __init__(self, looking: Looking, question: Question) -> None:
        self.question = question
        self._looking = looking
        self.needs = [[self._need(need) for need in clause.needs] for clause in question.clauses]
        self.before = [either(*(condition for condition, _ in needs)) for needs in self.needs]
        self.pairs = pairs(question)
        self.joined = [Joined(i, *self._joined(first, second)) for i, first, second in self.pairs]
        self.literally = list(self.before)
        for each in self.joined:
            for clause in (each.clause, each.clause + 1):
                self.literally[clause] = either(self.literally[clause], each.condition)
        required = [self._any_of(clause) for clause in question.required]
        excluded = [without(self._need(need)[0]) for need in question.excluded]
        self.allowed = both(NOTHING if question.asks_nothing else EVERYTHING, *required, *excluded)

    @property
    def literal(self) -> Condition:
        """Where the words themselves stand, all of them."""
        return EVERYTHING if self.question.loose else both(*self.literally)

    @property
    def full(self) -> Condition:
        """What answers the question in full."""
        if self.question.loose and self.question.clauses:
            return self.some
        return both(self.allowed, *map(self._held, range(len(self.literally))))

    @property
    def some(self) -> Condition:
        """What answers a part of it, or all."""
        if not self.question.clauses:
            return self.allowed
        return both(self.allowed, either(*self.literally, *map(meant, self.question.expansions)))

    def forms(self) -> Iterator[Form]:
        """Yield what is looked for in texts, in the order typed, and then joined."""
        for needs in self.needs:
            yield from (form for _, form in needs if form is not None)
        for each in self.joined:
            yield from each.forms

    def _held(self, clause: int) -> Condition:
        meanings = (each for each in self.question.expansions if each.start <= clause < each.end)
        return either(self.literally[clause], *map(meant, meanings))

    def _any_of(self, clause: Clause) -> Condition:
        return either(*(self._need(need)[0] for need in clause.needs))

    def _need(self, need: Need) -> tuple[Condition, Form | None]:
        if isinstance(need, Words):
            form = self._form(need)
            return form.condition, form
        if isinstance(need, Tagged):
            return tagged(need.facet, need.values), None
        return overlapping(need.first, need.last), None

    def _form(self, words: Words) -> Form:
        in_title = words.field == "title"
        folds = words.folds
        if words.begins and not words.exact:
            many = tuple(beginning_with(self._looking, word_term(""), folds[0])) if folds[0] else ()
            return Form(_any(many, in_title), many=many, titled=in_title)
        if not all(folds):
            return Form(NOTHING)
        if not words.exact:
            kin, apart = self._kin(words.words[0]), _apart(folds[0])
            typed = word_term(folds[0])
            return Form(_any((typed, *kin, *apart), in_title), typed, kin, apart, titled=in_title)
        if len(folds) == 1:
            return Form(_any((word_term(folds[0]),), in_title), word_term(folds[0]), titled=in_title)
        if len(folds) == 2:
            return Form(_any((pair_term(*folds),), in_title), apart=(pair_term(*folds),), titled=in_title)
        return Form(self._phrase(folds, in_title), run=folds, titled=in_title)

    def _joined(self, first: str, second: str) -> tuple[tuple[Form, ...], Condition]:
        words = compounds(first, second)
        forms = [(word_term(fold(word)), self._kin(word)) for word in words if fold(word)]
        made = tuple(Form(has(typed, *kin), typed, kin) for typed, kin in forms)
        return made, either(*(form.condition for form in made))

    def _kin(self, word: str) -> tuple[str, ...]:
        languages = self._looking.about.languages
        return tuple(sorted({stem_term(code, stem) for code in languages for stem in asked_stems(word, code)}))

    def _phrase(self, folds: tuple[str, ...], in_title: bool) -> Condition:
        """Return the documents in which these words stand side by side: among those with all the pairs of them."""
        found = self._looking.about.found
        key = (folds, in_title)
        if key not in found:
            terms = [pair_term(first, second) for first, second in pairwise(folds)]
            likely = both(*(_any((term,), in_title) for term in terms))
            held = self._looking.all_of(likely, ("key", "texts"))
            found[key] = has(*(id_term(each["key"]) for each in held if standing(each, folds, in_title)))
        condition: Condition = found[key]
        return condition


def standing(found: dict[str, Any], folds: Sequence[str], in_title: bool) -> list[int]:
    """Return the numbers of the fields in which words stand side by side in a document, as often as they do."""
    sought = f" {' '.join(folds)} "
    places = []
    for text in found.get("texts", ()):
        number, _, words = text.partition(" ")
        if in_title and int(number) not in _TITLES:
            continue
        spaced, start = f" {words} ", -1
        while (start := spaced.find(sought, start + 1)) >= 0:
            places.append(int(number))
    return places


def meant(expansion: Expansion) -> Condition:
    """Return what is tagged with what words also mean."""
    return tagged(expansion.facet, expansion.values)


def tagged(facet: str, values: Iterable[str]) -> Condition:
    """Return what has any of some values of a facet, of `region` or of `own_region`."""
    return has(*(value_term(facet, value) for value in values))


def pairs(question: Question) -> list[tuple[int, str, str]]:
    """Return the words that were typed side by side, with the number of the first one's clause."""
    found: list[tuple[int, str, str]] = []
    for start, end in question.runs():
        words = [clause.word or "" for clause in question.clauses[start:end]]
        found += ((start + i, first, second) for i, (first, second) in enumerate(pairwise(words)))
    return found[:MOST_PAIRS]


def beginning_with(looking: Looking, kind: str, folded: str) -> list[str]:
    """Return terms of a kind that begin with a folded text, so many that whatever has one that does has one of them.

    The server finds documents by the beginning of a term, but does not say by which term. So their terms are read, and
    it is asked for documents that have none of these, until there are none.
    """
    key = (kind, folded)
    if key not in looking.about.found:
        found = _beginning(looking, kind + token(folded))
        if folded.isascii():  # and goes on with other letters than these
            found |= _beginning(looking, f"{kind}_{folded.encode().hex()}")
        looking.about.found[key] = sorted(found)
    terms: list[str] = looking.about.found[key]
    return terms


def _beginning(looking: Looking, prefix: str) -> set[str]:
    found: set[str] = set()
    for _ in range(_MOST_ROUNDS):
        answer = looking.ask([_search(prefix, found)])[0]
        for each in documents(answer):
            found.update(term for term in each["terms"] if term.startswith(prefix))
        if answer["found"] <= MOST_HITS:
            break
    return found


def _search(prefix: str, but: Iterable[str]) -> dict[str, Any]:
    excluded = f"terms:!=[{','.join(sorted(but))}]" if but else ""
    return {
        "q": prefix,
        "query_by": "terms",
        "prefix": True,
        "num_typos": 0,
        "drop_tokens_threshold": 0,
        "exhaustive_search": True,
        "max_candidates": 1_000_000,
        "filter_by": excluded,
        "per_page": MOST_HITS,
        "include_fields": "terms",
        "highlight_fields": "none",
        "highlight_full_fields": "none",
    }


def _any(terms: Iterable[str], in_title: bool) -> Condition:
    return has(*(map(titled, terms) if in_title else terms))


def _apart(folded: str) -> tuple[str, ...]:
    """Return the pairs of words that a word would be, taken apart at each of its letters."""
    return tuple(pair_term(folded[:i], folded[i:]) for i in range(1, len(folded) - LEAST_HALF + 1))
