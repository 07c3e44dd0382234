"""A Typesense cluster under the engine: nodes killed, stopped and lagging, collections lost, disks full, keys wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.search import open_engine
from kb.search.port import IndexLost, SearchEngine, SearchUnavailable
from kb.search.typesense import building, nodes
from kb.search.typesense.address import parse
from kb.search.typesense_engine import TypesenseEngine
from tests import typesense_server
from tests.contract.asking import doc, found
from tests.processes import eventually
from tests.typesense_server import Cluster, Server

pytestmark = pytest.mark.skipif(typesense_server.available() is not None, reason=str(typesense_server.available()))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes that the tests of this file share; each leaves all of them running."""
    cluster = typesense_server.cluster(tmp_path_factory.mktemp("cluster") / "nodes")
    yield cluster
    cluster.stop()


@pytest.fixture
def server() -> Server:
    """The one server of this run."""
    return typesense_server.server()


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A collection of this test alone."""
    return tmp_path.name


OPENED: list[SearchEngine] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what a test opened."""
    yield
    while OPENED:
        OPENED.pop().close()


def opened(cluster: Cluster | Server, name: str) -> TypesenseEngine:
    """An engine as a process of its own would have it; closed after the test."""
    engine = TypesenseEngine(parse(cluster.url(name)))
    OPENED.append(engine)
    return engine


def kept_writing(engine: SearchEngine, number: int, written: set[str]) -> None:
    """Write so many documents one by one, each until it is acknowledged; `written` has those that were."""
    for n in range(number):
        while True:
            try:
                engine.update([doc(f"d{n}", "arts")])
                break
            except SearchUnavailable:
                continue
        written.add(f"d{n}")


def test_no_acknowledged_write_is_lost_when_the_leader_is_killed(cluster: Cluster, name: str) -> None:
    engine = opened(cluster, name)
    engine.rebuild([])
    written: set[str] = set()
    writer = threading.Thread(target=kept_writing, args=(engine, 60, written))
    writer.start()
    eventually(lambda: len(written) >= 20)
    leader = cluster.leader()
    leader.kill()
    writer.join()
    assert engine.ids() == {f"d{n}" for n in range(60)}
    leader.start()
    cluster.wait()
    assert opened(cluster, name).ids() == engine.ids()


def test_what_is_found_after_the_generation_is_no_older_though_a_follower_lags(cluster: Cluster, name: str) -> None:
    writer, reader = opened(cluster, name), opened(cluster, name)
    writer.rebuild([doc("a")])
    lagging = cluster.followers()[0]
    for n in range(5):
        lagging.pause()
        try:
            writer.update([doc(f"{n}", f"word{n}")])
            writer.generation()
        finally:
            lagging.resume()
        reader.generation()
        for _each in cluster.nodes:  # whichever is asked
            assert found(reader, f"word{n}") == {f"{n}"}


def test_searching_goes_on_while_a_node_answers_nobody(cluster: Cluster, name: str) -> None:
    engine = opened(cluster, name)
    engine.rebuild([doc("a", "arts")])
    stopped = cluster.followers()[0]
    stopped.pause()
    try:
        for _each in range(9):
            assert found(engine, "arts") == {"a"}
    finally:
        stopped.resume()
    cluster.wait()


def test_a_node_that_let_somebody_wait_is_left_alone_for_a_while(cluster: Cluster, name: str) -> None:
    engine = opened(cluster, name)
    engine.rebuild([doc("a", "arts")])
    stopped = cluster.followers()[0]
    stopped.pause()
    try:
        for _each in cluster.nodes:
            engine.count()
        left = [str(each) for each in engine._nodes.in_turn() if each._left_alone]
    finally:
        stopped.resume()
    assert left == [f"127.0.0.1:{stopped.port}"]
    cluster.wait()


