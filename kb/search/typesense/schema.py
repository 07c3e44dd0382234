"""What of a document is stored in Typesense, and under which fields.

Typesense folds, cuts and truncates texts by rules of its own. So it gets none: every word, stem and value is sent as a
token of small letters, digits and `_` that its rules leave as it is, made by the language code that every engine uses,
and each filter asks for whole tokens. What a document holds is then found exactly, whatever language it is in.

`terms` has one token for each thing that a question may ask for:

    w<word>             a folded word             b<word>_<word>   two of them side by side
    s<language>_<stem>  a stem                    t<any of these>  that, in a title
    h<word or stem>     that, where it is weighty: in the title, the summary, or often
    n<kind>_<word>      a word of a name to be completed, o or p for its kind
    v<facet>_<value>    a value of a facet, of `region` or `own_region`; p… the same where it is the primary one
    i<id>, e<title>     the document itself, by its id; what bears a title
    u, x                what is undated; what has no type of region

The other fields are the values that filters, facets and orders need, and what is only read back with the hits: how
often each term stands in each of `FIELDS` (`counts`, `patterns`), and the folded words in their order (`texts`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from kb.search.beginnings import folds
from kb.search.fields import FIELDS, IN_TITLES, MOST_OCCURRENCES, NUMBERED, texts, title_key
from kb.search.language import LONGEST_WORD, STEMMERS, forms, language_of, words
from kb.search.moments import ALWAYS_AFTER, ALWAYS_BEFORE, second
from kb.search.port import COMPLETED, FACETS, Document
from kb.search.weights import WEIGHTS

UNDATED, UNTYPED = "u", "x"
"""The terms of what has no years, and of what has no type of region."""

NEVER_BEGUN, NEVER_OVER = (1 << 31) - 1, -(1 << 31) + 1
"""The first and the last year of a document that is undated: it overlaps nothing."""

_FIRST = 0xA1  # the first of the characters that stand for patterns; no JSON escapes any of them
_LONGEST = 90  # characters of a token; Typesense cuts off what is beyond 100
_LONGEST_KEY = 600  # bytes of a title that decide its place
_PLAIN_ID = re.compile(r"[0-9a-z]{1,40}\Z")
_PLAIN_VALUE = re.compile(r"[0-9a-y]+\Z")
_HEAVY = 3.0  # the weighted frequency from which a term is weighty


def _fields() -> Iterator[dict[str, Any]]:
    yield {"name": "terms", "type": "string[]"}
    for name in (*FACETS, "regions", "tongues", *COMPLETED):
        yield {"name": name, "type": "string[]", "facet": True}
    for name in ("start", "end", "known", "adopted"):
        yield {"name": name, "type": "int32"}
    for name in ("begun", "over"):
        yield {"name": name, "type": "int32", "facet": True, "optional": True}
    for name in ("published", "updated"):
        yield {"name": name, "type": "int64"}
    for name in FIELDS:
        yield {"name": f"length_{name}", "type": "int32", "facet": True, "sort": False}
    yield {"name": "title", "type": "string", "sort": True}
    for name in ("key", "slug", "counts"):
        yield {"name": name, "type": "string", "index": False, "optional": True}
    for name in ("patterns", "texts"):
        yield {"name": name, "type": "string[]", "index": False, "optional": True}
    yield {"name": "completeness", "type": "float", "index": False, "optional": True}


SCHEMA: Mapping[str, Any] = {"fields": list(_fields()), "symbols_to_index": ["_"]}
"""What a collection is made with, beside its name."""


def stored(document: Document) -> dict[str, Any]:
    """Return what is imported for a document. Its `id` is `stored_id` of the document's; that itself is `key`."""
    counts, ordered, lengths = _counted(document)
    bare = sorted(counts)
    patterns: dict[tuple[int, ...], int] = {}
    places = "".join(chr(_FIRST + patterns.setdefault(tuple(counts[term]), len(patterns))) for term in bare)
    return {
        "id": stored_id(document.id),
        "key": document.id,
        "slug": document.slug,
        "terms": [*bare, *sorted(set(_marks(document, counts)))],
        "counts": places,
        "patterns": [",".join(map(str, pattern)) for pattern in patterns],
        "texts": ordered,
        "title": _in_order(title_key(document.title), document.id),
        "adopted": document.adopted,
        "completeness": document.completeness,
        "published": second(document.published),
        "updated": second(document.updated),
        **{f"length_{name}": length for name, length in zip(FIELDS, lengths, strict=True)},
        **_values(document),
        **_years(document),
    }


