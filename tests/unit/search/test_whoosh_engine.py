"""What only the embedded engine has to bear: damaged files, killed writers, forks."""

from __future__ import annotations

import json
import os
import pkgutil
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from kb.search.port import Document, IndexLost
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ask


def doc(slug: str, title: str = "arts") -> Document:
    return Document(slug, slug, title, "en", {"story": f"the story of {slug}"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an index of three segments, one with a deletion."""
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a"), doc("b")])
    engine.update([doc("c")])
    engine.update([doc("d")], gone=["a"])
    engine.close()
    return tmp_path


def files(folder: Path) -> list[Path]:
    return [folder / "CURRENT", *sorted(next(folder.glob("index-*")).iterdir())]


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def garbage(path: Path) -> None:
    path.write_bytes(b"\x85" * path.stat().st_size)


DAMAGES = [half, empty, Path.unlink, garbage]


def test_an_engine_makes_nothing_before_it_is_used(tmp_path: Path) -> None:
    WhooshEngine(tmp_path / "none").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_any_damaged_file_is_a_lost_index_and_nothing_else(folder: Path, damage: Callable[[Path], None]) -> None:
    good = folder.with_name(f"{folder.name}-good")
    shutil.copytree(folder, good)
    for number in range(len(files(folder))):
        damage(files(folder)[number])
        engine = WhooshEngine(folder)
        for use in (engine.count, lambda engine=engine: engine.search(ask('arts "the story"'))):
            with pytest.raises(IndexLost):
                use()
                if damage is garbage:  # what was not read is not missed
                    raise IndexLost
        engine.close()
        shutil.rmtree(folder)
        shutil.copytree(good, folder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_under_an_open_engine_is_no_other_error(folder: Path, damage: Callable[[Path], None]) -> None:
    engine = WhooshEngine(folder)
    assert engine.count() == 3
    for path in files(folder):
        damage(path)
    for word in ("arts", "story", "unheard"):
        if damage in (half, empty):  # to read what was cut off from under a process ends it; the next look sees it
            break
        try:
            engine.search(ask(word))
        except IndexLost:
            pass
    sleep(0.26)
    with pytest.raises(IndexLost):
        engine.search(ask("arts"))
    assert engine.rebuild([doc("a")]) == engine.search(ask("arts")).total == 1
    engine.close()


def test_a_folder_that_is_gone_is_a_lost_index(folder: Path) -> None:
    engine = WhooshEngine(folder)
    assert engine.count() == 3
    shutil.rmtree(folder)
    sleep(0.26)
    with pytest.raises(IndexLost):
        engine.count()
    assert engine.rebuild([doc("a")]) == 1
    engine.close()


def test_an_index_of_another_layout_is_lost(folder: Path) -> None:
    current = folder / "CURRENT"
    current.write_text(json.dumps({**json.loads(current.read_text()), "layout": 0}))
    with pytest.raises(IndexLost, match="layout"):
        WhooshEngine(folder).count()


def test_only_files_of_the_live_index_stay(folder: Path) -> None:
    engine = WhooshEngine(folder)
    for number in range(20):
        engine.update([doc("a"), doc(f"{number}")])
    manifest = json.loads((folder / "CURRENT").read_text())
    assert {path.name for path in (folder / manifest["folder"]).iterdir()} == set(manifest["files"])
    assert len(manifest["files"]) < 40
    engine.rebuild([doc("a")])
    assert len(list(folder.glob("index-*"))) == 1
    engine.close()


def test_a_search_goes_on_in_files_that_a_rebuild_removed(folder: Path) -> None:
    engine, other = WhooshEngine(folder), WhooshEngine(folder)
    snapshot = engine._look()
    other.rebuild([])
    assert len(snapshot.term("words", "arts").documents) == 3
    engine.close()
    other.close()


@pytest.mark.parametrize("change", ["update", "rebuild"])
@pytest.mark.parametrize("step", ["kb.search.whoosh.store.Store._checked", "kb.search.whoosh_engine.open_snapshot"])
def test_a_change_during_a_look_is_no_loss(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, change: str
) -> None:
    engine, other = WhooshEngine(folder), WhooshEngine(folder)
    target: Any = pkgutil.resolve_name(step)
    changes = [lambda: getattr(other, change)([doc("new")])]

    def late(*args: Any) -> Any:
        if changes:
            changes.pop()()
        return target(*args)

    monkeypatch.setattr(step, late)
    assert "new" in engine.ids()
    engine.close()
    other.close()


@pytest.mark.parametrize("work", ["update", "rebuild"])
def test_a_killed_writer_leaves_no_lock_and_no_harm(folder: Path, work: str) -> None:
    ready, started = os.pipe()
    child = os.fork()
    if not child:
        try:
            engine = WhooshEngine(folder)
            getattr(engine, work)(_endless(started))
        finally:
            os._exit(1)
    assert os.read(ready, 1) == b"."
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(started)
    engine = WhooshEngine(folder)
    assert engine.ids() == {"b", "c", "d"}
    engine.update([doc("e")])
    assert engine.rebuild([doc("b"), doc("e")]) == 2
    assert len(list(folder.glob("index-*"))) == 1
    engine.close()


def _endless(started: int) -> Iterator[Document]:
    for number in range(50):
        yield doc(f"new{number}")
    os.write(started, b".")
    sleep(60)


def test_an_index_written_but_not_named_is_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = WhooshEngine(folder)
    with monkeypatch.context() as patch:
        patch.setattr(engine._store, "commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.update([doc("e")], gone=["b"])
    assert engine.ids() == {"b", "c", "d"}
    engine.update([doc("f")])
    assert engine.ids() == {"b", "c", "d", "f"}
    engine.close()


def test_a_forked_process_opens_the_index_for_itself(folder: Path) -> None:
    engine = WhooshEngine(folder)
    assert engine.search(ask("arts")).total == 3
    child = os.fork()
    if not child:
        totals = {engine.search(ask("story of")).total for _ in range(20)}
        os._exit(0 if totals == {3} else 1)
    totals = {engine.search(ask("story of")).total for _ in range(20)}
    assert (os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), totals) == (0, {3})
    engine.close()


def test_segments_are_merged_without_loss(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([])
    for number in range(70):
        engine.update([doc(f"{number}", f"arts number{number}")], gone=[f"{number - 30}"])
    assert len(engine._look().segments) < 25
    assert engine.search(ask("arts")).total == engine.count() == 30
    assert [hit.id for hit in engine.search(ask('"arts number45"')).hits] == ["45"]
    engine.close()


def test_a_word_too_frequent_for_a_byte_is_still_found(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a", "arts " * 1000), doc("b", "arts")])
    assert engine.search(ask("arts")).total == 2
    assert engine.search(ask('"arts arts"')).total == 1
    engine.close()


def test_an_update_opens_only_what_is_new(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a"), doc("b")])
    (before,) = engine._look().segments
    engine.update([doc("c")], gone=["a"])
    after = engine._look()
    assert [segment is before for segment in after.segments] == [True, False]
    assert (list(after.ids), after.live.tolist()) == (["a", "b", "c"], [False, True, True])
    engine.close()


def test_what_was_looked_at_stays_when_its_files_are_tidied_away(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a", "before")])
    snapshot = engine._look()
    engine.update([doc("a", "after")])
    assert len(engine._look().segments) == 1, "the old segment has no document left, so its files are gone"
    assert snapshot.slugs[0] == "a" and snapshot.titled("before").tolist() == [0]
    assert snapshot.term("words", "before").positions.tolist() == [0]
    snapshot.check()
    engine.close()


def test_damage_that_nobody_reads_is_found_by_who_checks(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a")])
    (path,) = tmp_path.glob("*/*.arrays")
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    assert engine.count() == 1
    with pytest.raises(IndexLost):
        engine._look().check()
    engine.close()
