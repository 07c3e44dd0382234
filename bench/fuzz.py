"""Whether any question breaks the search or takes long, on real texts in nine languages: `python -m bench fuzz`.

The practices of the test data are imported as anybody imports them. Then questions of every kind are asked the way the
site asks them; every fourth one also at an address of the site. One that is late is asked again at the end, alone: a
machine that had other work to do is no fault of the search.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click
import numpy as np

from bench.probing import SEARCH, Probe, Prober
from bench.questions import KINDS, Ask, Questions
from bench.records import NoData, Records, data_folder, write
from kb import config as settings
from kb import create_app
from kb.web import context

LIMIT = 1.0
"""Seconds that no question may take."""

COUNT = 20_000
_EVERY = 4  # of so many questions, one is asked at an address of the site too
_SHOWN = 160  # characters of a question in the report
_MOST_FAULTS = 30


@click.command()
@click.option("--count", default=COUNT, show_default=True, help="How many questions.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other questions.")
@click.option("--first", default=0, show_default=True, help="The number of the first one, to ask a single one again.")
@click.option(
    "--base", type=click.Path(file_okay=False, path_type=Path),
    help="Where the filled base is, or is to be made and kept; without it, in a temporary folder.",
)  # fmt: skip
def fuzz(count: int, seed: int, first: int, base: Path | None) -> None:
    """Ask COUNT questions of a base with all records of KB_TEST_DATA; nothing may raise or take over a second.

    Prints how long they took, the slowest, and whatever went wrong.
    """
    try:
        data = data_folder()
    except NoData as error:
        raise click.ClickException(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        base = base or Path(folder) / "base"
        click.echo(_kb(base, "init") if base.exists() else made(data, base))
        figures = run(base, data, seed, range(first, first + count))
    click.echo(report(figures, seed))
    if figures.failed:
        sys.exit(1)


def made(data: Path, base: Path) -> str:
    """Make a base of the records of the test data; return how it went. Raises ClickException where one is refused."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.jsonl"
        write(data, file)
        began = perf_counter()
        said = _kb(base, "import", str(file), "--as", "published")
    return f"{said} Import and index took {perf_counter() - began:.0f} s."


def _kb(base: Path, *command: str) -> str:
    """Run a command of the software on a base; return what it says. Raises ClickException where it fails."""
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "kb", *command],
        env={**os.environ, "KB_DATA_DIR": str(base)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(done.stderr[-2000:])
    return done.stdout.strip()


class Figures(NamedTuple):
    """Everything that was asked: all times, in seconds, by the way, and what was slow or wrong.

    `late` is what took over LIMIT at first, each with the shorter of two further times.
    """

    asked: int
    seconds: dict[str, list[float]]
    slowest: list[Probe]
    faults: list[Probe]
    late: list[tuple[Probe, float]]

    @property
    def too_late(self) -> list[tuple[Probe, float]]:
        """What takes over LIMIT each time."""
        return [(probe, again) for probe, again in self.late if again > LIMIT]

    @property
    def failed(self) -> bool:
        """Whether anything is as it must not be."""
        return bool(self.faults or self.too_late)


def run(base: Path, data: Path, seed: int, numbers: range) -> Figures:
    """Ask the questions of these numbers of a base."""
    app = create_app(settings.load({"KB_DATA_DIR": str(base), "KB_LIMITS": "off"}))
    prober = Prober(app)
    parts: context.Parts = app.extensions[context.KEY]
    with parts.database.read() as session:
        vocabulary = parts.vocabularies.get(session)
    questions = Questions(seed, (f"{record['title']} {record['summary']}" for record in Records(data)), vocabulary)
    figures = Figures(len(numbers), {}, [], [], [])
    try:
        list(prober.probe(Ask(-1, "first", [("q", "housing")]), (SEARCH, *prober.pages)))  # what is read only once
        with click.progressbar(numbers, label="Asking", file=sys.stderr) as shown:
            for number in shown:
                for probe in prober.probe(questions.ask(number), ways(number, prober.pages)):
                    _note(figures, probe)
                if number % 1000 == 999 and not sys.stderr.isatty():
                    click.echo(f"{number + 1:,}", err=True)
        for probe in [probe for probe in figures.slowest if probe.seconds > LIMIT]:
            again = [each.seconds for _ in range(2) for each in prober.probe(probe.ask, (probe.way,))]
            figures.late.append((probe, min(again)))
    finally:
        prober.close()
        parts.indexer.stop()
        parts.engine.close()
        parts.database.close()
    return figures


def ways(number: int, pages: Sequence[str]) -> tuple[str, ...]:
    """Return the ways of a question: always the search, and every fourth time one of the pages, each in its turn."""
    # Kinds go by turns too: a page is kept until each kind has come to it.
    turn = number // (_EVERY * KINDS)
    return (SEARCH, pages[turn % len(pages)]) if number % _EVERY == 0 and pages else (SEARCH,)


def _note(figures: Figures, probe: Probe) -> None:
    figures.seconds.setdefault(probe.way, []).append(probe.seconds)
    if probe.fault:
        figures.faults.append(probe)
        click.echo(f"{_named(probe)}\n    {probe.fault}", err=True)
    figures.slowest.append(probe)
    figures.slowest.sort(key=lambda each: -each.seconds)
    late = sum(each.seconds > LIMIT for each in figures.slowest)
    del figures.slowest[max(10, late) :]


def report(figures: Figures, seed: int) -> str:
    """Return the figures as a table, in milliseconds, and what was slow or wrong."""
    lines = [f"{figures.asked:,} questions, seed {seed}", ""]
    lines.append(f"{'ms':20}{'asked':>8}{'median':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    every = [second for seconds in figures.seconds.values() for second in seconds]
    for way, seconds in {**figures.seconds, "all": every}.items():
        shares = np.percentile(np.array(seconds) * 1000, (50, 95, 99, 100))
        lines.append(f"{way:20}{len(seconds):8,}" + "".join(f"{share:9.1f}" for share in shares))
    lines += ["", "The slowest (ms by the clock, of work):"]
    lines += [f"{probe.seconds * 1000:8.0f} {probe.work * 1000:6.0f}  {_named(probe)}" for probe in figures.slowest]
    kinds = Counter(probe.ask.kind for probe in figures.faults)
    lines += [
        "",
        f"Over {LIMIT:g} s at first: {len(figures.late):,}; again when asked alone: {len(figures.too_late):,}.",
    ]
    lines += [f"{probe.seconds * 1000:8.0f} {again * 1000:6.0f}  {_named(probe)}" for probe, again in figures.late]
    lines += ["", f"Went wrong: {len(figures.faults):,}."]
    lines += [f"  {kind}: {count}" for kind, count in kinds.most_common()]
    lines += list(_explained(figures.faults[:_MOST_FAULTS], seed))
    return "\n".join(lines)


def _explained(faults: Sequence[Probe], seed: int) -> Iterator[str]:
    for probe in faults:
        yield f"  {_named(probe)}\n    {probe.fault}"
        yield f"    python -m bench fuzz --seed {seed} --first {probe.ask.number} --count 1"


def _named(probe: Probe) -> str:
    """Return a question in characters that any terminal bears."""
    text = ascii(probe.ask.text)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(probe.ask.text):,} characters)"
    beside = f" {probe.ask.params[1:]!a}" if len(probe.ask.params) > 1 else ""
    return f"{probe.ask.number} {probe.ask.kind}, {probe.way}: {shown}{beside[:200]}"
