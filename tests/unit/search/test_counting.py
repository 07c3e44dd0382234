"""The table of a segment's values: counted by rows or by bits, it is what counting by hand gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.search.port import Document, IndexLost
from kb.search.whoosh import columns
from kb.search.whoosh.counting import BEGUN, OVER, WIDEST, SegmentTable, packed, sums, words, written
from kb.search.whoosh.schema import record

values = st.lists(st.sampled_from(["de", "it", "pl", "fi"]), unique=True, max_size=3).map(tuple)
years = st.none() | st.integers(2000, 2003)
documents = st.builds(
    lambda country, theme, start, end: Document(
        "a", "a", "a", "en", facets={"country": country, "theme": theme}, start_year=start, end_year=end
    ),
    values,
    values,
    years,
    years,
)


def table_of(found: Sequence[Document]) -> SegmentTable:
    recorded = columns.read(dict(columns.written([record(document, [0] * 5) for document in found])))
    return SegmentTable(dict(written(recorded)))


def counted(table: SegmentTable, chosen: Sequence[int]) -> list[dict[tuple[str, str], int]]:
    """Return what some documents have: counted by rows, by bits, and by the bits of each facet for itself."""
    mask = np.zeros(table.count, np.bool_)
    mask[list(chosen)] = True
    bits = packed(mask)
    apart = [table.compared(bits, table.of(facet)) for facet in sorted({facet for facet, _ in table.names})]
    ways = (
        table.gathered(np.flatnonzero(mask)),
        table.compared(bits),
        np.concatenate([np.empty(0, np.int64), *apart]),
    )
    return [{name: n for name, n in zip(table.names, counts.tolist(), strict=True) if n} for counts in ways]


def by_hand(found: Sequence[Document]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for document in found:
        counts.update((facet, value) for facet, held in document.facets.items() for value in held)
        start, end = document.start_year, document.end_year
        if (start, end) != (None, None):
            begun = columns.ALWAYS_BEFORE if start is None else start
            over = columns.ALWAYS_AFTER if end is None else end
            if begun <= over:
                counts.update([(BEGUN, str(begun)), (OVER, str(over))])
    return counts


@given(st.lists(documents, max_size=70), st.data())
@settings(max_examples=50)
def test_all_ways_of_counting_are_right(found: list[Document], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(found))), unique=True)) if found else []
    expected = by_hand([found[number] for number in chosen])
    assert counted(table_of(found), chosen) == [expected] * 3


def test_what_no_row_has_room_for_is_counted_too() -> None:
    many = tuple(f"group-{number}" for number in range(WIDEST + 5))
    found = [Document("a", "a", "a", "en", facets={"target_group": many}), Document("b", "b", "b", "en")]
    expected = dict.fromkeys((("target_group", value) for value in many), 1)
    assert counted(table_of(found), [0, 1]) == [expected] * 3
    assert counted(table_of(found), [1]) == [{}] * 3


def test_very_many_documents_are_counted_without_overflow() -> None:
    counts = np.full((2, 9000), 64, np.uint8)
    counts[1] = 1
    assert sums(counts).tolist() == [64 * 9000, 9000]


@given(st.lists(st.booleans(), max_size=200))
def test_a_mask_is_packed_the_first_document_lowest(flags: list[bool]) -> None:
    bits = packed(np.array(flags, np.bool_))
    assert len(bits) == words(len(flags))
    assert sum(int(word) << 64 * i for i, word in enumerate(bits)) == sum(
        1 << i for i, flag in enumerate(flags) if flag
    )


@pytest.mark.parametrize("name", ["table.rows", "table.bits", "table.names", "table.beyond_codes"])
def test_a_table_that_lacks_a_part_is_lost(name: str) -> None:
    recorded = columns.read(dict(columns.written([record(Document("a", "a", "a", "en"), [0] * 5)])))
    arrays = dict(written(recorded))
    del arrays[name]
    with pytest.raises(IndexLost):
        SegmentTable(arrays)
