"""The engines of the race, by the name they have in its table."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.race.asking import Asked, Prepared
from bench.race.by_fts5 import FTS5
from bench.race.by_tantivy import Tantivy
from bench.race.by_whoosh import Whoosh
from bench.race.material import Material
from bench.race.ours import Ours, Typesense, served
from tests import typesense_server


class Engine(Protocol):
    """What takes part. Made on a folder that is not there, it wants `build` first.

    Where `layout` changes, what was built before is of no use. `misses` are kinds of query that it has no answer to.
    Where nothing `stays`, the index goes with the server that holds it: see `running`.
    """

    name: str
    layout: str
    version: str
    misses: tuple[str, ...]
    stays: bool

    def __init__(self, folder: Path, material: Material) -> None: ...

    def build(self) -> None:
        """Index all documents of the material, ready to be asked."""

    def prepare(self, asked: Asked) -> Prepared:
        """Return a query as the engine understands it, so that parsing is not timed."""

    def close(self) -> None:
        """Give back files and memory."""


ENGINES: Mapping[str, type[Engine]] = {each.name: each for each in (Ours, Typesense, Tantivy, FTS5, Whoosh)}
"""All of them."""

HERE = tuple(name for name in ENGINES if name != Typesense.name or typesense_server.available() is None)
"""The names of those that can take part on this machine."""


class Built(NamedTuple):
    """What an index cost: seconds to make, bytes on disk."""

    seconds: float
    bytes: int


@contextmanager
def running(names: Sequence[str], material: Material) -> Iterator[None]:
    """Run the servers that some engines need."""
    with served(folder_of(Typesense, material)) if Typesense.name in names else nullcontext():
        yield


def build(name: str, material: Material) -> Built:
    """Return what the index of an engine cost, which is built where the folder of the material has none that stays."""
    kind = ENGINES[name]
    folder = folder_of(kind, material)
    noted = folder.with_suffix(".json")
    if not (kind.stays and noted.exists()):
        if kind.stays:
            shutil.rmtree(folder, ignore_errors=True)
        _ = material.words, material.stems  # made before the clock runs
        began = time.perf_counter()
        with closing(kind(folder, material)) as engine:
            engine.build()
        seconds = time.perf_counter() - began
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        noted.write_text(json.dumps(Built(round(seconds, 1), size)), encoding="utf-8")
    return Built(*json.loads(noted.read_text(encoding="utf-8")))


@contextmanager
def opened(names: Sequence[str], material: Material) -> Iterator[list[Engine]]:
    """Open the indexes of some engines, which were built."""
    with ExitStack() as stack:
        kinds = [ENGINES[name] for name in names]
        yield [stack.enter_context(closing(kind(folder_of(kind, material), material))) for kind in kinds]


def folder_of(kind: type[Engine], material: Material) -> Path:
    """Return where the index of an engine is."""
    return material.folder / f"{kind.name}-{kind.layout}"
