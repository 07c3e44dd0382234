"""How fast the search engine is beside others: `python -m bench speed`.

Our engine and its way through a Typesense server, both through the port that the site uses, tantivy, SQLite FTS5 and
plain Whoosh index the same made-up practices, cut into the same tokens, and answer the same questions: ten hits, the
total, and nine facets over all that was found, each counted without its own filter. Totals, facets and hits are
compared before anything is timed. Nothing is asked twice; parsing is not timed, of any engine.

Ours does more than that for its answer: five weighted fields where the others have one, two more facets, what hits were
found by, the best documents beyond the full ones, spelling, and terms learned from the best.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from bench.race import judging, upkeep
from bench.race.asking import KINDS, Asked, Drawing
from bench.race.engines import ENGINES, HERE, Built, build, running
from bench.race.judging import Times
from bench.race.material import Material

RESULTS = Path(__file__).parent / "results"
_SHOWN = 10  # differences
_SEED = 1

CLOCKS = {"clock": "Milliseconds by the clock", "processor": "Milliseconds of the processor"}
"""The two ways in which time is taken."""

T = TypeVar("T")


@click.command()
@click.option("--docs", default=10_000, show_default=True, help="Documents to search.")
@click.option("--count", default=40, show_default=True, help="Timed queries of each kind; a quarter as many warm up.")
@click.option("--engines", "listed", default=",".join(HERE), show_default=True, help="Which engines take part.")
@click.option("--only", "kinds", multiple=True, type=click.Choice(KINDS), help="Only queries of this kind.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Keep documents and indexes in this folder, for next time."
)
@click.option("--seed", default=_SEED, show_default=True, help="Another seed, other queries.")
def speed(docs: int, count: int, listed: str, kinds: tuple[str, ...], keep: Path | None, seed: int) -> None:
    """Time searches of our engine, Typesense, tantivy, FTS5 and Whoosh; prints a table and a line of JSON.

    The result of all engines on all kinds of queries is kept in bench/results/.
    """
    names = listed.split(",")
    if unknown := set(names) - set(ENGINES):
        raise click.BadParameter(f"no such engine: {', '.join(sorted(unknown))}")
    if missing := set(names) - set(HERE):
        raise click.BadParameter(f"not on this machine: {', '.join(sorted(missing))}")
    with ExitStack() as stack:
        material = Material(stack.enter_context(_folder(keep, docs)), docs)
        stack.enter_context(running(names, material))
        built = {name: _apart(build, name, material) for name in names}
        drawing = Drawing(material, seed)
        warming = [each for kind in kinds or KINDS for each in drawing.queries(kind, max(1, count // 4))]
        queries = [each for kind in kinds or KINDS for each in drawing.queries(kind, count)]
        corrected = _agreed(names, material, [*warming, *queries])
        queries = judging.shuffled(queries, seed)
        times = _apart(judging.times, names, material, judging.shuffled(warming, seed), queries)
        result = summary(queries, times, built, docs) | {"corrected": corrected}
        if "ours" in names:
            result["upkeep"] = _apart(upkeep.opening, material, queries) | _apart(upkeep.publishing, material)
    click.echo(report(result))
    line = json.dumps(result)
    click.echo(line)
    if not kinds and "ours" in names and "tantivy" in names:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"speed-{docs}.json").write_text(line + "\n", encoding="utf-8")


@contextmanager
def _folder(keep: Path | None, docs: int) -> Iterator[Path]:
    if keep is not None:
        yield keep / str(docs)
    else:
        with tempfile.TemporaryDirectory(prefix="kb-speed-") as folder:
            yield Path(folder)


def _apart(call: Callable[..., T], *arguments: Any) -> T:
    """Call something in a new process, so that it leaves nothing warm behind."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(call, *arguments).result()


def _agreed(names: Sequence[str], material: Material, queries: Sequence[Asked]) -> int:
    """Return how many typos ours takes for what was meant. Raises ClickException where answers differ."""
    found, corrected = _apart(judging.differences, names, material, queries)
    if found:
        raise click.ClickException("\n".join((f"{len(found)} answers differ, so nothing is timed:", *found[:_SHOWN])))
    return corrected


