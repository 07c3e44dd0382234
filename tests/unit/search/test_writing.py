"""Which segments become one, and when: few for every search to ask, and little to write again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.port import Document
from kb.search.whoosh import writing
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ask


@dataclass(eq=False)
class Sized:
    """All that the choice asks of a segment."""

    documents: int

    def doc_count(self) -> int:
        return self.documents


class Life:
    """The segments of an index over many commits, and how many documents were written again."""

    def __init__(self, *sizes: int) -> None:
        self.segments = [Sized(size) for size in sizes]
        self.again = self.most = 0

    def commit(self, new: int) -> None:
        self._join(writing._to_merge(self.segments, new, writing._MERGED_AT_ONCE), new)
        merged = writing._to_merge(self.segments, 0, writing._LARGEST_MERGE)
        if merged:
            self._join(merged, 0)
        self.most = max(self.most, len(self.segments))

    def _join(self, merged: list[Sized], new: int) -> None:
        total = sum(segment.documents for segment in merged)
        self.again += total
        self.segments = [segment for segment in self.segments if segment not in merged] + [Sized(new + total)]


def test_ten_thousand_single_updates_leave_few_segments_and_write_each_document_again_a_few_times() -> None:
    life = Life(50_000, 50_000)
    for _ in range(10_000):
        life.commit(1)
    assert sum(segment.documents for segment in life.segments) == 110_000
    assert len(life.segments) <= 9
    assert life.most <= 21
    assert life.again < 5 * 10_000


@given(st.lists(st.sampled_from((1, 2, 5, 30, 500, 700)), max_size=300))
def test_no_tier_ever_holds_too_many(commits: list[int]) -> None:
    life = Life()
    for new in commits:
        life.commit(new)
        tiers = [writing._tier(segment.documents) for segment in life.segments if segment.documents < 10_000]
        assert all(tiers.count(tier) < writing._TIER for tier in tiers)
    assert sum(segment.documents for segment in life.segments) == sum(commits)


@given(st.lists(st.integers(0, 100_000), max_size=20), st.integers(0, 1000), st.integers(0, 50_000))
def test_what_is_merged_is_the_smallest_and_no_more_than_asked_for(sizes: list[int], new: int, most: int) -> None:
    segments = [Sized(size) for size in sizes]
    merged = writing._to_merge(segments, new, most)
    assert not merged or sum(segment.documents for segment in merged) + new <= most
    left = [segment.documents for segment in segments if segment not in merged and segment.documents]
    assert max((segment.documents for segment in merged), default=0) <= min(left, default=0) or not merged or not left


def test_hundreds_of_single_updates_keep_what_is_there_and_few_segments(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, helpers=0)
    engine.rebuild([])
    for number in range(200):
        slug = f"{number % 90}"
        engine.update([Document(slug, slug, f"arts round{number}", "en")], gone=[f"{(number + 45) % 90}"])
    assert len(engine._look().segments) <= 8
    assert engine.search(ask("arts")).total == engine.count() == len(engine.ids()) == 45
    assert [hit.id for hit in engine.search(ask('"arts round199"')).hits] == [f"{199 % 90}"]
    engine.close()


def test_what_was_written_can_be_found_before_segments_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, other = WhooshEngine(tmp_path, helpers=0), WhooshEngine(tmp_path)
    engine.rebuild([])
    many = [[Document(f"{batch}-{n}", f"{batch}-{n}", "arts", "en") for n in range(200)] for batch in range(4)]
    for batch in many[:3]:
        engine.update(batch)
    seen: list[int] = []
    merge = writing.merge

    def noted(path: Path, generation: int) -> int:
        seen.append(other.count())
        return merge(path, generation)

    monkeypatch.setattr(writing, "merge", noted)
    engine.update(many[3])
    assert (seen, other.count()) == ([800], 800)
    assert len(engine._look().segments) == 1
    engine.close()
    other.close()
