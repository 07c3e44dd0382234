"""Random documents in several languages, and random questions that may be answered by them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from hypothesis import strategies as st

from kb.search.parsing import parse
from kb.search.port import SORTS, Document, Query
from kb.search.question import Clause, Expansion, Need, Question, Tagged, Words, Years
from kb.search.thesaurus import Name, Thesaurus

THIS_YEAR = datetime.now(UTC).year

FAMILIES = (
    ("arts", "artist", "ARTS", "the"),
    ("school", "schools", "schooling", "of"),
    ("e", "learning", "e-learning", "elearning", "ELEARNING"),
    ("re", "skilling", "reskilling", "re-skilling"),
    ("Arbeit", "Arbeits", "Markt", "markts", "Arbeitsmarkt", "Arbeitsmärkte", "Maerkte"),
    ("arbete", "arbets", "marknad", "marknaden", "arbetsmarknaden"),
    ("Straße", "Strasse", "strassen"),
    ("línea", "líneas", "linea", "l·linea"),
    ("niños", "ninos", "migración", "migrantes"),
    ("företag", "foretag", "foeretag", "företagare"),
    ("göçmen", "göçmenler", "gocmen"),
    ("Łódź", "lodz", "σχολείο", "σχολεία", "統合"),
    ("2024", "20", "24", "a", "the"),
)
"""Words that have to do with each other: forms, spellings, compounds and their halves, words that carry nothing."""

LANGUAGES = ("en", "en", "de", "de", "es", "sv", "tr", "el", "ca", "hr", "pt-BR", "nn", "und")
TAGGED = {"theme": ("t1", "t2", "t3"), "country": ("c1", "c2", "ż 3"), "region_type": ("r1", "r2"), "status": ("s",)}
REGIONS = ("R", "R1", "R11", "R2")
MOMENTS = ("", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-02-01T00:00:00Z")
NAMES = Thesaurus(
    [
        Name("theme", "t1", "en", "arts"),
        Name("theme", "t2", "de", "Arbeitsmarkt"),
        Name("theme", "t3", "de", "Kunst und Schule"),
        Name("theme", "t3", "en", "school learning"),
        Name("country", "c1", "es", "líneas"),
        Name("country", "c2", "und", "C2", code=True),
        Name("region", "R1", "sv", "marknad"),
        Name("theme", "nobody", "tr", "göçmen"),
    ]
)

letters = st.text("aäes", min_size=1, max_size=4)
compounded = st.tuples(letters, letters).map(lambda pair: (*pair, "".join(pair), "s".join(pair)))
vocabularies = st.lists(st.one_of(st.sampled_from(FAMILIES), compounded), min_size=1, max_size=3).map(
    lambda families: [word for family in families for word in family]
)
words = st.shared(vocabularies, key="vocabulary").flatmap(st.sampled_from)
"""Few words in one example, so that some documents hold all those of a question."""


def text(least: int, most: int) -> st.SearchStrategy[str]:
    """Return a strategy for texts of so many words."""
    pairs = st.lists(st.tuples(words, st.sampled_from("     -'.")), min_size=least, max_size=most)
    return pairs.map(lambda pairs: "".join(word + after for word, after in pairs))


some_years = st.one_of(
    st.none(), st.none(), st.integers(THIS_YEAR - 4, THIS_YEAR + 2), st.sampled_from([-500, 1700, 2100])
)


def chosen(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """Return a strategy for up to two of the values, in any order."""
    return st.one_of(st.just(()), either(values))


def either(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """Return a strategy for one or two of the values, in any order."""
    value = st.sampled_from(values)
    return st.tuples(value, value).map(lambda pair: tuple(dict.fromkeys(pair)))


@st.composite
def documents(draw: st.DrawFn, ids: str = "123456789") -> Document:
    """Make a document with one of these characters as its id."""
    language = draw(st.sampled_from(LANGUAGES))
    document = st.builds(
        Document,
        id=st.sampled_from(ids),
        slug=words,
        title=text(0, 3),
        language=st.just(language),
        texts=st.fixed_dictionaries({"story": text(2, 7)}, optional=dict.fromkeys(("summary", "names"), text(1, 3))),
        foreign=st.lists(st.tuples(st.sampled_from(LANGUAGES), text(1, 3)), max_size=2).map(tuple),
        facets=st.fixed_dictionaries(
            {facet: chosen(values) for facet, values in TAGGED.items()} | {"language": st.just((language,))}
        ),
        regions=chosen(REGIONS),
        own_regions=chosen(REGIONS),
        start_year=some_years,
        end_year=some_years,
        published=st.sampled_from(MOMENTS),
        updated=st.sampled_from(MOMENTS),
        adopted=st.integers(0, 2),
        completeness=st.sampled_from([0.0, 0.5, 1.0]),
    )
    return draw(document)


operators = st.one_of(
    st.just("OR"),
    words.map("-{}".format),
    words.map(lambda word: word[: len(word) // 2 + 1] + "*"),
    words.map("title:{}".format),
    words.map("title:{}*".format),
    text(1, 3).map('"{}"'.format),
    text(1, 3).map('-"{}"'.format),
    text(1, 3).map('title:"{}"'.format),
    st.sampled_from(["theme:arts", "-theme:arts", "theme:arts,Arbeitsmarkt", "country:c2", "region:marknad"]),
    st.sampled_from(["-region:marknad", "country:c2 OR arts", "year:1700..", f"year:{THIS_YEAR}", "-year:..2024", "…"]),
)
typed = st.one_of(
    text(1, 4),
    st.lists(words, min_size=1, max_size=3).map(" ".join),
    st.lists(st.one_of(words, operators), min_size=1, max_size=5).map(" ".join),
    words.map("title:{}".format),
    st.tuples(words, words).map("".join),
    st.text(max_size=12),
)
parsed = st.builds(parse, typed, st.just(NAMES), st.sampled_from([(), (("theme", "t1"),)]))

needs: st.SearchStrategy[Need] = st.one_of(
    st.builds(Words, st.tuples(words)),
    st.builds(Words, st.lists(words, min_size=1, max_size=3).map(tuple), exact=st.just(True)),
    st.builds(
        Words,
        st.tuples(words),
        exact=st.booleans(),
        begins=st.booleans(),
        field=st.sampled_from([None, "title"]),
    ),
    st.sampled_from([Tagged(name, values[:2]) for name, values in TAGGED.items()] + [Tagged("region", ("R", "R2"))]),
    st.builds(Years, some_years, some_years),
)


@st.composite
def built(draw: st.DrawFn) -> Question:
    """Make a question of parts, as no reader would type them."""
    clauses = st.builds(Clause, st.lists(needs, min_size=1, max_size=2).map(tuple), follows=st.booleans())
    held = tuple(draw(st.lists(clauses, max_size=3)))
    expansions = []
    for _ in range(draw(st.integers(0, 2)) if held else 0):
        start = draw(st.integers(0, len(held) - 1))
        facet = draw(st.sampled_from(["theme", "region", "status"]))
        values = draw(either((*TAGGED.get(facet, REGIONS), "nobody")))
        expansions.append(Expansion(facet, values, start, draw(st.integers(start + 1, len(held)))))
    return Question(
        text=draw(text(0, 3)),
        clauses=held,
        required=tuple(draw(st.lists(clauses, max_size=1))),
        excluded=tuple(draw(st.lists(needs, max_size=1))),
        expansions=tuple(expansions),
        loose=draw(st.booleans()),
    )


T = TypeVar("T")


def sometimes(usual: T, other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Return a strategy for what is mostly the usual: filters leave nothing where there are many."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), other)


filters = st.one_of(
    *(st.fixed_dictionaries({facet: chosen((*values, "nobody"))}) for facet, values in TAGGED.items()),
    st.fixed_dictionaries({facet: chosen(values) for facet, values in TAGGED.items()}),
)


@st.composite
def short_documents(draw: st.DrawFn, ids: str) -> list[Document]:
    """Make a document for each of these ids, of few words and in few languages."""
    languages = draw(st.lists(st.sampled_from(["en", "en", "en", "de"]), min_size=len(ids), max_size=len(ids)))
    titles = draw(st.lists(text(1, 2), min_size=len(ids), max_size=len(ids)))
    themes = draw(st.lists(chosen(TAGGED["theme"]), min_size=len(ids), max_size=len(ids)))
    return [
        Document(key, key, title, language, facets={"language": (language,), "theme": theme})
        for key, title, language, theme in zip(ids, titles, languages, themes, strict=True)
    ]


every_query = st.builds(
    Query,
    question=st.one_of(parsed, parsed, built()),
    filters=sometimes({}, filters),
    regions=sometimes((), either((*REGIONS, "nowhere"))),
    alike=sometimes(None, st.dictionaries(st.sampled_from((*REGIONS, "nowhere")), st.integers(1, 3), max_size=3)),
    not_regions=sometimes((), either((*REGIONS, "nowhere"))),
    year_from=sometimes(None, some_years),
    year_to=sometimes(None, some_years),
    updated_since=sometimes(None, st.sampled_from([*MOMENTS, "2026-01-01", "2026-01-02"])),
    sort=st.sampled_from(("relevance", "relevance", "relevance", *SORTS)),
    offset=sometimes(0, st.integers(1, 6)),
    limit=st.integers(1, 5),
    partial_limit=st.integers(0, 4),
    facets=st.sampled_from([True, True, True, False]),
    places=st.booleans(),
    pairs=st.sampled_from([(), (("theme", "country"),), (("status", "region_type"), ("theme", "evidence"))]),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Make a query; in short, so that Hypothesis can say in which failing example it was."""
    return draw(every_query)