def summary(queries: Sequence[Asked], times: Times, built: Mapping[str, Built], docs: int) -> dict[str, Any]:
    """Return medians and 95th percentiles in milliseconds, by kind and of all, what indexes cost, and ratios."""
    kinds = np.array([each.kind for each in queries])
    engines: dict[str, Any] = {}
    for name, taken in times.items():
        clock, processor = np.asarray(taken).T
        engines[name] = {
            "clock": _figures(clock, kinds),
            "processor": _figures(processor, kinds),
            "index_seconds": built[name].seconds,
            "index_megabytes": round(built[name].bytes / 1e6, 1),
            "version": ENGINES[name].version,
            "misses": ENGINES[name].misses,
        }
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {"docs": docs, "queries": len(queries), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "versions": versions, "engines": engines,
            "ratios": {clock: _ratios(kinds, times, number) for number, clock in enumerate(CLOCKS)}}  # fmt: skip


def _figures(taken: Any, kinds: Any) -> dict[str, Any]:
    """Return median and 95th percentile, and the same of each kind."""
    of_kind = {kind: _middle(taken[kinds == kind]) for kind in KINDS if kind in kinds}
    return {**_middle(taken), "kinds": of_kind}


def _middle(taken: Any) -> dict[str, float]:
    found = {"median": np.median(taken), "p95": np.percentile(taken, 95), "mean": np.mean(taken)}
    return {name: round(float(figure), 3) for name, figure in found.items()}


def _ratios(kinds: Any, times: Times, clock: int) -> dict[str, dict[str, float]]:
    """Return what ours takes divided by what each other engine takes, for the queries that both can answer."""
    ratios = {}
    for name in times if "ours" in times else ():
        if name != "ours":
            answered = ~np.isin(kinds, ENGINES[name].misses)
            ours, other = (_middle(np.asarray(times[each])[answered, clock]) for each in ("ours", name))
            ratios[name] = {figure: round(ours[figure] / other[figure], 4) for figure in ours}
    return ratios


def report(result: Mapping[str, Any]) -> str:
    """The tables, by the clock and of the processor, and ours beside the others."""
    lines = [
        f"Ten hits, the total and nine facets of {result['docs']:,} documents: {result['queries']} queries, each once, "
        f"warm; {result['cores']} cores, load {result['load']}"
    ]
    for clock, title in CLOCKS.items():
        lines += ["", *_table(result["engines"], clock, title)]
        for name, ratio in result["ratios"][clock].items():
            times = ", ".join(f"{value:.2f} ({figure}; 1 / {1 / value:.2f})" for figure, value in ratio.items())
            without = "".join(f", without {kind}" for kind in result["engines"][name]["misses"])
            lines.append(f"ours / {name}{without}: {times}")
    lines += ["", f"{'':<10}{'index, s':>10}{'MB':>10}"]
    for name, each in result["engines"].items():
        lines.append(f"{name:<10}{each['index_seconds']:>10.1f}{each['index_megabytes']:>10.1f}")
    if "upkeep" in result:
        each = result["upkeep"]
        lines += [
            "",
            f"Ours opens in {each['open_ms']} ms and has answered after {each['first_answer_ms']} ms; a process takes "
            f"{each['memory_mb']} MB of its own; a practice is found {each['publication_ms']} ms after it came "
            f"(the longest of some: {each['longest_publication_ms']} ms)",
        ]
    return "\n".join(lines)


def _table(engines: Mapping[str, Any], clock: str, title: str) -> Iterator[str]:
    kinds = next(iter(engines.values()))[clock]["kinds"]
    yield f"{title}: median, 95th percentile and mean of all, medians of each kind"
    yield f"{'':<10}{'all':>9}{'p95':>9}{'mean':>9}" + "".join(f"{kind:>9}" for kind in kinds)
    for name, each in engines.items():
        found = each[clock]
        figures = (found["median"], found["p95"], found["mean"], *(found["kinds"][kind]["median"] for kind in kinds))
        yield f"{name:<10}" + "".join(f"{figure:>9.3f}" for figure in figures)
