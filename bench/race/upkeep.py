"""What our engine costs besides searches: to open it, to publish one practice, and the memory of one more worker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from bench.race.asking import Asked
from bench.race.engines import folder_of
from bench.race.material import Material
from bench.race.ours import Ours
from kb.search.parsing import parse
from kb.search.port import Query
from kb.search.whoosh_engine import WhooshEngine

_PUBLISHED = 12  # practices, one after the other


def opening(material: Material, queries: Sequence[Asked]) -> dict[str, float]:
    """Return the milliseconds until the index is open and has counted its documents, and until the first answer.

    Also the megabytes that a process takes for it after many queries, those of files that all share not counted: what
    one more worker costs.
    """
    before = _memory()
    began = perf_counter()
    with closing(Ours(folder_of(Ours, material), material)) as ours:
        ours.count()
        opened = perf_counter()
        for number, asked in enumerate(queries):
            ours.prepare(asked)()
            if not number:
                answered = perf_counter()
        grown = _memory() - before
    return {
        "open_ms": _ms(opened - began),
        "first_answer_ms": _ms(answered - began),
        "memory_mb": round(grown / 1e6, 1),
    }


def publishing(material: Material) -> dict[str, float]:
    """Return the milliseconds from a practice's coming to its being found, one at a time, in the process that writes.

    The index is a copy made of links: what was written is never changed, only more is.
    """
    index = folder_of(Ours, material)
    copied = index.with_name(f"{index.name}-published")
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(index, copied, copy_function=os.link)
    try:
        taken = _publications(copied, material)
    finally:
        shutil.rmtree(copied)
    return {"publication_ms": _ms(float(np.median(taken))), "longest_publication_ms": _ms(max(taken))}


def _publications(folder: Path, material: Material) -> list[float]:
    taken = []
    with closing(WhooshEngine(folder)) as engine:
        engine.count()
        for number, document in enumerate(islice(material.documents(), _PUBLISHED)):
            word = f"zz{number}published"
            changed = replace(document, texts={**document.texts, "names": word})
            began = perf_counter()
            engine.update([changed])
            found = engine.search(Query(question=parse(word))).total
            taken.append(perf_counter() - began)
            if found != 1:
                raise ValueError(f"{word} is found {found} times")
    return taken


def _memory() -> int:
    """Return the bytes that are this process's own and no file's."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