def patterns_of(found: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return what each character of `counts` stands for: how often a term is in each of `FIELDS`.

    The first so many of `terms`, which are in order, are those that are counted; the others are in order too.
    """
    patterns = (tuple(map(int, pattern.split(","))) for pattern in found.get("patterns", ()))
    return {chr(_FIRST + number): pattern for number, pattern in enumerate(patterns)}


def token(text: str) -> str:
    """Return a folded word or a stem as a token of which nothing is lost."""
    if not text or (text.isascii() and text.isalnum()):
        return text
    return f"_{text.encode('utf-8', 'surrogatepass').hex()}"


def word_term(folded: str) -> str:
    """Return the term of a folded word."""
    return _short("w", token(folded))


def stem_term(language: str, stem: str) -> str:
    """Return the term of a stem in texts of a language as `language_of` names it."""
    return _short("s", f"{token(language)}_{token(stem)}")


def pair_term(first: str, second: str) -> str:
    """Return the term of two folded words side by side."""
    return _short("b", f"{token(first)}_{token(second)}")


def titled(term: str) -> str:
    """Return what a word, stem or pair is in a title."""
    return f"t{term}"


def heavy(term: str) -> str:
    """Return what a word or stem is where it is weighty."""
    return f"h{term}"


def value_term(facet: str, value: str, *, primary: bool = False) -> str:
    """Return the term of a value of one of `NUMBERED`; or of it as the primary one."""
    return _short(f"{'p' if primary else 'v'}{NUMBERED.index(facet)}_", value_token(value).replace(" ", ""))


def name_term(kind: str, folded: str) -> str:
    """Return the term of a word of a name of a kind of `COMPLETED`."""
    return _short(f"n{kind[0]}_", token(folded))


def stored_id(document_id: str) -> str:
    """Return the id that a document has in Typesense: its own where that is plain, or else a digest of it."""
    return document_id if _PLAIN_ID.match(document_id) else f"_{_digest(document_id)}"


def id_term(document_id: str) -> str:
    """Return the term of a document alone: ids cannot be excluded by a filter, terms can."""
    return f"i{stored_id(document_id)}"


def title_term(key: str) -> str:
    """Return the term of what bears a title, as `title_key` gives it."""
    return f"e{_digest(key)}"


def value_token(value: str) -> str:
    """Return a value of a facet as tokens, for filters and counts; `value_of` gives it back."""
    if _PLAIN_VALUE.match(value) and len(value) <= _LONGEST:
        return value
    code = f"z{value.encode('utf-8', 'surrogatepass').hex()}"
    return " ".join(code[start : start + _LONGEST] for start in range(0, len(code), _LONGEST))


def value_of(tokens: str) -> str:
    """Return the value of a facet of which these are the tokens."""
    if not tokens.startswith("z"):
        return tokens
    return bytes.fromhex(tokens[1:].replace(" ", "")).decode("utf-8", "surrogatepass")


def name_of(tokens: str) -> str:
    """Return the name to complete that is stored so."""
    return tokens.partition(" ")[2]


def _named(name: str) -> str:
    """Return a name as it is stored: two names are one to Typesense where they differ in signs or case alone."""
    return f"{_digest(name)} {name}"


def _short(kind: str, rest: str) -> str:
    whole = kind + rest
    return whole if len(whole) <= _LONGEST else f"{kind}__{_digest(rest)}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _counted(document: Document) -> tuple[Mapping[str, list[int]], list[str], list[int]]:
    """Return how often each term stands in each of `FIELDS`, the texts as folded words, and how long the fields are.

    A text begins with the number of its field.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(FIELDS))
    lengths = [0] * len(FIELDS)
    ordered = []
    for field, language, text in texts(document):
        code = language_of(language)
        written = words(text)
        lengths[field] += len(written)
        known = [forms(word[:LONGEST_WORD], code) for word in written]
        for folded, stems in known:
            for term in (word_term(folded), *(stem_term(code, stem) for stem in stems)) if folded else ():
                counts[term][field] += 1
        for (first, _), (after, _) in pairwise(known):
            if first and after:
                counts[pair_term(first, after)][field] += 1
        ordered.append(" ".join([str(field), *(folded for folded, _ in known)]))
    for each in counts.values():
        each[:] = [min(count, MOST_OCCURRENCES) for count in each]
    return counts, ordered, lengths


