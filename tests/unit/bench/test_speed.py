"""`python -m bench speed` compares engines that answer the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.race import judging
from bench.race.asking import KINDS, Asked, Drawing
from bench.race.engines import ENGINES, HERE, build, opened, running
from bench.race.material import Material
from bench.speed import speed
from tests import typesense_server

DOCUMENTS = 60


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    """Few documents, indexed by every engine of this machine."""
    material = Material(tmp_path_factory.mktemp("race"), DOCUMENTS)
    with running(HERE, material):
        for name in HERE:
            build(name, material)
        yield material


def drawn(material: Material, seed: int) -> list[Asked]:
    drawing = Drawing(material, seed)
    return [each for kind in KINDS for each in drawing.queries(kind, 3)]


def test_all_engines_count_and_find_the_same(material: Material) -> None:
    differences, _ = judging.differences(HERE, material, drawn(material, 1))
    assert differences == []


def test_each_engine_is_timed_with_each_query_once(material: Material) -> None:
    queries = drawn(material, 2)
    times = judging.times(["ours", "fts5"], material, queries[:4], queries[4:])
    assert {name: len(taken) for name, taken in times.items()} == dict.fromkeys(("ours", "fts5"), len(queries) - 4)


def test_the_same_seed_asks_the_same(material: Material) -> None:
    assert drawn(material, 1) == drawn(material, 1) != drawn(material, 2)


def test_an_engine_that_is_not_on_this_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.speed.HERE", ("ours", "fts5"))
    answer = CliRunner().invoke(speed, ["--engines", "ours,typesense"])
    assert answer.exit_code == 2
    assert "not on this machine: typesense" in answer.output


def test_a_server_takes_part_where_it_can_be_started() -> None:
    """Told apart from the others: its index goes with it, so that it is built anew each time."""
    assert ("typesense" in HERE) == (typesense_server.available() is None)
    assert [name for name, engine in ENGINES.items() if not engine.stays] == ["typesense"]


@pytest.mark.skipif(typesense_server.available() is not None, reason=str(typesense_server.available()))
def test_each_run_of_a_server_is_given_the_documents_again(tmp_path: Path) -> None:
    material = Material(tmp_path / "few", 3)
    for _ in range(2):
        with running(["typesense"], material):
            build("typesense", material)
            with opened(["typesense"], material) as (engine,):
                assert engine.count() == 3
