"""A rebuild with the help of other processes: the same index as without, and no harm where one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.search.port import Document, Page, Query
from kb.search.whoosh import helping, writing
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ask
from tests.processes import children, eventually
from tests.unit.search.segments import stems_of

WORDS = "arts culture cities language courses housing work schools children families".split()

ENDLESS = """
import itertools, sys
from kb.search.port import Document
from kb.search.whoosh import writing
from kb.search.whoosh_engine import WhooshEngine
from pathlib import Path
from tests.processes import children
import os

def documents():
    for number in itertools.count():
        yield Document(f"{number}", f"{number}", "endless arts", "en")
        if number == 1000:
            print(*children(os.getpid()), flush=True)

writing._ALONE = 10
WhooshEngine(Path(sys.argv[1]), helpers=1).rebuild(documents())
"""


def documents(count: int) -> Iterator[Document]:
    """Documents of a few words each; every tenth comes again later, with another title."""
    for number in range(count):
        title = f"{WORDS[number % 10]} and {WORDS[number % 7]} {number}"
        facets = {"country": (("ES", "IT", "SE")[number % 3],), "theme": (WORDS[number % 4],)}
        yield Document(f"{number}", f"p-{number}", title, "en", {"story": " ".join(WORDS[number % 9 :])}, facets=facets)
    for number in range(0, count, 10):
        yield Document(f"{number}", f"p-{number}", f"new culture {number}", "en", adopted=number)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few documents are many, and a helper gets them one by one."""
    monkeypatch.setattr(writing, "_ALONE", 10)
    monkeypatch.setattr(helping, "_BATCH", 7)


def answers(engine: WhooshEngine) -> list[Page]:
    questions = ("arts", '"arts culture"', "culture cities", "new", "language -housing", "cit*", "")
    return [engine.search(ask(question, limit=100)) for question in questions] + [engine.search(Query(sort="adopted"))]


@pytest.mark.usefixtures("small")
def test_helpers_build_the_index_that_one_process_builds(tmp_path: Path) -> None:
    before = set(children(os.getpid()))  # the browser of other tests may be among them
    alone, helped = WhooshEngine(tmp_path / "alone", helpers=0), WhooshEngine(tmp_path / "helped", helpers=2)
    assert alone.rebuild(documents(200)) == helped.rebuild(documents(200)) == 200
    assert answers(alone) == answers(helped)
    assert alone.ids() == helped.ids()
    for number in ("7", "70"):
        vectors = []
        for engine in (alone, helped):
            snapshot = engine._look()
            (place,) = (i for i, each in enumerate(snapshot.ids) if each == number and snapshot.live[i])
            vectors.append(stems_of(snapshot, place))
        assert vectors[0] == vectors[1]
    assert set(children(os.getpid())) <= before
    alone.close()
    helped.close()


@pytest.mark.usefixtures("small")
def test_what_helpers_built_becomes_one_segment_only_where_it_is_little_or_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make one takes memory, which a server that lost its index should not spend."""
    engine = WhooshEngine(tmp_path, helpers=2)
    monkeypatch.setattr(writing, "_UNITED_UNASKED", 99)
    found = []
    for unite in (False, True):
        engine.rebuild(documents(100), unite=unite)
        found.append((len(engine._look().segments), answers(engine)))
    assert [segments for segments, _answers in found] == [2, 1]
    assert found[0][1] == found[1][1]
    engine.close()


@pytest.mark.usefixtures("small")
def test_a_killed_helper_ends_the_rebuild_and_leaves_the_live_index(tmp_path: Path) -> None:
    before = set(children(os.getpid()))  # the browser of other tests may be among them
    engine = WhooshEngine(tmp_path, helpers=1)
    engine.rebuild([Document("a", "a", "arts", "en")])

    def deadly() -> Iterator[Document]:
        for number, document in enumerate(documents(2000)):
            if number == 500:
                for pid in set(children(os.getpid())) - before:
                    os.kill(pid, signal.SIGKILL)
            yield document

    with pytest.raises(ChildProcessError, match="-9"):
        engine.rebuild(deadly())
    assert engine.ids() == {"a"}
    assert len(list(tmp_path.glob("index-*"))) == 1
    assert set(children(os.getpid())) <= before
    engine.close()


@pytest.mark.usefixtures("small")
def test_what_a_helper_cannot_build_is_told(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, helpers=1)
    broken = Document("b", "b", "arts", "en", {"story": 7})  # type: ignore[dict-item]
    with pytest.raises(ChildProcessError, match="TypeError"):
        engine.rebuild([*documents(20), broken])


@pytest.mark.usefixtures("small")
def test_documents_that_cannot_be_read_stop_the_helpers(tmp_path: Path) -> None:
    before = set(children(os.getpid()))

    def unreadable() -> Iterator[Document]:
        yield from documents(100)
        raise RuntimeError("database gone")

    with pytest.raises(RuntimeError, match="gone"):
        WhooshEngine(tmp_path, helpers=1).rebuild(unreadable())
    assert set(children(os.getpid())) <= before
    assert list(tmp_path.glob("index-*")) == []


def test_helpers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, helpers=0)
    engine.rebuild([Document("a", "a", "arts", "en")])
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    (helper,) = map(int, parent.stdout.readline().split())
    assert Path(f"/proc/{helper}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not Path(f"/proc/{helper}").exists())
    assert engine.ids() == {"a"}
    assert engine.rebuild([Document("b", "b", "arts", "en")]) == 1
    assert len(list(tmp_path.glob("index-*"))) == 1
    engine.close()


def test_helpers_let_readers_go_first(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    (helper,) = map(int, parent.stdout.readline().split())
    own = os.getpriority(os.PRIO_PROCESS, parent.pid)
    eventually(lambda: os.getpriority(os.PRIO_PROCESS, helper) > own)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not Path(f"/proc/{helper}").exists())


@pytest.mark.parametrize(("cores", "helpers"), [(1, 0), (2, 1), (4, 3), (64, 3)])
def test_one_core_is_left_for_reading(cores: int, helpers: int) -> None:
    assert helping.helpers_for(cores) == helpers
    assert helping.cores() >= 1