def _marks(document: Document, counts: Mapping[str, list[int]]) -> Iterator[str]:
    """Yield the terms that say where others stand, and those of names."""
    for term, each in counts.items():
        if any(count for count, is_title in zip(each, IN_TITLES, strict=True) if is_title):
            yield titled(term)
        if term[0] != "b" and _weight(each) >= _HEAVY:
            yield heavy(term)
    yield id_term(document.id)
    yield title_term(title_key(document.title))
    if document.start_year is None and document.end_year is None:
        yield UNDATED
    if not document.facets.get("region_type"):
        yield UNTYPED
    for facet in NUMBERED:
        values = {"region": document.regions, "own_region": document.own_regions, **document.facets}.get(facet, ())
        yield from (value_term(facet, value) for value in values)
        yield from (value_term(facet, value, primary=True) for value in values[:1])
    for kind in COMPLETED:
        names = (folds(name) for name in document.completions.get(kind, ()))
        yield from dict.fromkeys(name_term(kind, word) for each in names for word in (*each, "".join(each)) if word)


def _weight(counts: Iterable[int]) -> float:
    return sum(count * weight for count, weight in zip(counts, WEIGHTS, strict=True))


def _values(document: Document) -> dict[str, list[str]]:
    spoken = dict.fromkeys(language_of(tag) for tag in (document.language, *(tag for tag, _ in document.foreign)))
    return {
        **{facet: _tokens(document.facets.get(facet, ())) for facet in FACETS},
        "regions": _tokens(document.regions),
        "tongues": [language for language in spoken if language in STEMMERS],
        **{kind: list(dict.fromkeys(map(_named, document.completions.get(kind, ())))) for kind in COMPLETED},
    }


def _tokens(values: Iterable[str]) -> list[str]:
    return [value_token(value) for value in dict.fromkeys(values)]


def _years(document: Document) -> dict[str, int]:
    """Return the years of a document; `begun` and `over` only where there is a year in which it was under way."""
    first, last = document.start_year, document.end_year
    if first is None and last is None:
        return {"start": NEVER_BEGUN, "end": NEVER_OVER, "known": ALWAYS_AFTER}
    start, end = ALWAYS_BEFORE if first is None else first, ALWAYS_AFTER if last is None else last
    known = end if first is None else start
    return {"start": start, "end": end, "known": known} | ({"begun": start, "over": end} if start <= end else {})


def _in_order(key: str, document_id: str) -> str:
    """Return what Typesense orders titles by, those that are the same by their ids: bytes as letters of one order."""
    encoded = key.encode("utf-8", "surrogatepass")[:_LONGEST_KEY]
    return f"k{encoded.hex()}00{document_id.encode('utf-8', 'surrogatepass').hex()}"
