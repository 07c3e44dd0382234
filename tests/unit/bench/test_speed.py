"""`python -m bench speed` compares engines that answer the same."""

from __future__ import annotations

import pytest

from bench.race import judging
from bench.race.asking import KINDS, Asked, Drawing
from bench.race.engines import ENGINES, build
from bench.race.material import Material

DOCUMENTS = 60


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Few documents, indexed by every engine."""
    material = Material(tmp_path_factory.mktemp("race"), DOCUMENTS)
    for name in ENGINES:
        build(name, material)
    return material


def drawn(material: Material, seed: int) -> list[Asked]:
    drawing = Drawing(material, seed)
    return [each for kind in KINDS for each in drawing.queries(kind, 3)]


def test_all_engines_count_and_find_the_same(material: Material) -> None:
    differences, _ = judging.differences([*ENGINES], material, drawn(material, 1))
    assert differences == []


def test_each_engine_is_timed_with_each_query_once(material: Material) -> None:
    queries = drawn(material, 2)
    times = judging.times(["ours", "fts5"], material, queries[:4], queries[4:])
    assert {name: len(taken) for name, taken in times.items()} == dict.fromkeys(("ours", "fts5"), len(queries) - 4)


def test_the_same_seed_asks_the_same(material: Material) -> None:
    assert drawn(material, 1) == drawn(material, 1) != drawn(material, 2)
