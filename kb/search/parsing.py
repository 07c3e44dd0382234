"""What a reader typed, taken apart into what has to be found.

    housing refugees         both words, in any of their forms
    "case worker"            these words, side by side
    refugees -camp           not where this stands
    nurses OR doctors        either
    integr*                  any word that begins so
    title:talent             in the title
    country:IT theme:housing region:"South Tyrol" year:2018..2022    as the filters of the same names

Whatever is not written like this is read as plain words: any string is a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kb.search.language import LONGEST_WORD, fold, is_stop_word, spans
from kb.search.question import Clause, Need, Question, Tagged, Words, Years
from kb.search.thesaurus import EMPTY, Thesaurus

MOST_WORDS = 64
"""Words of a question that count; further ones are ignored."""

LEAST_BEGINNING = 2
"""Letters that a beginning must have: with fewer, `a*` is the word `a`."""

MOST_BEGINNINGS = 8
"""Beginnings of a question that count as such; further ones are words. Each may stand for a thousand words."""

TAGS = ("country", "theme", "target_group", "region")
"""What can be asked for as `name:value`, beside `title:` and `year:`."""

_MOST_CHARACTERS = MOST_WORDS * (LONGEST_WORD + 1)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_TOKEN = re.compile(r'(?P<minus>(?<!\S)[-−])?(?:(?P<name>[A-Za-z_]+):)?(?:"(?P<phrase>[^"]*)"|(?P<run>[^\s"]+))')
_ELECTRONIC = re.compile(r"(?<=(?<![\w-])[eE])-(?=[^\W\d_]{3})")
_YEARS = re.compile(r"(?P<first>[1-9]\d{3})?(?P<range>\.\.|[-–])?(?P<last>[1-9]\d{3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Item:
    """What one token asks for: each of `needs`, or, where `excluded`, none. `apart`: it stands for itself."""

    needs: tuple[Need, ...]
    excluded: bool = False
    apart: bool = False


_OR = _Item(())


def parse(text: str, thesaurus: Thesaurus = EMPTY, dropped: Iterable[tuple[str, str]] = ()) -> Question:
    """Return the question that a text asks: each thing once, in the order typed.

    Stop words count only where there is nothing else. `thesaurus` knows the names of countries, themes and so on, for
    operators and for what else the words mean; `dropped` are (facet, value) pairs that the reader did not mean.
    """
    text = text[:_MOST_CHARACTERS]
    items = _with_few_beginnings(_items(text.translate(_QUOTES), thesaurus))
    clauses = _meaningful(_clauses(_either(items)))
    excluded = tuple(dict.fromkeys(need for item in items if item.excluded for need in item.needs))
    searched = tuple(clause for clause in clauses if clause.has_words)
    question = Question(
        text=text,
        clauses=searched,
        required=tuple(clause for clause in clauses if not clause.has_words),
        excluded=excluded[: max(0, MOST_WORDS - len(clauses))],
    )
    return thesaurus.expand(question, dropped)


def _items(text: str, thesaurus: Thesaurus) -> Iterator[_Item]:
    """Yield what the tokens of a text ask for."""
    shouted = text.isupper() and len(text.split()) > 5  # an OR among capitals is a word
    for match in _TOKEN.finditer(text):
        excluded = match["minus"] is not None and any(map(str.isalpha, match[0]))
        if match[0] == "OR" and not shouted:
            yield _OR
        elif match["name"] and (item := _named(match, thesaurus)):
            yield _Item(item, excluded, apart=True)
        elif match["phrase"] is not None and not match["name"]:
            words = tuple(_words(match["phrase"]))
            yield _Item((Words(words, exact=True),) if words else (), excluded, apart=True)
        else:
            needs = tuple(_plain(match[0]))
            excluded = excluded and match[0][1:2].isalnum()
            if excluded and len(needs) > 1:  # -re-skilling leaves out neither "re" nor "skilling"
                needs = (Words(tuple(need.words[0] for need in needs), exact=True),)
            yield _Item(needs, excluded, apart=any(not need.is_plain for need in needs))


def _with_few_beginnings(items: Iterable[_Item]) -> list[_Item]:
    kept: list[_Item] = []
    left = MOST_BEGINNINGS
    for item in items:
        begins = sum(isinstance(need, Words) and need.begins for need in item.needs)
        kept.append(item if begins <= left else replace(item, needs=tuple(map(_whole, item.needs))))
        left = max(0, left - begins)
    return kept


def _whole(need: Need) -> Need:
    return replace(need, begins=False) if isinstance(need, Words) else need


def _plain(text: str, field: str | None = None) -> Iterator[Words]:
    """Yield the words of a text without quotes; the last is a beginning where a `*` ends the text.

    The e of e-learning is no Italian "and", but a part of its word, which some write apart.
    """
    words = _words(electronic(text))
    begins = text.endswith("*") and bool(words) and text[-2:-1].isalnum() and len(fold(words[-1])) >= LEAST_BEGINNING
    for i, word in enumerate(words):
        yield Words((word,), begins=begins and i == len(words) - 1, field=field)


def electronic(text: str) -> str:
    """Return a text with the e of e-learning joined to its word, as questions are read."""
    return _ELECTRONIC.sub("", text)


def _named(match: re.Match[str], thesaurus: Thesaurus) -> tuple[Need, ...]:
    """Return what `name:value` asks for; nothing where there is no such name, or the value is none of its."""
    name = match["name"].lower()
    phrase = match["phrase"]
    value = match["run"] if phrase is None else phrase
    if name == "title":
        words = tuple(_words(value))
        return (Words(words, exact=True, field=name),) if phrase is not None and words else tuple(_plain(value, name))
    if name == "year":
        return _years(value)
    if name not in TAGS:
        return ()
    found = [thesaurus.named(name, each) for each in (value.split(",") if phrase is None else [value])]
    values = tuple(dict.fromkeys(each for group in found for each in group))
    return (Tagged(name, values),) if all(found) else ()


def _years(value: str) -> tuple[Years, ...]:
    """Return the years of `2018`, `2018..2022`, `2018..` or `..2022`."""
    match = _YEARS.fullmatch(value)
    if match is None or not (match["first"] or match["last"]):
        return ()
    first, last = (int(year) if year else None for year in (match["first"], match["last"]))
    if not match["range"]:
        first = last = first or last
    return () if first and last and first > last else (Years(first, last),)


def _either(items: Iterable[_Item]) -> Iterator[tuple[tuple[Need, ...], bool]]:
    """Yield the needs of each clause, of which any will do, and whether it goes on from the one before.

    An OR binds what stands right before and right after it. One that has no partner is no operator.
    """
    held: tuple[Need, ...] = ()
    goes_on = joins = False
    for item in items:
        if item is _OR:
            joins = bool(held)
        elif item.excluded or not item.needs:
            joins = False
        else:
            first, *rest = item.needs
            if joins:
                held, goes_on = (*held, first), False
            else:
                if held:
                    yield held, goes_on
                held, goes_on = (first,), not item.apart
            for need in rest:
                yield held, goes_on
                held, goes_on = (need,), not item.apart
            joins = False
    if held:
        yield held, goes_on


def _words(text: str) -> list[str]:
    words = (text[start : min(end, start + LONGEST_WORD)] for start, end in spans(text))
    return [word for word in words if fold(word)]


def _clauses(groups: Iterable[tuple[tuple[Need, ...], bool]]) -> list[Clause]:
    """Return the clauses, each once, cut after `MOST_WORDS` words."""
    kept: dict[tuple[object, ...], Clause] = {}
    left = MOST_WORDS
    follows = False
    for needs, goes_on in groups:
        if left <= 0:
            break
        cut = tuple(_cut(need, left) for need in needs[:left])
        key = tuple((need.folds, need.exact, need.begins, need.field) if isinstance(need, Words) else need
                    for need in cut)  # fmt: skip
        clause = Clause(cut, follows and goes_on)
        new = key not in kept
        if new:
            kept[key] = clause
            left -= sum(len(need.words) if isinstance(need, Words) else 1 for need in cut)
        repeated = not new and clause.word is not None and is_stop_word(fold(clause.word))  # parts no words
        follows = clause.follows if repeated else new and clause.word is not None
    return list(kept.values())


def _cut(need: Need, most: int) -> Need:
    if isinstance(need, Words) and len(need.words) > most:
        return Words(need.words[:most], need.exact, need.begins, need.field)
    return need


def _meaningful(clauses: list[Clause]) -> list[Clause]:
    """Return the clauses without stop words; all of them where there is nothing else to look for."""
    kept: list[Clause] = []
    follows = True
    for clause in clauses:
        if clause.word is not None and is_stop_word(fold(clause.word)):
            follows = follows and (clause.follows or not kept)
            continue
        kept.append(Clause(clause.needs, bool(kept) and clause.follows and follows))
        follows = True
    return kept or clauses
