"""What becomes of what is written, taken out and rebuilt, for every engine that looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

from kb.search.parsing import parse
from kb.search.port import IndexLost, Query, SearchEngine
from tests.contract.asking import ask, doc, found, ids


def test_an_update_takes_the_place_of_the_former_document(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts", theme=("x",))])
    engine.update([doc("a", "music", theme=("y",))])
    page = engine.search(Query())
    assert (engine.count(), found(engine, "arts"), page.facets["theme"]) == (1, set(), (("y", 1),))


def test_the_last_of_two_in_one_batch_counts(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts"), doc("b", "arts"), doc("a", "music")])
    assert (engine.count(), found(engine, "arts"), found(engine, "music")) == (2, {"b"}, {"a"})


def test_what_is_gone_is_in_no_answer(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts", country=("ES",)), doc("b", "arts", country=("ES",))])
    engine.update([], gone=["a", "never was"])
    page = engine.search(ask("arts"))
    assert (page.total, ids(page), page.facets["country"], engine.ids()) == (1, ["b"], (("ES", 1),), {"b"})


def test_many_small_updates_leave_one_of_each(engine: SearchEngine) -> None:
    for n in range(40):
        engine.update([doc(f"{n % 10}", f"arts round{n} of", theme=(f"{n % 3}",), start_year=2000 + n)])
    assert (engine.count(), engine.search(ask("arts")).total, found(engine, "round31")) == (10, 10, {"1"})
    assert found(engine, '"arts round39"') == {"9"}
    assert sum(number for _, number in engine.search(Query()).facets["theme"]) == 10


def test_nothing_to_do_is_no_trouble(engine: SearchEngine) -> None:
    engine.update([])
    engine.update([], gone=["x"])
    assert engine.count() == 0


def test_documents_that_cannot_be_read_leave_the_index_as_it_was(engine: SearchEngine) -> None:
    def broken() -> Any:
        yield doc("b")
        raise RuntimeError("database gone")

    engine.update([doc("a")])
    with pytest.raises(RuntimeError):
        engine.update(broken())
    with pytest.raises(RuntimeError):
        engine.rebuild(broken())
    assert engine.ids() == {"a"}


def test_another_engine_on_the_index_sees_an_update_soon(make: Callable[[], SearchEngine]) -> None:
    one, other = make(), make()
    one.rebuild([doc("a")])
    assert other.ids() == {"a"}
    one.update([doc("b")], gone=["a"])
    until = monotonic() + 1
    while other.ids() != {"b"} and monotonic() < until:
        sleep(0.02)
    assert other.ids() == {"b"}


def test_two_engines_can_write_in_turn(make: Callable[[], SearchEngine]) -> None:
    one, other = make(), make()
    one.rebuild([])
    for n in range(6):
        (one, other)[n % 2].update([doc(f"{n}")])
    assert one.count() == 6


def test_threads_can_write_and_search_together(make: Callable[[], SearchEngine]) -> None:
    engines = [make(), make()]
    engines[0].rebuild([])
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(6):
                engines[number % 2].update([doc(f"{number}-{n}", "arts")])
                engines[number % 2].search(ask("arts"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, make().count()) == ([], 24)


def test_a_rebuild_takes_the_place_of_what_was_there(engine: SearchEngine) -> None:
    engine.update([doc("old")])
    assert engine.rebuild(doc(f"{n}") for n in range(3)) == 3
    assert engine.ids() == {"0", "1", "2"}


def test_a_rebuild_replays_what_changed_meanwhile(engine: SearchEngine) -> None:
    engine.update([doc("a", "old")])

    def documents() -> Any:
        yield doc("a", "old")
        engine.update([doc("b")])
        assert engine.ids() == {"a", "b"}

    def replay(new: SearchEngine) -> None:
        assert new.ids() == {"a"}
        new.update([doc("b"), doc("a", "new")])
        assert engine.ids() == {"a", "b"}

    assert engine.rebuild(documents(), replay) == 2
    assert (found(engine, "new"), engine.ids()) == ({"a"}, {"a", "b"})


def test_a_closed_engine_can_be_used_again(engine: SearchEngine) -> None:
    engine.update([doc("a")])
    engine.close()
    assert engine.count() == 1


def test_without_an_index_everything_says_that_it_is_lost(make: Callable[[], SearchEngine]) -> None:
    engine = make()
    for use in (engine.count, engine.ids, lambda: engine.search(Query()), lambda: engine.update([doc("a")])):
        with pytest.raises(IndexLost):
            use()
    assert engine.rebuild([doc("a")]) == 1


def test_mark_is_the_engines_too(engine: SearchEngine) -> None:
    assert engine.mark("Rural <arts>", parse("art"), "en") == "Rural &lt;<mark>arts</mark>&gt;"


def test_the_generation_is_another_after_every_commit(make: Callable[[], SearchEngine]) -> None:
    writer, reader = make(), make()
    writer.rebuild([])
    seen = [reader.generation()]
    writer.update([doc("a", "arts")])
    seen.append(reader.generation())
    writer.update([], gone=["a"])
    seen.append(reader.generation())
    writer.rebuild([doc("a", "arts")])
    seen.append(reader.generation())
    assert len(set(seen)) == 4 and seen[-1] == writer.generation()


def test_the_generation_stays_while_nothing_is_written(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts")])
    before = engine.generation()
    engine.search(ask("arts"))
    engine.update([])
    assert engine.generation() == before


def test_what_is_found_after_the_generation_is_no_older(make: Callable[[], SearchEngine]) -> None:
    writer, reader = make(), make()
    writer.rebuild([])
    assert found(reader, "arts") == set()  # it has just looked, and need not look again for a while
    writer.update([doc("a", "arts")])
    reader.generation()
    assert found(reader, "arts") == {"a"}


def test_without_an_index_there_is_no_generation(make: Callable[[], SearchEngine]) -> None:
    with pytest.raises(IndexLost):
        make().generation()
