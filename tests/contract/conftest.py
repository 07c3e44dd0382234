"""Every engine behind the port has to pass this folder's tests: a new one joins with a line in `MAKERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from kb.search import open_engine
from kb.search.port import SearchEngine
from kb.search.whoosh_engine import WhooshEngine
from tests import typesense_server


def on_typesense(folder: Path) -> SearchEngine:
    """An engine on a collection that is of this folder alone; whoever asks for the folder again gets the same one."""
    if why := typesense_server.available():
        pytest.skip(why)
    name = "contract-" + blake2b(str(folder).encode(), digest_size=8).hexdigest()
    return open_engine(typesense_server.server().url(name), folder)


MAKERS: dict[str, Callable[[Path], SearchEngine]] = {"whoosh": WhooshEngine, "typesense": on_typesense}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], SearchEngine]]:
    """Makes engines on one and the same index, as several processes have them; nothing is in it yet."""
    engines: list[SearchEngine] = []

    def make() -> SearchEngine:
        engines.append(MAKERS[request.param](tmp_path / "index"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make: Callable[[], SearchEngine]) -> SearchEngine:
    """An engine with an empty index."""
    engine = make()
    engine.rebuild([])
    return engine
