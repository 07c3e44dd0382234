"""What is gathered of documents is what anybody would count who reads them word by word."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.search.language import analyse, is_stop_word, language_of
from kb.search.port import Document
from kb.search.whoosh import gathering
from kb.search.whoosh.gathering import Gatherer, Run
from kb.search.whoosh.inverted import Inverted
from kb.search.whoosh.schema import MOST_OCCURRENCES, stem_term, texts

slow = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = (
    "Kinder",
    "kinder",
    "Schulen",
    "the",
    "of",
    "2014",
    "Niños",
    "niños",
    "ciudades",
    "город",
    "l·l",
    "·",
    "ß",
    "ﬁ",
)

some_text = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
some_document = st.builds(
    lambda language, title, story, foreign: Document(
        "id", "slug", title, language, {"story": story}, foreign=tuple(foreign)
    ),
    st.sampled_from(("de", "es", "en", "xx", "pt-BR")),
    some_text,
    some_text,
    st.lists(st.tuples(st.sampled_from(("und", "fi", "de")), some_text), max_size=3),
)


def postings(inverted: Inverted) -> dict[bytes, dict[int, tuple[tuple[int, ...], list[int]]]]:
    """The counts and positions of each term in each document."""
    found: dict[bytes, dict[int, tuple[tuple[int, ...], list[int]]]] = {}
    place = 0
    for number, term in enumerate(inverted.terms):
        found[term] = {}
        for i in range(inverted.bounds[number], inverted.bounds[number + 1]):
            size = int(inverted.counts[i].sum()) if len(inverted.positions) else 0
            positions = inverted.positions[place : place + size].tolist()
            found[term][int(inverted.documents[i])] = (tuple(inverted.counts[i].tolist()), positions)
            place += size
    return found


def gathered(documents: list[Document]) -> Run:
    gatherer = Gatherer()
    for document in documents:
        gatherer.add(document)
    return gatherer.run()


def read_word_by_word(document: Document) -> tuple[Counter[tuple[bytes, int]], Counter[tuple[bytes, int]], list[bytes]]:
    """How often each word and each stem stands in each field, and the stems that tell something as they come."""
    words: Counter[tuple[bytes, int]] = Counter()
    stems: Counter[tuple[bytes, int]] = Counter()
    telling: list[bytes] = []
    for field, language, text in texts(document):
        for word in analyse(text, language):
            words[word.folded.encode(), field] += bool(word.folded)
            for stem in word.stems:
                term = stem_term(language_of(language), stem).encode()
                stems[term, field] += 1
                if len(stem) > 1 and not word.folded.isdigit() and not is_stop_word(word.folded):
                    telling.append(term)
    return words, stems, list(dict.fromkeys(telling))


@slow
@given(st.lists(some_document, max_size=3))
def test_counts_are_those_of_reading_word_by_word(documents: list[Document]) -> None:
    run = gathered(documents)
    for inverted, which in ((run.words, 0), (run.stems, 1)):
        counted = {
            (term, field, number): size
            for term, found in postings(inverted).items()
            for number, (counts, _) in found.items()
            for field, size in enumerate(counts)
            if size
        }
        read = {
            (*key, n): s
            for n, document in enumerate(documents)
            for key, s in read_word_by_word(document)[which].items()
        }
        assert counted == {key: size for key, size in read.items() if size}
        assert list(inverted.terms) == sorted({term for term, _, _ in counted})


@slow
@given(st.lists(some_document, max_size=3))
def test_vectors_are_the_telling_stems_the_most_frequent_first(documents: list[Document]) -> None:
    run = gathered(documents)
    for number, document in enumerate(documents):
        _, stems, telling = read_word_by_word(document)
        often = {term: sum(stems[term, field] for field in range(5)) for term in telling}
        entries = slice(*run.vectors.bounds[number : number + 2])
        assert [run.stems.terms[place] for place in run.vectors.stems[entries]] == sorted(
            telling, key=lambda t: -often[t]
        )
        assert run.vectors.counts[entries].sum(axis=1).tolist() == sorted(often.values(), reverse=True)


@slow
@given(st.lists(some_document, min_size=1, max_size=3), st.integers(1, 4))
def test_several_runs_say_what_one_says(documents: list[Document], size: int) -> None:
    gatherer = Gatherer()
    apart: dict[bytes, dict[int, tuple[tuple[int, ...], list[int]]]] = defaultdict(dict)
    for start in range(0, len(documents), size):
        for document in documents[start : start + size]:
            gatherer.add(document)
        for term, found in postings(gatherer.run().words).items():
            apart[term] |= found
    assert apart == postings(gathered(documents).words)


def test_positions_grow_through_a_document_and_leave_room_between_texts() -> None:
    document = Document("a", "a", "One two", "en", {"story": "two one"}, foreign=(("de", "two"),))
    found = postings(gathered([document]).words)
    assert found[b"one"][0] == ((1, 0, 1, 0, 0), [0, 3 * 1000 - 1000 + 3])
    assert all(positions == sorted(positions) for terms in found.values() for _, positions in terms.values())
    numbers = sorted(position for terms in found.values() for _, positions in terms.values() for position in positions)
    assert [later - earlier for earlier, later in pairwise(numbers)][1] > 1000


def test_occurrences_beyond_the_most_that_count_have_no_position() -> None:
    document = Document("a", "a", "arts", "en", {"story": "Arts arts " * MOST_OCCURRENCES, "names": "arts"})
    counts, positions = postings(gathered([document]).words)[b"arts"][0]
    assert counts == (1, 0, MOST_OCCURRENCES, 1, 0)
    assert len(positions) == sum(counts)
    story = positions[1:-1]
    assert story == list(range(story[0], story[0] + MOST_OCCURRENCES))


def test_it_is_time_for_a_run_after_so_many_words_and_after_so_many_different_ones(monkeypatch: object) -> None:
    monkeypatch.setattr(gathering, "_RUN_WORDS", 10)  # type: ignore[attr-defined]
    monkeypatch.setattr(gathering, "_RUN_FORMS", 4)  # type: ignore[attr-defined]
    for text in ("arts " * 10, "one two three four"):
        gatherer = Gatherer()
        fresh = (Document(f"{n}", f"{n}", text, "en") for n in count())
        gatherer.add(next(fresh))
        assert gatherer.full
        assert list(gatherer.run().words.terms) == sorted({word.encode() for word in text.split()})
        assert not gatherer.full
        gatherer.add(next(fresh))
        assert gatherer.run().words.documents.tolist() == [1] * len({*text.split()})
