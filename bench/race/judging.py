"""Whether the engines agree, and how long each takes: run in a process of its own, so that no cache is left behind."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter, process_time

from bench.race.asking import HITS, Answer, Asked
from bench.race.engines import Engine, opened
from bench.race.material import FACETS, Material
from bench.race.ours import Ours

_BLOCK = 16  # queries that an engine answers before it is the turn of the next

Times = Mapping[str, Sequence[tuple[float, float]]]
"""For each engine the milliseconds of each query, in the order of the queries: by the clock, and of the processor.

On a machine that does something else besides, the second tells more: waiting for one's turn is not in it. Nor is what
a server does that is asked.
"""


def differences(names: Sequence[str], material: Material, queries: Sequence[Asked]) -> tuple[list[str], int]:
    """Return a sentence for each answer that differs from ours, and how many typos we take for the word that was meant.

    Totals and all facet tables have to be the same; hits be as many as there can be, and among what ours finds: each
    engine has an order of its own. A typo is compared by the word that ours takes it for, because no two engines agree
    on what may have been meant.
    """
    found: list[str] = []
    corrected = 0
    with opened(names, material) as engines:
        ours = next((engine for engine in engines if isinstance(engine, Ours)), None)
        for asked in queries:
            query = asked
            if asked.meant is not None:
                meant = ours.correction(asked.text) if ours else asked.meant
                corrected += meant == asked.meant
                query = replace(asked, text=meant or asked.meant, meant=None)
            found += _compared(engines, ours, query)
    return found, corrected


def _compared(engines: Sequence[Engine], ours: Ours | None, asked: Asked) -> Iterator[str]:
    answers = [engine.prepare(asked)() for engine in engines]
    right = frozenset(ours.matching(asked)) if ours else None
    for engine, answer in zip(engines, answers, strict=True):
        for fault in _faults(answers[0], answer, right):
            yield f"{engine.name}, {asked.kind} {asked.text!r} {dict(asked.filters)}: {fault}"


def _faults(expected: Answer, answer: Answer, right: frozenset[str] | None) -> Iterator[str]:
    if answer.total != expected.total:
        yield f"{answer.total} found, not {expected.total}"
    for name in FACETS:
        if answer.facets.get(name) != expected.facets[name]:
            yield f"{name} counts {answer.facets.get(name)}, not {expected.facets[name]}"
    if len(set(answer.hits)) != min(answer.total, HITS):
        yield f"{len(set(answer.hits))} hits of {answer.total}"
    if right is not None and not right.issuperset(answer.hits):
        yield f"not found by us are {set(answer.hits) - right}"


def times(names: Sequence[str], material: Material, warming: Sequence[Asked], queries: Sequence[Asked]) -> Times:
    """Return how long each engine takes for each query, after it has answered those for warming.

    Engines take turns after every few queries, so that whatever else the machine does hits them alike. No query is
    asked twice of one engine.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with opened(names, material) as engines:
        for engine in engines:
            for asked in warming:
                engine.prepare(asked)()
        gc.collect()
        gc.freeze()
        for number, start in enumerate(range(0, len(queries), _BLOCK)):
            block = queries[start : start + _BLOCK]
            turn = number % len(engines)
            for engine in (*engines[turn:], *engines[:turn]):
                taken[engine.name] += _timed(engine, block)
        gc.unfreeze()
    return taken


def _timed(engine: Engine, queries: Sequence[Asked]) -> Iterator[tuple[float, float]]:
    for answer in [engine.prepare(asked) for asked in queries]:
        worked, began = process_time(), perf_counter()
        answer()
        yield 1000 * (perf_counter() - began), 1000 * (process_time() - worked)


def shuffled(queries: Sequence[Asked], seed: int) -> list[Asked]:
    """Return queries in a random order, so that kinds are mixed."""
    return random.Random(seed).sample(queries, len(queries))  # noqa: S311 - nothing here is secret
