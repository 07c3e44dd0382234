"""Which of many documents are read, to be scored: those that hold most of what is worth most."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import inf
from typing import Any, NamedTuple

from kb.search.fields import title_key
from kb.search.typesense.about import MOST_HITS, Looking, documents
from kb.search.typesense.conditions import MOST_PARTS, Condition, both, either, has, parts, without, written
from kb.search.typesense.meaning import Form, Meaning
from kb.search.typesense.reading import READ
from kb.search.typesense.schema import heavy, id_term, title_term
from kb.search.weights import rarity

MOST_READ = MOST_HITS
"""Documents that are read to be scored; where no more are found than these, the order is that of all."""

FRESH = "updated:desc,title:asc"
"""The order of those that are not scored."""

_AT_ONCE = 30  # choices that are counted with one question
_NEW = 0.6  # of the documents of one choice that no better one has, about
_TELLING = 7  # words of a question, the rarest, by which documents are chosen
_THERE, _HEAVY = 0.4, 0.75  # the share that a word is likely to have in a document that holds it, or is about it


class _Choice(NamedTuple):
    """Something that a document may hold, and about what that scores."""

    value: float
    condition: Condition


def chosen(
    looking: Looking, meaning: Meaning, among: Condition, holding: Condition | None = None
) -> list[dict[str, Any]]:
    """Return the documents that are to be scored, of those that meet a condition: all of them where they are few.

    `holding` is what meets the condition among documents that hold any word of the question, where that is shorter.
    What holds the words themselves goes before what else was meant, as it does in the order of relevance.
    """
    literal = both(among, meaning.literal)
    counts = looking.counted([among, literal])
    if counts[0] <= MOST_READ:
        return looking.window(among, 0, counts[0], FRESH, READ)
    if counts[1] >= MOST_READ:
        return _best(looking, meaning, literal, literal, MOST_READ)
    if not counts[1]:
        return _best(looking, meaning, among, holding or among, MOST_READ)
    found = looking.window(literal, 0, counts[1], FRESH, READ)
    other = without(meaning.literal)
    return found + _best(looking, meaning, both(among, other), both(holding or among, other), MOST_READ - len(found))


def _best(looking: Looking, meaning: Meaning, among: Condition, holding: Condition, many: int) -> list[dict[str, Any]]:
    """Return so many of more documents: those with the choices that are worth most, then any others."""
    among, holding = looking.short(among), looking.short(holding)
    title = _Choice(inf, both(meaning.some, has(title_term(title_key(meaning.question.text)))))
    choices = [title, *sorted(_choices(_telling(looking, meaning)), key=lambda choice: -choice.value)]
    found: dict[str, dict[str, Any]] = {}
    for wanted in (*(both(holding, each) for each in _enough(looking, holding, choices, many)), among):
        if len(found) < many:
            new = both(wanted, without(has(*(id_term(key) for key in found))))
            answer = looking.ask([_read(looking, new, many - len(found))])[0]
            found |= {each["key"]: each for each in documents(answer)}
    return list(found.values())


def _read(looking: Looking, condition: Condition, many: int) -> dict[str, Any]:
    fields = ",".join(READ)
    filter_by = written(looking.short(condition))
    return {"filter_by": filter_by, "sort_by": FRESH, "per_page": many, "include_fields": fields}


def _enough(looking: Looking, among: Condition, choices: list[_Choice], many: int) -> list[Condition]:
    """Return the first of the choices that so many documents have, together in as few conditions as can be."""
    room = MOST_PARTS - parts(among) - 3
    packed: list[Condition] = []
    missing = float(many)
    for start in range(0, len(choices), _AT_ONCE):
        some = choices[start : start + _AT_ONCE]
        counts = looking.counted([both(among, each.condition) for each in some])
        for each, count in zip(some, counts, strict=True):
            if not count or missing <= 0:
                continue
            wider = either(*packed[-1:], each.condition)
            packed = [*packed[:-1], wider] if packed and parts(wider) <= room else [*packed, each.condition]
            missing -= count * _NEW
    return packed


def _telling(looking: Looking, meaning: Meaning) -> list[tuple[float, Form]]:
    """Return the rarest words of a question, each with how rare it is."""
    forms = [form for form in meaning.forms() if form.terms]
    counts = looking.counted([form.condition for form in forms])
    found = [(count, form) for count, form in zip(counts, forms, strict=True) if count]
    rarest = sorted(found, key=lambda pair: pair[0])[:_TELLING]
    return [(rarity(looking.about.documents, count), form) for count, form in rarest]


def _choices(telling: list[tuple[float, Form]]) -> Iterator[_Choice]:
    """Yield ways to hold one, two, three, nearly all or all of some words, each with about what that scores."""
    there = [_Choice(_THERE * value, form.condition) for value, form in telling]
    about = [_Choice(_HEAVY * value, _heavy(form)) for value, form in telling]
    yield from there
    yield from about
    for first, second in combinations(range(len(telling)), 2):
        yield _together([there[first], there[second]])
        yield _together([about[first], there[second]])
        yield _together([about[first], about[second]])
    for size in {3, len(telling) - 1, len(telling)} - {-1, 0, 1, 2}:
        for several in combinations(there, size):
            yield _together(list(several))


def _together(choices: list[_Choice]) -> _Choice:
    return _Choice(sum(each.value for each in choices), both(*(each.condition for each in choices)))


def _heavy(form: Form) -> Condition:
    heavier = has(*(heavy(term) for term in (form.typed, *form.kin, *form.many) if term))
    return both(form.condition, heavier) if form.titled else heavier