def test_a_collection_deleted_under_a_site_is_a_lost_index(server: Server, name: str) -> None:
    engine = opened(server, name)
    engine.rebuild([doc("a")])
    collection = server.ask("GET", f"/aliases/{name}")["collection_name"]
    server.ask("DELETE", f"/collections/{collection}")
    with pytest.raises(IndexLost):
        engine.count()
    with pytest.raises(IndexLost):
        engine.update([doc("b")])
    assert engine.rebuild([doc("a"), doc("b")]) == 2


def test_an_index_older_than_what_was_met_is_lost(server: Server, name: str) -> None:
    engine = opened(server, name)
    engine.rebuild([doc("a")])
    former = server.ask("GET", f"/collections/{name}/documents/_state")
    engine.update([doc("b")])
    server.ask("POST", f"/collections/{name}/documents?action=upsert", former)
    with pytest.raises(IndexLost):
        engine.count()


def test_what_an_interrupted_rebuild_left_is_taken_away_but_not_what_is_being_filled(
    server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collections() -> set[str]:
        return {each["name"] for each in server.ask("GET", "/collections") if each["name"].startswith(f"{name}-")}

    engine = opened(server, name)
    engine.rebuild([doc("a")])
    left = building._new(engine._nodes, name)
    engine.rebuild([doc("a")])
    assert left in collections()
    monkeypatch.setattr(building, "ABANDONED", -1.0)
    engine.rebuild([doc("a")])
    assert len(collections()) == 1 and left not in collections()


def test_a_rebuild_that_fails_leaves_nothing(server: Server, name: str) -> None:
    def broken() -> Iterator[object]:
        yield doc("b")
        raise RuntimeError("database gone")

    engine = opened(server, name)
    engine.rebuild([doc("a")])
    with pytest.raises(RuntimeError):
        engine.rebuild(broken())  # type: ignore[arg-type]
    assert engine.ids() == {"a"}
    assert sum(each["name"].startswith(f"{name}-") for each in server.ask("GET", "/collections")) == 1


def test_a_rebuild_that_began_later_stays(server: Server, name: str) -> None:
    first, later = opened(server, name), opened(server, name)

    def meanwhile(_engine: SearchEngine) -> None:
        later.rebuild([doc("a"), doc("b")])

    assert first.rebuild([doc("a")], meanwhile) == 2
    assert first.ids() == {"a", "b"}


def test_a_wrong_key_is_told_without_it(server: Server, name: str) -> None:
    engine = open_engine(server.url(name).replace(server.key, "not-the-key-of-it"), Path())
    with pytest.raises(SearchUnavailable, match="does not accept the key") as told:
        engine.count()
    assert "not-the-key-of-it" not in str(told.value)
    engine.close()


def test_a_server_that_is_too_old_is_told(server: Server, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "OLDEST", (999, 0))
    engine = opened(server, name)
    with pytest.raises(SearchUnavailable, match=r"999\.0 or newer is needed"):
        engine.count()


def test_a_full_disk_is_told_when_it_takes_nothing_in(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "PATIENCE", 0.0)
    alone = typesense_server.cluster(tmp_path / "nodes", nodes=1)
    try:
        alone.nodes[0].kill()
        alone.nodes[0].start("--disk-used-max-percentage=1")
        alone.wait()
        with pytest.raises(SearchUnavailable, match="disk or memory is full"):
            opened(alone, name).rebuild([doc("a")])
    finally:
        alone.stop()


def test_a_server_that_comes_up_is_no_lost_index(tmp_path: Path, name: str) -> None:
    alone = typesense_server.cluster(tmp_path / "nodes", nodes=1)
    try:
        engine = opened(alone, name)
        engine.rebuild(doc(f"{n}") for n in range(50))
        alone.nodes[0].kill()
        alone.nodes[0].start()
        answers: set[int] = set()

        def answered() -> bool:
            try:
                answers.add(opened(alone, name).count())
            except SearchUnavailable:
                return False
            return True

        eventually(answered)
        assert answers == {50}
    finally:
        alone.stop()
