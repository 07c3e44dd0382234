"""Names that begin with what was typed so far."""

from __future__ import annotations

from kb.search.beginnings import WORDS, Beginnings, folds
from kb.search.typesense.about import Looking
from kb.search.typesense.conditions import Condition, both, either, has, written
from kb.search.typesense.meaning import beginning_with
from kb.search.typesense.schema import name_of, name_term

_MOST_NAMES = 100_000


def complete(looking: Looking, kind: str, text: str, limit: int) -> tuple[str, ...]:
    """Return names of a kind, each word of the text the beginning of a word of theirs, the most frequent first.

    Names that begin with the text go before others.
    """
    typed = folds(text)
    if not typed:
        return ()
    whole, *apart = (_having(looking, kind, word) for word in ("".join(typed), *typed))
    found = looking.ask([{
        "filter_by": written(looking.short(either(whole, both(*apart)))),
        "facet_by": kind,
        "max_facet_values": _MOST_NAMES,
        "per_page": 0,
    }])[0]  # fmt: skip
    counts = {name_of(each["value"]): each["count"] for each in found["facet_counts"][0]["counts"]}
    names = list(counts)
    near = [(nearness == WORDS, names[place]) for nearness, place in Beginnings(names).find(text)]
    return tuple(name for _, name in sorted(near, key=lambda pair: (pair[0], -counts[pair[1]], pair[1])))[:limit]


def _having(looking: Looking, kind: str, word: str) -> Condition:
    """Return the documents with a name of which a word begins so."""
    return has(*beginning_with(looking, name_term(kind, ""), word))
